//! `tweetblast inspect`, and the dry run of a replay.

use std::io::Write;

use anyhow::{Context, bail};
use clap::Args;

use super::exit::Exit;
use super::input::InputArgs;
use super::output::Output;
use super::pace::PaceArgs;
use super::signals::stop_on_signals;
use crate::options::{Quiet, ReplayOptions, Session};
use crate::pipeline::{inspect, without_tweets};
use crate::report::{Screen, inspection_page, prediction_line};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tweetblast inspect tweets.json\n  \
    tweetblast inspect tweets.json --speedup 100x --max-gap 5s\n  \
    tweetblast inspect --json folder/\n\nExit codes: 0 there are tweets in it; 1 there are none, or it cannot be read.")]
pub(super) struct InspectArgs {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    pace: PaceArgs,
    /// Write all of it as JSON to standard output
    #[arg(long, help_heading = "Report")]
    json: bool,
}

impl InspectArgs {
    pub fn run(self) -> anyhow::Result<u8> {
        let files = self.input.files()?;
        if files.len() > 1 && files.iter().any(|file| file.as_os_str() == "-") {
            bail!("standard input (-) cannot be inspected together with files; --json takes no value here");
        }
        let screen = Screen::new(self.json, false);
        let session = Session { stop: stop_on_signals()?, ..Session::new(screen) };
        let options = ReplayOptions {
            input: self.input.options(files),
            pace: self.pace.options(),
            ..ReplayOptions::default()
        };
        let mut json = self.json.then(Output::stdout);
        run(&options, &session, json.as_mut())
    }
}

/// Inspects, and shows the page or writes the JSON.
pub(super) fn run(
    options: &ReplayOptions,
    session: &Session,
    json: Option<&mut Output>,
) -> anyhow::Result<u8> {
    let found = inspect(options, session)?;
    match json {
        Some(out) => {
            let write = |out: &mut Output| -> std::io::Result<()> {
                serde_json::to_writer_pretty(&mut *out, &found)?;
                writeln!(out)?;
                out.flush()
            };
            write(out).context("cannot write the report (--json)")?;
        }
        None => {
            let layout = session.screen.layout();
            match session.quiet {
                Quiet::No => session.screen.say(&inspection_page(&found, layout)),
                Quiet::Verdict if found.tweets > 0 => session.screen.say(&prediction_line(&found, layout)),
                Quiet::Verdict | Quiet::All => {}
            }
        }
    }
    match without_tweets(&found) {
        None => Ok(Exit::Balanced as u8),
        Some(error) => Err(error.into()),
    }
}
