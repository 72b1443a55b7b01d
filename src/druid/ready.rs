//! The wait before the first tweet, until a running task reads each partition.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::supervisor::LOOK;
use super::{Cause, DruidError, Supervisor, SupervisorStatus, Symptoms, WorkerSlots, diagnose};

/// How long all slots may be taken while our tasks wait, before that is a reason to give up:
/// another supervisor's tasks may be about to end.
const SLOTS_PATIENCE: Duration = Duration::from_secs(30);

/// A wait lasts at most this many times its patience, whatever happens meanwhile.
const PATIENCE_IN_ALL: u32 = 3;

/// What to wait for before the first tweet is sent.
pub struct ReadyWait<'a> {
    /// Partitions of the topic.
    pub partitions: usize,
    /// Longest wait in which nothing happens.
    pub patience: Duration,
    /// Set by Ctrl-C.
    pub stop: &'a AtomicBool,
    /// Receives a description of the current wait, whenever that changes.
    pub say: &'a dyn Fn(&str),
    /// Adds evidence from elsewhere than Druid.
    pub look_closer: &'a dyn Fn(&mut Symptoms),
}

impl Supervisor {
    /// Waits until a task that is up and answers reads each partition.
    ///
    /// # Errors
    /// When nothing happens for too long, with the known causes; when there are no worker slots;
    /// when `stop` is set.
    pub fn wait_until_read(
        &self,
        datasource: &str,
        wait: &ReadyWait<'_>,
    ) -> Result<SupervisorStatus, DruidError> {
        let at_once = self.without_patience();
        let since = Instant::now();
        let (mut said, mut changed, mut full_since) = (String::new(), since, None);
        loop {
            let status = match self.status() {
                Err(error) if !error.is_passing() || changed.elapsed() > wait.patience => return Err(error),
                status => status.ok().flatten(),
            };
            changed = self.client().last_change(changed);
            let slots = at_once.slots(datasource).unwrap_or_default();
            let mut up = 0;
            if let Some(status) = status.as_ref().filter(|status| !status.reading.is_empty()) {
                // Only running tasks should have statistics, but tasks that wait for a slot have
                // been seen to have some, too.
                let rows = at_once.rows().unwrap_or_default();
                up = status.reading.iter().filter(|task| rows.contains_key(*task)).count();
                let all_up = up == status.reading.len() && slots.waiting == 0;
                if status.offsets.len() >= wait.partitions && all_up {
                    return Ok(status.clone());
                }
            }
            let waiting = waiting_for(status.as_ref(), slots, up);
            if waiting != said {
                (wait.say)(&waiting);
                (said, changed) = (waiting, Instant::now());
            }
            let full = slots.waiting > 0 && slots.used >= slots.total;
            full_since = full.then(|| full_since.unwrap_or_else(Instant::now));
            let full_for_long = full_since.is_some_and(|since: Instant| since.elapsed() > SLOTS_PATIENCE);
            // Tasks that start and fail all the time are a change, too.
            let too_long = since.elapsed() > wait.patience * PATIENCE_IN_ALL;
            if full_for_long || too_long || changed.elapsed() > wait.patience {
                let mut seen =
                    Symptoms { status, slots: Some(slots), from_earliest: true, ..Symptoms::default() };
                (wait.look_closer)(&mut seen);
                let causes: Vec<Cause> = diagnose(&seen);
                let causes = causes.iter().map(|cause| format!("; {cause}")).collect();
                let (name, waited) = (self.name().to_owned(), since.elapsed());
                return Err(DruidError::NotReady { name, waited, waiting: said, causes });
            }
            if wait.stop.load(Ordering::Relaxed) {
                return Err(DruidError::Stopped);
            }
            std::thread::sleep(LOOK);
        }
    }
}

/// What has not happened yet, for people.
fn waiting_for(status: Option<&SupervisorStatus>, slots: WorkerSlots, up: usize) -> String {
    let Some(status) = status else { return "for the overlord to start the supervisor".to_owned() };
    if slots.total == 0 {
        return "for a worker: Druid has none (middleManager or indexer)".to_owned();
    }
    if slots.waiting > 0 {
        return format!(
            "for worker slots: {} tasks wait, {} of {} taken",
            slots.waiting, slots.used, slots.total
        );
    }
    match status.detailed_state.as_str() {
        "CONNECTING_TO_STREAM" | "UNABLE_TO_CONNECT_TO_STREAM" => "for Druid to reach Kafka".to_owned(),
        "RUNNING" if status.reading.is_empty() => "for a task to be created".to_owned(),
        "RUNNING" => format!("for tasks to start: {up} of {} are up", status.reading.len()),
        state => format!("for the supervisor, now {state}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn it_says_what_it_waits_for() {
        let slots = WorkerSlots { used: 4, total: 4, waiting: 2 };
        let free = WorkerSlots { used: 0, total: 4, waiting: 0 };
        let status = |payload| SupervisorStatus::of(&json!({ "payload": payload }));
        let running = status(json!({"detailedState": "RUNNING", "activeTasks": [{"id": "a"}]}));
        assert!(waiting_for(None, free, 1).contains("overlord"));
        assert!(waiting_for(Some(&running), slots, 4).contains("2 tasks wait, 4 of 4 taken"));
        assert!(waiting_for(Some(&running), free, 0).contains("0 of 1 are up"));
        assert!(waiting_for(Some(&running), WorkerSlots::default(), 4).contains("has none"));
        let connecting = status(json!({"detailedState": "CONNECTING_TO_STREAM"}));
        assert!(waiting_for(Some(&connecting), free, 4).contains("reach Kafka"));
    }
}
