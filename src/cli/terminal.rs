//! The terminal on standard input: taken, so that it hands over each key at once and shows none, and given
//! back.
//!
//! Ctrl-C, Ctrl-Z and line ends stay as they are. Others reset a terminal too: a shell when a job stops,
//! `stty` in another window. So [`hold`] is called again and again, and takes back what was lost. What the
//! terminal was like before stands here once for the process: whoever leaves at once gives it back as well.

use std::io::stdin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::getpgrp;
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcsetattr,
};

static TERMINAL: Mutex<Terminal> = Mutex::new(Terminal { wanted: false, before: None });

struct Terminal {
    /// Whether keys are read.
    wanted: bool,
    /// What it was like; `None`: it has not been changed.
    before: Option<Termios>,
}

/// What is switched off: lines that are handed over whole, and the echo.
const BY_LINE: LocalModes = LocalModes::ICANON.union(LocalModes::ECHO);

/// Takes the terminal; `false` where standard input is none, or where another job has it.
pub(super) fn take() -> bool {
    ignore_background();
    let mut terminal = lock();
    terminal.wanted = terminal.hold();
    terminal.wanted
}

/// Whether keys can be read now. Takes the terminal again where something has reset it.
pub(super) fn hold() -> bool {
    let mut terminal = lock();
    terminal.wanted && terminal.hold()
}

/// Gives the terminal back for good.
pub(super) fn give_back() {
    let mut terminal = lock();
    terminal.wanted = false;
    terminal.release();
}

/// Gives the terminal back, stops this process as Ctrl-Z does, and takes it again when somebody has the
/// process go on.
pub(super) fn suspend() {
    // Held while the process stands still, so that no other thread takes the terminal before it does.
    let mut terminal = lock();
    terminal.release();
    stop_process();
    if terminal.wanted {
        terminal.hold();
    }
}

fn lock() -> MutexGuard<'static, Terminal> {
    TERMINAL.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Terminal {
    fn hold(&mut self) -> bool {
        if !is_ours() {
            return false;
        }
        let Ok(now) = tcgetattr(stdin()) else { return false };
        if self.before.is_some() && !now.local_modes.intersects(BY_LINE) {
            return true;
        }
        let mut by_key = now.clone();
        by_key.local_modes.remove(BY_LINE);
        // A read comes back after a tenth of a second without a key.
        by_key.special_codes[SpecialCodeIndex::VMIN] = 0;
        by_key.special_codes[SpecialCodeIndex::VTIME] = 1;
        if tcsetattr(stdin(), OptionalActions::Now, &by_key).is_err() {
            return false;
        }
        // Where only a part was reset, what it was like before is better known here.
        if self.before.is_none() || now.local_modes.contains(LocalModes::ICANON) {
            self.before = Some(now);
        }
        true
    }

    fn release(&mut self) {
        // A shell that has it back has set it up for itself.
        if let Some(before) = self.before.take().filter(|_| is_ours()) {
            let _ = tcsetattr(stdin(), OptionalActions::Now, &before);
        }
    }
}

/// Whether this process is in the foreground of its terminal. To ask for the terminal of another job would
/// stop this one.
fn is_ours() -> bool {
    tcgetpgrp(stdin()).is_ok_and(|foreground| foreground == getpgrp())
}

/// Sent to the background between a look and a read, the read fails instead of stopping the process.
#[allow(unsafe_code)]
fn ignore_background() {
    // SAFETY: ignoring a signal touches no memory.
    unsafe {
        libc::signal(libc::SIGTTIN, libc::SIG_IGN);
        libc::signal(libc::SIGTTOU, libc::SIG_IGN);
    }
}

/// Does what SIGTSTP does where nobody handles it; comes back when the process goes on. Not SIGSTOP: a
/// process that no shell could have go on (`ssh host -t tweetblast`) does not stop at SIGTSTP.
#[allow(unsafe_code)]
fn stop_process() {
    // SAFETY: `sigaction` is plain data for which zeros are valid, and lives through the calls; the default
    // action runs no code of this process.
    unsafe {
        let (mut handled, default): (libc::sigaction, libc::sigaction) =
            (std::mem::zeroed(), std::mem::zeroed());
        libc::sigaction(libc::SIGTSTP, &default, &mut handled);
        // To this thread, which therefore is where the process stops.
        libc::raise(libc::SIGTSTP);
        libc::sigaction(libc::SIGTSTP, &handled, std::ptr::null_mut());
    }
}
