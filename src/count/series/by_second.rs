//! Latencies as they are measured: those of the current second apart from the others, at no cost for
//! each of them.

use std::time::Instant;

use hdrhistogram::Histogram;

use super::{Series, Slowest};
use crate::count::new_histogram;

/// The latencies of one second, which are added to all others when it has ended.
#[derive(Debug)]
pub struct BySecond {
    what: Slowest,
    second: u64,
    latencies_us: Histogram<u64>,
}

impl BySecond {
    /// Nothing yet.
    pub fn new(what: Slowest) -> Self {
        Self { what, second: 0, latencies_us: new_histogram() }
    }

    /// Says that what follows was measured `at` this time: if another second has begun, the one before
    /// goes into the series and into `all_us`.
    pub fn enter(&mut self, at: Instant, series: &Series, all_us: &mut Histogram<u64>) {
        if let Some(second) = series.second(at).filter(|second| *second != self.second) {
            self.flush(series, all_us);
            self.second = second;
        }
    }

    /// Takes one latency of the current second, in microseconds.
    pub fn record(&mut self, us: u64) {
        self.latencies_us.saturating_record(us);
    }

    /// Ends the current second.
    pub fn flush(&mut self, series: &Series, all_us: &mut Histogram<u64>) {
        let second_us = &mut self.latencies_us;
        if !second_us.is_empty() {
            series.slowest(self.what, self.second, second_us.value_at_quantile(0.99), second_us.max());
            // Both have the same bounds.
            let _ = all_us.add(&*second_us);
            second_us.reset();
        }
    }
}
