//! The phases of a run in the report.

use serde::Serialize;

use crate::count::LatencyMs;

/// Figures of one phase: a part of --profile, or the warm-up. A tweet belongs to the phase in which it was
/// intended.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PhaseReport {
    /// The part of the profile, or warm-up.
    pub name: String,
    /// Whether the other figures of the report are without it.
    pub is_warmup: bool,
    /// When it begins by plan, in seconds from the first send on.
    pub planned_from_s: f64,
    /// When it ends by plan; null: with the run.
    pub planned_to_s: Option<f64>,
    /// Tweets sent.
    pub tweets: u64,
    /// First send, in seconds from the first send of the run; null when nothing was sent.
    pub from_s: Option<f64>,
    /// Last send.
    pub to_s: Option<f64>,
    /// Tweets per second from its first to its last send, over the gaps between them.
    pub rate_per_s: Option<f64>,
    /// Send time - intended send time; null at full speed.
    pub lag_ms: Option<LatencyMs>,
    /// Send to Kafka's delivery report.
    pub acked_ms: Option<LatencyMs>,
    /// Intended send until a query counted the tweet; null without Druid.
    pub time_to_queryable_ms: Option<LatencyMs>,
}
