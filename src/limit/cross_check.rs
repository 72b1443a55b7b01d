//! The capacity once more, from a live stream: a rate above it, and what is left of it after what is left unread.

use super::blocks::Block;
use super::context::{Context, Next};
use super::found::{CrossCheck, GeneratorLimit, HoldEnd, Verdict};
use super::settings::Settings;
use super::stats::mean;

/// With less written than this share of the capacity, there was no overload to measure in.
const OVERLOAD: f64 = 1.05;

/// Whole segments that say what is taken, where they fill quickly.
const SEGMENTS: usize = 2;

/// How it is going.
#[derive(Debug)]
pub(super) struct CrossChecking {
    rate: f64,
}

impl CrossChecking {
    pub fn new(rate: f64) -> Self {
        Self { rate }
    }

    pub fn step(&self, context: &mut Context, new_block: bool) -> Next {
        let (least, most) = context.settings.cross_blocks;
        let all = context.phase_blocks().count().max(1);
        // In the first block the backlog is not there yet.
        let blocks = context.phase_blocks().skip(1);
        let task = context.blocks_of_task().filter(|_| context.goes_by_tasks());
        let (least, most) = task.map_or((least, most), |length| (length, usize::MAX));
        let measured: Vec<&Block> = match task {
            Some(length) => blocks.skip((all - 1).saturating_sub(length)).collect(),
            None => blocks.filter(|block| block.is_plain()).collect(),
        };
        let capacity = context.capacity_per_s();
        let segments: Vec<f64> =
            context.per_segment(backlog_since_s(context)).iter().map(|(_, per_s)| *per_s).collect();
        let by_segments = goes_by_segments(context);
        let is_last = all >= length(context).1;
        let (is_short, is_last) = match by_segments {
            true => (segments.len() < SEGMENTS, is_last),
            false => (measured.len() < least, is_last || measured.len() >= most),
        };
        if !new_block || (is_short && !is_last) {
            return Next::Stay;
        }
        let of =
            |value: fn(&Block) -> f64| mean(&measured.iter().map(|block| value(block)).collect::<Vec<_>>());
        let (acked, processed) = (of(|block| block.acked_per_s), of(|block| block.processed_per_s));
        let taken = match by_segments && !segments.is_empty() {
            true => mean(&segments),
            false => mean(&context.taken_per_s(&measured)),
        };
        if measured.is_empty() || acked < OVERLOAD * capacity {
            let above = context.found.held().map_or(acked, |hold| hold.rate);
            return Next::Finish(Verdict::GeneratorLimited { above, limit: GeneratorLimit::NoOverload });
        }
        let agreement = taken / capacity;
        let agrees = (agreement - 1.0).abs() <= context.settings.cross_tolerance;
        if !agrees && !is_last {
            return Next::Stay;
        }
        context.found.cross_check = Some(CrossCheck {
            rate: self.rate,
            growth_per_s: acked - processed,
            capacity_per_s: taken,
            agreement,
        });
        match agrees {
            true => answer(context),
            false => Next::Finish(Verdict::NotStable { first: capacity, second: taken }),
        }
    }
}

fn goes_by_segments(context: &Context) -> bool {
    let Settings { cross_blocks: (_, most), block_s, .. } = context.settings;
    !context.goes_by_tasks()
        && context.goes_by_segments(context.capacity_per_s(), SEGMENTS, 2.0 * most as f64 * block_s)
}

/// Blocks that it takes, the first one included: the fewest, and those after which it ends with what is known.
pub(super) fn length(context: &Context) -> (usize, usize) {
    let Settings { cross_blocks: (least, most), block_s, .. } = context.settings;
    let (least, most) = if goes_by_segments(context) {
        let segments_s = SEGMENTS as f64 * context.segment_s(context.capacity_per_s());
        ((segments_s / block_s).ceil() as usize, 3 * most)
    } else if context.goes_by_tasks() {
        (context.blocks_of_task().unwrap_or(least), 2 * most)
    } else {
        (least, 2 * most)
    };
    ((least + 1).min(most), most)
}

/// From when on there were always rows to read.
fn backlog_since_s(context: &Context) -> f64 {
    let has_backlog = |block: &&Block| block.unread_min > 0.0;
    let first = context.phase_blocks().rev().take_while(has_backlog).last();
    first.map_or(f64::INFINITY, |block| block.from_s)
}

fn answer(context: &Context) -> Next {
    let held = context.found.held().map(|hold| (hold.rate, hold.end));
    Next::Finish(match held {
        Some((rate, HoldEnd::BreaksAtRollovers)) => Verdict::BreaksAtRollovers { rate },
        Some((rate, _)) => Verdict::Sustainable { rate },
        None => Verdict::Undecided { budget_over: false },
    })
}
