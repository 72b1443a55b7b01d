//! The capacity in full overload: more is written than the tasks can read, so that about 30 s of work always wait, and
//! rows processed are counted in blocks until their mean is known well enough.
//!
//! A backlog is kept short, as one that is older than the page cache is read from disk.

use super::blocks::{Block, Sample};
use super::context::{Context, Next};
use super::found::{Capacity, GeneratorLimit, Verdict};
use super::stats::{Estimate, independent_interval, mean, mean_interval, slope_interval, warm_up};

/// While nothing waits the rate grows by this factor per second.
const RAMP: f64 = 1.22;

/// Time in which a backlog that is too long or too short is corrected.
const CORRECTION_S: f64 = 15.0;

/// Most that is asked for, as a multiple of what Kafka acknowledges just now: what is asked for beyond what the generator
/// can do has to be written later.
const ASKED_MAX: f64 = 3.0;

/// The generator is the limit if it was asked for this multiple of what it did, this long, with little work waiting.
const ASKED_LIMIT: f64 = 1.6;
const DRY_LIMIT_S: f64 = 20.0;

/// A drift of this share over the measurement is a change.
const DRIFT: f64 = 0.05;

/// Blocks from which on their own mean says best what the tasks process.
const KNOWN: usize = 3;

/// Whole segments that say what is taken, fewest of them without warm-up, and fewest whole tasks.
const SEGMENTS: usize = 4;
const SEGMENTS_MIN: usize = 3;
const TASKS_MIN: usize = 3;

/// A mean that is less certain than this, at the end of the longest time, is none. What is between this and the interval asked for
/// is judged by the hold and the cross-check.
const INTERVAL_MAX: f64 = 0.12;

/// The same for whole tasks, which are three as a rule: the interval of three values is 2.5 standard deviations wide to each side.
const TASKS_INTERVAL_MAX: f64 = 0.16;

/// How it is going.
#[derive(Debug)]
pub(super) struct Saturating {
    last_s: f64,
    /// Whether there was enough work at least once.
    full: bool,
    /// Since when, and what was processed until then.
    dry_since: Option<(f64, u64)>,
}

/// What the blocks say.
enum Reading {
    /// Not enough yet.
    More,
    Known(Capacity),
    /// Two figures between which it is: of the first and the last part, or the ends of an interval.
    Changing(f64, f64),
}

impl Saturating {
    pub fn new(sample: &Sample) -> Self {
        Self { last_s: sample.at_s, full: false, dry_since: None }
    }

    pub fn step(&mut self, context: &mut Context, sample: &Sample, new_block: bool) -> Next {
        let processed_per_s = self.processed_per_s(context);
        let is_dry = sample.unread() < context.settings.dry_s * processed_per_s;
        self.steer(context, sample, processed_per_s);
        if let Some(above) = self.generator_limit(context, sample, is_dry) {
            return Next::Finish(Verdict::GeneratorLimited { above, limit: GeneratorLimit::TooSlow });
        }
        self.last_s = sample.at_s;
        if !is_dry && !std::mem::replace(&mut self.full, true) {
            // The ramp is in none of the blocks.
            return Next::Restart;
        }
        if !new_block || !self.full {
            return Next::Stay;
        }
        match read(context) {
            Reading::More => Next::Stay,
            Reading::Changing(first, second) => Next::Finish(Verdict::NotStable { first, second }),
            Reading::Known(capacity) => {
                context.found.capacity = Some(capacity);
                Next::Drain(Some(context.settings.hold_share * capacity.per_s.value))
            }
        }
    }

    fn processed_per_s(&self, context: &Context) -> f64 {
        let blocks: Vec<f64> =
            context.phase_blocks().rev().take(12).map(|block| block.processed_per_s).collect();
        let known = if self.full && blocks.len() >= KNOWN { mean(&blocks) } else { 0.0 };
        match known > 0.0 {
            true => known,
            false => context.recent.processed_per_s().max(context.settings.start_rate),
        }
    }

    /// The next rate: what is processed, and what brings the backlog to where it is to be.
    fn steer(&self, context: &mut Context, sample: &Sample, processed_per_s: f64) {
        let target = context.settings.ahead_s * processed_per_s;
        let steered = processed_per_s + (target - sample.unread()) / CORRECTION_S;
        let ramp = match self.full {
            true => 0.0,
            false => context.rate * RAMP.powf(sample.at_s - self.last_s),
        };
        let most = ASKED_MAX * context.recent.acked_per_s().max(context.settings.start_rate);
        context.rate = steered.max(ramp).clamp(0.1 * processed_per_s, most.max(0.1 * processed_per_s));
    }

    /// What the generator reached, in rows per second, if it is the limit.
    fn generator_limit(&mut self, context: &Context, sample: &Sample, is_dry: bool) -> Option<f64> {
        let asked_for_more = context.rate >= ASKED_LIMIT * context.recent.acked_per_s();
        if !is_dry || !asked_for_more || sample.rolling {
            self.dry_since = None;
            return None;
        }
        let (since_s, processed) = *self.dry_since.get_or_insert((sample.at_s, sample.processed));
        let seconds = sample.at_s - since_s;
        (seconds >= DRY_LIMIT_S).then(|| sample.processed.saturating_sub(processed) as f64 / seconds)
    }
}

/// What the blocks since the tasks had enough to do say, or the segments, if they fill quickly.
fn read(context: &Context) -> Reading {
    let settings = &context.settings;
    let all: Vec<&Block> = context.phase_blocks().filter(|block| block.unread_min > 0.0).collect();
    let plain: Vec<&Block> = all.iter().copied().filter(|block| block.is_plain()).collect();
    // With a rollover in most of the blocks there is no time between them.
    let used = if plain.len() * 2 < all.len() { &all } else { &plain };
    let (least, most) = settings.saturate_blocks;
    let is_last = all.len() >= most;
    if used.len() < least {
        let rates = context.taken_per_s(&all).into_iter();
        let (low, high) = (rates.clone().fold(f64::INFINITY, f64::min), rates.fold(0.0, f64::max));
        return if is_last { Reading::Changing(low, high) } else { Reading::More };
    }
    let per_block = context.taken_per_s(used);
    let segments = context.per_segment(all[0].from_s);
    let by_segments =
        context.goes_by_segments(mean(&per_block), SEGMENTS + 1, most as f64 * settings.block_s);
    if by_segments && segments.len() < SEGMENTS {
        let of_tasks = if is_last { by_tasks(context, &all) } else { Some(Reading::More) };
        if let Some(reading) = of_tasks {
            return reading;
        }
    }
    let by_segments = by_segments && segments.len() >= SEGMENTS_MIN;
    let (points, least) = match by_segments {
        true => (segments, SEGMENTS_MIN),
        false => (used.iter().map(|block| block.middle_s()).zip(per_block).collect(), least),
    };
    let values: Vec<f64> = points.iter().map(|(_, per_s)| *per_s).collect();
    // Of a few segments only the first may be warm-up, and each has all that one has.
    let dropped = if by_segments { warm_up(&values).min(1) } else { warm_up(&values).max(1) };
    let (kept, values) = (&points[dropped..], &values[dropped..]);
    let per_s = if by_segments { independent_interval(values) } else { mean_interval(values) };
    let Some(per_s) = per_s else { return Reading::More };
    if let Some((first, last)) = drift(kept, per_s) {
        return if is_last { Reading::Changing(first, last) } else { Reading::More };
    }
    let narrow = if is_last { INTERVAL_MAX.max(settings.interval) } else { settings.interval };
    if per_s.relative() > narrow || kept.len() * 3 < least * 2 {
        let unknown = || Reading::Changing(per_s.low(), per_s.high());
        return if is_last { by_tasks(context, &all).unwrap_or_else(unknown) } else { Reading::More };
    }
    let from_s = kept.first().map_or(0.0, |(middle_s, _)| *middle_s);
    let later: Vec<&Block> = all.iter().copied().filter(|block| block.to_s > from_s).collect();
    Reading::Known(Capacity {
        per_s,
        of_tasks: false,
        with_rollovers_per_s: mean(&context.taken_per_s(&later)),
        blocks: later.iter().filter(|block| block.is_plain()).count(),
        warm_up: all.len() - later.len(),
    })
}

/// What was taken in the time of whole tasks, with all pauses and a rollover in each; `None`: that is longer than a third of the
/// longest time. Where a segment takes about as long as a task reads, each 10 s and each segment differ by where in a task they are.
fn by_tasks(context: &Context, blocks: &[&Block]) -> Option<Reading> {
    let length =
        context.blocks_of_task().filter(|length| TASKS_MIN * length <= context.settings.saturate_blocks.1)?;
    let of_tasks: Vec<f64> = context.taken_per_s(blocks).chunks_exact(length).map(mean).collect();
    let per_s = independent_interval(&of_tasks)?;
    if per_s.relative() > TASKS_INTERVAL_MAX {
        return Some(Reading::Changing(per_s.low(), per_s.high()));
    }
    let (with_rollovers_per_s, blocks) = (per_s.value, of_tasks.len() * length);
    Some(Reading::Known(Capacity { per_s, of_tasks: true, with_rollovers_per_s, blocks, warm_up: 0 }))
}

/// Where the line through the values begins and ends, if it rises or falls by too much to be chance.
fn drift(points: &[(f64, f64)], per_s: Estimate) -> Option<(f64, f64)> {
    let slope = slope_interval(points)?;
    let span_s = points.last()?.0 - points.first()?.0;
    let is_clear = slope.value.abs() > slope.half_width;
    let change = slope.value * span_s;
    (is_clear && change.abs() > DRIFT * per_s.value)
        .then_some((per_s.value - change / 2.0, per_s.value + change / 2.0))
}
