//! Whether a run contained a rollover: the moment at which one task stops reading and the next one takes over, the worst
//! of every ingestion.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use super::spec_parts::io_config;
use crate::report::seconds;

/// Shorter runs are not taken for load tests, and nothing is said.
const LOAD_TEST: Duration = Duration::from_secs(30);

/// Druid's own `taskDuration`.
const TASK_DURATION: &str = "PT1H";

/// A note on a run of `sending` that had no tasks but those of its start.
pub(super) fn note<'a>(
    spec: &Value,
    at_start: impl Iterator<Item = &'a String>,
    all: &BTreeSet<String>,
    sending: Duration,
) -> Option<String> {
    let tasks: BTreeSet<&String> = at_start.collect();
    if sending < LOAD_TEST || all.iter().any(|task| !tasks.contains(task)) {
        return None;
    }
    let duration = io_config(spec)["taskDuration"].as_str().unwrap_or(TASK_DURATION);
    Some(format!(
        "no task rolled over in {} of sending (taskDuration {duration}), so the figures do not contain the worst moment \
         of an ingestion: --task-duration 5m has one every 5 minutes",
        seconds(sending.as_secs_f64())
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_longer_run_with_the_tasks_of_its_start_gets_the_note() {
        let spec = json!({"spec": {"ioConfig": {"taskDuration": "PT10M"}}});
        let (first, next) = ("a".to_owned(), "b".to_owned());
        let note_of = |all: &[&String], s| {
            let all = all.iter().map(|task| (*task).clone()).collect();
            note(&spec, [&first].into_iter(), &all, Duration::from_secs(s))
        };
        let words = note_of(&[&first], 40).unwrap();
        assert!(words.contains("taskDuration PT10M") && words.contains("40.0 s"), "{words}");
        assert_eq!(note_of(&[&first, &next], 40), None, "the second task took over");
        assert_eq!(note_of(&[&first], 20), None, "too short for a load test");
        let default = note(&json!({}), [].into_iter(), &BTreeSet::new(), Duration::from_secs(60)).unwrap();
        assert!(default.contains("PT1H"), "{default}");
    }
}
