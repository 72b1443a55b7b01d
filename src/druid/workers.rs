//! The workers on which tasks run.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::{Access, Client, DruidError, Supervisor};

/// A worker is nearby or cannot be reached from here.
const TIMEOUT: Duration = Duration::from_secs(2);

impl Supervisor {
    /// `host:port` of the worker of each of these tasks that has one, as the overlord last knew.
    ///
    /// # Errors
    /// When Druid does not answer, or refuses.
    pub fn workers_of(&self, tasks: &[String]) -> Result<BTreeMap<String, String>, DruidError> {
        let workers = self.client().get("/druid/indexer/v1/workers")?;
        let mut found = BTreeMap::new();
        for worker in workers.as_array().into_iter().flatten() {
            let Some(host) = worker["worker"]["host"].as_str() else { continue };
            let running = worker["runningTasks"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let ours = running.filter(|id| tasks.iter().any(|task| task == id));
            found.extend(ours.map(|task| (task.to_owned(), host.to_owned())));
        }
        Ok(found)
    }
}

/// Bytes of their Java heaps that these workers use together; `None` when one of them does not say. Workers are
/// asked over HTTP, each in 2 s at most.
#[must_use]
pub fn heap_used(workers: &[String], access: &Access) -> Option<u64> {
    let used = |worker: &String| {
        let client = Client::with_timeout(&format!("http://{worker}"), access, TIMEOUT).ok()?;
        client.get("/status").ok()?["memory"]["usedMemory"].as_u64()
    };
    if workers.is_empty() { None } else { workers.iter().map(used).sum() }
}
