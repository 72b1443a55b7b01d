//! What all benches have in common: times, and how much a row must move before criterion calls it changed.
//! `docs/tracking-regressions.md` says what to make of that.
#![allow(dead_code)] // each bench takes one of the two

use std::time::Duration;

use criterion::Criterion;

/// For hops that only compute. One second to warm up and three to measure, so that the whole set takes
/// less than ten minutes, also on a slow day. What the command line says stands over it.
///
/// The noise threshold is ten times criterion's own 1 %: three runs of one program within half an hour, on two
/// quiet cores of a shared machine, differed by up to 7.6 % (`perf/records.jsonl`, 2026-11-24). Smaller changes are
/// for `perf/compare`, which runs both programs in turns, and for `perf/instructions`.
pub fn criterion() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .noise_threshold(0.10)
}

/// For hops with threads: in the same three runs most of them differed by up to 23 %.
pub fn threads() -> Criterion {
    criterion().noise_threshold(0.25)
}
