//! What a replay is asked to do, as plain values; `cli` makes them from flags.

mod druid;

use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::kafka::embedded::Fsync;
use crate::mqtt::OutsideBroker;
use crate::pace::{Control, StampTime};
use crate::report::Threshold;
use crate::source::Framing;
use crate::tweet::{Parser, ParserOptions, PayloadForm};
pub use druid::{DRUID_TIMEOUT, DruidAfter, DruidChoice, UsersInto};

/// One replay.
#[derive(Debug, Clone)]
pub struct ReplayOptions {
    /// The input: files, and folders for the files in them; several are merged by time.
    pub files: Vec<PathBuf>,
    /// How the values of all files are strung together; `None`: each file is looked at.
    pub framing: Option<Framing>,
    /// How records are read.
    pub parser: ParserOptions,
    /// What is joined to the tweets of each user.
    pub enrich: Enrich,
    /// Link to the dashboard that shows the tweets, for the end of the run; `{run}` in it stands for the
    /// run id.
    pub dashboard: Option<String>,
    /// What the keys do, for the plan; `None`: none is listened to.
    pub keys: Option<&'static str>,
    /// How fast.
    pub pace: Pace,
    /// Time between two tweets where they have no times of their own; where it is `Some`, also
    /// where they have. A speedup divides it.
    pub interval: Option<Duration>,
    /// In which order; `None`: by time, and shuffled where there are no times.
    pub order: Option<OrderBy>,
    /// For the shuffle.
    pub seed: u64,
    /// Which tweets.
    pub select: Select,
    /// How often.
    pub loops: Loops,
    /// Longest time between two sends.
    pub max_gap: Option<Duration>,
    /// Whether tweets of one second are spread over it where the input knows no finer time.
    pub spread: bool,
    /// Leave out what is intended so long after the first send, or later.
    pub duration: Option<Duration>,
    /// Wait before the first send.
    pub delay: Duration,
    /// Pauses it and changes its speed while it runs.
    pub control: Arc<Control>,
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
    /// Druid behind Kafka; `None`: nothing is known about what reads there.
    pub druid: Option<DruidChoice>,
    /// Where to write what was not delivered.
    pub dead_letters: Option<DeadLetterFile>,
    /// What the user calls the run.
    pub label: Option<String>,
    /// What it must not do.
    pub fail_if: Vec<Threshold>,
    /// Whether the report names the checksum of the input, which reads all of it once more.
    pub hash_input: bool,
}

impl Default for ReplayOptions {
    /// No input yet; everything else as the command line has it without a flag, but for the ports,
    /// which are free ones.
    fn default() -> Self {
        let free = Listen { addr: ([127, 0, 0, 1], 0).into(), fall_back: false };
        Self {
            files: Vec::new(),
            framing: None,
            parser: ParserOptions::default(),
            enrich: Enrich::default(),
            dashboard: None,
            keys: None,
            pace: Pace::Speedup(1.0),
            interval: None,
            order: None,
            seed: 1,
            select: Select::default(),
            loops: Loops::Times(1),
            max_gap: None,
            spread: true,
            duration: None,
            delay: Duration::ZERO,
            control: Arc::default(),
            payload: PayloadForm::Tweet,
            timestamp: StampTime::Send,
            key: KeyBy::User,
            max_record_bytes: DEFAULT_MAX_RECORD_BYTES,
            mqtt: MqttChoice::Embedded(free),
            mqtt_topic: "tweets".into(),
            kafka: KafkaChoice::Embedded(EmbeddedKafka {
                listen: free,
                advertise: None,
                dir: None,
                fsync: Fsync::Never,
                retention_bytes: None,
            }),
            kafka_topic: "tweets".into(),
            partitions: 1,
            producers: 1,
            kafka_properties: Vec::new(),
            drain_timeout: None,
            druid: None,
            dead_letters: None,
            label: None,
            fail_if: Vec::new(),
            hash_input: false,
        }
    }
}

/// What is joined to the tweets of each user, from other files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Enrich {
    /// Tables of users, in CSV or JSON.
    pub files: Vec<PathBuf>,
    /// Column with the user's id; `None`: one of the usual names.
    pub key: Option<String>,
}

impl ReplayOptions {
    /// A parser for one thread. What is sent as it is must be JSON to its end, looked at or not.
    pub(crate) fn new_parser(&self) -> Parser {
        let strict = self.parser.strict || self.payload == PayloadForm::Raw;
        Parser::with_options(ParserOptions { strict, ..self.parser.clone() })
    }
}

/// Which tweets of the input are sent, in each loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Select {
    /// Only those written at this time or later, in milliseconds since 1970 UTC.
    pub start_ms: Option<i64>,
    /// Only those written before this time.
    pub end_ms: Option<i64>,
    /// Of several with one id only the first in the input.
    pub dedup: bool,
    /// Only the first so many, in the order of sending.
    pub limit: Option<u64>,
}

/// How often the input is replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loops {
    /// So often.
    Times(u32),
    /// Until it is stopped.
    Forever,
}

impl Loops {
    /// Whether there is another one behind `done` loops.
    pub fn goes_on(self, done: u32) -> bool {
        match self {
            Loops::Times(times) => done < times,
            Loops::Forever => true,
        }
    }
}

/// A file for dead letters, open for writing.
#[derive(Debug, Clone)]
pub struct DeadLetterFile {
    /// As named by the user.
    pub path: PathBuf,
    /// The file.
    pub file: Arc<File>,
}

/// Longest wait for Kafka after a stop, unless another is asked for.
pub const DRAIN_AFTER_STOP: Duration = Duration::from_secs(20);

/// Time between two tweets without times: what the pipeline's first sender waited.
pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(4);

/// Tweets that wait to be put in order where nothing is looked up first. Saved streams step back by
/// a second or so; the whole of Twitter was 6,000 a second.
pub const DEFAULT_WINDOW: usize = 10_000;

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
    /// Likewise, sorted by time as far as a window of so many tweets reaches.
    Window(usize),
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MqttChoice {
    /// Left out: tweets go straight to the queues.
    Off,
    /// The broker inside of this process.
    Embedded(Listen),
    /// A broker that is not ours. Payloads must carry `run` and `seq`, as [`PayloadForm::Tweet`]
    /// does.
    Outside(OutsideBroker),
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
