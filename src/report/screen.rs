//! What is written for people, and where: standard output, or standard error when standard output
//! carries the JSON report.

use std::io::{self, IsTerminal, stderr, stdout};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::alternate::{self, Stream};
use super::page::{Layout, Page};
use super::progress_line::ProgressLine;

/// Takes lines for people. What cannot be written is no reason to stop a run: [`Screen::written`] says so
/// at the end. A clone writes to the same place.
#[derive(Clone)]
pub struct Screen {
    /// `None`: nothing is shown.
    out: Option<Stream>,
    /// Progress is shown (on standard error).
    progress: bool,
    terminal: bool,
    view: bool,
    shared: Arc<Shared>,
}

/// What all clones have in common.
#[derive(Default)]
struct Shared {
    /// The first error of `out`.
    failed: Mutex<Option<io::Error>>,
    /// How far the run is, for the view.
    line: Mutex<Option<ProgressLine>>,
    /// Whether the view explains itself.
    help: AtomicBool,
}

impl Screen {
    /// For the terminal; `quiet` leaves the progress and the plan out.
    pub fn new(json_on_stdout: bool, quiet: bool) -> Self {
        let out = if json_on_stdout { Stream::Stderr } else { Stream::Stdout };
        // A dumb one cannot move back on a line.
        let is_dumb = std::env::var_os("TERM").is_some_and(|name| name == "dumb");
        Self::to(Some(out), !quiet, stderr().is_terminal() && !is_dumb)
    }

    /// Shows nothing at all: for tests and benches.
    pub fn none() -> Self {
        Self::to(None, false, false)
    }

    fn to(out: Option<Stream>, progress: bool, terminal: bool) -> Self {
        // What does not say what it is may have no other screen.
        let is_known = std::env::var_os("TERM").is_some_and(|name| !name.is_empty());
        Self { out, progress, terminal, view: progress && terminal && is_known, shared: Arc::default() }
    }

    /// Shows plain lines in place of the live view.
    #[must_use]
    pub fn without_view(self, plain: bool) -> Self {
        Self { view: self.view && !plain, ..self }
    }

    /// Writes `text`, which brings its own line ends.
    pub fn say(&self, text: &str) {
        let Some(out) = self.out else { return };
        if let Err(error) = alternate::say(out, text) {
            lock(&self.shared.failed).get_or_insert(error);
        }
    }

    /// Writes a line beside the progress, on standard error.
    pub fn note(&self, words: &str) {
        if !self.progress {
            return;
        }
        let mut page = Page::new(Layout::of(&stderr()));
        page.line(words);
        let _ = alternate::say(Stream::Stderr, &page.finish());
    }

    /// Whether all that was said could be written, to a pipe as far as somebody read it.
    ///
    /// # Errors
    /// The first that was met, once.
    pub fn written(&self) -> io::Result<()> {
        let failed = lock(&self.shared.failed).take();
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
        match self.out {
            Some(Stream::Stdout) => Layout::of(&stdout()),
            Some(Stream::Stderr) => Layout::of(&stderr()),
            None => Layout::default(),
        }
    }

    /// Whether plan and progress are wanted.
    pub fn shows_progress(&self) -> bool {
        self.progress
    }

    /// Whether progress may move on one line.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Whether a run is shown as a live view.
    pub fn has_view(&self) -> bool {
        self.view
    }

    /// Has the view explain itself, or stop to.
    pub fn toggle_help(&self) {
        self.shared.help.fetch_xor(true, Ordering::Relaxed);
    }

    /// Whether the view explains itself.
    pub(super) fn explains(&self) -> bool {
        self.shared.help.load(Ordering::Relaxed)
    }

    /// Tells the view how far the run is.
    pub(super) fn publish(&self, line: &ProgressLine) {
        *lock(&self.shared.line) = Some(line.clone());
    }

    /// How far the run is.
    pub(super) fn progress_line(&self) -> Option<ProgressLine> {
        lock(&self.shared.line).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
