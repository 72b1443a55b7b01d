//! What is written for people, and where: standard output, or standard error when standard output
//! carries the JSON report.

use std::io::{self, IsTerminal, Stderr, Stdout, Write, stderr, stdout};
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::ProgressBar;

use super::page::{Layout, Page};

/// Takes lines for people. What cannot be written is no reason to stop a run: [`Screen::written`] says so
/// at the end. A clone writes to the same place.
#[derive(Clone)]
pub struct Screen {
    out: Arc<Mutex<Out>>,
    /// The first error of `out`.
    failed: Arc<Mutex<Option<io::Error>>>,
    /// The line that moves, which makes room for others.
    bar: Arc<Mutex<ProgressBar>>,
    /// Progress is shown (on standard error).
    progress: bool,
    terminal: bool,
}

/// Where it goes.
enum Out {
    Stdout(Stdout),
    Stderr(Stderr),
    Nowhere,
}

impl Screen {
    /// For the terminal; `quiet` leaves the progress and the plan out.
    pub fn new(json_on_stdout: bool, quiet: bool) -> Self {
        let out = if json_on_stdout { Out::Stderr(stderr()) } else { Out::Stdout(stdout()) };
        // A dumb one cannot move back on a line.
        let is_dumb = std::env::var_os("TERM").is_some_and(|name| name == "dumb");
        Self::to(out, !quiet, stderr().is_terminal() && !is_dumb)
    }

    /// Shows nothing at all: for tests and benches.
    pub fn none() -> Self {
        Self::to(Out::Nowhere, false, false)
    }

    fn to(out: Out, progress: bool, terminal: bool) -> Self {
        let bar = Arc::new(Mutex::new(ProgressBar::hidden()));
        Self { out: Arc::new(Mutex::new(out)), failed: Arc::default(), bar, progress, terminal }
    }

    /// Writes `text`, which brings its own line ends.
    pub fn say(&self, text: &str) {
        let bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner).clone();
        bar.suspend(|| {
            let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
            let written = match &mut *out {
                Out::Stdout(out) => out.write_all(text.as_bytes()).and_then(|()| out.flush()),
                Out::Stderr(out) => out.write_all(text.as_bytes()).and_then(|()| out.flush()),
                Out::Nowhere => Ok(()),
            };
            if let Err(error) = written {
                self.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            }
        });
    }

    /// Whether all that was said could be written, to a pipe as far as somebody read it.
    ///
    /// # Errors
    /// The first that was met, once.
    pub fn written(&self) -> io::Result<()> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner).take();
        failed.filter(|error| error.kind() != io::ErrorKind::BrokenPipe).map_or(Ok(()), Err)
    }

    /// Writes one row of a page.
    pub fn say_row(&self, label: &str, text: &str) {
        let mut page = Page::new(self.layout());
        page.row(label, text);
        self.say(&page.finish());
    }

    /// How a page is laid out there now.
    pub fn layout(&self) -> Layout {
        match &*self.out.lock().unwrap_or_else(PoisonError::into_inner) {
            Out::Stdout(out) => Layout::of(out),
            Out::Stderr(out) => Layout::of(out),
            Out::Nowhere => Layout::default(),
        }
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
