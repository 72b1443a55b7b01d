//! What a replay is asked to do, as plain values; `cli` makes them from flags.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::kafka::embedded::Fsync;
use crate::pace::StampTime;
use crate::tweet::PayloadForm;

/// One replay.
#[derive(Debug, Clone)]
pub struct ReplayOptions {
    /// The input.
    pub file: PathBuf,
    /// How fast.
    pub pace: Pace,
    /// Time between two tweets where they have no times of their own; where it is `Some`, also
    /// where they have. A speedup divides it.
    pub interval: Option<Duration>,
    /// In which order; `None`: by time, and shuffled where there are no times.
    pub order: Option<OrderBy>,
    /// For the shuffle.
    pub seed: u64,
    /// Send only the first so many, in the order of sending.
    pub limit: Option<u64>,
    /// What a message holds.
    pub payload: PayloadForm,
    /// Which time a message's `timestamp` is.
    pub timestamp: StampTime,
    /// What the Kafka key is.
    pub key: KeyBy,
    /// Greatest length of one value of the input, in bytes; a longer one is a reject.
    pub max_record_bytes: usize,
    /// The MQTT hop.
    pub mqtt: MqttChoice,
    /// Topic of MQTT.
    pub mqtt_topic: String,
    /// Where Kafka is.
    pub kafka: KafkaChoice,
    /// Topic of Kafka.
    pub kafka_topic: String,
    /// Partitions of the topic, when it has to be made.
    pub partitions: i32,
    /// Kafka producers working side by side.
    pub producers: usize,
    /// librdkafka properties that stand over ours.
    pub kafka_properties: Vec<(String, String)>,
    /// Longest wait for Kafka at the end; `None`: without an end, and 20 s after a stop.
    pub drain_timeout: Option<Duration>,
}

/// Longest wait for Kafka after a stop, unless another is asked for.
pub const DRAIN_AFTER_STOP: Duration = Duration::from_secs(20);

/// Time between two tweets without times: what the pipeline's first sender waited.
pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(4);

/// Greatest length of one value of the input, in bytes.
pub const DEFAULT_MAX_RECORD_BYTES: usize = 16 << 20;

/// How fast to replay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// So many times faster than the tweets were written.
    Speedup(f64),
    /// As fast as the hops take it.
    Max,
    /// So many a second, whatever their times.
    Rate(f64),
    /// All of them in this time.
    Fit(Duration),
}

/// Order of sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderBy {
    /// Oldest first.
    Time,
    /// As the file has them; nothing is looked up first.
    File,
    /// A random permutation.
    Shuffle,
}

/// What the Kafka key is: tweets of one key stay in order and share a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyBy {
    /// The author's id.
    User,
    /// The tweet's id.
    Id,
    /// No key: Kafka spreads them.
    None,
}

/// An address to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen {
    /// Where; port 0 takes a free one.
    pub addr: SocketAddr,
    /// Whether a port that is taken may be replaced by a free one: only where the user named none.
    pub fall_back: bool,
}

/// The MQTT hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MqttChoice {
    /// Left out: tweets go straight to the queues.
    Off,
    /// The broker inside of this process.
    Embedded(Listen),
}

/// Which Kafka.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KafkaChoice {
    /// The endpoint inside of this process.
    Embedded(EmbeddedKafka),
    /// A cluster, by its bootstrap servers.
    Cluster(String),
}

/// The Kafka endpoint inside of this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddedKafka {
    /// Where it listens.
    pub listen: Listen,
    /// Host and port that clients are told; `None`: the address that each came to.
    pub advertise: Option<(String, u16)>,
    /// Where its log lives; `None`: in a temporary directory, removed at the end.
    pub dir: Option<PathBuf>,
    /// When to sync to the device.
    pub fsync: Fsync,
    /// Size of a partition beyond which its oldest messages are removed; `None`: never.
    pub retention_bytes: Option<u64>,
}
