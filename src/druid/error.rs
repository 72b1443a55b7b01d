//! What can go wrong with Druid, with messages that say what to do.

use std::path::PathBuf;
use std::time::Duration;

use super::Service;

/// Why a run cannot use Druid, or cannot continue to use it.
#[derive(Debug, thiserror::Error)]
pub enum DruidError {
    #[error("{url} is not a valid Druid address: {reason}; the router's looks like http://127.0.0.1:8888")]
    Url { url: String, reason: &'static str },
    /// A file that the environment names.
    #[error("cannot use {path} for Druid: {reason}", path = path.display())]
    File { path: PathBuf, reason: String },
    #[error(
        "no answer from Druid to {method} {url} ({reason}): is it running, and is that its router's address?{hint} \
         `tweetblast doctor --druid {}` checks each hop",
        base(.url)
    )]
    Unreachable {
        method: &'static str,
        url: String,
        reason: String,
        /// What to do, if that is known; begins with its own separator.
        hint: &'static str,
    },
    /// Another process of Druid than the router.
    #[error("{url} is Druid's {process}, not its router: give the router's address, usually port 8888")]
    NoRouter { url: String, process: &'static str },
    /// A column by which rows are counted has another type.
    #[error(
        "column {column} of Druid's datasource {datasource} is {kind}, and must be {wanted} for the rows of a run to be \
         counted: --druid-datasource NAME writes into another one"
    )]
    ColumnType { datasource: String, column: &'static str, kind: String, wanted: &'static str },
    #[error("Druid answers {status} to {method} {url}: {line}{hint}")]
    Refused {
        method: &'static str,
        url: String,
        status: u16,
        /// The first line of the answer.
        line: String,
        /// What to do, if that is known; begins with its own separator.
        hint: &'static str,
    },
    /// A process of Druid went away and did not return in time.
    #[error("{service} does not answer at {url} ({reason}), for {waited:.0?} now")]
    Away {
        service: Service,
        /// Druid's address.
        url: String,
        /// What happened instead of an answer.
        reason: String,
        /// How long it has been away.
        waited: Duration,
    },
    /// It was told to, and is still there.
    #[error(
        "Druid's supervisor {name} or a task of it is still there after {waited:.0?}: `tweetblast druid terminate {name}` tries again"
    )]
    NotEnded { name: String, waited: Duration },
    /// An answer that Druid 33 does not send.
    #[error("Druid's answer to {method} {url} is not understood ({reason}): {line}")]
    Answer { method: &'static str, url: String, reason: String, line: String },
    /// The name is taken by a supervisor that is not ours.
    #[error(
        "Druid's supervisor {name} was not made by tweetblast and stays as it is: --druid-supervisor {name} uses \
         it unchanged, --druid-datasource NAME makes another one, --druid-overwrite replaces it"
    )]
    Foreign { name: String },
    /// A supervisor of ours that another run uses now, and that this one cannot use as it is.
    #[error(
        "Druid's supervisor {name} reads for another run now, and stays as it is; this run cannot use it: {obstacles}. \
         Wait until that one has ended, --druid-datasource NAME makes another supervisor, --druid-overwrite updates it"
    )]
    InUse { name: String, obstacles: String },
    /// The datasource for the users holds rows that are not ours.
    #[error(
        "Druid's datasource {datasource} has rows that tweetblast did not load, and stays as it is: --druid-users \
         NAME loads the users into another one, --druid-users off leaves them out"
    )]
    ForeignUsers { datasource: String },
    /// The requested supervisor does not exist.
    #[error("Druid has no supervisor {name}; it has: {others}")]
    NoSupervisor {
        name: String,
        /// The names of those that exist.
        others: String,
    },
    /// The requested supervisor reads something else.
    #[error(
        "Druid's supervisor {name} reads topic {reads}, the replay writes to {topic}: name it with -t {reads}"
    )]
    OtherTopic { name: String, reads: String, topic: String },
    /// A spec that makes no sense.
    #[error("{0}")]
    Spec(String),
    /// The partitions were not read in time.
    #[error("Druid's supervisor {name} does not read every partition after {waited:.0?}: {waiting}{causes}")]
    NotReady {
        name: String,
        waited: Duration,
        waiting: String,
        /// The known causes; begins with its own separator.
        causes: String,
    },
    /// A table was not loaded in time.
    #[error("task {task} has not loaded the users after {waited:.0?}: still waiting for {waiting}")]
    NotLoaded { task: String, waited: Duration, waiting: &'static str },
    /// A task failed, and its rows are read again.
    #[error("task {task} failed before it had published: {reason}")]
    TaskFailed { task: String, reason: String },
    #[error("stopped while waiting for Druid")]
    Stopped,
}

/// The address without what was asked for there.
fn base(url: &str) -> &str {
    let host = url.find("://").map_or(0, |end| end + 3);
    url[host..].find('/').map_or(url, |end| &url[..host + end])
}

impl DruidError {
    /// The HTTP status of Druid's answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            DruidError::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether the same call may work a little later: no answer, a process that is away, an
    /// overlord without a leader, or too many queries at once.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            DruidError::Unreachable { .. } => true,
            DruidError::Refused { status, .. } => *status >= 500 || *status == 429,
            _ => false,
        }
    }

    /// Whether the answer did not come in time.
    pub(super) fn is_timeout(&self) -> bool {
        matches!(self, DruidError::Unreachable { reason, .. } if reason.contains("timeout"))
    }

    /// What happened instead of an answer, in a few words.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            DruidError::Unreachable { reason, .. } => reason.clone(),
            DruidError::Refused { status, line, .. } => format!("{status}: {line}"),
            error => error.to_string(),
        }
    }
}
