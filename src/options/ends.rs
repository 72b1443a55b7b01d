//! Where MQTT and Kafka are: inside this process, or not.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::kafka::embedded::Fsync;
use crate::mqtt::{ClientLimits, OutsideBroker};
use crate::net::ServerTls;

/// The MQTT hop of a replay.
#[derive(Debug, Clone)]
pub struct MqttOptions {
    pub broker: MqttChoice,
    pub topic: String,
    /// What clients of the embedded broker may use.
    pub clients: ClientLimits,
}

/// How a replay uses Kafka.
#[derive(Debug, Clone)]
pub struct KafkaOptions {
    pub cluster: KafkaChoice,
    pub topic: String,
    /// Partitions of the topic, if it has to be created.
    pub partitions: i32,
    /// Copies of each partition then; `None`: as many as the cluster makes by default.
    pub replication: Option<i32>,
    /// Producers that work in parallel.
    pub producers: usize,
    /// librdkafka properties that stand over ours.
    pub properties: Vec<(String, String)>,
    /// Whether they may be such that acknowledged messages are lost or come twice.
    pub allow_unsafe: bool,
    /// Whether a Kafka that is not ours is read back at the end; the embedded one always is.
    pub verify: bool,
    /// Longest wait for Kafka at the end; `None`: without an end, and 20 s after a stop.
    pub drain_timeout: Option<Duration>,
}

/// The default topic of both.
pub const DEFAULT_TOPIC: &str = "tweets";

impl Default for MqttOptions {
    /// The embedded broker on a free port.
    fn default() -> Self {
        Self {
            broker: MqttChoice::Embedded(Listen::free_port()),
            topic: DEFAULT_TOPIC.to_owned(),
            clients: ClientLimits::default(),
        }
    }
}

impl Default for KafkaOptions {
    /// The embedded endpoint on a free port, with a temporary log.
    fn default() -> Self {
        Self {
            cluster: KafkaChoice::Embedded(EmbeddedKafka {
                listen: Listen::free_port(),
                advertise: None,
                dir: None,
                fsync: Fsync::Never,
                retention_bytes: None,
                repair: false,
                tls: None,
            }),
            topic: DEFAULT_TOPIC.to_owned(),
            partitions: 1,
            replication: None,
            producers: 1,
            properties: Vec::new(),
            allow_unsafe: false,
            verify: false,
            drain_timeout: None,
        }
    }
}

/// Default longest wait for Kafka after a stop.
pub const DRAIN_AFTER_STOP: Duration = Duration::from_secs(20);

/// An address to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen {
    /// The address; with port 0, a free port.
    pub addr: SocketAddr,
    /// Whether a taken port may be replaced by a free one: only if the user did not choose it.
    pub fall_back: bool,
}

impl Listen {
    /// Any free port of this machine.
    pub fn free_port() -> Self {
        Self { addr: ([127, 0, 0, 1], 0).into(), fall_back: false }
    }
}

/// The MQTT hop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MqttChoice {
    /// No MQTT: tweets go straight to the queues.
    Off,
    /// The broker inside this process.
    Embedded(Listen),
    /// A broker that runs elsewhere. Payloads must carry `run` and `seq`, as
    /// [`PayloadForm::Tweet`](crate::event::PayloadForm) does.
    Outside(OutsideBroker),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KafkaChoice {
    /// The endpoint inside this process.
    Embedded(EmbeddedKafka),
    /// A cluster, by its bootstrap servers.
    Cluster(String),
}

/// The Kafka endpoint inside this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddedKafka {
    pub listen: Listen,
    /// Host and port given to clients; `None`: the address that each connected to.
    pub advertise: Option<(String, u16)>,
    /// Where its log is; `None`: in a temporary directory, removed at the end.
    pub dir: Option<PathBuf>,
    /// When to sync to the device.
    pub fsync: Fsync,
    /// Size of a partition beyond which its oldest messages are removed; `None`: never.
    pub retention_bytes: Option<u64>,
    /// Whether to continue without acknowledged messages that are missing or damaged.
    pub repair: bool,
    /// TLS at `listen`; `None`: none.
    pub tls: Option<&'static ServerTls>,
}
