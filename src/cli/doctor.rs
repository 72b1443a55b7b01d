//! `tweetblast doctor`.

use std::io::{ErrorKind, Write};
use std::panic::resume_unwind;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anstyle::Style;
use anyhow::Context;
use clap::Args;
use crossbeam_channel::{RecvTimeoutError, bounded};

use super::exit::Exit;
use super::json::{JsonArgs, write_report};
use super::output::STDOUT_FAILED;
use super::resources;
use super::signals::stop_on_signals;
use super::target::TargetArgs;
use super::{help, values};
use crate::doctor::{Check, CheckState, DoctorOptions, doctor};
use crate::report::{BAD, DOUBTFUL, DoctorReport, GOOD, Layout, Page};

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{MARKER}\n\n{}", help::DRUID))]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// Check that this Superset shows the datasource: host:8088
    #[arg(long, value_name = "HOST:PORT", value_parser = values::superset, help_heading = "Send to")]
    superset: Option<String>,
    #[command(flatten)]
    json: JsonArgs,
}

const EXAMPLES: &str = "\
Examples:
  tweetblast doctor
  tweetblast doctor --kafka localhost:9092 --json -
  tweetblast doctor --druid localhost --superset localhost

Exit codes: 0 a replay with these flags would work;
1 something is wrong; 2 usage; 130 stopped.";

const MARKER: &str = "\
The marker is one tweet: a message in the topic, and with --druid a row in the datasource; both stay. Like a replay, \
doctor creates a topic that is missing. A supervisor that is missing or suspended is so again afterwards.";

/// How often a stop is checked.
const LOOK: Duration = Duration::from_millis(20);

/// How long a check may continue after a stop: what was made for the marker is removed, but an answer of
/// another program may never come.
const AFTER_STOP: Duration = Duration::from_millis(1_800);

impl DoctorArgs {
    /// Prints each check as it ends.
    pub fn run(self) -> anyhow::Result<u8> {
        self.target.check()?;
        resources::ensure(1)?;
        let mut json = self.json.open(&[])?;
        let stop = stop_on_signals()?;
        let options = DoctorOptions { replay: self.target.options(), superset: self.superset };
        let (mut out, layout): (Box<dyn Write>, _) = match self.json.is_on_stdout() {
            true => (Box::new(std::io::stderr()), Layout::of(&std::io::stderr())),
            false => (Box::new(std::io::stdout()), Layout::of(&std::io::stdout())),
        };
        let (sender, found) = bounded::<Check>(1);
        let examine = {
            let stop = stop.clone();
            // The receiver is gone after a stop.
            move || doctor(&options, &stop, &mut |check: &Check| drop(sender.send(check.clone())))
        };
        let thread = std::thread::Builder::new().name("doctor".into()).spawn(examine);
        let thread = thread.context("cannot start a thread")?;
        let (mut checks, mut written, mut stopped_at) = (Vec::new(), Ok(()), None);
        loop {
            let check = match found.recv_timeout(LOOK) {
                Ok(check) => check,
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    let is_stopped = stop.load(Ordering::Relaxed);
                    if is_stopped && stopped_at.get_or_insert_with(Instant::now).elapsed() > AFTER_STOP {
                        if let Some(json) = &mut json {
                            write_report(&DoctorReport { ok: false, checks }, json)?;
                        }
                        return Ok(Exit::Interrupted as u8);
                    }
                    continue;
                }
            };
            // No reason to stop: what was found is in the exit code too.
            if let Err(error) = out.write_all(page(&check, layout).as_bytes()).and_then(|()| out.flush()) {
                written = Err(error);
            }
            checks.push(check);
        }
        let well = thread.join().unwrap_or_else(|panic| resume_unwind(panic));
        match written {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => return Err(error).context(STDOUT_FAILED),
            _ => {}
        }
        if let Some(json) = &mut json {
            write_report(&DoctorReport { ok: well, checks }, json)?;
        }
        Ok(match (stop.load(Ordering::Relaxed), well) {
            (true, _) => Exit::Interrupted,
            (false, true) => Exit::Balanced,
            (false, false) => Exit::Error,
        } as u8)
    }
}

fn page(check: &Check, layout: Layout) -> String {
    let (state, style) = match check.state {
        CheckState::Ok => ("ok", GOOD),
        CheckState::Warning => ("warning", DOUBTFUL),
        CheckState::Failed => ("FAILED", BAD),
        CheckState::Skipped => ("-", Style::new()),
    };
    let mut page = Page::new(layout);
    let state = layout.paint(style, &format!("{state:<8}"));
    page.hanging(&format!("{:<13} {state} ", check.name), &check.words);
    page.finish()
}
