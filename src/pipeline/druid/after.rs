//! What becomes of the supervisor at the end: kept, suspended, or dropped. The rows stay.
//!
//! Rows that can be queried may still be in the memory of a task only. A suspended supervisor's tasks
//! publish them as segments; only then the Kafka they came from may go.

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::proof::Found;
use super::{DruidAfter, DruidHop};
use crate::druid::{DruidError, Proof};
use crate::report::Screen;

/// Time between two looks at the tasks.
const LOOK: Duration = Duration::from_millis(500);

/// Time between two words about it.
const WORDS_EVERY: Duration = Duration::from_secs(10);

impl DruidHop<'_> {
    /// Does what was asked for; whether the rows are durable then, and how long that took. `None`
    /// when it was not waited for.
    pub(super) fn wind_up(
        &mut self,
        found: &Found,
        stop: &AtomicBool,
        screen: &Screen,
    ) -> (Option<bool>, Option<Duration>) {
        if self.after == DruidAfter::Keep {
            return (None, None);
        }
        let since = Instant::now();
        match self.publish(found, stop, screen).and_then(|durable| self.drop_if_asked().map(|()| durable)) {
            Ok(true) => (Some(true), Some(since.elapsed())),
            Ok(false) => (Some(false), None),
            Err(error) => {
                self.notes.push(format!("--druid-after {}: {error}", self.after.name()));
                (Some(false), None)
            }
        }
    }

    /// Suspends, waits until every task has ended well, and counts once more.
    fn publish(&mut self, found: &Found, stop: &AtomicBool, screen: &Screen) -> Result<bool, DruidError> {
        self.supervisor.suspend()?;
        let (mut changed, mut said, mut tasks_before) = (Instant::now(), Instant::now(), usize::MAX);
        loop {
            let tasks = match self.supervisor.status() {
                Ok(Some(status)) => {
                    let all = status.reading.iter().chain(&status.publishing);
                    self.tasks.ids.extend(all.cloned());
                    status.reading.len() + status.publishing.len()
                }
                Ok(None) => 0,
                Err(error) if error.is_passing() => tasks_before,
                Err(error) => return Err(error),
            };
            if tasks == 0 {
                break;
            }
            if tasks != tasks_before {
                (tasks_before, changed) = (tasks, Instant::now());
            }
            if changed.elapsed() > self.patience(stop) {
                self.notes.push(format!("{tasks} tasks still publish; the replay does not wait any longer"));
                return Ok(false);
            }
            if said.elapsed() > WORDS_EVERY && screen.shows_progress() {
                said = Instant::now();
                screen.say("  druid      waiting for the segments to be published\n");
            }
            std::thread::sleep(LOOK);
        }
        for task in self.tasks.ids.clone() {
            if let Some(Err(reason)) = self.supervisor.task_end(&task)? {
                self.notes.push(format!("task {task} failed before it had published: {reason}"));
                return Ok(false);
            }
        }
        // The historicals have it all when the tasks end; one more count says so.
        let since = Instant::now();
        loop {
            let proof = Proof::of_run(self.supervisor.client(), &self.datasource, self.run)?;
            if proof == found.proof {
                return Ok(true);
            }
            if since.elapsed() > self.patience(stop) {
                self.notes.push(format!(
                    "{} rows can be queried after publishing, {} before",
                    proof.rows, found.proof.rows
                ));
                return Ok(false);
            }
            std::thread::sleep(LOOK);
        }
    }

    fn drop_if_asked(&self) -> Result<(), DruidError> {
        if self.after != DruidAfter::Drop {
            return Ok(());
        }
        // The rows stay: other replays have theirs in the same datasource.
        self.supervisor.terminate()
    }
}
