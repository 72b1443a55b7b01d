//! Why a replay cannot start, or ended before its end.

use std::path::PathBuf;

use crate::bridge;
use crate::kafka::KafkaError;
use crate::kafka::embedded::EndpointError;
use crate::mqtt::MqttError;
use crate::report::Intake;
use crate::source::{SourceError, TweetFile};

/// What went wrong; each message says where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The input cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// There is nothing to replay.
    #[error("{path}: no tweets in it ({found}); `tweetblast generate -o FILE` makes a file that has some", path = path.display())]
    NoTweets {
        /// The input.
        path: PathBuf,
        /// What is in it instead.
        found: String,
    },
    /// The input is not what it was when it was looked through.
    #[error("{path} changed while it was replayed: there is no tweet at byte {offset} any more; replay a file that nobody writes to", path = path.display())]
    Changed {
        /// The input.
        path: PathBuf,
        /// Where a tweet was.
        offset: u64,
    },
    /// What was asked for cannot be had with this input.
    #[error("{0}")]
    Options(String),
    /// The MQTT hop.
    #[error(transparent)]
    Mqtt(#[from] MqttError),
    /// The queues.
    #[error(transparent)]
    Bridge(#[from] bridge::Closed),
    /// The Kafka hop.
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    /// The embedded Kafka endpoint.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// A thread panicked: a fault of ours.
    #[error("the {0} thread panicked; this is a bug in tweetblast, please report it")]
    Panic(&'static str),
    /// Stopped by the user before the first tweet left.
    #[error("stopped before the first tweet was sent")]
    Stopped,
}

impl ReplayError {
    pub(super) fn no_tweets(file: &TweetFile, intake: &Intake) -> Self {
        let mut found = format!("{} values, {} unparseable", intake.frames, intake.unparseable);
        for (kind, rejects) in &intake.rejects {
            found.push_str(&format!(", {} {kind}", rejects.count));
        }
        ReplayError::NoTweets { path: file.path().to_owned(), found }
    }
}
