//! The whole report of one replay, as plain values. Field names are the keys of the JSON report.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    Bottleneck, DruidReport, EnrichReport, Environment, EventsReport, InputFormat, Ledger, Noun,
    OutageReport, PhaseReport, ThresholdReport, UnreadTimesReport, Verdict,
};
use crate::count::{CpuUsage, HistogramText, LatencyMs, MemoryUsage, RejectCount, SeriesReport};
use crate::pace::{FileOrder, Order};
use crate::source::Format;

/// Version of the form of [`RunReport`].
pub const REPORT_VERSION: u32 = 2;

/// Everything that is known about a replay when it has ended.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RunReport {
    /// Version of this form: raised when a key changes its meaning or goes; keys are added without.
    #[cfg_attr(test, schemars(extend("const" = REPORT_VERSION)))]
    pub report_version: u32,
    /// Version of the program.
    pub tweetblast_version: &'static str,
    /// Run id; the field `run` of each message.
    pub run: String,
    /// What --label calls the run.
    pub label: Option<String>,
    /// What was replayed.
    pub input: InputReport,
    /// The schedule and how well it was kept.
    pub pace: PaceReport,
    /// By part of --profile, and the --warmup apart; null without them.
    pub phases: Option<Vec<PhaseReport>>,
    /// What each hop cost, and who waited for whom.
    pub hops: Hops,
    /// The run by second; null when nothing was sent.
    pub series: Option<SeriesReport>,
    /// Which hop held the others up.
    pub bottleneck: Bottleneck,
    /// What was away while the run needed it, in the order in which it went; the first 200.
    #[cfg_attr(test, schemars(length(max = 200)))]
    pub outages: Vec<OutageReport>,
    /// How many there were in all.
    pub outages_total: u64,
    /// What went into each hop and what came out of it.
    pub ledger: Ledger,
    /// Tweets that an outside MQTT broker delivered again and that were dropped, because Kafka had them or
    /// was about to; null without such a broker.
    pub mqtt_repeats_dropped: Option<u64>,
    /// What --enrich joined to the tweets; null without it.
    pub enrich: Option<EnrichReport>,
    /// What was written as dead letters; null without --dead-letter.
    pub dead_letters: Option<DeadLetterReport>,
    /// Rejects by kind. The offset is in the first file that has one.
    pub rejects_by_kind: BTreeMap<&'static str, RejectCount>,
    /// Byte offsets of the first unparseable frames, at most 10.
    #[cfg_attr(test, schemars(length(max = 10)))]
    pub unparseable_at: Vec<u64>,
    /// The lines of these, from 1; null where one lies too far in to be counted.
    #[cfg_attr(test, schemars(length(max = 10)))]
    pub unparseable_lines: Vec<Option<u64>>,
    /// Failed tweets by Kafka's reason.
    #[cfg_attr(test, schemars(extend("additionalProperties" = serde_json::json!({"type": "integer", "minimum": 1}))))]
    pub failed_by_reason: BTreeMap<String, u64>,
    /// How many of the failed may have arrived: they were in flight when the wait ended.
    pub failed_maybe_delivered: u64,
    /// Whether every line of the ledger holds and nothing was lost or failed.
    pub verdict: Verdict,
    /// Batches that the embedded Kafka refused because they came in the name of another client's producer; null with
    /// another Kafka.
    pub forged_batches_refused: Option<u64>,
    /// Why it is not balanced; errors that came after the first one too.
    pub reasons: Vec<String>,
    /// Whether the run was stopped before its end: by Ctrl-C, SIGTERM or q, or because its Kafka could not write.
    pub interrupted: bool,
    /// What ended the run early, with its causes.
    pub error: Option<String>,
    /// What became of each --fail-if, in the order given.
    pub thresholds: Vec<ThresholdReport>,
    /// Exit code of the process, the first that applies: 1 an error, 3 unbalanced, unproven or unknown, 4 a
    /// threshold crossed or not measured, 130 stopped, 0.
    #[cfg_attr(test, schemars(extend("enum" = [0, 1, 3, 4, 130])))]
    pub exit_code: u8,
    /// Where the tweets went.
    pub endpoints: Endpoints,
    /// What became of the tweets in Druid; null without it.
    pub druid: Option<DruidReport>,
    /// CPU time of the process; null where the system does not tell.
    pub cpu: CpuUsage,
    /// Memory of the process; null where the system does not tell.
    pub memory: MemoryUsage,
    /// Machine, binary, command and input; null where the system does not tell. Passwords, keys and secrets
    /// in it are masked.
    pub environment: Environment,
}

/// The input.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct InputReport {
    /// Path as given; of several, how many and the first.
    pub file: String,
    /// Each file with what is in it.
    pub files: Vec<FileReport>,
    /// Size of all files, unpacked.
    pub bytes: u64,
    /// Layout of its bytes, as --format has it; mixed: not the same in each file.
    pub format: InputFormat,
    /// Which fields are read of records that are not tweets; null: they are tweets.
    pub events: Option<EventsReport>,
    /// How its tweets lie in time; null without times or with --order file.
    pub order: Option<FileOrder>,
    /// Event time of the oldest tweet, ISO 8601 with milliseconds; with --order file of the first one.
    pub first: Option<String>,
    /// Event time of the newest tweet; null with --order file.
    pub last: Option<String>,
    /// Tweets without a time among others that have one; they took the time of the one before.
    pub without_time: u64,
    /// Paths of the files whose size or time of change moved during the run, or that were replaced: the run is
    /// unproven.
    pub changed: Vec<String>,
    /// Records that are not JSON by its rules and were read as their writers meant them, by what was mended.
    pub mended_by_kind: BTreeMap<&'static str, RejectCount>,
    /// Times that are there and could not be read; null: all were.
    pub unread_times: Option<UnreadTimesReport>,
    /// Tweets sent after a newer one; null where all were put in order of time, or shuffled.
    pub out_of_order: Option<u64>,
}

/// One file of the input.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FileReport {
    /// Path as given, or found in a folder.
    pub file: String,
    /// Size, unpacked.
    pub bytes: u64,
    /// Layout of its bytes, as --format has it.
    pub format: Format,
    /// How its tweets lie in time; null without times or when not looked at.
    pub order: Option<FileOrder>,
    /// JSON values.
    pub frames: u64,
    /// Tweets.
    pub tweets: u64,
    /// Rejects in it, by kind.
    pub rejects_by_kind: BTreeMap<&'static str, RejectCount>,
    /// Frames that are not JSON.
    pub unparseable: u64,
    /// Where the first of those begin, in bytes.
    pub unparseable_at: Vec<u64>,
    /// The lines of these, from 1; null where one lies too far in to be counted.
    pub unparseable_lines: Vec<Option<u64>>,
}

/// What was written as dead letters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DeadLetterReport {
    /// The file.
    pub file: String,
    /// Records and items that are not tweets.
    pub rejects: u64,
    /// Frames that are not JSON.
    pub unparseable: u64,
    /// Tweets that Kafka did not acknowledge.
    pub failed: u64,
}

/// The schedule and how well it was kept.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PaceReport {
    /// What was requested, as flags.
    pub requested: String,
    /// Order of sending.
    pub order: Order,
    /// Whether tweets of the same second were spread over it.
    pub spread: bool,
    /// First send, ISO 8601; null when nothing was sent.
    pub started_at: Option<String>,
    /// First to last send, in seconds.
    pub duration_s: f64,
    /// The same as planned; null at full speed or when the number of tweets was not known.
    pub planned_duration_s: Option<f64>,
    /// First send to Kafka's last delivery report, in seconds.
    pub delivered_after_s: f64,
    /// Tweets per second as planned; null at full speed or when not known.
    pub planned_rate_per_s: Option<f64>,
    /// Tweets per second: the gaps from the first to the last send over their time, null where there are
    /// none; at full speed the deliveries from the first send to the last of them.
    pub rate_per_s: Option<f64>,
    /// Send time - intended send time; null at full speed, where nothing is intended.
    pub lag_ms: Option<LatencyMs>,
    /// All of it in microseconds: HdrHistogram V2, compressed, base64. Those of several runs can be added.
    pub lag_histogram: Option<HistogramText>,
    /// Tweets that came from the input after their intended send time; they are not in the lag.
    pub late_input: u64,
    /// The first seconds, whose tweets are not in rate, lag, acks and time to queryable: --warmup; null without it.
    pub warmup_s: Option<f64>,
    /// What the user changed while it ran; each moved the rest of the plan.
    pub changes: Vec<ChangeReport>,
}

/// Tweets per second, when the first and the last of `tweets` are so many seconds apart: n tweets have
/// n − 1 gaps. `None` where there is no gap, or no time in it.
pub fn rate_over_gaps(tweets: u64, seconds: f64) -> Option<f64> {
    let gaps = tweets.saturating_sub(1);
    (gaps > 0 && seconds > 0.0).then(|| gaps as f64 / seconds)
}

/// A pause, a stop of the whole process, or another speed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ChangeReport {
    /// When, in seconds since the first send.
    pub at_s: f64,
    /// How long it was paused, in seconds.
    pub paused_s: Option<f64>,
    /// How long the process was stopped by Ctrl-Z or SIGSTOP, in seconds.
    pub stopped_s: Option<f64>,
    /// The new speed as a multiple of the requested one.
    pub speed_factor: Option<f64>,
}

impl RunReport {
    /// What was sent.
    pub fn noun(&self) -> Noun {
        self.input.events.is_some().into()
    }
}

/// One entry for each hop. `None`: the hop was off.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Hops {
    /// Reading, parsing and encoding, ahead of the clock; waits for the pacer.
    pub feed: HopReport,
    /// Waiting for the time to send, and publishing; waits for the MQTT window, or without MQTT for a place
    /// in the queues.
    pub pace: HopReport,
    /// From the broker to the queues; waits for a place in them. null with --mqtt off.
    pub mqtt: Option<HopReport>,
    /// From the queues to the delivery reports; waits for room in librdkafka's own queue.
    pub kafka: HopReport,
}

/// What one hop did.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HopReport {
    /// Tweets that left it.
    pub tweets: u64,
    /// CPU time of its threads per tweet, in microseconds; null where it runs on the thread of another hop.
    /// The threads inside the MQTT broker and librdkafka are not part of it.
    pub cpu_us_per_tweet: Option<f64>,
    /// Time it was blocked by the next hop, in seconds.
    pub blocked_s: f64,
    /// Send to delivery report, at the kafka hop.
    pub acked_ms: Option<LatencyMs>,
    /// All of it in microseconds, as the histogram of the lag.
    pub acked_histogram: Option<HistogramText>,
}

/// Where the tweets went.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Endpoints {
    /// host:port of the MQTT broker; null with --mqtt off.
    pub mqtt: Option<String>,
    /// Topic there.
    pub mqtt_topic: Option<String>,
    /// `host:port` of Kafka.
    pub kafka: String,
    /// Topic there.
    pub kafka_topic: String,
    /// Whether that is the embedded endpoint.
    pub kafka_embedded: bool,
    /// Directory of the embedded endpoint.
    pub kafka_dir: Option<String>,
    /// Address of Druid; null without it.
    pub druid: Option<String>,
    /// Datasource there.
    pub datasource: Option<String>,
    /// Link to the dashboard, as --dashboard or TWEETBLAST_DASHBOARD has it, with the run's id in the place
    /// of {run}.
    pub dashboard: Option<String>,
}
