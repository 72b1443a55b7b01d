//! Removes a datasource of our own with all that belongs to it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{DruidError, Supervisor};

/// All of time, as Druid writes it.
const ALWAYS: &str = "1000-01-01/3000-01-01";

/// Time between two looks at the tasks.
const LOOK: Duration = Duration::from_millis(500);

impl Supervisor {
    /// Terminates the supervisor, and blocks until Druid no longer has it, at most for `patience`.
    ///
    /// # Errors
    /// When Druid does not answer, or refuses, or still has it then.
    pub fn remove(&self, patience: Duration) -> Result<(), DruidError> {
        let since = Instant::now();
        self.terminate()?;
        while self.spec()?.is_some() {
            if since.elapsed() > patience {
                return Err(DruidError::NotEnded { name: self.name().to_owned(), waited: since.elapsed() });
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Removes the supervisor, ends its tasks without publishing, and deletes the segments of `datasource`. What it could
    /// not do is an error after it has done the rest. Blocks until supervisor and tasks are gone, about `patience` at most.
    ///
    /// # Errors
    /// When Druid does not answer, or refuses.
    pub fn drop_datasource(&self, datasource: &str, patience: Duration) -> Result<(), DruidError> {
        let since = Instant::now();
        let mut terminated = self.terminate();
        // An overlord that is busy with the tasks may refuse, or answer late, or continue for a while.
        let ended = loop {
            let ended =
                self.end_tasks(datasource).and_then(|none_left| Ok(none_left && self.spec()?.is_none()));
            let nobody_is_there = is_nobody(&terminated) && is_nobody(&ended);
            if matches!(ended, Ok(true)) || nobody_is_there || since.elapsed() > patience {
                break ended;
            }
            std::thread::sleep(LOOK);
            if terminated.is_err() {
                terminated = self.terminate();
            }
        };
        self.mark_unused(datasource)?;
        let kill = json!({"type": "kill", "dataSource": datasource, "interval": ALWAYS});
        self.client().post("/druid/indexer/v1/task", Some(&kill))?;
        match (terminated, ended) {
            (_, Ok(true)) => Ok(()),
            (Err(error), _) | (_, Err(error)) => Err(error),
            (Ok(()), Ok(false)) => {
                Err(DruidError::NotEnded { name: self.name().to_owned(), waited: since.elapsed() })
            }
        }
    }

    /// Ends tasks without publishing; whether there were none.
    fn end_tasks(&self, datasource: &str) -> Result<bool, DruidError> {
        let tasks = self.unfinished_tasks(datasource)?;
        for task in &tasks {
            // One that has just ended refuses.
            let _ = self.client().post(&format!("/druid/indexer/v1/task/{task}/shutdown"), None);
        }
        Ok(tasks.is_empty())
    }

    fn mark_unused(&self, datasource: &str) -> Result<Value, DruidError> {
        let all = json!({"interval": ALWAYS});
        // The coordinator has it up to Druid 33 at least, the overlord in later ones.
        let at = |service: &str| {
            self.client()
                .post(&format!("/druid/{service}/v1/datasources/{datasource}/markUnused"), Some(&all))
        };
        match at("coordinator") {
            // Nothing was published.
            Err(DruidError::Refused { status: 404, .. }) => match at("indexer") {
                Err(DruidError::Refused { status: 404, .. }) => Ok(Value::Null),
                answer => answer,
            },
            answer => answer,
        }
    }
}

/// Whether nobody listens at Druid's address.
fn is_nobody<T>(answer: &Result<T, DruidError>) -> bool {
    matches!(answer, Err(error @ DruidError::Unreachable { .. }) if !error.is_timeout())
}
