//! `tweetblast compare`: two saved reports side by side.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::exit::UsageError;
use super::json::{JsonArgs, write_report};
use super::output::STDOUT_FAILED;
use crate::report::{Comparison, Layout, SavedReport, comparison_page};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tweetblast tweets.json --speedup max --json before.json
  tweetblast tweets.json --speedup max --json after.json
  tweetblast compare before.json after.json")]
pub(super) struct CompareArgs {
    /// Report of the first run, as --json wrote it; - is standard input
    #[arg(value_name = "A.json")]
    a: PathBuf,
    /// Report of the second; differences are in percent of the first
    #[arg(value_name = "B.json")]
    b: PathBuf,
    #[command(flatten)]
    json: JsonArgs,
}

impl CompareArgs {
    pub fn run(self) -> anyhow::Result<()> {
        let is_stdin = |path: &Path| path.as_os_str() == "-";
        if is_stdin(&self.a) && is_stdin(&self.b) {
            return Err(UsageError::value("standard input (-) can be read once: name a file").into());
        }
        let mut json = self.json.open(&[self.a.clone(), self.b.clone()])?;
        let (a, b) = (read(&self.a)?, read(&self.b)?);
        match &mut json {
            Some(json) => write_report(&Comparison::of(&a, &b), json),
            None => {
                let mut out = std::io::stdout();
                let page = comparison_page(&a, &b, Layout::of(&out));
                out.write_all(page.as_bytes()).and_then(|()| out.flush()).context(STDOUT_FAILED)
            }
        }
    }
}

fn read(path: &Path) -> anyhow::Result<SavedReport> {
    let name = path.display().to_string();
    if path.as_os_str() == "-" {
        return SavedReport::read("standard input", std::io::stdin()).context("standard input");
    }
    let file = File::open(path).with_context(|| format!("cannot open {name}"))?;
    SavedReport::read(&name, file).with_context(|| name.clone())
}
