//! What is written for people, and where: standard output, or standard error when standard output
//! carries the JSON report.

use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::ProgressBar;

/// Takes lines for people. A closed pipe is no reason to stop a run: what cannot be written is left
/// out. A clone writes to the same place.
#[derive(Clone)]
pub struct Screen {
    out: Arc<Mutex<Box<dyn Write + Send>>>,
    /// The line that moves, which makes room for others.
    bar: Arc<Mutex<ProgressBar>>,
    /// Progress is shown (on standard error).
    progress: bool,
    terminal: bool,
}

impl Screen {
    /// For the terminal; `quiet` leaves the progress and the plan out.
    pub fn new(json_on_stdout: bool, quiet: bool) -> Self {
        let out: Box<dyn Write + Send> =
            if json_on_stdout { Box::new(std::io::stderr()) } else { Box::new(std::io::stdout()) };
        Self::to(out, !quiet, std::io::stderr().is_terminal())
    }

    /// Shows nothing at all: for tests and benches.
    pub fn none() -> Self {
        Self::to(Box::new(std::io::sink()), false, false)
    }

    fn to(out: Box<dyn Write + Send>, progress: bool, terminal: bool) -> Self {
        let bar = Arc::new(Mutex::new(ProgressBar::hidden()));
        Self { out: Arc::new(Mutex::new(out)), bar, progress, terminal }
    }

    /// Writes `text`, which brings its own line ends.
    pub fn say(&self, text: &str) {
        let bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner).clone();
        bar.suspend(|| {
            let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        });
    }

    /// Has this line make room for what is said from now on.
    pub(super) fn moves(&self, bar: &ProgressBar) {
        *self.bar.lock().unwrap_or_else(PoisonError::into_inner) = bar.clone();
    }

    /// Whether plan and progress are wanted.
    pub fn shows_progress(&self) -> bool {
        self.progress
    }

    /// Whether progress may move on one line.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }
}
