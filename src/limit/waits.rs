//! How long rows took to become queryable: the horizontal distance between the curve of rows due and that of rows counted.

use std::collections::VecDeque;

use super::blocks::Sample;

/// Rows that became queryable between two samples.
#[derive(Debug, Clone, Copy)]
struct Wait {
    /// Of the oldest of them: an upper bound, by at most the time between two samples.
    wait_s: f64,
    rows: u64,
    rolling: bool,
}

/// The waits of one hold. Exact with one partition; with several, rows may overtake each other, and the distribution as a
/// whole is near the truth.
#[derive(Debug, Default)]
pub struct Waits {
    /// When, and how many rows were due then; the first is at or before the oldest row that waits.
    due: VecDeque<(f64, u64)>,
    counted: u64,
    waits: Vec<Wait>,
    /// Rows acknowledged before, that never came.
    lost: u64,
}

/// Percentiles of waits, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WaitSummary {
    pub p50_s: f64,
    pub p99_s: f64,
    pub max_s: f64,
}

impl Waits {
    /// From this sample on; what was acknowledged before and is `lost` does not come any more.
    #[must_use]
    pub fn new(sample: &Sample, lost: u64) -> Self {
        let counted = sample.queryable + lost;
        Self { due: VecDeque::from([(sample.at_s, sample.intended)]), counted, waits: Vec::new(), lost }
    }

    /// Takes the next sample.
    pub fn add(&mut self, sample: &Sample, rolling: bool) {
        self.due.push_back((sample.at_s, sample.intended));
        let counted = sample.queryable + self.lost;
        if counted <= self.counted {
            return;
        }
        let (oldest, rows) = (self.counted + 1, counted - self.counted);
        self.counted = counted;
        while self.due.get(1).is_some_and(|(_, due)| *due < oldest) {
            self.due.pop_front();
        }
        let (Some((from_s, from)), Some((to_s, to))) = (self.due.front(), self.due.get(1)) else { return };
        // Rows that were due before the hold began are not measured.
        if oldest <= *from {
            return;
        }
        let share = (oldest - from) as f64 / (to.saturating_sub(*from)).max(1) as f64;
        let due_s = from_s + (to_s - from_s) * share.min(1.0);
        self.waits.push(Wait { wait_s: (sample.at_s - due_s).max(0.0), rows, rolling });
    }

    /// The wait that this share of the rows did not exceed, in seconds; `None` if there were none.
    #[must_use]
    pub fn quantile(&self, share: f64, with_rollovers: bool) -> Option<f64> {
        let mut waits: Vec<&Wait> =
            self.waits.iter().filter(|wait| with_rollovers || !wait.rolling).collect();
        waits.sort_by(|a, b| a.wait_s.total_cmp(&b.wait_s));
        let rows: u64 = waits.iter().map(|wait| wait.rows).sum();
        let mut left = share * rows as f64;
        let found = waits.iter().find(|wait| {
            left -= wait.rows as f64;
            left <= 0.0
        });
        found.or(waits.last()).map(|wait| wait.wait_s)
    }

    /// In three numbers.
    #[must_use]
    pub fn summary(&self, with_rollovers: bool) -> Option<WaitSummary> {
        let quantile = |share| self.quantile(share, with_rollovers);
        Some(WaitSummary { p50_s: quantile(0.5)?, p99_s: quantile(0.99)?, max_s: quantile(1.0)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(at_s: f64, intended: u64, queryable: u64) -> Sample {
        Sample { at_s, intended, acked: intended, queryable, ..Sample::default() }
    }

    #[test]
    fn rows_that_come_three_seconds_later_waited_three_to_four() {
        let mut waits = Waits::new(&sample(0.0, 0, 0), 0);
        for second in 1..100_u64 {
            waits.add(&sample(second as f64, second * 100, second.saturating_sub(3) * 100), second > 90);
        }
        let all = waits.summary(true).unwrap();
        assert!(all.p50_s > 3.0 && all.max_s <= 4.0, "{all:?}");
        let plain = waits.summary(false).unwrap();
        assert!((plain.p50_s - all.p50_s).abs() < 1e-6, "{plain:?}");
    }

    #[test]
    fn a_stall_shows_in_the_tail_and_is_kept_apart_where_it_was_a_rollover() {
        let mut waits = Waits::new(&sample(0.0, 0, 0), 0);
        for second in 1..200_u64 {
            // From 100 s to 110 s nothing comes.
            let queryable = if (100..110).contains(&second) { 9_900 } else { (second - 1) * 100 };
            waits.add(&sample(second as f64, second * 100, queryable), (100..=110).contains(&second));
        }
        assert!(waits.quantile(0.99, true).unwrap() > 9.0, "{:?}", waits.summary(true));
        assert!(waits.quantile(1.0, false).unwrap() <= 2.1, "{:?}", waits.summary(false));
    }

    #[test]
    fn rows_of_before_are_not_measured_and_lost_ones_not_waited_on() {
        let mut waits = Waits::new(&sample(10.0, 1_000, 400), 100);
        waits.add(&sample(11.0, 1_100, 900), false);
        assert_eq!(waits.summary(true), None, "500 rows were due before");
        waits.add(&sample(12.0, 1_200, 1_100), false);
        let found = waits.summary(true).unwrap();
        assert!(found.max_s > 1.9 && found.max_s <= 2.0, "{found:?}");
    }
}
