//! The capacity once more, from a live stream: a rate above it, and what is left of it after what is left unread.

use super::blocks::Block;
use super::context::{Context, Next};
use super::found::{CrossCheck, GeneratorLimit, HoldEnd, Verdict};
use super::stats::mean;

/// With less written than this share of the capacity, there was no overload to measure in.
const OVERLOAD: f64 = 1.05;

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
        let all = context.phase_blocks().count();
        // In the first block the backlog is not there yet.
        let plain: Vec<&Block> = context.phase_blocks().skip(1).filter(|block| block.is_plain()).collect();
        if !new_block || (plain.len() < least && all < 2 * most) {
            return Next::Stay;
        }
        let of = |value: fn(&Block) -> f64| mean(&plain.iter().map(|block| value(block)).collect::<Vec<_>>());
        let (capacity, acked) = (context.capacity_per_s(), of(|block| block.acked_per_s));
        let processed = of(|block| block.processed_per_s);
        let taken = mean(&context.taken_per_s(&plain));
        let plain_count = plain.len();
        if plain_count == 0 || acked < OVERLOAD * capacity {
            let above = context.found.held().map_or(acked, |hold| hold.rate);
            return Next::Finish(Verdict::GeneratorLimited { above, limit: GeneratorLimit::NoOverload });
        }
        let agreement = taken / capacity;
        let agrees = (agreement - 1.0).abs() <= context.settings.cross_tolerance;
        if !agrees && plain_count < most && all < 2 * most {
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

fn answer(context: &Context) -> Next {
    let held = context.found.held().map(|hold| (hold.rate, hold.end));
    Next::Finish(match held {
        Some((rate, HoldEnd::BreaksAtRollovers)) => Verdict::BreaksAtRollovers { rate },
        Some((rate, _)) => Verdict::Sustainable { rate },
        None => Verdict::Undecided { budget_over: false },
    })
}
