//! The table of users as a separate datasource, one row per user, by Druid's batch ingestion: it
//! includes users without a tweet. The rows travel inside the task.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::ready::for_slots;
use super::verify::quoted;
use super::{Client, Dimension, DruidError, Proof, Supervisor};

/// Most bytes of rows: Druid keeps the task, including the rows, in its metadata.
pub const USERS_MAX_BYTES: usize = 32 << 20;

/// Time between two checks of the task and the rows.
const LOOK: Duration = Duration::from_millis(500);

/// Time after which the reason of a wait for a worker slot is looked for.
const SLOTS_AFTER: Duration = Duration::from_secs(2);

/// The time of all rows, which have none themselves; its year is the only segment.
const TIME: &str = "2000-01-01T00:00:00Z";

/// A table to load.
#[derive(Debug)]
pub struct UsersTable<'a> {
    /// Datasource to replace.
    pub datasource: &'a str,
    /// Its columns besides `user_id`, `screen_name` and `run`.
    pub columns: &'a [Dimension],
    /// One JSON object per line, with the run's id as `run`.
    pub rows: &'a str,
    /// The run, which identifies the new rows.
    pub run: &'a str,
    /// Number of rows.
    pub count: u64,
}

impl UsersTable<'_> {
    /// The task.
    fn spec(&self) -> Value {
        let dimension = |kind: &str, name: &str| json!({"type": kind, "name": name});
        let mut dimensions = vec![
            dimension("long", "user_id"),
            dimension("string", "screen_name"),
            dimension("string", "run"),
        ];
        dimensions.extend(self.columns.iter().map(|column| dimension(column.kind.name(), &column.name)));
        json!({
            "type": "index_parallel",
            "spec": {
                "dataSchema": {
                    "dataSource": self.datasource,
                    "timestampSpec": {"column": "", "format": "auto", "missingValue": TIME},
                    "dimensionsSpec": {"dimensions": dimensions},
                    "granularitySpec": {
                        "segmentGranularity": "YEAR", "queryGranularity": "none", "rollup": false,
                        "intervals": ["2000-01-01/2001-01-01"],
                    },
                },
                "ioConfig": {
                    "type": "index_parallel",
                    "inputSource": {"type": "inline", "data": self.rows},
                    "inputFormat": {"type": "json"},
                    "appendToExisting": false,
                },
                "tuningConfig": {"type": "index_parallel", "maxParseExceptions": 0},
            },
        })
    }

    /// Who has the slots that the task waits for; empty if it has one.
    fn waiting_for_slot(&self, tasks: &Supervisor) -> Result<String, DruidError> {
        let at_once = tasks.without_patience();
        let slots = at_once.slots(self.datasource)?;
        match slots.are_short() {
            true => Ok(for_slots(slots, &at_once.slot_holders()?)),
            false => Ok(String::new()),
        }
    }

    /// Checks that the datasource holds no rows but ours.
    fn check_ours(&self, client: &Client) -> Result<(), DruidError> {
        let query = format!(
            "SELECT COUNT(*) AS \"rows\" FROM {} WHERE \"run\" IS NULL OR \"__time\" <> TIME_PARSE('{TIME}')",
            quoted(self.datasource)
        );
        let foreign = match client.sql(&query, &[]) {
            Err(DruidError::Refused { line, .. }) if line.contains("'run' not found") => true,
            rows => rows?.first().is_some_and(|row| row["rows"].as_u64() != Some(0)),
        };
        match foreign {
            true => Err(DruidError::ForeignUsers { datasource: self.datasource.to_owned() }),
            false => Ok(()),
        }
    }

    /// Loads it, and waits until every row can be queried. Replaces what was in the datasource.
    ///
    /// # Errors
    /// When the datasource has rows that no run of ours has loaded; when the task fails, or the
    /// rows are not there within `patience`; when Druid does not answer, or refuses; when `stop` is
    /// set. While its task waits for a worker slot, `say` gets a line with who holds them.
    pub fn load(
        &self,
        client: &Client,
        patience: Duration,
        stop: &AtomicBool,
        say: &dyn Fn(&str),
    ) -> Result<(), DruidError> {
        self.check_ours(client)?;
        let path = "/druid/indexer/v1/task";
        let answer = client.post(path, Some(&self.spec()))?;
        let Some(task) = answer["task"].as_str() else {
            return Err(client.not_understood("POST", path, "no task", &answer.to_string()));
        };
        let tasks = Supervisor::new(client.clone(), self.datasource);
        let (began, mut ended, mut said) = (Instant::now(), false, String::new());
        loop {
            if !ended && began.elapsed() > SLOTS_AFTER {
                let waiting = self.waiting_for_slot(&tasks).unwrap_or_default();
                if waiting != said && !waiting.is_empty() {
                    say(&waiting);
                    said = waiting;
                }
            }
            let looked = match ended {
                false => tasks.task_end(task).map(|end| match end {
                    Some(Err(reason)) => Err(reason),
                    end => Ok(end.is_some()),
                }),
                true => match Proof::count(client, self.datasource, self.run.into()) {
                    Ok(rows) if rows >= self.count => return Ok(()),
                    rows => rows.map(|_| Ok(true)),
                },
            };
            match looked {
                Ok(Ok(end)) => ended = end,
                Ok(Err(reason)) => return Err(DruidError::TaskFailed { task: task.into(), reason }),
                Err(error) if error.is_passing() => {}
                Err(error) => return Err(error),
            }
            if client.last_change(began).elapsed() > patience {
                let waiting = if ended { "its segment to be loaded" } else { "a worker slot, or its end" };
                return Err(DruidError::NotLoaded { task: task.into(), waited: began.elapsed(), waiting });
            }
            if stop.load(Ordering::Relaxed) {
                return Err(DruidError::Stopped);
            }
            std::thread::sleep(LOOK);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::druid::DimensionType;

    #[test]
    fn the_task_replaces_one_segment_and_knows_the_types() {
        let columns = [Dimension { name: "total".into(), kind: DimensionType::Long }];
        let table = UsersTable { datasource: "t_users", columns: &columns, rows: "{}\n", run: "r", count: 1 };
        let spec = &table.spec()["spec"];
        assert_eq!(spec["ioConfig"]["inputSource"]["data"], "{}\n");
        assert_eq!(spec["ioConfig"]["appendToExisting"], false);
        let dimensions = &spec["dataSchema"]["dimensionsSpec"]["dimensions"];
        assert_eq!(dimensions[3], json!({"type": "long", "name": "total"}));
    }
}
