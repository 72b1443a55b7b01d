//! `tweetblast compare`: saved reports of two sides.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::exit::{Exit, UsageError};
use super::json::{JsonArgs, write_report};
use super::output::STDOUT_FAILED;
use crate::report::{ChangeThreshold, Comparison, Layout, SavedReport, comparison_markdown, comparison_page};

#[derive(Debug, Args)]
#[command(
    override_usage = "tweetblast compare [OPTIONS] A... [-- B...]",
    after_help = "Examples:
  tweetblast tweets.json --speedup max --json before.json
  tweetblast tweets.json --speedup max --json after.json
  tweetblast compare before.json after.json

  tweetblast tweets.json --repeat 5 --json 'a-{number}.json'
  tweetblast tweets.json --repeat 5 --json 'b-{number}.json'
  tweetblast compare a-*.json -- b-*.json"
)]
pub(super) struct CompareArgs {
    /// Reports of side A, as --json wrote them; - is standard input. Of two alone, the second is side B
    #[arg(value_name = "A.json", required = true)]
    a: Vec<PathBuf>,
    /// Reports of side B, after --; differences are in percent of side A
    #[arg(value_name = "B.json", last = true)]
    b: Vec<PathBuf>,
    /// Fail with exit code 4 if this is so: 'cpu>+5%', 'rate<-5%'
    ///
    /// The change from A to B in percent. With several runs on both sides it must also be beyond noise. Metrics are those of
    /// --fail-if of a replay. Can be given several times.
    #[arg(long, value_name = "EXPR")]
    fail_if: Vec<ChangeThreshold>,
    /// Print a table in Markdown
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
    #[command(flatten)]
    json: JsonArgs,
}

impl CompareArgs {
    pub fn run(mut self) -> anyhow::Result<u8> {
        if self.b.is_empty() {
            let [_, b] = &self.a[..] else {
                let words = "compare takes two reports, `tweetblast compare before.json after.json`, or several of each \
                             side with -- between the sides, `tweetblast compare A1 A2 -- B1 B2`";
                return Err(UsageError::value(words).into());
            };
            self.b = vec![b.clone()];
            self.a.truncate(1);
        }
        let all = [&self.a[..], &self.b].concat();
        if all.iter().filter(|path| path.as_os_str() == "-").count() > 1 {
            return Err(UsageError::value("standard input (-) can be read once: name a file").into());
        }
        let mut json = self.json.open(&all)?;
        let read = |side: &[PathBuf]| side.iter().map(|path| read(path)).collect::<anyhow::Result<Vec<_>>>();
        let (a, b) = (read(&self.a)?, read(&self.b)?);
        let compared = Comparison::of(&a, &b, &self.fail_if);
        match &mut json {
            Some(json) => write_report(&compared, json)?,
            None => {
                let mut out = std::io::stdout();
                let page = match self.markdown {
                    true => comparison_markdown(&compared),
                    false => comparison_page(&compared, &a, &b, Layout::of(&out)),
                };
                out.write_all(page.as_bytes()).and_then(|()| out.flush()).context(STDOUT_FAILED)?;
            }
        }
        Ok(if compared.fails() { Exit::Threshold as u8 } else { Exit::Balanced as u8 })
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
