//! What is written for people, and where: standard output, or standard error when standard output
//! carries the JSON report.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;

/// Takes lines for people. A closed pipe is no reason to stop a run: what cannot be written is left
/// out.
pub struct Screen {
    out: Mutex<Box<dyn Write + Send>>,
    /// Progress is shown (on standard error).
    progress: bool,
    terminal: bool,
}

impl Screen {
    /// For the terminal; `quiet` leaves the progress and the plan out.
    pub fn new(json_on_stdout: bool, quiet: bool) -> Self {
        let out: Box<dyn Write + Send> =
            if json_on_stdout { Box::new(std::io::stderr()) } else { Box::new(std::io::stdout()) };
        Self { out: Mutex::new(out), progress: !quiet, terminal: std::io::stderr().is_terminal() }
    }

    /// Shows nothing at all: for tests and benches.
    pub fn none() -> Self {
        Self { out: Mutex::new(Box::new(std::io::sink())), progress: false, terminal: false }
    }

    /// Writes `text`, which brings its own line ends.
    pub fn say(&self, text: &str) {
        let mut out = self.out.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
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
