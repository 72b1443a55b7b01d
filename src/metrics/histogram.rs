//! Histograms of microseconds as classic histograms of seconds.

use hdrhistogram::Histogram;

/// Upper bounds of the buckets, in seconds. From a tenth of a millisecond, as acknowledgements of an embedded Kafka take, to ten
/// minutes, as a backlog at a rollover of Druid's may take.
pub(super) const BOUNDS_S: [f64; 21] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    30.0, 60.0, 120.0, 300.0, 600.0,
];

/// A histogram as it is exposed: buckets that do not contain each other, the last one without a bound.
#[derive(Debug, PartialEq)]
pub(super) struct Buckets {
    pub sum_s: f64,
    pub count: u64,
    pub buckets: Vec<(f64, u64)>,
}

impl Buckets {
    /// Of a histogram exact to three digits; so are the bounds and the sum.
    pub fn of(histogram_us: &Histogram<u64>) -> Self {
        let mut buckets: Vec<(f64, u64)> =
            BOUNDS_S.iter().map(|bound| (*bound, 0)).chain([(f64::INFINITY, 0)]).collect();
        let mut sum_s = 0.0;
        for at in histogram_us.iter_recorded() {
            let (s, count) = (at.value_iterated_to() as f64 / 1e6, at.count_at_value());
            sum_s += s * count as f64;
            // What is recorded as 1.0 ms may be shown as 1.0009 ms.
            let lowest_s = histogram_us.lowest_equivalent(at.value_iterated_to()) as f64 / 1e6;
            buckets[BOUNDS_S.partition_point(|bound| *bound < lowest_s)].1 += count;
        }
        Self { sum_s, count: histogram_us.len(), buckets }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::count::new_histogram;

    #[test]
    fn each_time_is_in_the_bucket_whose_bound_it_does_not_exceed() {
        let mut histogram = new_histogram();
        for us in [0, 100, 101, 1_000, 1_000_000, 3_000_000, 700_000_000] {
            histogram.record(us).unwrap();
        }
        let Buckets { sum_s, count, buckets } = Buckets::of(&histogram);
        let filled: Vec<(f64, u64)> = buckets.into_iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(filled, [(0.0001, 2), (0.00025, 1), (0.001, 1), (1.0, 1), (5.0, 1), (f64::INFINITY, 1)]);
        assert_eq!(count, 7);
        assert!((sum_s / 704.0012 - 1.0).abs() < 1e-3, "{sum_s}");
        assert_eq!(Buckets::of(&new_histogram()).count, 0);
    }
}
