//! Reports as they are read for a page.

use std::io::Read;

use serde_json::Value;

use crate::report::compare::{ReportFileError, check_version, read_json};
use crate::report::{FIND_MAX_VERSION, REPORT_VERSION};

/// The report of a replay or of `find-max`, as JSON.
#[derive(Debug, Clone)]
pub struct ShownReport {
    pub(super) kind: Kind,
    pub(super) json: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Replay,
    FindMax,
}

impl ShownReport {
    /// Of a report in memory.
    ///
    /// # Errors
    /// When the JSON is not a report of a replay or of `find-max`, or of a version that is not known.
    pub fn of(json: Value) -> Result<Self, ReportFileError> {
        let is_replay = json["run"].is_string() && json["ledger"].is_object() && json["pace"].is_object();
        let kind = match json["searches"].is_array() {
            true => Kind::FindMax,
            false if is_replay => Kind::Replay,
            false => return Err(ReportFileError::NoneToShow),
        };
        let (version, known) = match kind {
            Kind::Replay => (&json["report_version"], REPORT_VERSION),
            Kind::FindMax => (&json["find_max_version"], FIND_MAX_VERSION),
        };
        check_version(version, known, ReportFileError::NoneToShow)?;
        Ok(Self { kind, json })
    }

    /// Reads a report as `--json` wrote it.
    ///
    /// # Errors
    /// When it cannot be read; as [`of`](Self::of).
    pub fn read(from: impl Read) -> Result<Self, ReportFileError> {
        Self::of(read_json(from)?)
    }
}
