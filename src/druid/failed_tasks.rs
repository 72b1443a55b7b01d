//! Tasks that fail one after another: Druid starts another each time, and calls the supervisor healthy.

use std::collections::BTreeSet;

use serde_json::Value;

use super::client::first_line;
use super::{Client, DruidError};

/// After so many failures a wait for tasks is given up.
pub(super) const FAILED_MAX: usize = 3;

/// The newest ended tasks, of all datasources.
const ENDED: &str = "/druid/indexer/v1/tasks?state=complete&max=100";

/// The failed tasks of a datasource since the first look.
pub(super) struct FailedTasks {
    datasource: String,
    before: Option<BTreeSet<String>>,
}

impl FailedTasks {
    /// Of this datasource.
    pub fn of(datasource: &str) -> Self {
        Self { datasource: datasource.to_owned(), before: None }
    }

    /// Looks: each task with its reason, the newest first. Nothing at the first look.
    ///
    /// # Errors
    /// When Druid does not answer, or refuses.
    pub fn look(&mut self, client: &Client) -> Result<Vec<(String, String)>, DruidError> {
        let ended = client.get(ENDED)?;
        let ended = ended.as_array().into_iter().flatten();
        let failed: Vec<(String, String)> =
            ended.filter(|task| task["dataSource"] == self.datasource.as_str()).filter_map(failure).collect();
        let before = self.before.get_or_insert_with(|| failed.iter().map(|(task, _)| task.clone()).collect());
        Ok(failed.into_iter().filter(|(task, _)| !before.contains(task)).collect())
    }
}

/// A failed task, and Druid's reason.
fn failure(task: &Value) -> Option<(String, String)> {
    let reason = task["errorMsg"].as_str().unwrap_or("no reason given");
    let has_failed = task["statusCode"] == "FAILED" && task["type"] == "index_kafka";
    Some((task["id"].as_str().filter(|_| has_failed)?.to_owned(), first_line(reason)))
}
