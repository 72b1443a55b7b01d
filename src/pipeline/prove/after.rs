//! What happens to the supervisor at the end: kept, suspended, or dropped. The rows stay.
//!
//! Rows that can be queried may still be only in the memory of a task. A suspended supervisor's
//! tasks publish them as segments; only then may the Kafka they came from be stopped.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::hop::DruidHop;
use super::proof::ProofOutcome;
use crate::druid::{DruidAfter, DruidError, Proof};
use crate::report::{Screen, counted, seconds};

/// Time between two checks of the tasks.
const LOOK: Duration = Duration::from_millis(500);

/// Time between two lines about it.
const WORDS_EVERY: Duration = Duration::from_secs(10);

impl DruidHop<'_> {
    /// Does what was requested; returns whether the rows are durable then, and how long that took.
    /// `None` if it did not wait for that, or Druid was away to the end.
    pub(crate) fn wind_up(
        &mut self,
        found: &ProofOutcome,
        stop: &AtomicBool,
        screen: &Screen,
    ) -> (Option<bool>, Option<Duration>) {
        if self.after == DruidAfter::Keep {
            return (None, None);
        }
        if self.after == DruidAfter::Drop && !self.embedded && stop.load(Ordering::Relaxed) {
            // Its tasks publish without us.
            let _ = self.supervisor.terminate();
            self.notes
                .push("stopped: whether the rows are in published segments was not looked at".to_owned());
            return (None, None);
        }
        let since = Instant::now();
        match self.publish(found, stop, screen).and_then(|durable| self.drop_if_asked(stop).map(|()| durable))
        {
            // What there is was published; whether that is complete is not known.
            Ok(true) if found.proof.is_none() => (None, None),
            Ok(true) => (Some(true), Some(since.elapsed())),
            Ok(false) => (Some(false), None),
            Err(error) => {
                self.notes.push(format!("--druid-after {}: {error}", self.after.name()));
                let is_known = !matches!(error, DruidError::Away { .. });
                (is_known.then_some(false), None)
            }
        }
    }

    /// Suspends, waits until the segments are published, and counts once more.
    fn publish(
        &mut self,
        found: &ProofOutcome,
        stop: &AtomicBool,
        screen: &Screen,
    ) -> Result<bool, DruidError> {
        self.supervisor.suspend()?;
        let (mut changed, mut said, mut before) = (Instant::now(), Instant::now(), None);
        loop {
            // The supervisor's own list of tasks is empty for a while after it was suspended: only
            // the tasks themselves and their segments can tell.
            let (held, tasks) = self.supervisor.held(&self.datasource)?;
            self.tasks.ids.extend(tasks);
            if before.replace(held) != Some(held) {
                changed = Instant::now();
            }
            if held.is_safe() && self.is_whole(found)? {
                return Ok(true);
            }
            changed = self.patience.last_change(changed);
            if changed.elapsed() > self.limit(stop) {
                self.notes.push(match held.is_safe() {
                    false => format!(
                        "not published after {}: {}, held by {}",
                        seconds(changed.elapsed().as_secs_f64()),
                        counted(held.unpublished as u64, "segment"),
                        counted(held.tasks as u64, "task")
                    ),
                    true => "after publishing, other rows can be queried than before".to_owned(),
                });
                return Ok(false);
            }
            if said.elapsed() > WORDS_EVERY && screen.shows_progress() {
                said = Instant::now();
                screen.say_row("druid", "waiting for the segments to be published");
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Whether no task has failed, and the rows are still those that were found.
    fn is_whole(&self, found: &ProofOutcome) -> Result<bool, DruidError> {
        for task in &self.tasks.ids {
            if let Some(Err(reason)) = self.supervisor.task_end(task)? {
                return Err(DruidError::TaskFailed { task: task.clone(), reason });
            }
        }
        let proof = Proof::of_run(self.supervisor.client(), &self.datasource, self.run)?;
        Ok(found.proof.is_none_or(|found| proof == found))
    }

    fn drop_if_asked(&self, stop: &AtomicBool) -> Result<(), DruidError> {
        if self.after != DruidAfter::Drop {
            return Ok(());
        }
        // The rows stay: other replays have theirs in the same datasource.
        self.supervisor.remove(self.limit(stop))
    }
}
