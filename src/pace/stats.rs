//! The pace of a replay that has ended.

use std::time::Instant;

use hdrhistogram::Histogram;

use super::Change;

/// What the pacer observed during a replay.
#[derive(Debug, Clone, Default)]
pub struct PaceStats {
    /// Send time − intended send time, in microseconds; `None` at full speed. An event is sent when
    /// the next hop has taken its batch: waiting for that is part of the lag. Without the warm-up.
    pub lag_us: Option<Histogram<u64>>,
    /// Events that came from the input after they were due; they are not in `lag_us`.
    pub late_input: u64,
    /// When the first event was sent, on today's clock: milliseconds since 1970 UTC.
    pub started_ms: Option<i64>,
    /// When the first event was sent.
    pub started: Option<Instant>,
    /// When the next hop had taken the last batch; with a single batch, when it was sent.
    pub ended: Option<Instant>,
    /// What the user changed meanwhile.
    pub changes: Vec<Change>,
    /// What was sent in each phase of the plan, and its `lag_us`.
    pub phases: Vec<PhaseSent>,
    pub phase_lags_us: Vec<Histogram<u64>>,
    /// Loops from which an event was sent.
    pub loops: u64,
    /// Events not released, from loops of which none was.
    pub unreleased_of_later_loops: u64,
}

/// What was sent in one phase of the plan.
#[derive(Debug, Clone, Copy)]
pub struct PhaseSent {
    pub tweets: u64,
    /// When its first batch was sent.
    pub first: Instant,
    /// When the next hop had taken its last batch; with a single batch, when it was sent.
    pub last: Instant,
}
