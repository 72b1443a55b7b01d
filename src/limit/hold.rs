//! A rate is held, open loop, across a rollover: does the backlog grow, and do the limits hold?

use super::blocks::{Block, Sample};
use super::context::{Context, Next};
use super::found::{GeneratorLimit, Hold, HoldEnd, LimitWaits, Slo, Verdict};
use super::stats::{Estimate, mean, slope_interval};
use super::waits::Waits;

/// A backlog that grows by this multiple of the tolerated growth need not be watched to the end.
const CLEARLY: f64 = 2.5;

/// Share of the shortest hold after which that may be said.
const CLEARLY_AFTER: f64 = 0.4;

/// Blocks whose mean is the backlog at the start and at the end.
const ENDS: usize = 3;

/// Less than this share of the capacity processed, with rows waiting: it is not the capacity any more.
const STILL_THE_CAPACITY: f64 = 0.9;

/// Rows later than this, this long: the generator does not keep the rate.
const LATE_S: f64 = 2.0;
const LATE_FOR_S: f64 = 10.0;

/// How it is going.
#[derive(Debug)]
pub(super) struct Holding {
    rate: f64,
    since_s: f64,
    rollovers: u64,
    waits: Waits,
    late_since_s: Option<f64>,
}

/// Whether the backlog grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trend {
    Growing,
    Steady,
    Unclear,
}

impl Holding {
    pub fn new(sample: &Sample, rate: f64, lost: u64) -> Self {
        let waits = Waits::new(sample, lost);
        Self { rate, since_s: sample.at_s, rollovers: sample.rollovers, waits, late_since_s: None }
    }

    pub fn step(&mut self, context: &mut Context, sample: &Sample, new_block: bool) -> Next {
        self.waits.add(sample, context.rollovers.is_active());
        if self.is_late(sample) {
            let above = context.recent.processed_per_s();
            return Next::Finish(Verdict::GeneratorLimited { above, limit: GeneratorLimit::Late });
        }
        if !new_block {
            return Next::Stay;
        }
        let settled_s = self.since_s + context.settings.settle_s - 0.001;
        let blocks: Vec<Block> =
            context.phase_blocks().filter(|block| block.from_s >= settled_s).cloned().collect();
        let Some(growth) = growth_of(&blocks) else { return Next::Stay };
        let Some(trend) = self.trend(context, &blocks, growth, sample) else { return Next::Stay };
        let hold = self.summary(context, trend, (&blocks, growth), sample);
        let next = next_after(context, &hold);
        context.found.holds.push(hold);
        next
    }

    /// Whether rows leave late, and have for some time.
    fn is_late(&mut self, sample: &Sample) -> bool {
        if (sample.intended.saturating_sub(sample.acked) as f64) < LATE_S * self.rate {
            self.late_since_s = None;
            return false;
        }
        sample.at_s - *self.late_since_s.get_or_insert(sample.at_s) >= LATE_FOR_S
    }

    /// `None`: it has to be held longer.
    fn trend(&self, context: &Context, blocks: &[Block], growth: Estimate, sample: &Sample) -> Option<Trend> {
        let settings = &context.settings;
        let seconds = sample.at_s - self.since_s;
        let (shortest, longest) = settings.hold_s;
        let tolerated = settings.growth * self.rate;
        let is_last = seconds >= longest;
        if seconds >= CLEARLY_AFTER * shortest && growth.low() > CLEARLY * tolerated {
            return Some(Trend::Growing);
        }
        let waits_for_rollover = settings.task_duration_s <= longest
            && (sample.rollovers == self.rollovers || context.rollovers.is_active());
        if seconds < shortest || (waits_for_rollover && !is_last) {
            return None;
        }
        let overall = overall_growth(blocks);
        match () {
            () if growth.low() > tolerated => Some(Trend::Growing),
            // What the rollovers left behind is growth too.
            () if growth.high() > tolerated && overall > tolerated => Some(Trend::Growing),
            () if growth.high() < tolerated && overall < tolerated => Some(Trend::Steady),
            () => is_last.then_some(Trend::Unclear),
        }
    }

    fn summary(
        &self,
        context: &Context,
        trend: Trend,
        (blocks, growth): (&[Block], Estimate),
        sample: &Sample,
    ) -> Hold {
        let plain: Vec<f64> =
            blocks.iter().filter(|block| block.is_plain()).map(|block| block.processed_per_s).collect();
        let measured = |slo: &Slo| LimitWaits {
            plain_s: self.waits.quantile(slo.share, false),
            all_s: self.waits.quantile(slo.share, true),
        };
        let limits: Vec<LimitWaits> = context.slos.iter().map(measured).collect();
        let is_broken = |of: fn(&LimitWaits) -> Option<f64>| {
            let mut both = context.slos.iter().zip(&limits);
            both.any(|(slo, limit)| of(limit).is_some_and(|wait_s| wait_s >= slo.limit_s))
        };
        let end = match trend {
            Trend::Growing => HoldEnd::Growing,
            Trend::Unclear => HoldEnd::Unclear,
            Trend::Steady if is_broken(|limit| limit.plain_s) => HoldEnd::LimitBroken,
            Trend::Steady if is_broken(|limit| limit.all_s) => HoldEnd::BreaksAtRollovers,
            Trend::Steady => HoldEnd::Held,
        };
        Hold {
            rate: self.rate,
            seconds: sample.at_s - self.since_s,
            end,
            growth_per_s: growth,
            processed_per_s: mean(&plain),
            rollovers: (sample.rollovers - self.rollovers) as usize,
            plain: self.waits.summary(false),
            all: self.waits.summary(true),
            limits,
        }
    }
}

fn next_after(context: &mut Context, hold: &Hold) -> Next {
    let (first, second) = (context.capacity_per_s(), hold.processed_per_s);
    match hold.end {
        HoldEnd::Held | HoldEnd::BreaksAtRollovers => {
            if hold.rollovers == 0 {
                context.found.notes.push("no task rolled over in the hold");
            }
            Next::Drain(None)
        }
        HoldEnd::Growing if second < STILL_THE_CAPACITY * first => {
            Next::Finish(Verdict::NotStable { first, second })
        }
        // With this one.
        _ if context.found.holds.len() >= context.settings.lower_times => {
            Next::Finish(Verdict::Undecided { budget_over: false })
        }
        _ => Next::Drain(Some(context.settings.lower_by * hold.rate)),
    }
}

/// Rows per second by which the backlog grows between rollovers.
fn growth_of(blocks: &[Block]) -> Option<Estimate> {
    let plain = |block: &&Block| block.is_plain();
    let points: Vec<(f64, f64)> =
        blocks.iter().filter(plain).map(|block| (block.middle_s(), block.backlog)).collect();
    slope_interval(&points)
}

/// The same from the first to the last blocks, rollovers included.
fn overall_growth(blocks: &[Block]) -> f64 {
    if blocks.len() < 2 * ENDS {
        return 0.0;
    }
    let backlog = |blocks: &[Block]| mean(&blocks.iter().map(|block| block.backlog).collect::<Vec<_>>());
    let (first, last) = (&blocks[..ENDS], &blocks[blocks.len() - ENDS..]);
    (backlog(last) - backlog(first)) / (last[1].middle_s() - first[1].middle_s())
}
