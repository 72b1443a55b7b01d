//! The terminal that keys come from: taken, so that it passes on each key at once without showing it,
//! and restored. It is the one on standard input, or the controlling one if standard input is a pipe.
//!
//! Ctrl-C, Ctrl-Z and line ends are not changed. Other programs may reset a terminal, too: a shell
//! when a job stops, `stty` in another window. So [`hold`] is called repeatedly, and takes it
//! again. The terminal's previous state is stored here once for the process, so that even an
//! immediate exit can restore it.

use std::fs::File;
use std::io::{IsTerminal, stdin};
use std::os::fd::AsFd;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rustix::process::getpgrp;
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcsetattr,
};

use super::piped::is_pipe;
use crate::report::leave_view;

static TERMINAL: Mutex<Terminal> = Mutex::new(Terminal { wanted: false, before: None });

struct Terminal {
    /// Whether keys are read.
    wanted: bool,
    /// Its previous state; `None`: it has not been changed.
    before: Option<Termios>,
}

/// What is switched off: line-by-line input, and the echo.
const BY_LINE: LocalModes = LocalModes::ICANON.union(LocalModes::ECHO);

/// The terminal that keys come from, if there is one.
pub(super) fn tty() -> Option<&'static File> {
    static TTY: OnceLock<Option<File>> = OnceLock::new();
    let open = || match stdin().is_terminal() {
        true => stdin().as_fd().try_clone_to_owned().ok().map(File::from),
        false if is_pipe() => File::open("/dev/tty").ok(),
        false => None,
    };
    TTY.get_or_init(open).as_ref()
}

/// Takes the terminal; `false` if there is none, or if another job has it.
pub(super) fn take() -> bool {
    ignore_background();
    let mut terminal = lock();
    terminal.wanted = terminal.hold();
    terminal.wanted
}

/// Whether keys can be read now. Takes the terminal again if it was reset.
pub(super) fn hold() -> bool {
    let mut terminal = lock();
    terminal.wanted && terminal.hold()
}

/// Restores the terminal permanently.
pub(super) fn give_back() {
    let mut terminal = lock();
    terminal.wanted = false;
    terminal.release();
}

/// Restores the terminal, stops this process as Ctrl-Z does, and takes the terminal again when the
/// process continues.
pub(super) fn suspend() {
    // Both are held while the process is stopped, so that no other thread takes the terminal first.
    let _view = leave_view();
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
        let Some(Ok(now)) = tty().map(tcgetattr) else { return false };
        if self.before.is_some() && !now.local_modes.intersects(BY_LINE) {
            return true;
        }
        let mut by_key = now.clone();
        by_key.local_modes.remove(BY_LINE);
        // A read returns after a tenth of a second without a key.
        by_key.special_codes[SpecialCodeIndex::VMIN] = 0;
        by_key.special_codes[SpecialCodeIndex::VTIME] = 1;
        if tty().is_none_or(|tty| tcsetattr(tty, OptionalActions::Now, &by_key).is_err()) {
            return false;
        }
        // If only a part was reset, the stored state is the better one.
        if self.before.is_none() || now.local_modes.contains(LocalModes::ICANON) {
            self.before = Some(now);
        }
        true
    }

    fn release(&mut self) {
        // A shell in the foreground again has set it up for itself.
        if let Some(before) = self.before.take().filter(|_| is_ours()) {
            let _ = tty().map(|tty| tcsetattr(tty, OptionalActions::Now, &before));
        }
    }
}

/// Whether this process is in the foreground of its terminal. Changing the terminal of another job
/// would stop this process.
fn is_ours() -> bool {
    tty().is_some_and(|tty| tcgetpgrp(tty).is_ok_and(|foreground| foreground == getpgrp()))
}

/// If the process goes to the background between a look and a read, the read fails instead of
/// stopping it.
#[allow(unsafe_code)]
fn ignore_background() {
    // SAFETY: ignoring a signal touches no memory.
    unsafe {
        libc::signal(libc::SIGTTIN, libc::SIG_IGN);
        libc::signal(libc::SIGTTOU, libc::SIG_IGN);
    }
}

/// Does what SIGTSTP does without a handler; returns when the process continues. Not SIGSTOP: a
/// process that no shell could continue (`ssh host -t tweetblast`) does not stop at SIGTSTP.
#[allow(unsafe_code)]
fn stop_process() {
    // SAFETY: `sigaction` is plain data for which zeros are valid, and outlives the calls; the
    // default action runs no code of this process.
    unsafe {
        let (mut handled, default): (libc::sigaction, libc::sigaction) =
            (std::mem::zeroed(), std::mem::zeroed());
        libc::sigaction(libc::SIGTSTP, &default, &mut handled);
        // To this thread, so the process stops here.
        libc::raise(libc::SIGTSTP);
        libc::sigaction(libc::SIGTSTP, &handled, std::ptr::null_mut());
    }
}
