//! What each task did over the run, as the overlord tells it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::druid::{SupervisorStatus, TaskRows};
use crate::report::{IngestionReport, IngestionTask};

/// Looks that are kept. Where there are more, each second one is dropped.
const LOOKS_MAX: usize = 1_200;

/// Tasks that are kept apart.
const TASKS_MAX: usize = 1_000;

const MIB: f64 = (1 << 20) as f64;

/// Looks at the tasks, from before the first send on.
#[derive(Default)]
pub(super) struct TaskLog {
    looks: Vec<Look>,
    /// Time between two looks that are kept.
    every: Duration,
    lives: Vec<Life>,
    handoff_max: Option<Duration>,
}

struct Look {
    at: Instant,
    reading: usize,
    publishing: usize,
    heap_bytes: Option<u64>,
    /// Rows of the tasks that answered, by their place in the list of all.
    rows: BTreeMap<usize, u64>,
}

struct Life {
    id: String,
    first: Instant,
    took_over: bool,
    publishing: Option<Instant>,
    gone: Option<Instant>,
    failed: bool,
}

impl TaskLog {
    /// Notes what was told at a time, and gives the tasks that are gone since the last look.
    pub fn look(
        &mut self,
        at: Instant,
        status: &SupervisorStatus,
        rows: &BTreeMap<String, TaskRows>,
        heap_bytes: Option<u64>,
    ) -> Vec<String> {
        let is_first = self.looks.is_empty();
        for task in status.reading.iter().chain(&status.publishing) {
            if self.lives.len() < TASKS_MAX && !self.lives.iter().any(|life| life.id == *task) {
                self.lives.push(Life {
                    id: task.clone(),
                    first: at,
                    took_over: !is_first && status.reading.contains(task),
                    publishing: None,
                    gone: None,
                    failed: false,
                });
            }
        }
        let mut gone = Vec::new();
        for life in self.lives.iter_mut().filter(|life| life.gone.is_none()) {
            if status.publishing.contains(&life.id) {
                life.publishing.get_or_insert(at);
            } else if !status.reading.contains(&life.id) {
                life.gone = Some(at);
                let took = life.publishing.map(|since| at.saturating_duration_since(since));
                self.handoff_max = self.handoff_max.max(took);
                gone.push(life.id.clone());
            }
        }
        if self.looks.last().is_none_or(|last| at.saturating_duration_since(last.at) >= self.every) {
            let place = |task: &String| self.lives.iter().position(|life| life.id == *task);
            let rows = rows
                .iter()
                .filter_map(|(task, rows)| Some((place(task)?, rows.processed + rows.processed_with_error)));
            let rows = rows.collect();
            let (reading, publishing) = (status.reading.len(), status.publishing.len());
            self.looks.push(Look { at, reading, publishing, heap_bytes, rows });
            self.thin_out();
        }
        gone
    }

    fn thin_out(&mut self) {
        if self.looks.len() <= LOOKS_MAX {
            return;
        }
        let mut place = 0;
        self.looks.retain(|_| {
            place += 1;
            place % 2 == 1
        });
        let span = |(first, last): (&Look, &Look)| last.at.saturating_duration_since(first.at);
        let span = self.looks.first().zip(self.looks.last()).map_or(Duration::ZERO, span);
        // A little less, so that a look that comes early is not missed.
        self.every = span / self.looks.len() as u32 * 9 / 10;
    }

    /// A task that is gone had failed.
    pub fn failed(&mut self, task: &str) {
        if let Some(life) = self.lives.iter_mut().find(|life| life.id == task) {
            life.failed = true;
        }
    }

    /// All of it, with times after `started`; its segments are unknown.
    pub fn report(&self, started: Instant) -> IngestionReport {
        let seconds = |at: Instant| match at.checked_duration_since(started) {
            Some(after) => after.as_secs_f64(),
            None => -(started - at).as_secs_f64(),
        };
        let mib = |look: &Look| look.heap_bytes.map(|bytes| bytes as f64 / MIB);
        let task = |(place, life): (usize, &Life)| {
            let has_rows = |look: &Look| look.rows.contains_key(&place);
            let first = self.looks.iter().position(has_rows).unwrap_or(0);
            let end = self.looks.iter().rposition(has_rows).map_or(first, |last| last + 1);
            IngestionTask {
                id: life.id.clone(),
                from_s: seconds(life.first),
                publishing_from_s: life.publishing.map(seconds),
                gone_s: life.gone.map(seconds),
                failed: life.failed,
                first,
                rows: self.looks[first..end].iter().map(|look| look.rows.get(&place).copied()).collect(),
            }
        };
        IngestionReport {
            at_s: self.looks.iter().map(|look| seconds(look.at)).collect(),
            reading: self.looks.iter().map(|look| look.reading).collect(),
            publishing: self.looks.iter().map(|look| look.publishing).collect(),
            heap_mib: self.looks.iter().map(mib).collect(),
            tasks: self.lives.iter().enumerate().map(task).collect(),
            rollovers_s: self
                .lives
                .iter()
                .filter(|life| life.took_over)
                .map(|life| seconds(life.first))
                .collect(),
            handoff_max_s: self.handoff_max.map(|handoff| handoff.as_secs_f64()),
            segments: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(reading: &[&str], publishing: &[&str]) -> SupervisorStatus {
        let ids = |tasks: &[&str]| tasks.iter().map(|task| (*task).to_owned()).collect();
        SupervisorStatus { reading: ids(reading), publishing: ids(publishing), ..Default::default() }
    }

    fn rows(tasks: &[(&str, u64)]) -> BTreeMap<String, TaskRows> {
        let of = |processed| TaskRows { processed, ..Default::default() };
        tasks.iter().map(|(task, processed)| ((*task).to_owned(), of(*processed))).collect()
    }

    #[test]
    fn a_rollover_is_a_task_that_takes_over_and_the_handoff_is_how_long_the_other_publishes() {
        let (mut log, zero) = (TaskLog::default(), Instant::now());
        let at = |s| zero + Duration::from_secs(s);
        assert!(log.look(at(0), &status(&["a"], &[]), &rows(&[("a", 0)]), Some(3 << 20)).is_empty());
        log.look(at(3), &status(&["a"], &[]), &rows(&[("a", 100)]), None);
        log.look(at(6), &status(&["b"], &["a"]), &rows(&[("a", 150)]), None);
        log.look(at(9), &status(&["b"], &["a"]), &rows(&[("a", 150), ("b", 20)]), None);
        assert_eq!(log.look(at(12), &status(&["b"], &[]), &rows(&[("b", 70)]), None), ["a"]);
        log.failed("a");
        let report = log.report(at(2));
        assert_eq!(report.at_s, [-2.0, 1.0, 4.0, 7.0, 10.0]);
        assert_eq!((report.rollovers_s, report.handoff_max_s), (vec![4.0], Some(6.0)));
        assert_eq!((report.reading, report.publishing), (vec![1; 5], vec![0, 0, 1, 1, 0]));
        assert_eq!(report.heap_mib, [Some(3.0), None, None, None, None]);
        let [a, b] = &report.tasks[..] else { panic!("{:?}", report.tasks) };
        assert_eq!((a.from_s, a.publishing_from_s, a.gone_s, a.failed), (-2.0, Some(4.0), Some(10.0), true));
        assert_eq!((a.first, &a.rows), (0, &vec![Some(0), Some(100), Some(150), Some(150)]));
        assert_eq!((b.first, &b.rows, b.failed), (3, &vec![Some(20), Some(70)], false));
    }

    #[test]
    fn a_long_run_is_kept_in_coarser_steps_and_to_its_end() {
        let (mut log, zero) = (TaskLog::default(), Instant::now());
        let looks = 10 * LOOKS_MAX as u64;
        for look in 0..=looks {
            let at = zero + Duration::from_secs(3 * look);
            log.look(at, &status(&["a"], &[]), &rows(&[("a", look)]), None);
        }
        let report = log.report(zero);
        let kept = report.at_s.len();
        assert!((LOOKS_MAX / 2..=LOOKS_MAX).contains(&kept), "{kept}");
        let gaps: Vec<f64> = report.at_s.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let most = gaps.iter().copied().fold(0.0, f64::max);
        assert!(most <= 3.0 * looks as f64 / (LOOKS_MAX / 2) as f64 * 1.1, "{most}");
        assert!(report.at_s[0] == 0.0 && report.at_s[kept - 1] >= 3.0 * looks as f64 - most);
        for (at_s, rows) in report.at_s.iter().zip(&report.tasks[0].rows) {
            assert_eq!(rows.unwrap() as f64 * 3.0, *at_s);
        }
    }
}
