//! `tweetblast doctor`.

use std::io::Write;

use anstyle::Style;
use clap::Args;

use super::exit::Exit;
use super::signals::stop_on_signals;
use super::target::TargetArgs;
use crate::doctor::{Check, CheckState, DoctorOptions, doctor};
use crate::report::{BAD, DOUBTFUL, GOOD, Layout, Page};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tweetblast doctor\n  \
    tweetblast doctor --kafka localhost:9092 --druid http://localhost:8888 --superset http://localhost:8088\n\n\
    The marker is a message in the topic, and with --druid a row in the datasource. Like a replay it makes a topic and\n\
    a supervisor that are missing, or resumes one; a supervisor of ours that reads already stays as it is.\n\
    Exit codes: 0 a replay with the same flags would work; 1 something is wrong.")]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// Check that this Superset shows the datasource: http://host:8088
    #[arg(long, value_name = "URL", help_heading = "Superset")]
    superset: Option<String>,
}

impl DoctorArgs {
    /// Prints each check as it ends.
    pub fn run(self) -> anyhow::Result<u8> {
        let stop = stop_on_signals()?;
        let options = DoctorOptions { replay: self.target.options(), superset: self.superset };
        let mut out = std::io::stdout().lock();
        let well = doctor(&options, &stop, &mut |check: &Check| {
            let (state, style) = match check.state {
                CheckState::Ok => ("ok", GOOD),
                CheckState::Warning => ("warning", DOUBTFUL),
                CheckState::Failed => ("FAILED", BAD),
                CheckState::Skipped => ("-", Style::new()),
            };
            let layout = Layout::of(&out);
            let mut page = Page::new(layout);
            let state = layout.paint(style, &format!("{state:<8}"));
            page.hanging(&format!("{:<13} {state} ", check.name), &check.words);
            // A closed pipe is no reason to stop.
            let _ = out.write_all(page.finish().as_bytes()).and_then(|()| out.flush());
        });
        Ok(if well { Exit::Balanced as u8 } else { Exit::Error as u8 })
    }
}
