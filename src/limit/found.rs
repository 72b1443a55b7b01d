//! What a search has found, so far or at its end.

use super::blocks::Block;
use super::stats::Estimate;
use super::waits::WaitSummary;

/// A limit of the user's on the time to queryable: this share of the rows within this time.
#[derive(Debug, Clone, PartialEq)]
pub struct Slo {
    /// As it was given.
    pub expression: String,
    /// Share of the rows: 0.99 for `queryable.p99`, 1 for `queryable.max`.
    pub share: f64,
    pub limit_s: f64,
}

/// Parts of a search, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Little is written until the tasks read.
    Prepare,
    /// More is written than the tasks can read.
    Saturate,
    /// Nothing is written until everything can be queried.
    Drain,
    /// A rate below the capacity is held.
    Hold,
    /// A rate above it.
    CrossCheck,
    Done,
}

/// A block, and the part of the search that it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct PhaseBlock {
    pub phase: Phase,
    pub block: Block,
}

/// What the tasks process in full overload.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Capacity {
    /// Rows per second between rollovers, or with them.
    pub per_s: Estimate,
    /// Whether it is the mean of the time of whole tasks, rollovers included: 10 s and segments say too little.
    pub of_tasks: bool,
    /// Rows per second, rollovers included.
    pub with_rollovers_per_s: f64,
    /// Blocks that it is the mean of.
    pub blocks: usize,
    /// Blocks that were dropped as warm-up.
    pub warm_up: usize,
}

/// How a hold ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldEnd {
    /// The backlog did not grow, and the limits held.
    Held,
    /// As `Held`, but with the rollovers a limit was broken.
    BreaksAtRollovers,
    /// The backlog grew.
    Growing,
    /// A limit was broken between rollovers.
    LimitBroken,
    /// In the longest time allowed it could not be told whether the backlog grows.
    Unclear,
}

/// One rate that was held.
#[derive(Debug, Clone, PartialEq)]
pub struct Hold {
    pub rate: f64,
    pub seconds: f64,
    pub end: HoldEnd,
    /// Rows per second by which the backlog grew, between rollovers.
    pub growth_per_s: Estimate,
    /// Rows per second that the tasks processed, between rollovers.
    pub processed_per_s: f64,
    pub rollovers: usize,
    /// Time to queryable between rollovers.
    pub plain: Option<WaitSummary>,
    /// The same with them.
    pub all: Option<WaitSummary>,
    /// For each limit of the user's.
    pub limits: Vec<LimitWaits>,
}

/// What was measured for one limit, in seconds; `None`: no row was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LimitWaits {
    /// Between rollovers.
    pub plain_s: Option<f64>,
    /// With them.
    pub all_s: Option<f64>,
}

/// The capacity once more, from a live stream above it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CrossCheck {
    /// Rows per second that were written.
    pub rate: f64,
    /// By which the unread rows grew.
    pub growth_per_s: f64,
    /// The difference, which the tasks took; with uneven partitions, the rate at which the slowest group of tasks takes
    /// its share.
    pub capacity_per_s: f64,
    /// As a share of the capacity measured first.
    pub agreement: f64,
}

/// Whose limit was found where it is not Druid's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GeneratorLimit {
    /// The tasks had read nearly all that there was.
    TooSlow,
    /// Rows left later than they were due.
    Late,
    /// The input came to its end.
    InputOver,
    /// A rate was held, and more than the capacity could not be written to confirm it.
    NoOverload,
    /// Kafka gives a consumer little more than the tasks took.
    KafkaReads,
}

/// How a search ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// This rate was held.
    Sustainable { rate: f64 },
    /// This rate was held, and every rollover breaks a limit.
    BreaksAtRollovers { rate: f64 },
    /// Druid takes more than this: something else was the limit.
    GeneratorLimited { above: f64, limit: GeneratorLimit },
    /// Druid's capacity changed while it was measured, or two ways to measure it differ: both figures.
    NotStable { first: f64, second: f64 },
    /// No rate was held, or the time was over.
    Undecided { budget_over: bool },
    /// Ended by the user.
    Stopped,
}

/// All that is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    pub capacity: Option<Capacity>,
    pub holds: Vec<Hold>,
    pub cross_check: Option<CrossCheck>,
    pub blocks: Vec<PhaseBlock>,
    pub verdict: Option<Verdict>,
    /// What a reader should know besides.
    pub notes: Vec<&'static str>,
}

impl Found {
    /// The last rate that was held.
    #[must_use]
    pub fn held(&self) -> Option<&Hold> {
        let held = |hold: &&Hold| matches!(hold.end, HoldEnd::Held | HoldEnd::BreaksAtRollovers);
        self.holds.iter().rev().find(held)
    }
}
