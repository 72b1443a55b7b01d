//! The progress of an input that is opened: the wait for it, or the copy of it.

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, ProgressBar};

use super::Screen;
use super::progress::{PLAIN_EVERY, style};
use crate::source::OpeningState;

/// Silence of the input that is shown.
const SILENT: Duration = Duration::from_secs(2);

/// Shows how far the input is: on a terminal on one line, otherwise on a plain line every few seconds.
pub struct OpeningBar {
    shows: bool,
    terminal: bool,
    bar: RefCell<Option<ProgressBar>>,
    began: Cell<Option<Instant>>,
    last_plain: Cell<Option<Instant>>,
}

impl OpeningBar {
    /// Shows nothing for an input that is open at once.
    pub fn new(screen: &Screen) -> Self {
        let (shows, terminal) = (screen.shows_progress(), screen.is_terminal());
        Self { shows, terminal, bar: RefCell::new(None), began: Cell::new(None), last_plain: Cell::new(None) }
    }

    /// Shows a state of the input.
    pub fn show(&self, state: OpeningState) {
        if !self.shows {
            return;
        }
        let words = match state {
            OpeningState::Open => {
                if let Some(bar) = self.bar.take() {
                    bar.finish_and_clear();
                }
                return;
            }
            OpeningState::Waiting(time) if time < SILENT => return,
            OpeningState::Waiting(time) => {
                format!("waiting for the input: nothing for {} s", time.as_secs())
            }
            OpeningState::Copied(bytes) => {
                let began = self.began.get().unwrap_or_else(Instant::now);
                self.began.set(Some(began));
                let per_s = bytes as f64 / began.elapsed().as_secs_f64().max(1e-3);
                let (bytes, per_s) = (HumanBytes(bytes), HumanBytes(per_s as u64));
                format!("copying the input to a temporary file: {bytes}  {per_s}/s")
            }
        };
        if self.terminal {
            let mut bar = self.bar.borrow_mut();
            let bar = bar.get_or_insert_with(|| ProgressBar::new_spinner().with_style(style("{msg}")));
            bar.set_message(words);
            bar.tick();
            return;
        }
        let last = self.last_plain.get().get_or_insert_with(Instant::now).to_owned();
        let is_due = last.elapsed() >= PLAIN_EVERY;
        self.last_plain.set(Some(if is_due { Instant::now() } else { last }));
        if is_due {
            let _ = writeln!(std::io::stderr(), "{words}");
        }
    }
}
