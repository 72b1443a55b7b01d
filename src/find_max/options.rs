//! What to find, as plain values.

use std::time::Duration;

use serde_json::Value;

use crate::limit::{Settings, Slo};
use crate::options::ReplayOptions;

/// What to find.
pub struct FindMaxOptions {
    /// The input, Kafka and Druid. The topic's name is the beginning of the names that are used.
    pub replay: ReplayOptions,
    /// Limits on the time to queryable.
    pub slos: Vec<Slo>,
    /// Longest time of a search, from the making of its topic on.
    pub budget: Duration,
    /// Whether datasource and topic stay.
    pub keep: bool,
    /// Whether a rough answer within minutes is enough.
    pub quick: bool,
    /// A place in the spec, and its values: a search for each.
    pub sweep: Option<(String, Vec<Value>)>,
    /// A rate whose number of tasks is asked for.
    pub wanted_per_s: Option<f64>,
}

impl FindMaxOptions {
    /// How a search goes, with this `taskDuration` in seconds and `maxRowsPerSegment`, once so much of its budget is spent.
    pub fn settings(&self, task_duration_s: f64, segment_rows: f64, spent: Duration) -> Settings {
        let budget_s = self.budget.saturating_sub(spent).as_secs_f64();
        let settings = match self.quick {
            true => Settings::quick(task_duration_s, budget_s),
            false => Settings::thorough(task_duration_s, budget_s),
        };
        Settings { segment_rows, ..settings }
    }
}
