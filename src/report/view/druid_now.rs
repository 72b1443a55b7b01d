//! What Druid last said of the supervisor and its tasks.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::druid::SupervisorStatus;
use crate::report::words::{counted, whole_seconds};

/// Written by the thread that watches the supervisor, read by the view.
#[derive(Debug, Default)]
pub struct DruidNow(Mutex<Option<Look>>);

#[derive(Debug)]
struct Look {
    at: Instant,
    status: SupervisorStatus,
}

/// Looks that are older are said to be.
const OLD: Duration = Duration::from_secs(10);

impl DruidNow {
    /// Takes a status.
    pub fn look(&self, status: &SupervisorStatus) {
        let look = Look { at: Instant::now(), status: status.clone() };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(look);
    }

    /// In words; empty before the first look.
    pub(super) fn words(&self) -> String {
        let look = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        look.as_ref().map_or(String::new(), |look| words(&look.status, look.at.elapsed()))
    }
}

/// A status that is this old.
fn words(status: &SupervisorStatus, age: Duration) -> String {
    let state = if status.detailed_state.is_empty() { &status.state } else { &status.detailed_state };
    let mut words = vec![state.to_ascii_lowercase().replace('_', " ")];
    if let Some(left) = status.rollover_s {
        let left = Duration::from_secs(left).saturating_sub(age);
        words.push(format!("rollover in {}", whole_seconds(left)));
    }
    words.push(match status.reading.len() {
        1 => "1 task reads".to_owned(),
        tasks => format!("{} read", counted(tasks as u64, "task")),
    });
    match status.publishing.len() {
        0 => {}
        1 => words.push("1 publishes".to_owned()),
        tasks => words.push(format!("{tasks} publish")),
    }
    if age > OLD {
        words.push(format!("as of {} ago", whole_seconds(age)));
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_state_tasks_and_rollover_and_how_old_that_is() {
        let tasks = |count: usize| vec!["t".to_owned(); count];
        let status = SupervisorStatus {
            state: "RUNNING".into(),
            detailed_state: "CREATING_TASKS".into(),
            reading: tasks(2),
            publishing: tasks(1),
            rollover_s: Some(130),
            ..SupervisorStatus::default()
        };
        let fresh = "creating tasks, rollover in 2 min 05 s, 2 tasks read, 1 publishes";
        assert_eq!(words(&status, Duration::from_secs(5)), fresh);
        let old = SupervisorStatus { reading: tasks(1), publishing: tasks(0), rollover_s: None, ..status };
        assert_eq!(words(&old, Duration::from_secs(14)), "creating tasks, 1 task reads, as of 14 s ago");
        assert_eq!(DruidNow::default().words(), "");
    }
}
