//! Druid's part of a replay.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use crate::druid::DruidAfter;

/// Druid, and what to do there.
#[derive(Debug, Clone)]
pub struct DruidOptions {
    /// Address of its router.
    pub url: String,
    /// Datasource; `None`: the name of the topic.
    pub datasource: Option<String>,
    /// `host:port` of Kafka for Druid; `None`: the one that the replay uses.
    pub kafka: Option<String>,
    /// Whether a supervisor that is not ours may be replaced.
    pub overwrite: bool,
    /// A supervisor to use unchanged.
    pub supervisor: Option<String>,
    /// A spec to submit instead of ours.
    pub spec: Option<PathBuf>,
    /// Places in the spec to set, as JSON pointers.
    pub set: Vec<(String, Value)>,
    /// Whether Druid is to find the columns of events itself.
    pub discover: bool,
    /// Where the table of users goes, if there is one.
    pub users: UsersInto,
    /// What to do at the end; `None`: suspend with the embedded Kafka, which ends too; otherwise
    /// keep.
    pub after: Option<DruidAfter>,
    /// Queries per second that are asked during the replay; `None`: none.
    pub query_load: Option<f64>,
    /// Longest wait in which nothing happens.
    pub timeout: Duration,
}

/// Where the users of `--enrich` are loaded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum UsersInto {
    /// Next to the tweets: `tweets_users`.
    #[default]
    Beside,
    /// Into this datasource.
    Named(String),
    Nowhere,
}

/// Default longest wait in which nothing happens: a cold Druid on a busy machine takes up to two
/// minutes.
pub const DRUID_TIMEOUT: Duration = Duration::from_secs(180);
