//! Flags of the tasks that read the topic in Druid, as places in the supervisor's spec.

use std::time::Duration;

use clap::Args;
use serde_json::Value;

use super::values;
use crate::report::quantity;

/// Most tasks and replicas that can be asked for.
const TASKS_MAX: u64 = 1_000;

/// Of the replay, `druid spec` and `druid submit`.
#[derive(Debug, Clone, Args)]
pub(super) struct TaskArgs {
    /// How long a Druid task reads until the next one takes over, such as 5m [default: 1h]
    ///
    /// Reading pauses at each such rollover. A test that contains none does not see the worst moment of an
    /// ingestion.
    #[arg(hide_short_help = true, long, value_name = "TIME", value_parser = task_duration)]
    task_duration: Option<Duration>,
    /// Number of copies of each task [default: 1]
    ///
    /// Each copy reads everything and takes a worker slot: 2 × replicas × tasks of them while tasks publish.
    #[arg(hide_short_help = true, long, value_name = "N", value_parser = values::count::<usize>(1..=TASKS_MAX))]
    replicas: Option<usize>,
}

/// Of the replay.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Druid")]
pub(super) struct ReplayTaskArgs {
    #[command(flatten)]
    tasks: TaskArgs,
    /// Number of Druid tasks that read in parallel [default: one per partition, within half of the worker slots]
    #[arg(hide_short_help = true, long, value_name = "N", value_parser = values::count::<usize>(1..=TASKS_MAX))]
    task_count: Option<usize>,
}

impl TaskArgs {
    /// The places in a spec that they set. What is set by its place stands over them.
    pub fn places(&self) -> Vec<(String, Value)> {
        let duration = self.task_duration.map(|duration| Value::from(iso_period(duration)));
        let replicas = self.replicas.map(Value::from);
        let places = [("/ioConfig/taskDuration", duration), ("/ioConfig/replicas", replicas)];
        places.into_iter().filter_map(|(place, value)| Some((place.to_owned(), value?))).collect()
    }
}

impl ReplayTaskArgs {
    /// As [`TaskArgs::places`].
    pub fn places(&self) -> Vec<(String, Value)> {
        let count = self.task_count.map(|tasks| ("/ioConfig/taskCount".to_owned(), tasks.into()));
        self.tasks.places().into_iter().chain(count).collect()
    }

    /// Each flag, and whether it is given.
    pub fn given(&self) -> [(&'static str, bool); 3] {
        [
            ("--task-duration", self.tasks.task_duration.is_some()),
            ("--task-count", self.task_count.is_some()),
            ("--replicas", self.tasks.replicas.is_some()),
        ]
    }
}

/// Druid's tasks look after their rejection periods every `taskDuration` in whole minutes, and fail at once where
/// that is 0 (tried with Druid 33: IllegalArgumentException in SeekableStreamIndexTaskRunner).
const TASK_DURATION_MIN_S: f64 = 60.0;

/// A time to the second, as people type it or as Druid writes it: `5m`, `PT5M`.
pub(super) fn task_duration(text: &str) -> Result<Duration, String> {
    const LOOKS_LIKE: &str =
        "must be a time of at least 1m, such as 5m, 1h or PT5M (Druid's tasks fail with less)";
    let typed = match text.trim().strip_prefix("PT") {
        Some(period) => period.to_ascii_lowercase(),
        None => text.to_owned(),
    };
    let seconds = quantity::seconds(&typed).ok_or(LOOKS_LIKE)?;
    match seconds >= TASK_DURATION_MIN_S {
        true => values::duration(&format!("{}s", seconds.round())),
        false => Err(LOOKS_LIKE.to_owned()),
    }
}

/// A time as Druid's specs have it: `PT300S`.
pub(super) fn iso_period(time: Duration) -> String {
    format!("PT{}S", time.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn task_durations_are_read_in_both_spellings_and_written_in_druids() {
        for text in ["5m", "300", "PT5M", "PT300S", "5 min"] {
            assert_eq!(task_duration(text).map(iso_period), Ok("PT300S".to_owned()), "{text}");
        }
        assert_eq!(task_duration("PT1H30M").map(iso_period), Ok("PT5400S".to_owned()));
        for wrong in ["", "PT", "P1D", "0s", "10ms", "40s", "soon", "-5m"] {
            assert!(task_duration(wrong).unwrap_err().contains("such as"), "{wrong}");
        }
    }
}
