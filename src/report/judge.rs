//! What the thresholds make of a run.

use super::{RunReport, Threshold, Verdict};

impl RunReport {
    /// Checks the thresholds against what else is in the report, and settles the exit code: the
    /// first that applies of 1 an error, 3 unbalanced, unproven or unknown, 4 a threshold crossed or not
    /// measured, 130 stopped, 0.
    pub fn judge(&mut self, thresholds: &[Threshold]) {
        // Through the JSON: a metric is a place in it, for a comparison of files too.
        let json = serde_json::to_value(&*self).unwrap_or_default();
        self.thresholds = thresholds.iter().map(|threshold| threshold.check(&json)).collect();
        self.exit_code = match self.verdict {
            _ if self.error.is_some() => 1,
            Verdict::Unbalanced | Verdict::Unproven | Verdict::Unknown => 3,
            _ if self.thresholds.iter().any(|threshold| threshold.failed) => 4,
            Verdict::Incomplete => 130,
            Verdict::Balanced => 0,
        };
    }
}
