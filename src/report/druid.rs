//! What the report says about Druid. Field names are the keys of the JSON report.

use serde::Serialize;
use serde_json::Value;

use super::{IngestionReport, PairedBy, QueryLoadReport};
use crate::count::{BacklogPoint, HistogramText, LatencyMs};
use crate::druid::{Cause, DruidAfter, MissingRows, Submission};

/// What became of the run's tweets in Druid.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DruidReport {
    /// Address of Druid.
    pub url: String,
    /// Datasource.
    pub datasource: String,
    /// Supervisor.
    pub supervisor: String,
    /// What was done with the supervisor at the start.
    pub submitted: Submission,
    /// The spec as it was submitted, or as Druid has it; passwords and secrets in it are masked.
    #[cfg_attr(test, schemars(with = "serde_json::Map<String, Value>"))]
    pub spec: Value,
    /// Time until every partition was read, in seconds; nothing was sent before.
    pub ready_after_s: f64,
    /// Rows of this run; null, as all that is counted in Druid, when they could not be counted.
    pub rows: Option<u64>,
    /// Distinct `seq` among them, counted exactly.
    pub distinct: Option<u64>,
    /// Smallest `seq`.
    pub min_seq: Option<u64>,
    /// Greatest `seq`.
    pub max_seq: Option<u64>,
    /// Sum of all `seq`.
    pub sum_seq: Option<i64>,
    /// Whether these are what was delivered, in two counts 2 s apart.
    pub exact: bool,
    /// Why the rows could not be counted; null when they were.
    pub count_error: Option<String>,
    /// Tweets without a row; null when the rows could not be counted.
    pub missing: Option<MissingRows>,
    /// Why rows are missing, as far as it can be told.
    pub causes: Vec<Cause>,
    /// First send until a query counted the last row, in seconds.
    pub queryable_after_s: Option<f64>,
    /// Intended send (at full speed: send) until a query counted the tweet.
    pub time_to_queryable_ms: Option<LatencyMs>,
    /// How much less each of these may be: queries see a tweet some time after it became queryable.
    pub time_to_queryable_error_ms: Option<LatencyMs>,
    /// All of it in microseconds, as the histogram of the lag.
    pub time_to_queryable_histogram: Option<HistogramText>,
    /// The same from Kafka's delivery report.
    pub acked_to_queryable_ms: Option<LatencyMs>,
    /// How much less each of these may be.
    pub acked_to_queryable_error_ms: Option<LatencyMs>,
    /// All of it in microseconds, as the histogram of the lag.
    pub acked_to_queryable_histogram: Option<HistogramText>,
    /// Tweets that these times are of: fewer than were delivered if rows are missing.
    pub time_to_queryable_tweets: u64,
    /// The greatest time from the question for one count to the answer to the next, in milliseconds.
    pub poll_gap_ms: f64,
    /// Tweets and rows are paired in the order in which they came. By partition is exact; by run, with several
    /// producers, is near the truth for the distribution as a whole only.
    pub paired_by: PairedBy,
    /// Rows per second, from the first count that had some to the last that had more.
    pub rows_per_s: Option<f64>,
    /// Delivered and queryable over time.
    #[cfg_attr(test, schemars(length(max = 200)))]
    pub backlog: Vec<BacklogPoint>,
    /// Messages that Druid could not parse during the run, including those of others.
    pub unparseable: u64,
    /// Messages that the spec dropped because of their times.
    pub thrown_away: u64,
    /// What was done with the supervisor at the end.
    pub after: DruidAfter,
    /// Whether the run's rows are in published segments, which no restart loses; null when it was not
    /// waited for, or Druid could not be asked.
    pub durable: Option<bool>,
    /// How long that took after the last row could be queried, in seconds.
    pub durable_after_s: Option<f64>,
    /// What its tasks did over the run.
    pub ingestion: IngestionReport,
    /// What --query-load found; null without it.
    pub query_load: Option<QueryLoadReport>,
    /// Intended send until a query counted the tweet, by phase of the plan.
    #[serde(skip)]
    pub phase_times: Vec<Option<LatencyMs>>,
    /// What else is worth knowing.
    pub notes: Vec<String>,
    /// The users of --enrich, one row per user, in a datasource of their own; null where there are none.
    pub users: Option<DruidUsers>,
}

/// The users of `--enrich`, a row each, in a datasource of their own.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DruidUsers {
    /// Datasource.
    pub datasource: String,
    /// Rows that can be queried there.
    pub rows: u64,
    /// How long loading them took before the first tweet, in seconds.
    pub loaded_after_s: f64,
}
