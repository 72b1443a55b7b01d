//! `tweetblast inspect`, and the dry run of a replay.

use anyhow::Context;
use clap::Args;

use super::exit::{Exit, UsageError};
use super::input::InputArgs;
use super::json::{JsonArgs, write_report};
use super::output::{Output, STDOUT_FAILED};
use super::pace::PaceArgs;
use super::signals::stop_on_signals;
use crate::options::{Quiet, ReplayOptions, Session};
use crate::pipeline::inspect;
use crate::report::{Screen, inspection_page, prediction_line};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tweetblast inspect tweets.json
  tweetblast inspect tweets.json --speedup 100x --max-gap 5s
  tweetblast inspect folder/ --json report.json

Exit codes: 0 there are tweets; 1 there are none, or it cannot be read; 2 usage.")]
pub(super) struct InspectArgs {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    pace: PaceArgs,
    #[command(flatten)]
    json: JsonArgs,
}

impl InspectArgs {
    pub fn run(self) -> anyhow::Result<u8> {
        self.check()?;
        let files = self.input.files()?;
        let mut json = self.json.open(&files)?;
        let screen = Screen::new(self.json.is_on_stdout(), false);
        let session = Session { stop: stop_on_signals()?, ..Session::new(screen) };
        let options = ReplayOptions {
            input: self.input.options(files),
            pace: self.pace.options(),
            ..ReplayOptions::default()
        };
        run(&options, &session, json.as_mut())
    }

    fn check(&self) -> Result<(), UsageError> {
        self.input.check()?;
        self.pace.check()?;
        // As it was written when --json had no value.
        match self.json.path() {
            Some(path)
                if (path.is_file() || path.is_dir()) && self.input.named().is_empty() && !self.json.force =>
            {
                let path = path.display();
                let words = format!(
                    "--json takes the file to write to, or -, and {path} is there already: to inspect it, type \
                     `tweetblast inspect {path} --json -`"
                );
                Err(UsageError::value(words))
            }
            _ => Ok(()),
        }
    }
}

/// Inspects, and shows the page or writes the JSON.
pub(super) fn run(
    options: &ReplayOptions,
    session: &Session,
    json: Option<&mut Output>,
) -> anyhow::Result<u8> {
    let (found, no_tweets) = inspect(options, session)?;
    match json {
        Some(out) => write_report(&found, out)?,
        None => {
            let layout = session.screen.layout();
            match session.quiet {
                Quiet::No => session.screen.say(&inspection_page(&found, layout)),
                Quiet::Verdict if found.tweets > 0 => session.screen.say(&prediction_line(&found, layout)),
                Quiet::Verdict | Quiet::All => {}
            }
        }
    }
    session.screen.written().context(STDOUT_FAILED)?;
    match no_tweets {
        None => Ok(Exit::Balanced as u8),
        Some(error) => Err(error.into()),
    }
}
