//! The whole report of one replay, as plain values. Field names are the keys of the JSON report.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    Bottleneck, DruidReport, EnrichReport, Environment, InputFraming, Ledger, ThresholdReport, Verdict,
};
use crate::count::{LatencyMs, RejectCount, Usage};
use crate::pace::{FileOrder, Order};
use crate::source::Framing;

/// Version of the form of [`RunReport`].
pub const REPORT_VERSION: u32 = 1;

/// Everything that is known about a replay when it has ended.
#[derive(Debug, Clone, Serialize)]
pub struct RunReport {
    /// Version of this form: raised when a key changes its meaning or goes.
    pub report_version: u32,
    /// Version of the program.
    pub tweetblast_version: &'static str,
    /// Run id; travels with each tweet as `run`.
    pub run: String,
    /// What the user calls it.
    pub label: Option<String>,
    /// What was replayed.
    pub input: InputReport,
    /// When and how fast.
    pub pace: PaceReport,
    /// What each hop cost and who waited for whom.
    pub hops: Hops,
    /// Which hop held the others up.
    pub bottleneck: Bottleneck,
    /// The counts.
    pub ledger: Ledger,
    /// Tweets that an outside MQTT broker gave again and that did not go on, since Kafka had them or
    /// was about to; `None` without such a broker.
    pub mqtt_repeats_dropped: Option<u64>,
    /// What was joined to the tweets from other files; `None`: nothing.
    pub enrich: Option<EnrichReport>,
    /// What was written as dead letters; `None`: nobody asked for them.
    pub dead_letters: Option<DeadLetterReport>,
    /// Rejects by kind. An offset is one in the first file that has such a thing.
    pub rejects_by_kind: BTreeMap<&'static str, RejectCount>,
    /// Byte offsets of the first unparseable values.
    pub unparseable_at: Vec<u64>,
    /// Failed tweets by Kafka's reason.
    pub failed_by_reason: BTreeMap<String, u64>,
    /// How many of the failed may have arrived: they were in flight when the wait ended.
    pub failed_unknown: u64,
    /// Whether the ledger adds up.
    pub verdict: Verdict,
    /// Why it does not.
    pub reasons: Vec<String>,
    /// Whether the run was stopped before its end.
    pub interrupted: bool,
    /// What ended the run early, if an error did.
    pub error: Option<String>,
    /// What became of each threshold.
    pub thresholds: Vec<ThresholdReport>,
    /// Exit code of the process.
    pub exit_code: u8,
    /// Where the tweets went.
    pub endpoints: Endpoints,
    /// What became of the tweets in Druid; `None` without it.
    pub druid: Option<DruidReport>,
    /// CPU and memory.
    pub usage: Usage,
    /// Machine, binary, command and input.
    pub environment: Environment,
}

/// The input.
#[derive(Debug, Clone, Serialize)]
pub struct InputReport {
    /// Path as given; of several, how many and the first.
    pub file: String,
    /// Each file with what is in it.
    pub files: Vec<FileReport>,
    /// Size of all in bytes, unpacked.
    pub bytes: u64,
    /// How its values are strung together.
    pub framing: InputFraming,
    /// How its tweets lie in time; `None` when they have no times, or were not looked at.
    pub order: Option<FileOrder>,
    /// Event time of the oldest tweet, ISO 8601 with milliseconds.
    pub first: Option<String>,
    /// Event time of the youngest.
    pub last: Option<String>,
    /// Tweets without a time among others that have one; they took the time of the one before.
    pub without_time: u64,
    /// Tweets sent behind a younger one; `None` where all were put in order of time, or shuffled.
    pub stepped_back: Option<u64>,
}

/// One file of the input.
#[derive(Debug, Clone, Serialize)]
pub struct FileReport {
    /// Path as given.
    pub file: String,
    /// Size in bytes, unpacked.
    pub bytes: u64,
    /// How its values are strung together.
    pub framing: Framing,
    /// How its tweets lie in time; `None` when they have no times, or were not looked at.
    pub order: Option<FileOrder>,
    /// JSON values in it.
    pub frames: u64,
    /// Tweets in it.
    pub tweets: u64,
    /// Rejects in it, by kind.
    pub rejects_by_kind: BTreeMap<&'static str, RejectCount>,
    /// Values in it that are no JSON.
    pub unparseable: u64,
    /// Where the first of those begin.
    pub unparseable_at: Vec<u64>,
}

/// What was written as dead letters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DeadLetterReport {
    /// The file.
    pub file: String,
    /// Records and items that are no tweets.
    pub rejects: u64,
    /// Values that are no JSON.
    pub unparseable: u64,
    /// Tweets that Kafka did not acknowledge.
    pub failed: u64,
}

/// The schedule and how well it was kept.
#[derive(Debug, Clone, Serialize)]
pub struct PaceReport {
    /// What was asked for, in the words of the flag.
    pub asked: String,
    /// Order of sending.
    pub order: Order,
    /// Whether tweets of one second were spread over it.
    pub spread: bool,
    /// Start of the replay, ISO 8601.
    pub started_at: Option<String>,
    /// First to last send, in seconds.
    pub duration_s: f64,
    /// What the plan said, in seconds; `None` at full speed.
    pub planned_s: Option<f64>,
    /// First send to last delivery report, in seconds.
    pub delivered_after_s: f64,
    /// Tweets a second that the plan asked for; `None` at full speed.
    pub asked_rate_per_s: Option<f64>,
    /// Tweets a second, first to last send; at full speed first send to last delivery.
    pub achieved_rate_per_s: f64,
    /// Send time − intended send time, in milliseconds; `None` at full speed, where nothing is
    /// intended.
    pub schedule_lag_ms: Option<LatencyMs>,
    /// What the user changed while it ran; each anchored the plan anew.
    pub changes: Vec<ChangeReport>,
}

/// A pause, or another speed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ChangeReport {
    /// When, in seconds since the first send.
    pub at_s: f64,
    /// How long it was paused, in seconds.
    pub paused_s: Option<f64>,
    /// How many times as fast as asked for it went on.
    pub speed_times: Option<f64>,
}

/// One entry for each hop. `None`: the hop was off.
#[derive(Debug, Clone, Serialize)]
pub struct Hops {
    /// source and tweet: reading, parsing and encoding ahead of the clock; waits for the pacer.
    pub feed: HopReport,
    /// pace: waiting for the time to send, and publishing; waits for the MQTT window, or without
    /// MQTT for a place in the queues.
    pub pace: HopReport,
    /// mqtt and bridge: from the broker to the queues; waits for a place in them.
    pub mqtt: Option<HopReport>,
    /// kafka: from the queues to the delivery reports; waits for room in librdkafka's own queue.
    pub kafka: HopReport,
}

/// What one hop did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct HopReport {
    /// Tweets that left it.
    pub tweets: u64,
    /// CPU time of its threads a tweet, in microseconds; `None` where it runs on the thread of
    /// another hop. The threads inside of rumqttd and librdkafka are not part of it.
    pub cpu_us_per_tweet: Option<f64>,
    /// Time it waited for the next hop to take something, in seconds.
    pub blocked_s: f64,
    /// How long a tweet took through it, in milliseconds, where that is measured.
    pub latency_ms: Option<LatencyMs>,
}

/// Where the tweets went.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Endpoints {
    /// `host:port` of the MQTT broker; `None` when the hop was off.
    pub mqtt: Option<String>,
    /// Topic there.
    pub mqtt_topic: Option<String>,
    /// `host:port` of Kafka.
    pub kafka: String,
    /// Topic there.
    pub kafka_topic: String,
    /// Whether that Kafka is the embedded endpoint.
    pub kafka_embedded: bool,
    /// Directory of the embedded endpoint.
    pub kafka_dir: Option<String>,
    /// Address of Druid; `None` without it.
    pub druid: Option<String>,
    /// Datasource there.
    pub datasource: Option<String>,
    /// Link to the dashboard, as the user gave it, with this run's id in it where it has a place for
    /// that.
    pub dashboard: Option<String>,
}
