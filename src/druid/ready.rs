//! The wait before the first tweet, until a running task reads each partition.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::failed_tasks::{FAILED_MAX, FailedTasks};
use super::supervisor::LOOK;
use super::{
    Cause, CauseName, DruidError, SlotHolders, Supervisor, SupervisorStatus, Symptoms, WorkerSlots, diagnose,
};

/// How long all slots may be taken by tasks that stay, while ours wait, before that is a reason to give
/// up: the user may be about to suspend another supervisor.
const SLOTS_PATIENCE: Duration = Duration::from_secs(30);

/// A wait lasts at most this many times its patience, whatever happens meanwhile.
const PATIENCE_IN_ALL: u32 = 3;

/// How long Druid may take to connect to Kafka before the reason is looked for: on a busy machine it has
/// taken 6 s.
const CONNECTS_WITHIN: Duration = Duration::from_secs(10);

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
    /// Whether Druid is on this machine, so that what cannot be reached from here is not reached by it.
    pub same_machine: bool,
}

impl Supervisor {
    /// Waits until a task that is up and answers reads each partition.
    ///
    /// # Errors
    /// When nothing happens for too long, with the known causes; as soon as it is known that Druid looks
    /// for Kafka in a wrong place, or that tasks fail one after another; when there are no worker slots; when
    /// `stop` is set.
    pub fn wait_until_read(
        &self,
        datasource: &str,
        wait: &ReadyWait<'_>,
    ) -> Result<SupervisorStatus, DruidError> {
        let at_once = self.without_patience();
        let since = Instant::now();
        let (mut said, mut changed, mut full_since, mut connecting_since) =
            (String::new(), since, None, None);
        let mut failures = FailedTasks::of(datasource);
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
            let holders = match slots.are_short() {
                true => at_once.slot_holders().unwrap_or_default(),
                false => SlotHolders::default(),
            };
            let waiting = waiting_for(status.as_ref(), slots, &holders, up);
            if waiting != said {
                (wait.say)(&waiting);
                (said, changed) = (waiting, Instant::now());
            }
            let for_long = |holds: bool, since: &mut Option<Instant>, limit: Duration| {
                *since = holds.then(|| since.unwrap_or_else(Instant::now));
                since.is_some_and(|since| since.elapsed() > limit)
            };
            let is_full = slots.are_short() && !holders.will_end();
            let full_for_long = for_long(is_full, &mut full_since, SLOTS_PATIENCE);
            let connects = status.as_ref().is_some_and(SupervisorStatus::is_connecting);
            let connects_for_long = for_long(connects, &mut connecting_since, CONNECTS_WITHIN);
            let mut failed_tasks = failures.look(at_once.client()).unwrap_or_default();
            let keep_failing = failed_tasks.len() >= FAILED_MAX;
            failed_tasks.truncate(1);
            let too_long = since.elapsed() > wait.patience * PATIENCE_IN_ALL;
            let give_up = full_for_long || keep_failing || too_long || changed.elapsed() > wait.patience;
            if give_up || connects_for_long {
                let is_unable = status.as_ref().is_some_and(|status| status.detailed_state == UNABLE);
                let slots = Some(slots);
                let from_earliest = true;
                let mut seen =
                    Symptoms { status, slots, holders, failed_tasks, from_earliest, ..self.symptoms() };
                (wait.look_closer)(&mut seen);
                let causes: Vec<Cause> = diagnose(&seen);
                let is_certain = |cause: &Cause| match cause.name {
                    CauseName::KafkaUnreachable => wait.same_machine || is_unable,
                    CauseName::KafkaMisadvertised | CauseName::KafkaRefuses | CauseName::TopicMissing => {
                        is_unable
                    }
                    _ => false,
                };
                if give_up || causes.iter().any(is_certain) {
                    let causes = causes.iter().map(|cause| format!("; {cause}")).collect();
                    let (name, waited) = (self.name().to_owned(), since.elapsed());
                    return Err(DruidError::NotReady { name, waited, waiting: said, causes });
                }
            }
            if wait.stop.load(Ordering::Relaxed) {
                return Err(DruidError::Stopped);
            }
            std::thread::sleep(LOOK);
        }
    }
}

/// The state in which Druid has tried several times to reach Kafka.
const UNABLE: &str = "UNABLE_TO_CONNECT_TO_STREAM";

/// What has not happened yet, for people.
fn waiting_for(
    status: Option<&SupervisorStatus>,
    slots: WorkerSlots,
    holders: &SlotHolders,
    up: usize,
) -> String {
    let Some(status) = status else { return "for the overlord to start the supervisor".to_owned() };
    if slots.total == 0 {
        return "for a worker: Druid has none (middleManager or indexer)".to_owned();
    }
    if slots.waiting > 0 {
        return for_slots(slots, holders);
    }
    match status.detailed_state.as_str() {
        "CONNECTING_TO_STREAM" | UNABLE => "for Druid to reach Kafka".to_owned(),
        "RUNNING" if status.reading.is_empty() => "for a task to be created".to_owned(),
        "RUNNING" => format!("for tasks to start: {up} of {} are up", status.reading.len()),
        state => format!("for the supervisor, now {state}"),
    }
}

/// The wait for worker slots, with the tasks that have them.
pub(super) fn for_slots(slots: WorkerSlots, holders: &SlotHolders) -> String {
    let WorkerSlots { used, total, waiting } = slots;
    let tasks = if waiting == 1 { "1 task waits".to_owned() } else { format!("{waiting} tasks wait") };
    let held = if *holders == SlotHolders::default() { String::new() } else { format!(" ({holders})") };
    match total.saturating_sub(used) {
        0 => format!("for worker slots: {tasks}, all {total} are taken{held}"),
        free => format!("for tasks to be given to a worker: {tasks}, {free} of {total} slots are free"),
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
        let holders =
            SlotHolders { reading: [("alt".to_owned(), 2)].into(), handing_over: 2, ..Default::default() };
        let wait = |status, slots, up| waiting_for(status, slots, &holders, up);
        assert!(wait(None, free, 1).contains("overlord"));
        let full = "for worker slots: 2 tasks wait, all 4 are taken (alt 2, handing over 2)";
        assert_eq!(wait(Some(&running), slots, 4), full);
        let free_again = WorkerSlots { used: 2, waiting: 1, ..slots };
        let words = "for tasks to be given to a worker: 1 task waits, 2 of 4 slots are free";
        assert_eq!(wait(Some(&running), free_again, 4), words);
        assert!(wait(Some(&running), free, 0).contains("0 of 1 are up"));
        assert!(wait(Some(&running), WorkerSlots::default(), 4).contains("has none"));
        let connecting = status(json!({"detailedState": "CONNECTING_TO_STREAM"}));
        assert!(wait(Some(&connecting), free, 4).contains("reach Kafka"));
    }
}
