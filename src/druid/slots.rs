//! Worker slots: how many there are, and which tasks have them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use super::{DruidError, Supervisor, SupervisorStatus};

/// Most supervisors that are asked for their tasks.
const SUPERVISORS_MAX: usize = 50;

/// Worker slots of the whole Druid.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WorkerSlots {
    pub used: usize,
    pub total: usize,
    /// Tasks of our datasource that have no slot.
    pub waiting: usize,
}

impl WorkerSlots {
    /// Whether tasks of ours wait because none is free.
    #[must_use]
    pub fn are_short(self) -> bool {
        self.waiting > 0 && self.total > 0 && self.used >= self.total
    }
}

/// What the tasks in the slots do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SlotHolders {
    /// Tasks that read, by supervisor: they stay.
    pub reading: BTreeMap<String, usize>,
    /// Tasks that hand their rows over: they end by themselves.
    pub handing_over: usize,
    /// Batch tasks, by datasource: they end by themselves, too.
    pub batch: BTreeMap<String, usize>,
}

impl SlotHolders {
    /// From the list of running tasks, and the supervisors' words on theirs.
    fn of(running: &Value, supervisors: &BTreeMap<String, SupervisorStatus>) -> Self {
        let mut holders = Self::default();
        for task in running.as_array().into_iter().flatten() {
            let text = |key: &str| task[key].as_str().unwrap_or_default();
            let reads = |(_, status): &(&String, &SupervisorStatus)| {
                !status.suspended && status.reading.iter().any(|id| id == text("id"))
            };
            if let Some((name, _)) = supervisors.iter().find(reads) {
                *holders.reading.entry(name.clone()).or_default() += 1;
            } else if text("id").starts_with("index_kafka") || text("type").starts_with("index_kafka") {
                holders.handing_over += 1;
            } else {
                *holders.batch.entry(text("dataSource").to_owned()).or_default() += 1;
            }
        }
        holders
    }

    /// Whether slots become free without anybody doing anything.
    #[must_use]
    pub fn will_end(&self) -> bool {
        self.handing_over > 0 || !self.batch.is_empty()
    }

    /// A supervisor besides `own` that could be suspended.
    pub(super) fn other_than(&self, own: &str) -> Option<&str> {
        self.reading.keys().map(String::as_str).find(|name| *name != own)
    }
}

/// `alt 2, wp 1, handing over 1, batch into users 1`; empty if nothing is known.
impl fmt::Display for SlotHolders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words: Vec<String> =
            self.reading.iter().map(|(name, tasks)| format!("{name} {tasks}")).collect();
        if self.handing_over > 0 {
            words.push(format!("handing over {}", self.handing_over));
        }
        words.extend(self.batch.iter().map(|(name, tasks)| format!("batch into {name} {tasks}")));
        f.write_str(&words.join(", "))
    }
}

impl Supervisor {
    /// The worker slots, and how many tasks of `datasource` wait for one.
    ///
    /// # Errors
    /// When Druid does not answer, or refuses.
    pub fn slots(&self, datasource: &str) -> Result<WorkerSlots, DruidError> {
        let capacity = self.client().get("/druid/indexer/v1/totalWorkerCapacity")?;
        let count = |key: &str| capacity[key].as_u64().unwrap_or(0) as usize;
        let pending = self.client().get("/druid/indexer/v1/pendingTasks")?;
        let ours = |task: &&Value| task["dataSource"] == datasource;
        Ok(WorkerSlots {
            used: count("usedClusterCapacity"),
            total: count("currentClusterCapacity"),
            waiting: pending.as_array().into_iter().flatten().filter(ours).count(),
        })
    }

    /// What the tasks that have slots do.
    ///
    /// # Errors
    /// When Druid does not answer, or refuses.
    pub fn slot_holders(&self) -> Result<SlotHolders, DruidError> {
        let running = self.client().get("/druid/indexer/v1/runningTasks")?;
        let names: BTreeSet<String> = self.names()?.into_iter().take(SUPERVISORS_MAX).collect();
        let mut supervisors = BTreeMap::new();
        for name in names {
            if let Some(status) = Supervisor::new(self.client().clone(), &name).status()? {
                supervisors.insert(name, status);
            }
        }
        Ok(SlotHolders::of(&running, &supervisors))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn who_has_the_slots_is_named_and_who_will_leave() {
        let status = |payload| SupervisorStatus::of(&json!({ "payload": payload }));
        let supervisors = BTreeMap::from([
            (
                "alt".to_owned(),
                status(json!({"activeTasks": [{"id": "index_kafka_alt_1"}, {"id": "index_kafka_alt_2"}],
                "publishingTasks": [{"id": "index_kafka_alt_0"}]})),
            ),
            (
                "old".to_owned(),
                status(json!({"suspended": true, "activeTasks": [{"id": "index_kafka_old_1"}]})),
            ),
        ]);
        let task = |id: &str, kind: &str, datasource: &str| json!({"id": id, "type": kind, "dataSource": datasource});
        let reading = [
            task("index_kafka_alt_1", "index_kafka", "alt"),
            task("index_kafka_alt_2", "index_kafka", "alt"),
        ];
        let holders = SlotHolders::of(&json!(reading), &supervisors);
        assert_eq!((holders.to_string(), holders.will_end()), ("alt 2".to_owned(), false));
        assert_eq!((holders.other_than("alt"), holders.other_than("mine")), (None, Some("alt")));
        let ending = [
            task("index_kafka_alt_0", "index_kafka", "alt"),
            task("index_kafka_old_1", "index_kafka", "old"),
            task("index_kafka_gone_1", "index_kafka", "gone"),
            task("index_parallel_u", "index_parallel", "users"),
        ];
        let holders = SlotHolders::of(&json!([&reading[..], &ending[..]].concat()), &supervisors);
        assert_eq!(holders.to_string(), "alt 2, handing over 3, batch into users 1");
        assert!(holders.will_end());
        assert_eq!(SlotHolders::default().to_string(), "");
    }
}
