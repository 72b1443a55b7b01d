//! Why a replay cannot start, or ended before its end.

use std::io;
use std::path::PathBuf;

use crate::bridge;
use crate::count::Intake;
use crate::druid::DruidError;
use crate::enrich::EnrichError;
use crate::kafka::KafkaError;
use crate::kafka::embedded::EndpointError;
use crate::mqtt::MqttError;
use crate::source::SourceError;

/// What went wrong; each message says where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The input cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// What is to be joined cannot be read.
    #[error(transparent)]
    Enrich(#[from] EnrichError),
    /// A folder cannot be listed.
    #[error("cannot read the folder {path}", path = path.display())]
    Folder { path: PathBuf, source: io::Error },
    /// A folder has no files.
    #[error("{path} is a folder without files (those in its folders do not count)", path = path.display())]
    EmptyFolder { path: PathBuf },
    /// There is nothing to replay.
    #[error(
        "{input}: no tweets in it ({found}); {READ}; `tweetblast generate -o FILE` makes a file that has some"
    )]
    NoTweets { input: String, found: String },
    /// There are tweets, and none of them is asked for.
    #[error("none of the {tweets} tweets is asked for: --start, --end or --limit leave all of them out")]
    NothingSelected { tweets: u64 },
    /// Event times are asked for where there are none.
    #[error("the tweets have no times, so --start and --end cannot choose among them")]
    NoTimes,
    #[error("cannot write dead letters to {path}", path = path.display())]
    DeadLetters { path: PathBuf, source: io::Error },
    /// The input is not what it was when it was looked through.
    #[error(
        "{path} changed while it was replayed: there is no tweet at {place} any more; replay a file that nobody \
         writes to",
        path = path.display()
    )]
    Changed {
        path: PathBuf,
        /// Line and byte.
        place: String,
    },
    /// A flag that makes no sense with this input.
    #[error("{0}")]
    Usage(String),
    /// What was asked for cannot be had with this input.
    #[error("{0}")]
    Options(String),
    #[error(transparent)]
    Mqtt(#[from] MqttError),
    #[error(transparent)]
    Bridge(#[from] bridge::Closed),
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error(transparent)]
    Druid(#[from] DruidError),
    /// The embedded endpoint's own directory.
    #[error("cannot keep the log of the embedded Kafka for Druid in {path}; --kafka-dir DIR names another place", path = path.display())]
    StateDir { path: PathBuf, source: std::io::Error },
    /// A thread panicked: a fault of ours.
    #[error("the {0} thread panicked; this is a bug in tweetblast, please report it")]
    Panic(&'static str),
    /// Stopped by the user before the first tweet left.
    #[error("stopped before the first tweet was sent")]
    Stopped,
}

/// What is read, for the end of a message.
const READ: &str = "tweetblast reads tweets of the Twitter API v1.1 and v2, account archives, activity \
     streams, users with their texts, and objects with fields such as text and created_at";

impl ReplayError {
    /// An input without tweets, and what is in it instead.
    pub(crate) fn no_tweets(input: String, intake: &Intake) -> Self {
        let mut found = format!("{} values, {} unparseable", intake.frames, intake.unparseable);
        for (kind, rejects) in &intake.rejects {
            found.push_str(&format!(", {} {kind}", rejects.count));
        }
        ReplayError::NoTweets { input, found }
    }
}
