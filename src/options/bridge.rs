//! What a bridge takes from MQTT, and where it brings it.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::{DEFAULT_TOPIC, DRAIN_AFTER_STOP, KafkaOptions, MqttOptions};
use crate::kafka::embedded::Fsync;

/// Name of the bridge's session at an outside broker.
pub const DEFAULT_SESSION: &str = "tweetblast-bridge";

/// Default bytes of messages in memory.
pub const DEFAULT_MEMORY_BYTES: usize = 32 << 20;

/// Default limit of the spool.
pub const DEFAULT_SPOOL_BYTES: u64 = 4 << 30;

/// One bridge.
#[derive(Debug, Clone)]
pub struct BridgeOptions {
    /// The embedded broker, or an outside one.
    pub mqtt: MqttOptions,
    /// Name of the session at an outside broker; two bridges need two.
    pub session: String,
    /// Its topic is not used: `routes` say which.
    pub kafka: KafkaOptions,
    /// Which MQTT topics go where; the first that matches counts. What none matches goes nowhere.
    pub routes: Vec<TopicRoute>,
    /// Names of members, from the record inwards, at whose end is the key; a number is an index into an array.
    pub key_from: Vec<String>,
    /// Most bytes of messages in memory. Publishers wait for room.
    pub memory_bytes: usize,
    /// Where messages go while Kafka is away; `None`: they wait in memory.
    pub spool: Option<SpoolOptions>,
    /// Longest wait for Kafka after a stop.
    pub drain: Duration,
    /// The Druid that is to read the topics; `None`: none.
    pub druid: Option<BridgeDruidOptions>,
}

/// Druid behind a bridge: one supervisor for each topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BridgeDruidOptions {
    /// Address of its router.
    pub url: String,
    /// Datasource, where there is one topic; `None`: the name of the topic.
    pub datasource: Option<String>,
    /// `host:port` of Kafka for Druid; `None`: the one that the bridge uses.
    pub kafka: Option<String>,
    /// Member of a message that has its time.
    pub time_from: String,
    /// Whether Druid makes columns of all members that it finds.
    pub discover: bool,
    /// Whether a supervisor that is not ours may be replaced.
    pub overwrite: bool,
    /// Places in the spec to set, as JSON pointers.
    pub set: Vec<(String, Value)>,
}

/// Messages whose topic this filter matches go to this topic of Kafka.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicRoute {
    pub filter: String,
    pub topic: String,
}

/// Where messages wait on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolOptions {
    pub dir: PathBuf,
    /// When to sync; only then is a message safe from a power cut, and from a kill in any case.
    pub fsync: Fsync,
    /// Most bytes on disk. Publishers wait for room.
    pub max_bytes: u64,
}

impl Default for BridgeOptions {
    fn default() -> Self {
        Self {
            mqtt: MqttOptions::default(),
            session: DEFAULT_SESSION.to_owned(),
            kafka: KafkaOptions::default(),
            routes: vec![TopicRoute { filter: "#".to_owned(), topic: DEFAULT_TOPIC.to_owned() }],
            key_from: vec!["user_id".to_owned()],
            memory_bytes: DEFAULT_MEMORY_BYTES,
            spool: None,
            drain: DRAIN_AFTER_STOP,
            druid: None,
        }
    }
}
