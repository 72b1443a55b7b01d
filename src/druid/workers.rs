//! The workers on which tasks run.

use std::time::Duration;

use serde_json::Value;

use super::{Access, Client, DruidError, Supervisor};

/// A worker is nearby or cannot be reached from here.
const TIMEOUT: Duration = Duration::from_secs(2);

impl Supervisor {
    /// `host:port` of the workers that run some of these tasks, as the overlord last knew.
    ///
    /// # Errors
    /// When Druid does not answer, or refuses.
    pub fn workers_of(&self, tasks: &[String]) -> Result<Vec<String>, DruidError> {
        let workers = self.client().get("/druid/indexer/v1/workers")?;
        let runs = |worker: &&Value| {
            let running = worker["runningTasks"].as_array().into_iter().flatten();
            running.filter_map(Value::as_str).any(|id| tasks.iter().any(|task| task == id))
        };
        let ours = workers.as_array().into_iter().flatten().filter(runs);
        Ok(ours.filter_map(|worker| Some(worker["worker"]["host"].as_str()?.to_owned())).collect())
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
