//! Latencies as they are measured: by phase, and those of the current second apart from the others,
//! at no cost for each of them.

use std::time::Instant;

use hdrhistogram::Histogram;

use super::{Counters, LatencyMs, Slowest, new_histogram};

/// Collects one latency.
#[derive(Debug)]
pub struct LatencyMeter {
    what: Slowest,
    second: u64,
    phase: usize,
    /// Those since the current second or phase began.
    recent_us: Histogram<u64>,
    /// The others.
    phases_us: Vec<Histogram<u64>>,
}

impl LatencyMeter {
    /// Nothing yet.
    pub fn new(what: Slowest) -> Self {
        Self { what, second: 0, phase: 0, recent_us: new_histogram(), phases_us: Vec::new() }
    }

    /// Says that what follows was measured `at` this time, of tweets of this phase.
    pub fn enter(&mut self, at: Instant, phase: usize, counters: &Counters) {
        let second = counters.series.second(at).unwrap_or(self.second);
        if (second, phase) != (self.second, self.phase) {
            self.flush(Some(counters));
            (self.second, self.phase) = (second, phase);
        }
    }

    /// Takes one latency, in microseconds.
    pub fn record(&mut self, us: u64) {
        self.recent_us.saturating_record(us);
    }

    /// Ends the current second.
    pub fn flush(&mut self, counters: Option<&Counters>) {
        let recent_us = &mut self.recent_us;
        if recent_us.is_empty() {
            return;
        }
        if let Some(counters) = counters {
            let (p99_us, max_us) = (recent_us.value_at_quantile(0.99), recent_us.max());
            counters.series.slowest(self.what, self.second, p99_us, max_us);
            counters.live.add(self.what, recent_us);
        }
        if self.phases_us.len() <= self.phase {
            self.phases_us.resize_with(self.phase + 1, new_histogram);
        }
        // All have the same bounds.
        let _ = self.phases_us[self.phase].add(&*recent_us);
        recent_us.reset();
        if let Some(counters) = counters {
            counters.series.set_latency(self.what, self.so_far(counters.phases.first_counted()));
        }
    }

    /// The percentiles of all phases from this one on.
    fn so_far(&self, first: usize) -> Option<LatencyMs> {
        match self.phases_us.get(first..)? {
            [one] => LatencyMs::of(one),
            several => LatencyMs::of(&sum_of(several.iter())),
        }
    }

    /// Those of each phase, as far as they were flushed.
    pub fn phases_us(&self) -> &[Histogram<u64>] {
        &self.phases_us
    }

    /// Those of all phases from this one on, as far as they were flushed.
    pub fn from_phase(&self, first: usize) -> Histogram<u64> {
        sum_of(self.phases_us.iter().skip(first))
    }
}

/// All of several histograms with the bounds of [`new_histogram`].
pub fn sum_of<'a>(histograms: impl Iterator<Item = &'a Histogram<u64>>) -> Histogram<u64> {
    histograms.fold(new_histogram(), |mut sum, histogram| {
        let _ = sum.add(histogram);
        sum
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_slowest_of_each_second_is_kept_and_each_latency_is_in_its_phase() {
        let (counters, zero) = (Counters::default(), Instant::now());
        counters.series.begin(zero);
        let mut meter = LatencyMeter::new(Slowest::Acked);
        for (at_s, us, phase) in [(0.1, 1_000, 0), (0.2, 3_000, 0), (4.1, 5_000_000, 0), (4.2, 7_000, 1)] {
            meter.enter(zero + Duration::from_secs_f64(at_s), phase, &counters);
            meter.record(us);
        }
        meter.flush(Some(&counters));
        assert_eq!(meter.phases_us().iter().map(Histogram::len).collect::<Vec<_>>(), [3, 1]);
        assert_eq!((meter.from_phase(0).len(), meter.from_phase(1).max()), (4, 7_003), "three digits");
        counters.sample(zero + Duration::from_secs(5), None);
        let max = counters.series.report().unwrap().acked_max_ms;
        let (fast, slow) = (max[0].unwrap(), max[4].unwrap());
        assert!((2.9..3.1).contains(&fast) && (4_990.0..5_010.0).contains(&slow), "{max:?}");
        assert_eq!(max[1..4], [None, None, None]);
        assert!(counters.series.recent(3).acked_p99 > Some(Duration::from_secs(4)));
        let so_far = counters.series.latency(Slowest::Acked).unwrap();
        assert!((so_far.p50 - 3.0).abs() < 0.1 && so_far.max > 4_990.0, "{so_far:?}");
        assert_eq!(counters.series.latency(Slowest::Lag), None);
    }
}
