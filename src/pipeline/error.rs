//! Why a replay cannot start, or ended early.

use std::io;
use std::path::PathBuf;

use crate::bridge;
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
    Source(SourceError),
    /// A table to join cannot be read.
    #[error(transparent)]
    Enrich(EnrichError),
    /// A folder cannot be listed.
    #[error("cannot read the folder {path}", path = path.display())]
    Folder { path: PathBuf, source: io::Error },
    /// A folder has no file to replay.
    #[error(
        "{path} contains no files{} (subfolders are not searched)",
        if skipped.is_empty() { String::new() } else { format!(" to replay: skipped {skipped}") },
        path = path.display()
    )]
    EmptyFolder {
        path: PathBuf,
        /// The first of what is in it, with the reasons.
        skipped: String,
    },
    /// There is nothing to replay.
    #[error("{input}: no tweets in it: {found}")]
    NoTweets {
        input: String,
        /// What is in it instead, and what to type: several lines.
        found: String,
    },
    /// There are tweets, and not what --map names.
    #[error("{input}: --map {misses}")]
    Map {
        input: String,
        /// Each field that is not there, or cannot be read.
        misses: String,
    },
    /// There are tweets, and none of them is asked for.
    #[error("nothing to send: {excluded}")]
    NothingSelected {
        /// Which flags exclude them, and when the tweets were written.
        excluded: String,
    },
    /// The tweets have times, and most of them cannot be read.
    #[error("{input}: {words}; to send them without their times: --order file --rate N, or --order shuffle")]
    UnreadTimes {
        input: String,
        /// How many, the first one, and what to type.
        words: String,
    },
    /// Event times are asked for where there are none.
    #[error(
        "the input has no times, so --start and --end cannot choose among them; if a field holds them, \
         --map time=FIELD names it"
    )]
    NoTimes,
    #[error("cannot write dead letters to {path}", path = path.display())]
    DeadLetters { path: PathBuf, source: io::Error },
    /// The input is not what it was when it was looked through.
    #[error(
        "{path} changed while it was replayed: there is no record at {place} any more; replay a file that nobody \
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
    Druid(DruidError),
    /// The embedded endpoint's own directory.
    #[error("cannot keep the log of the embedded Kafka for Druid in {path}; --kafka-dir DIR names another place", path = path.display())]
    StateDir { path: PathBuf, source: std::io::Error },
    /// The places of the tweets do not fit in memory.
    #[error(
        "no memory for the places of more than {tweets} tweets, 24 bytes each; --order window or file needs none"
    )]
    Memory { tweets: usize, source: std::collections::TryReserveError },
    /// A thread cannot be started.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
    /// A thread panicked: a bug of ours.
    #[error("the {0} thread panicked; this is a bug in tweetblast, please report it")]
    Panic(&'static str),
    /// Stopped by the user before the first tweet was sent.
    #[error("stopped before the first tweet was sent")]
    Stopped,
}

impl From<SourceError> for ReplayError {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::Stopped => ReplayError::Stopped,
            error => ReplayError::Source(error),
        }
    }
}

impl From<EnrichError> for ReplayError {
    fn from(error: EnrichError) -> Self {
        match error {
            EnrichError::Source(SourceError::Stopped) => ReplayError::Stopped,
            error => ReplayError::Enrich(error),
        }
    }
}

impl From<DruidError> for ReplayError {
    fn from(error: DruidError) -> Self {
        match error {
            DruidError::Stopped => ReplayError::Stopped,
            error => ReplayError::Druid(error),
        }
    }
}
