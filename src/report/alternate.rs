//! The alternate screen of the terminal on standard error, on which the live view is drawn. What is said meanwhile
//! is kept, and written to where it belongs as soon as the alternate screen is left: at the end, when the process is
//! stopped (Ctrl-Z), when a thread panics, and before an exit at once.
//!
//! There is one for the process: a signal, a panic and the log must be able to leave it.

use std::collections::VecDeque;
use std::io::{self, IsTerminal, Write, stderr, stdout};
use std::sync::{Mutex, MutexGuard, Once, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use ratatui::crossterm::cursor::{Hide, MoveTo, Show};
use ratatui::crossterm::queue;
use ratatui::crossterm::style::{Attribute, SetAttribute};
use ratatui::crossterm::terminal::{Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen};
use rustix::process::getpgrp;
use rustix::termios::tcgetpgrp;

/// Kept bytes beyond which they are written out in between.
const KEPT_MAX: usize = 256 << 10;

/// Lines that the view can show.
const LINES_MAX: usize = 200;

/// Longest wait of a panic for a thread that draws.
const PANIC_PATIENCE: Duration = Duration::from_millis(200);

static ALTERNATE: Mutex<Alternate> = Mutex::new(Alternate {
    is_claimed: false,
    is_up: false,
    is_away: false,
    kept: Vec::new(),
    kept_bytes: 0,
    lines: VecDeque::new(),
});

/// Where something is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    Stdout,
    Stderr,
}

struct Alternate {
    /// A view lives.
    is_claimed: bool,
    /// The terminal shows the alternate screen.
    is_up: bool,
    /// It cannot be shown: another job has the terminal.
    is_away: bool,
    kept: Vec<(Stream, String)>,
    kept_bytes: usize,
    /// What was said since the view began, with the time.
    lines: VecDeque<(Instant, String)>,
}

impl Stream {
    fn is_terminal(self) -> bool {
        match self {
            Self::Stdout => stdout().is_terminal(),
            Self::Stderr => stderr().is_terminal(),
        }
    }

    fn write(self, text: &str) -> io::Result<()> {
        match self {
            Self::Stdout => stdout().write_all(text.as_bytes()).and_then(|()| stdout().flush()),
            Self::Stderr => stderr().write_all(text.as_bytes()),
        }
    }
}

/// Writes a text, at once or when the view has gone.
///
/// # Errors
/// When it cannot be written; errors of what is kept until then are not reported.
pub(super) fn say(to: Stream, text: &str) -> io::Result<()> {
    let mut alternate = lock();
    if !alternate.is_claimed {
        return to.write(text);
    }
    alternate.note(text);
    if !alternate.is_up || !to.is_terminal() {
        return to.write(text);
    }
    alternate.kept_bytes += text.len();
    alternate.kept.push((to, text.to_owned()));
    if alternate.kept_bytes > KEPT_MAX {
        alternate.leave();
    }
    Ok(())
}

/// Leaves the alternate screen until the view is drawn again, which waits as long as the returned value lives.
#[must_use]
pub fn leave_view() -> ViewLeft {
    let mut alternate = lock();
    alternate.leave();
    ViewLeft { _alternate: alternate }
}

/// The view is not drawn.
pub struct ViewLeft {
    _alternate: MutexGuard<'static, Alternate>,
}

/// Standard error for lines that may come at any time: those of the log.
pub struct StderrBesideView;

impl Write for StderrBesideView {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        say(Stream::Stderr, &String::from_utf8_lossy(bytes)).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether there is a view that cannot be seen, because another job has the terminal.
pub(super) fn is_away() -> bool {
    lock().is_away
}

/// What became of a try to enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entered {
    /// It shows the view already.
    Before,
    /// It is empty.
    Now,
    /// Another job has the terminal.
    No,
}

/// The right to draw, one at a time; dropping it leaves the alternate screen.
pub(super) struct Claim(());

impl Claim {
    /// `None`: another view is drawn.
    pub fn new() -> Option<Self> {
        leave_on_panics();
        let mut alternate = lock();
        if alternate.is_claimed {
            return None;
        }
        alternate.is_claimed = true;
        alternate.lines.clear();
        Some(Self(()))
    }

    /// Makes the terminal show the alternate screen, if it may.
    pub fn enter(&self) -> Entered {
        let mut alternate = lock();
        alternate.is_away = !is_foreground();
        if alternate.is_away {
            // It may have been stopped in a way that nobody could see coming.
            alternate.leave();
            return Entered::No;
        }
        if alternate.is_up {
            return Entered::Before;
        }
        let mut bytes = Vec::new();
        // Writing to memory cannot fail.
        let _ = queue!(bytes, EnterAlternateScreen, Hide, Clear(ClearType::All), MoveTo(0, 0));
        alternate.is_up = stderr().write_all(&bytes).is_ok();
        if alternate.is_up { Entered::Now } else { Entered::No }
    }

    /// Writes a drawn frame, unless the alternate screen was left meanwhile.
    pub fn show(&self, frame: &[u8]) {
        let alternate = lock();
        if alternate.is_up {
            // A terminal that is gone is noticed by the shell, whose SIGHUP ends the run.
            let _ = stderr().write_all(frame);
        }
    }

    /// The last lines that were said, oldest first, with their times.
    pub fn lines(&self, count: usize) -> Vec<(Instant, String)> {
        let alternate = lock();
        let first = alternate.lines.len().saturating_sub(count);
        alternate.lines.iter().skip(first).cloned().collect()
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut alternate = lock();
        alternate.leave();
        (alternate.is_claimed, alternate.is_away) = (false, false);
    }
}

impl Alternate {
    fn leave(&mut self) {
        if std::mem::take(&mut self.is_up) {
            let _ = stderr().write_all(&leaving());
        }
        self.kept_bytes = 0;
        for (to, text) in self.kept.drain(..) {
            let _ = to.write(&text);
        }
    }

    fn note(&mut self, text: &str) {
        let now = Instant::now();
        let plain = anstream::adapter::strip_str(text).to_string();
        self.lines.extend(plain.lines().map(|line| (now, line.trim().to_owned())));
        let more = self.lines.len().saturating_sub(LINES_MAX);
        self.lines.drain(..more);
    }
}

/// Clears the alternate screen, too: on a terminal that has none, the page would else follow the view.
fn leaving() -> Vec<u8> {
    let mut bytes = Vec::new();
    let reset = SetAttribute(Attribute::Reset);
    let _ = queue!(bytes, reset, Clear(ClearType::All), MoveTo(0, 0), Show, LeaveAlternateScreen);
    bytes
}

fn lock() -> MutexGuard<'static, Alternate> {
    ALTERNATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether this process may draw: what is no controlling terminal has no jobs.
fn is_foreground() -> bool {
    tcgetpgrp(stderr()).map_or(true, |foreground| foreground == getpgrp())
}

/// From now on a panic leaves the alternate screen before its message is written. If the process lives on, the view
/// returns with its next frame.
fn leave_on_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            leave_in_panic();
            before(info);
        }));
    });
}

/// Waits for a thread that draws, but not for the one that panics while it does.
fn leave_in_panic() {
    let since = Instant::now();
    loop {
        match ALTERNATE.try_lock() {
            Ok(mut alternate) => return alternate.leave(),
            Err(TryLockError::Poisoned(alternate)) => return alternate.into_inner().leave(),
            Err(TryLockError::WouldBlock) if since.elapsed() < PANIC_PATIENCE => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(TryLockError::WouldBlock) => {
                let _ = stderr().write_all(&leaving());
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Set for the test's own child, whose standard error is a terminal.
    const CHILD: &str = "TEST_HAS_TERMINAL";

    /// What the child does: a frame, a line, a panic, a line, a frame, the end.
    fn in_a_terminal() {
        let claim = Claim::new().unwrap();
        assert!(Claim::new().is_none(), "one at a time");
        assert_eq!((claim.enter(), claim.enter()), (Entered::Now, Entered::Before));
        claim.show(b"FIRST FRAME");
        say(Stream::Stdout, "\u{1b}[36msaid meanwhile\u{1b}[0m\nand more\n").unwrap();
        let lines: Vec<String> = claim.lines(5).into_iter().map(|(_, line)| line).collect();
        assert_eq!(lines, ["said meanwhile", "and more"]);
        assert!(std::thread::spawn(|| panic!("as it should")).join().is_err());
        claim.show(b"OF NO USE: it was left");
        say(Stream::Stderr, "said at once\n").unwrap();
        assert_eq!(claim.enter(), Entered::Now);
        claim.show(b"SECOND FRAME");
        say(Stream::Stderr, "said at the end\n").unwrap();
        drop(claim);
        say(Stream::Stderr, "said afterwards\n").unwrap();
    }

    #[test]
    fn a_panic_gives_the_terminal_back_before_it_speaks_and_nothing_that_was_said_is_lost() {
        if std::env::var_os(CHILD).is_some() {
            return in_a_terminal();
        }
        let (_, module) = module_path!().split_once("::").unwrap();
        let name = format!(
            "{module}::a_panic_gives_the_terminal_back_before_it_speaks_and_nothing_that_was_said_is_lost"
        );
        let line = format!("{} --exact {name} --nocapture", std::env::current_exe().unwrap().display());
        let made = Command::new("script").args(["-qec", &line, "/dev/null"]).env(CHILD, "1").output();
        let Ok(made) = made else { return };
        let screen = String::from_utf8_lossy(&made.stdout).into_owned();
        assert!(made.status.success(), "{screen}");
        let (enter, leave) = ("\u{1b}[?1049h", "\u{1b}[?1049l");
        let order = [
            enter,
            "FIRST FRAME",
            "\u{1b}[2J",
            "\u{1b}[?25h",
            leave,
            "said meanwhile",
            "and more",
            "as it should",
            "said at once",
            enter,
            "SECOND FRAME",
            leave,
            "said at the end",
            "said afterwards",
        ];
        let mut from = 0;
        for part in order {
            let place = screen[from..].find(part);
            from +=
                place.unwrap_or_else(|| panic!("no {part:?} after byte {from} of {screen:?}")) + part.len();
        }
        assert!(!screen.contains("OF NO USE"), "{screen:?}");
    }
}
