//! What is reported about a run, and where it is written.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use crate::report::Threshold;

/// The report of a replay.
#[derive(Debug, Clone, Default)]
pub struct ReportOptions {
    /// The user's name for the run.
    pub label: Option<String>,
    /// Link to the dashboard that shows the tweets, printed at the end of the run; `{run}` in it is
    /// replaced by the run id.
    pub dashboard: Option<String>,
    /// What the keys do, for the plan; `None`: keys are not read.
    pub keys: Option<&'static str>,
    /// Where to write what was not delivered.
    pub dead_letters: Option<DeadLetterFile>,
    /// Thresholds that the run must not cross.
    pub fail_if: Vec<Threshold>,
    /// Whether the report has the checksum of the input, which reads all of it once more.
    pub hash_input: bool,
}

/// A file for dead letters, open for writing.
#[derive(Debug, Clone)]
pub struct DeadLetterFile {
    /// As named by the user.
    pub path: PathBuf,
    pub file: Arc<File>,
}
