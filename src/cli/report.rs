//! Reports as one HTML page: `--report FILE.html` of a run, and `tweetblast report` of saved ones.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use serde::Serialize;

use super::exit::UsageError;
use super::json::NUMBER;
use super::output::{Output, is_stdout};
use crate::report::{ReportFileError, ShownReport, html_page};

/// Reports on one page at most.
const REPORTS_MAX: usize = 20;

/// The page of a run.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Report")]
pub(super) struct PageArgs {
    /// Write the report as one HTML page
    ///
    /// With curves, percentiles, hops, ledger, plan and machine; it opens offline. `tweetblast report` makes one from saved
    /// JSON reports, with several runs side by side.
    #[arg(hide_short_help = true, long, value_name = "FILE.html")]
    report: Option<PathBuf>,
}

impl PageArgs {
    /// Whether a page is asked for.
    pub fn is_given(&self) -> bool {
        self.report.is_some()
    }

    /// Whether its name differs from run to run.
    pub fn has_number(&self) -> bool {
        self.report.as_ref().is_none_or(|path| path.to_string_lossy().contains(NUMBER))
    }

    /// Puts the number of a run in its place.
    pub fn set_number(&mut self, number: u32) {
        if let Some(path) = &mut self.report {
            *path = path.to_string_lossy().replace(NUMBER, &number.to_string()).into();
        }
    }

    /// Opens the file, if one is asked for.
    ///
    /// # Errors
    /// As [`Output::create`]. Standard output and a folder are usage errors.
    pub fn open(&self, inputs: &[PathBuf], force: bool) -> anyhow::Result<Option<Output>> {
        let Some(path) = &self.report else { return Ok(None) };
        if is_stdout(path) {
            let words = "--report takes the file to write to: --report run.html";
            return Err(UsageError::value(words).into());
        }
        Output::create("--report", path, inputs, force).map(Some)
    }
}

/// Writes the page of a run that has ended.
pub(super) fn write_page(report: &impl Serialize, out: &mut Output) -> anyhow::Result<()> {
    let words = "cannot write the page (--report)";
    let shown = ShownReport::of(serde_json::to_value(report).context(words)?)?;
    out.write_all(html_page(&[shown]).as_bytes()).and_then(|()| out.flush()).context(words)
}

#[derive(Debug, Args)]
#[command(
    override_usage = "tweetblast report [OPTIONS] -o FILE.html RUN.json...",
    after_help = "Examples:
  tweetblast tweets.json --speedup 100x --json run.json
  tweetblast report run.json -o run.html

  tweetblast --repeat 3 --json 'run-{number}.json'
  tweetblast report run-*.json -o runs.html"
)]
pub(super) struct ReportArgs {
    /// Reports of replays and of find-max, as --json wrote them; - is standard input
    #[arg(value_name = "RUN.json", required = true)]
    reports: Vec<PathBuf>,
    /// Write the page here; - is standard output
    #[arg(long, short = 'o', value_name = "FILE.html|-")]
    output: PathBuf,
    /// Overwrite a file that is there already
    #[arg(long)]
    force: bool,
}

impl ReportArgs {
    /// Makes one page of them all.
    pub fn run(self) -> anyhow::Result<()> {
        if self.reports.len() > REPORTS_MAX {
            let words = format!(
                "a page shows at most {REPORTS_MAX} reports, and {} were named: `tweetblast compare` takes any number",
                self.reports.len()
            );
            return Err(UsageError::value(words).into());
        }
        if self.reports.iter().filter(|path| path.as_os_str() == "-").count() > 1 {
            return Err(UsageError::value("standard input (-) can be read once: name a file").into());
        }
        let shown = self.reports.iter().map(|path| read(path)).collect::<anyhow::Result<Vec<_>>>()?;
        let mut out = Output::create("--output", &self.output, &self.reports, self.force)?;
        let written = out.write_all(html_page(&shown).as_bytes()).and_then(|()| out.flush());
        written.with_context(|| format!("cannot write the page to {}", out.name()))
    }
}

fn read(path: &Path) -> anyhow::Result<ShownReport> {
    let name = path.display().to_string();
    let shown: Result<ShownReport, ReportFileError> = match path.as_os_str() == "-" {
        true => ShownReport::read(std::io::stdin()),
        false => ShownReport::read(File::open(path).with_context(|| format!("cannot open {name}"))?),
    };
    shown.with_context(|| if path.as_os_str() == "-" { "standard input".to_owned() } else { name })
}
