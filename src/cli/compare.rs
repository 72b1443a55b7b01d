//! `tweetblast compare`: two saved reports side by side.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use crate::report::{Layout, SavedReport, comparison_page};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    tweetblast tweets.json --speedup max --label before --json before.json\n  \
    tweetblast tweets.json --speedup max --label after --json after.json\n  \
    tweetblast compare before.json after.json")]
pub(super) struct CompareArgs {
    /// Report of the first run, as --json wrote it; `-` is standard input
    #[arg(value_name = "A.json")]
    a: PathBuf,
    /// Report of the second; differences are in per cent of the first
    #[arg(value_name = "B.json")]
    b: PathBuf,
}

impl CompareArgs {
    pub fn run(self) -> anyhow::Result<()> {
        let (a, b) = (read(&self.a)?, read(&self.b)?);
        let mut out = std::io::stdout();
        let page = comparison_page(&a, &b, Layout::of(&out));
        out.write_all(page.as_bytes())?;
        Ok(())
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
