//! The report as JSON; `docs/report.schema.json` says what each key means.

use std::io::{self, Write};

use super::RunReport;

/// Writes the report, indented, with a line end.
///
/// # Errors
/// Those of `out`.
pub fn write_json(report: &RunReport, mut out: impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut out, report)?;
    writeln!(out)?;
    out.flush()
}
