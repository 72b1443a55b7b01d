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

/// Less than this share of the capacity processed, with rows waiting: it is not the capacity any more.
const STILL_THE_CAPACITY: f64 = 0.9;

/// Rows later than this, this long: the generator does not keep the rate.
const LATE_S: f64 = 2.0;
const LATE_FOR_S: f64 = 10.0;

/// Said where rollovers are not all that is counted as such.
const PAUSES: &str = "tasks paused in the hold, as they do to hand over a full segment (maxRowsPerSegment), also because they were \
                      slow to persist: these pauses count with the rollovers";

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
        if context.rollovers.all().iter().any(|rollover| rollover.is_pause && rollover.at_s >= self.since_s)
            && matches!(hold.end, HoldEnd::Held | HoldEnd::BreaksAtRollovers)
        {
            context.found.notes.push(PAUSES);
        }
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
        // Goes on until a rollover that is under way is over.
        let rolls = context.rollovers.is_active();
        let is_last = seconds >= longest + if rolls { settings.catch_up_s } else { 0.0 };
        let has_come_back = comes_back(blocks, tolerated) && self.is_caught_up(context, blocks, tolerated);
        let has_paused =
            rolls || context.rollovers.all().last().is_some_and(|last| last.at_s >= self.since_s);
        let is_clear = growth.low() > CLEARLY * tolerated && !has_come_back && !has_paused;
        if seconds >= CLEARLY_AFTER * shortest && is_clear {
            return Some(Trend::Growing);
        }
        let waits_for_rollover =
            settings.task_duration_s <= longest && (sample.rollovers == self.rollovers || rolls);
        if seconds < shortest || (waits_for_rollover && !is_last) {
            return None;
        }
        // What rollovers and pauses left behind is growth too.
        let most = slope(blocks).map_or(growth.high(), |all| all.high().max(growth.high()));
        match has_come_back {
            false if (growth.low() > tolerated && !has_paused) || (is_last && most > tolerated) => {
                Some(Trend::Growing)
            }
            true if growth.low() <= tolerated => Some(Trend::Steady),
            _ => is_last.then_some(Trend::Unclear),
        }
    }

    /// Whether what the last rollover or pause left behind was caught up, be it after more time than one may take. Only then
    /// do earlier blocks tell what the backlog comes back to.
    fn is_caught_up(&self, context: &Context, blocks: &[Block], tolerated: f64) -> bool {
        let last = context.rollovers.all().last().filter(|last| last.at_s >= self.since_s);
        let Some(last) = last.filter(|last| last.recovered_after_s.is_none()) else { return true };
        let over_s = last.at_s + context.settings.catch_up_s;
        let mut later = blocks.iter().filter(|block| block.to_s > over_s);
        later.any(|block| block.backlog - last.before <= tolerated * (block.to_s - last.at_s))
    }

    fn summary(
        &self,
        context: &Context,
        trend: Trend,
        (blocks, growth): (&[Block], Estimate),
        sample: &Sample,
    ) -> Hold {
        let plain: Vec<&Block> = blocks.iter().filter(|block| block.is_plain()).collect();
        // A part of a segment does not say what is taken in the long run.
        let by_segments = context.goes_by_segments(context.capacity_per_s(), 1, f64::INFINITY);
        let processed_per_s = match context.per_segment(self.since_s) {
            _ if context.goes_by_tasks() => mean(&context.taken_per_s(&blocks.iter().collect::<Vec<_>>())),
            none if none.is_empty() && by_segments => context.capacity_per_s(),
            none if none.is_empty() => mean(&context.taken_per_s(&plain)),
            segments => mean(&segments.iter().map(|(_, per_s)| *per_s).collect::<Vec<_>>()),
        };
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
            processed_per_s,
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

/// With fewer blocks between rollovers they say nothing by themselves.
const PLAIN_MIN: usize = 6;

/// Rows per second by which the backlog grows between rollovers.
fn growth_of(blocks: &[Block]) -> Option<Estimate> {
    let plain: Vec<&Block> = blocks.iter().filter(|block| block.is_plain()).collect();
    if plain.len() < PLAIN_MIN { slope(blocks) } else { slope(plain) }
}

fn slope<'a>(blocks: impl IntoIterator<Item = &'a Block>) -> Option<Estimate> {
    let points = blocks.into_iter().map(|block| (block.middle_s(), block.backlog));
    slope_interval(&points.collect::<Vec<_>>())
}

/// Whether in the second half the backlog once comes back to what it was in the first, rollovers included. A backlog that
/// each pause builds up, and that is caught up until the next, has a slope that takes many pauses to be known; its least
/// values have not.
fn comes_back(blocks: &[Block], tolerated: f64) -> bool {
    let (first, second) = blocks.split_at(blocks.len() / 2);
    let least = |blocks: &[Block]| blocks.iter().map(|block| block.backlog).fold(f64::INFINITY, f64::min);
    let (Some(from), Some(to)) = (blocks.first(), second.last()) else { return true };
    let half_s = (to.to_s - from.from_s) / 2.0;
    least(second) - least(first) <= tolerated * half_s
}

#[cfg(test)]
mod tests {
    use super::super::found::Capacity;
    use super::super::search::Search;
    use super::super::settings::Settings;
    use super::*;

    /// What becomes of 1,000 rows per second, of which none are read for 30 s from the rollover on, and then so many; and how many
    /// seconds it took to say so.
    fn hold(rollover_s: u64, afterwards_per_s: u64) -> (HoldEnd, u64) {
        let per_s = Estimate { value: 1_050.0, half_width: 10.0 };
        let capacity =
            Capacity { per_s, of_tasks: false, with_rollovers_per_s: per_s.value, blocks: 0, warm_up: 0 };
        let settings = Settings::thorough(600.0, 3_600.0);
        let mut search = Search::from_capacity(settings, capacity, 1_000.0);
        for second in 0..800_u64 {
            let written = second * 1_000;
            let stalled = second.saturating_sub(rollover_s).min(30) * 1_000;
            let since = second.saturating_sub(rollover_s + 30);
            let behind = (stalled + since * 1_000).saturating_sub(since * afterwards_per_s);
            search.observe(&Sample {
                at_s: second as f64,
                intended: written,
                acked: written,
                processed: written - behind,
                queryable: written - behind,
                rolling: (rollover_s..rollover_s + 30).contains(&second),
                rollovers: u64::from(second >= rollover_s),
                ..Sample::default()
            });
            if let Some(hold) = search.found().holds.first() {
                return (hold.end, second);
            }
        }
        panic!("no end");
    }

    #[test]
    fn the_longest_hold_goes_on_until_a_rollover_is_over() {
        let (end, second) = hold(590, 2_000);
        assert!(end == HoldEnd::Held && (640..680).contains(&second), "{end:?} {second}");
        // This one is never caught up.
        let (end, second) = hold(590, 1_000);
        assert!(end == HoldEnd::Growing && (700..=722).contains(&second), "{end:?} {second}");
        // And the usual case.
        let (end, second) = hold(250, 2_000);
        assert!(end == HoldEnd::Held && second <= 330, "{end:?} {second}");
    }
}
