//! Latencies: the histogram that collects them, and the percentiles that are shown.

use hdrhistogram::Histogram;
use serde::Serialize;

/// An empty histogram of microseconds up to a day, exact to three digits.
pub fn new_histogram() -> Histogram<u64> {
    #[expect(clippy::expect_used, reason = "the bounds are constants")]
    Histogram::new_with_bounds(1, 86_400_000_000, 3).expect("constant bounds are valid")
}

/// Percentiles of a latency, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LatencyMs {
    /// Half were faster.
    pub p50: f64,
    /// 90 of 100 were faster.
    pub p90: f64,
    /// 99 of 100 were faster.
    pub p99: f64,
    /// 999 of 1,000 were faster.
    pub p999: f64,
    /// The slowest.
    pub max: f64,
}

impl LatencyMs {
    /// The percentiles of a histogram of microseconds; `None` when nothing was recorded.
    pub fn of(histogram_us: &Histogram<u64>) -> Option<Self> {
        let ms = |quantile| histogram_us.value_at_quantile(quantile) as f64 / 1_000.0;
        (!histogram_us.is_empty()).then(|| Self {
            p50: ms(0.5),
            p90: ms(0.9),
            p99: ms(0.99),
            p999: ms(0.999),
            max: histogram_us.max() as f64 / 1_000.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_come_in_milliseconds() {
        let mut histogram = new_histogram();
        assert_eq!(LatencyMs::of(&histogram), None);
        for ms in 1..=1_000 {
            histogram.record(ms * 1_000).unwrap();
        }
        let latency = LatencyMs::of(&histogram).unwrap();
        assert!((latency.p50 - 500.0).abs() < 1.0, "{latency:?}");
        assert!((latency.p999 - 999.0).abs() < 1.0, "{latency:?}");
        assert!((latency.max - 1_000.0).abs() < 1.0, "{latency:?}");
    }
}
