//! What there is to show at one time: plain values, in words where nothing is drawn of them.

use std::time::Duration;

use crate::count::LatencyMs;

/// All that a frame shows.
#[derive(Debug, Clone, Default)]
pub(super) struct ViewState {
    /// Whose run it is: the run's id, or the topic of a search.
    pub title: String,
    /// What it does now.
    pub doing: String,
    pub mood: Mood,
    /// From 0 to 1; `None`: nobody knows how much there is.
    pub done: Option<f64>,
    /// How many of how many.
    pub counts: String,
    /// What became of them.
    pub more_counts: String,
    /// `14 s left`.
    pub left: String,
    /// Since the first send.
    pub elapsed: Option<Duration>,
    pub curves: Vec<Curve>,
    /// Seconds that the curves' full width stands for.
    pub span_s: f64,
    pub latencies: Vec<Latency>,
    pub hops: Vec<Hop>,
    /// The hop that holds the others up; empty before anything was measured.
    pub bottleneck: &'static str,
    /// Supervisor, tasks, rollover; empty without Druid.
    pub druid: String,
    /// What was said, oldest first: when, and the words.
    pub lines: Vec<(Duration, String)>,
    pub keys: Keys,
    /// The view explains itself.
    pub explains: bool,
}

/// Whether somebody should look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Mood {
    #[default]
    Good,
    /// It does not run as planned: paused, stopping.
    Doubtful,
    /// Something is away.
    Bad,
}

/// One number over time.
#[derive(Debug, Clone)]
pub(super) struct Curve {
    pub kind: CurveKind,
    /// Its last value, in words.
    pub now: String,
    /// The sum so far, in words; empty for what has none.
    pub total: String,
    /// One for each step.
    pub values: Vec<f64>,
    /// Seconds of a step.
    pub every_s: f64,
}

/// What a curve is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CurveKind {
    Asked,
    Sent,
    Acked,
    Processed,
    Queryable,
    InFlight,
    Backlog,
}

impl CurveKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Sent => "sent",
            Self::Acked => "acked",
            Self::Processed => "processed",
            Self::Queryable => "queryable",
            Self::InFlight => "in flight",
            Self::Backlog => "backlog",
        }
    }

    /// Rates have one scale, so that they can be compared; the others have their own.
    pub fn is_rate(self) -> bool {
        !matches!(self, Self::InFlight | Self::Backlog)
    }
}

/// One row of percentiles.
#[derive(Debug, Clone, Copy)]
pub(super) struct Latency {
    pub name: &'static str,
    /// `None`: nothing was measured yet.
    pub ms: Option<LatencyMs>,
}

/// One row of the hops.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hop {
    pub name: &'static str,
    /// Share of one core in the last second; `None`: not known.
    pub cpu: Option<f64>,
    /// Share of the last second in which the next hop blocked it; `None`: it cannot.
    pub blocked: Option<f64>,
}

/// Which keys there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keys {
    /// Nobody listens.
    #[default]
    None,
    /// Those of a replay.
    Replay,
    /// Those of a search, which sets the rate itself.
    Search,
}
