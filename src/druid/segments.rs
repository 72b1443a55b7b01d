//! Whether rows that tasks hold in memory are published as segments, and so outlive the tasks.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::{DruidError, Supervisor};

/// What the tasks of a datasource hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TaskSegments {
    /// Tasks that have not ended.
    pub tasks: usize,
    /// Segments that they serve.
    pub segments: usize,
    /// Those that are not published yet.
    pub unpublished: usize,
}

impl TaskSegments {
    /// Whether nothing would be lost with the tasks. A task whose segments are published only waits
    /// for a historical to load them, up to a minute.
    #[must_use]
    pub fn is_safe(self) -> bool {
        self.tasks == 0 || (self.segments > 0 && self.unpublished == 0)
    }
}

impl Supervisor {
    /// What the tasks of `datasource` hold, with the ids of those that have not ended.
    ///
    /// # Errors
    /// When Druid does not answer, or refuses.
    pub fn held(&self, datasource: &str) -> Result<(TaskSegments, Vec<String>), DruidError> {
        let tasks = self.unfinished_tasks(datasource)?;
        let query = "SELECT \"segment_id\" AS \"id\" FROM sys.segments WHERE \"datasource\" = ? AND \"is_realtime\" = 1";
        let served = self.client().sql(query, &[datasource.into()])?;
        let served: Vec<&str> = served.iter().filter_map(|row| row["id"].as_str()).collect();
        // Read from the database itself: the coordinator's own view is up to a minute old.
        let path = format!("/druid/coordinator/v1/metadata/datasources/{datasource}/segments");
        let always = json!(["0000-01-01/9999-01-01"]);
        let published = match self.client().post(&path, Some(&always)) {
            Err(DruidError::Refused { status: 404, .. }) => Value::Null,
            answer => answer?,
        };
        let published: HashSet<&str> =
            published.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let unpublished = served.iter().filter(|id| !published.contains(*id)).count();
        Ok((TaskSegments { tasks: tasks.len(), segments: served.len(), unpublished }, tasks))
    }

    /// What the tasks of a supervisor with this spec hold, and how many rows they have read since they began:
    /// at most that many are in no published segment.
    ///
    /// # Errors
    /// When Druid does not answer, or refuses.
    pub fn unpublished(&self, spec: &Value) -> Result<(TaskSegments, u64), DruidError> {
        let schema = match &spec["spec"]["dataSchema"] {
            Value::Null => &spec["dataSchema"],
            schema => schema,
        };
        let (held, _) = self.held(schema["dataSource"].as_str().unwrap_or(self.name()))?;
        let rows = self.rows()?.values().map(|task| task.processed).sum();
        Ok((held, rows))
    }
}

/// The segments of a datasource that are published.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PublishedSegments {
    pub count: u64,
    pub rows: u64,
    pub bytes: u64,
}

impl Supervisor {
    /// The published segments of `datasource`, as far as the broker knows them.
    ///
    /// # Errors
    /// When Druid does not answer, or refuses.
    pub fn published(&self, datasource: &str) -> Result<PublishedSegments, DruidError> {
        let query = "SELECT COUNT(*) AS \"count\", SUM(\"num_rows\") AS \"rows\", SUM(\"size\") AS \"bytes\" FROM \
                     sys.segments WHERE \"datasource\" = ? AND \"is_published\" = 1";
        let answer = self.client().sql(query, &[datasource.into()])?;
        let sum = |key: &str| answer.first().and_then(|row| row[key].as_u64()).unwrap_or(0);
        Ok(PublishedSegments { count: sum("count"), rows: sum("rows"), bytes: sum("bytes") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_published_or_in_no_task_is_safe() {
        let held = |tasks, segments, unpublished| TaskSegments { tasks, segments, unpublished };
        assert!(held(0, 0, 0).is_safe() && held(1, 2, 0).is_safe());
        assert!(!held(1, 2, 1).is_safe(), "in memory only");
        assert!(!held(1, 0, 0).is_safe(), "not yet known to the broker");
    }
}
