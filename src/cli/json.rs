//! `--json FILE|-`, alike in every command that has something to say.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use serde::Serialize;

use super::exit::UsageError;
use super::output::{Output, is_stdout};

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Report")]
pub(super) struct JsonArgs {
    /// Write the report as JSON; - is standard output
    ///
    /// With - all else goes to standard error.
    #[arg(long, short_alias = 'o', alias = "output", value_name = "FILE|-")]
    json: Option<PathBuf>,
    /// Overwrite files that are there already
    #[arg(hide_short_help = true, long)]
    pub force: bool,
}

/// Stands for the number of a run in the name of a file.
pub(super) const NUMBER: &str = "{number}";

impl JsonArgs {
    /// Whether a report is asked for.
    pub fn is_given(&self) -> bool {
        self.json.is_some()
    }

    /// The file that was named.
    pub fn path(&self) -> Option<&Path> {
        self.json.as_deref()
    }

    /// Whether standard output carries it.
    pub fn is_on_stdout(&self) -> bool {
        self.path().is_some_and(is_stdout)
    }

    /// Puts the number of a run in its place.
    pub fn set_number(&mut self, number: u32) {
        if let Some(path) = &mut self.json {
            *path = path.to_string_lossy().replace(NUMBER, &number.to_string()).into();
        }
    }

    /// Opens it, if it is asked for.
    ///
    /// # Errors
    /// As [`Output::create`]. A folder is a usage error.
    pub fn open(&self, inputs: &[PathBuf]) -> anyhow::Result<Option<Output>> {
        let Some(path) = self.path() else { return Ok(None) };
        if self.is_on_stdout() {
            return Ok(Some(Output::stdout()));
        }
        if path.is_dir() {
            let words = "--json takes the file to write to, or - for standard output";
            return Err(UsageError::value(format!("{words}; {} is a folder", path.display())).into());
        }
        Output::create("--json", path, inputs, self.force).map(Some)
    }
}

/// Writes a report, indented, with a line end.
pub(super) fn write_report(report: &impl Serialize, out: &mut Output) -> anyhow::Result<()> {
    let write = |out: &mut Output| -> std::io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, report)?;
        writeln!(out)?;
        out.flush()
    };
    write(out).context("cannot write the report (--json)")
}
