//! Signals: the first Ctrl-C or SIGTERM asks for an orderly end, the second one leaves at once; Ctrl-Z
//! stops the process with its terminal as it was before.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGUSR1};
use signal_hook::iterator::Signals;

use super::exit::Exit;
use super::{output, terminal};
use crate::report::leave_view;

/// Handles signals from now on; the returned flag is set by the first one that asks for an end.
pub(super) fn stop_on_signals() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = stop.clone();
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM, SIGTSTP]).context("cannot catch Ctrl-C")?;
    let handle = move || {
        for signal in signals.forever() {
            if signal == SIGTSTP {
                terminal::suspend();
            } else if asked.swap(true, Ordering::Relaxed) {
                leave();
            }
        }
    };
    std::thread::Builder::new().name("signals".into()).spawn(handle).context("cannot catch Ctrl-C")?;
    Ok(stop)
}

/// The message of an exit at once.
type LastWords = Box<dyn Fn() -> Option<String> + Send>;

static LAST_WORDS: Mutex<Option<LastWords>> = Mutex::new(None);

/// Shows `words` when a second signal ends the process at once.
pub(super) fn on_leaving(words: impl Fn() -> Option<String> + Send + 'static) {
    *LAST_WORDS.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(words));
}

fn leave() -> ! {
    // To the end of the process.
    let _view = leave_view();
    terminal::give_back();
    output::remove_empty_files();
    let words = LAST_WORDS.lock().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(|words| words());
    let mut stderr = std::io::stderr();
    if stderr.is_terminal() {
        // A line that moves: that of the pass over the file.
        let _ = write!(stderr, "\r\x1b[2K");
    }
    let words = words.as_deref().unwrap_or("stopped at once: nothing was sent");
    let _ = writeln!(stderr, "tweetblast: {words}");
    std::process::exit(i32::from(Exit::Interrupted as u8));
}

/// Sets `continued` whenever the process continues after a stop.
pub(super) fn note_continuations(continued: &Arc<AtomicBool>) -> anyhow::Result<()> {
    signal_hook::flag::register(SIGCONT, continued.clone()).context("cannot catch SIGCONT")?;
    Ok(())
}

/// Sets the returned flag whenever somebody asks for the state of things (`kill -USR1`).
pub(super) fn note_requests() -> anyhow::Result<Arc<AtomicBool>> {
    let is_asked = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(SIGUSR1, is_asked.clone()).context("cannot catch SIGUSR1")?;
    Ok(is_asked)
}

/// Makes a file that has grown to the limit (`ulimit -f`) an error of the write, as on a full disk, in place
/// of the end of the process.
pub(super) fn survive_file_limit() -> anyhow::Result<()> {
    signal_hook::flag::register(libc::SIGXFSZ, Arc::default()).context("cannot catch SIGXFSZ")?;
    Ok(())
}
