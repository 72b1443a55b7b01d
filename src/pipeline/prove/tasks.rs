//! What the tasks of a supervisor have done during a run.

use std::collections::{BTreeMap, BTreeSet};

use crate::druid::{Supervisor, TaskRows};

/// What the tasks have done since the start, including those that have ended meanwhile.
#[derive(Default)]
pub(super) struct Tasks {
    pub(super) before: BTreeMap<String, TaskRows>,
    pub(super) now: BTreeMap<String, TaskRows>,
    pub(super) ids: BTreeSet<String>,
}

impl Tasks {
    pub(super) fn look(&mut self, supervisor: &Supervisor) {
        if let Ok(rows) = supervisor.without_patience().rows() {
            self.ids.extend(rows.keys().cloned());
            self.now.extend(rows);
        }
    }

    pub(super) fn since_start(&self) -> TaskRows {
        let mut sum = TaskRows::default();
        for (task, now) in &self.now {
            let before = self.before.get(task).copied().unwrap_or_default();
            sum.processed += now.processed.saturating_sub(before.processed);
            sum.processed_with_error += now.processed_with_error.saturating_sub(before.processed_with_error);
            sum.unparseable += now.unparseable.saturating_sub(before.unparseable);
            sum.thrown_away += now.thrown_away.saturating_sub(before.thrown_away);
        }
        sum
    }
}
