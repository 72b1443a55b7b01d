//! Rollovers: a task stops reading, the next one takes over, and what arrived meanwhile has to be caught up. While a rate is held
//! a pause of a task counts as one: it stops reading to hand over a segment that is full.

use super::blocks::{SHARE_MIN, Sample};

/// One rollover, as the backlog shows it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rollover {
    /// When it was seen, in seconds since the search began.
    pub at_s: f64,
    /// Rows that waited before it.
    pub before: f64,
    /// Most rows that waited.
    pub peak: f64,
    /// Time until no more waited than before; `None`: that was not seen.
    pub recovered_after_s: Option<f64>,
    /// The task paused, and read again.
    pub is_pause: bool,
}

/// How much of a difference does not count: one second of work.
const SLACK_S: f64 = 1.0;

/// With more written than is processed the backlog says nothing; then a rollover is over this long after the last task
/// has taken over.
const AFTERWARDS_S: f64 = 5.0;

/// By this much a rollover may have begun before it was seen.
pub(super) const SEEN_LATE_S: f64 = 5.0;

/// A task that processes nothing for this long, with rows waiting, pauses. Persisting what it has in memory takes less.
const PAUSE_S: f64 = 3.0;

/// Weight of a sample in the mean backlog before a rollover.
const WEIGHT: f64 = 0.1;

/// Follows the rollovers.
#[derive(Debug, Default)]
pub struct Rollovers {
    seen: u64,
    active: Option<Rollover>,
    quiet_since_s: Option<f64>,
    /// For each group of tasks, what it has processed and since when no more.
    progress: Vec<(u64, f64)>,
    /// Mean backlog while there is none.
    level: f64,
    all: Vec<Rollover>,
}

impl Rollovers {
    /// Takes a sample; whether it belongs to a rollover. `rate`: rows per second that are written; `can_recover`: fewer
    /// than are processed; `patience_s`: what is not caught up after that is growth.
    pub fn observe(&mut self, sample: &Sample, rate: f64, can_recover: bool, patience_s: f64) -> bool {
        let backlog = sample.backlog();
        let is_new = sample.rollovers > self.seen;
        let pauses = self.is_pausing(sample) && can_recover;
        self.seen = sample.rollovers;
        if self.active.is_none() {
            if !is_new && !sample.rolling && !pauses {
                self.level += WEIGHT * (backlog - self.level);
                return false;
            }
            let (at_s, before) = (sample.at_s, self.level);
            let is_pause = !is_new && !sample.rolling;
            self.active = Some(Rollover { at_s, before, peak: backlog, recovered_after_s: None, is_pause });
        }
        let Some(active) = &mut self.active else { return false };
        active.peak = active.peak.max(backlog);
        active.is_pause &= !is_new && !sample.rolling;
        if sample.rolling || pauses {
            self.quiet_since_s = None;
        } else {
            self.quiet_since_s.get_or_insert(sample.at_s);
        }
        let since_s = sample.at_s - active.at_s;
        let quiet = self.quiet_since_s.is_some_and(|since| sample.at_s - since >= AFTERWARDS_S);
        let caught_up = quiet && (!can_recover || backlog <= active.before + SLACK_S * rate);
        if caught_up {
            active.recovered_after_s = can_recover.then_some(since_s);
        }
        if caught_up || since_s > patience_s {
            self.all.extend(self.active.take());
            self.quiet_since_s = None;
            self.level = backlog;
        }
        true
    }

    /// Whether a group of tasks has processed nothing for some time, and could have.
    fn is_pausing(&mut self, sample: &Sample) -> bool {
        let all = [sample.processed];
        let processed = if sample.by_group.is_empty() { &all[..] } else { &sample.by_group };
        self.progress.resize(processed.len(), (0, sample.at_s));
        let all_written = sample.written_by_group.iter().sum::<u64>() as f64;
        let mut pauses = false;
        for (number, (group, processed)) in self.progress.iter_mut().zip(processed).enumerate() {
            if *processed > group.0 || sample.unread() < 1.0 {
                *group = (*processed, sample.at_s);
            }
            let written = sample.written_by_group.get(number);
            let has_rows = written.is_none_or(|written| *written as f64 >= SHARE_MIN * all_written);
            pauses |= has_rows && sample.at_s - group.1 >= PAUSE_S;
        }
        pauses
    }

    /// Whether one is not over.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.active.is_some()
    }

    /// Those that are over.
    #[must_use]
    pub fn all(&self) -> &[Rollover] {
        &self.all
    }

    /// What a new phase begins with: its backlog is another one.
    pub fn restart(&mut self, sample: &Sample) {
        self.all.extend(self.active.take());
        (self.level, self.quiet_since_s) = (sample.backlog(), None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows that wait, by second, with a handover from 20 s to 25 s.
    fn follow(backlog: impl Fn(f64) -> f64, can_recover: bool) -> (Rollovers, f64) {
        let (mut rollovers, mut marked_s) = (Rollovers::default(), 0.0);
        for second in 0..200 {
            let at_s = f64::from(second);
            let sample = Sample {
                at_s,
                acked: backlog(at_s) as u64,
                processed: backlog(at_s) as u64,
                rolling: (20..25).contains(&second),
                rollovers: u64::from(second >= 20),
                ..Sample::default()
            };
            marked_s += f64::from(u8::from(rollovers.observe(&sample, 1_000.0, can_recover, 120.0)));
        }
        (rollovers, marked_s)
    }

    #[test]
    fn a_rollover_lasts_until_the_backlog_is_what_it_was() {
        let hill = |at_s: f64| match at_s {
            s if s < 20.0 => 500.0,
            s if s < 30.0 => 500.0 + (s - 20.0) * 1_000.0,
            s => (10_500.0 - (s - 30.0) * 200.0).max(500.0),
        };
        let (rollovers, marked_s) = follow(hill, true);
        let [one] = rollovers.all() else { panic!("{rollovers:?}") };
        assert!((one.before - 500.0).abs() < 100.0 && one.peak >= 9_500.0, "{one:?}");
        // Down to 1,500 at 75 s: 55 s after it began.
        let after_s = one.recovered_after_s.unwrap();
        assert!((50.0..60.0).contains(&after_s) && (after_s - marked_s).abs() <= 1.0, "{one:?} {marked_s}");
    }

    #[test]
    fn a_task_that_pauses_counts_as_one_while_a_rate_is_held() {
        for (can_recover, pauses) in [(true, 1), (false, 0)] {
            let mut rollovers = Rollovers::default();
            for second in 0_u64..100 {
                // 1,000 rows per second; none of them is read from 20 s to 30 s, then 2,000 until that is caught up.
                let processed = match second {
                    20..30 => 20,
                    30..40 => 20 + (second - 30) * 2,
                    _ => second,
                };
                let (at_s, acked, processed) = (second as f64, second * 1_000, processed * 1_000);
                let sample = Sample { at_s, acked, processed, queryable: processed, ..Sample::default() };
                rollovers.observe(&sample, 1_000.0, can_recover, 120.0);
            }
            assert_eq!(rollovers.all().iter().filter(|one| one.is_pause).count(), pauses, "{rollovers:?}");
        }
    }

    #[test]
    fn a_group_of_tasks_without_rows_does_not_pause() {
        let mut rollovers = Rollovers::default();
        for second in 0_u64..100 {
            let rows = second * 1_000;
            let sample = Sample {
                at_s: second as f64,
                acked: rows + 500,
                processed: rows,
                by_group: vec![rows, 0],
                written_by_group: vec![rows + 500, 0],
                queryable: rows,
                ..Sample::default()
            };
            assert!(!rollovers.observe(&sample, 1_000.0, true, 120.0), "{second} s");
        }
    }

    #[test]
    fn one_that_is_never_caught_up_ends_and_says_so() {
        let (rollovers, marked_s) = follow(|at_s| at_s * 1_000.0, true);
        assert_eq!(rollovers.all()[0].recovered_after_s, None);
        assert!((120.0..123.0).contains(&marked_s) && !rollovers.is_active(), "{marked_s}");
    }

    #[test]
    fn in_overload_it_ends_with_the_handover() {
        let (rollovers, marked_s) = follow(|at_s| at_s * 1_000.0, false);
        assert_eq!(rollovers.all()[0].recovered_after_s, None);
        assert!((10.0..13.0).contains(&marked_s), "{marked_s}");
    }
}
