//! Times that are known within bounds: a query sees rows some time after they became queryable.

use hdrhistogram::Histogram;

use crate::count::{LatencyMs, new_histogram, sum_of};

/// When rows became queryable: between these two, in milliseconds since the origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    /// When a query that did not find them was asked; 0 if there was none.
    pub after_ms: u32,
    /// When the answer came that counted them.
    pub by_ms: u32,
}

/// The same times twice: at most, and at least.
#[derive(Debug)]
pub(super) struct Bounds {
    pub most_us: Histogram<u64>,
    pub least_us: Histogram<u64>,
}

impl Bounds {
    pub fn new() -> Self {
        Self { most_us: new_histogram(), least_us: new_histogram() }
    }

    pub fn sum_of(all: &[Self]) -> Self {
        Self {
            most_us: sum_of(all.iter().map(|bounds| &bounds.most_us)),
            least_us: sum_of(all.iter().map(|bounds| &bounds.least_us)),
        }
    }

    pub fn record(&mut self, since_ms: u32, moment: Moment, tweets: u64) {
        let us = |at_ms: u32| u64::from(at_ms.saturating_sub(since_ms)) * 1_000;
        self.most_us.saturating_record_n(us(moment.by_ms), tweets);
        self.least_us.saturating_record_n(us(moment.after_ms), tweets);
    }

    /// How much less than the greatest possible each percentile may be. The true times lie between the
    /// bounds one by one, and so do their percentiles.
    pub fn error_ms(&self) -> Option<LatencyMs> {
        let (most, least) = (LatencyMs::of(&self.most_us)?, LatencyMs::of(&self.least_us)?);
        let less = |most: f64, least: f64| (most - least).max(0.0);
        Some(LatencyMs {
            p50: less(most.p50, least.p50),
            p90: less(most.p90, least.p90),
            p99: less(most.p99, least.p99),
            p999: less(most.p999, least.p999),
            max: less(most.max, least.max),
        })
    }
}
