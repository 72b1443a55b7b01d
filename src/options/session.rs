//! What lives as long as a run: the user's stop, the user's keys, and the screen.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::DRAIN_AFTER_STOP;
use crate::count::Counters;
use crate::metrics::Metrics;
use crate::pace::Control;
use crate::report::{DruidNow, Screen};

/// The user's side of a run.
pub struct Session {
    /// Set when the run is to end in good order.
    pub stop: Arc<AtomicBool>,
    /// Pauses a replay and changes its speed while it runs.
    pub control: Arc<Control>,
    /// Takes what is written for people.
    pub screen: Screen,
    /// What it omits.
    pub quiet: Quiet,
    /// What the running replay has counted, for an exit before its end.
    pub counters: Arc<OnceLock<Arc<Counters>>>,
    /// What Druid last said of the supervisor.
    pub druid: Arc<DruidNow>,
    /// Shows what the running replay counts; `None`: nobody looks.
    pub metrics: Option<Arc<Metrics>>,
    /// How long rows of Druid are expected after a stop.
    pub after_stop: Duration,
}

/// How little is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Quiet {
    /// Everything is shown.
    #[default]
    No,
    /// The verdict alone, in one line.
    Verdict,
    /// Nothing; the exit code tells.
    All,
}

impl Quiet {
    /// As many steps as `-q` was given.
    pub fn of(count: u8) -> Self {
        match count {
            0 => Self::No,
            1 => Self::Verdict,
            _ => Self::All,
        }
    }
}

impl Session {
    /// A session that nobody has stopped, or changed the speed of.
    pub fn new(screen: Screen) -> Self {
        Self {
            stop: Arc::default(),
            control: Arc::default(),
            screen,
            quiet: Quiet::No,
            counters: Arc::default(),
            druid: Arc::default(),
            metrics: None,
            after_stop: DRAIN_AFTER_STOP,
        }
    }

    /// Nobody watches it: for the doctor's marker, tests and benches.
    pub fn unattended() -> Self {
        Self::new(Screen::none())
    }

    /// Whether the user wants to leave.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
