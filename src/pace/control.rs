//! User commands during a replay: pause, resume, faster, slower.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};
use std::time::Duration;

use super::Stops;

/// Shared between the thread that reads the keys and the pacer.
#[derive(Debug, Default)]
pub struct Control {
    paused: AtomicBool,
    /// How often the speed was doubled; below 0: halved.
    doublings: AtomicI32,
    /// Bits of a program's own factor; 0: none.
    factor: AtomicU64,
    waits: AtomicBool,
    stops: Stops,
}

/// Limit of doublings in either direction: 1,024 times faster or slower, as the view's help says.
const DOUBLINGS_MAX: i32 = 10;

impl Control {
    /// With `paused`, the replay waits at its start for [`toggle_pause`](Self::toggle_pause).
    pub fn new(paused: bool) -> Self {
        Self { paused: AtomicBool::new(paused), ..Self::default() }
    }

    /// Pauses or resumes.
    pub fn toggle_pause(&self) {
        self.paused.fetch_xor(true, Ordering::Relaxed);
    }

    /// Pauses, or resumes.
    pub fn set_paused(&self, paused: bool) {
        self.paused.store(paused, Ordering::Relaxed);
    }

    /// Sets the speed as a multiple, above 0, of the one requested at the start: for programs. The keys double and halve
    /// that.
    pub fn set_speed(&self, times: f64) {
        self.factor.store(times.max(f64::MIN_POSITIVE).to_bits(), Ordering::Relaxed);
    }

    /// Doubles (`1`) or halves (`-1`) the speed.
    pub fn double_speed(&self, doublings: i32) {
        let sum = self.doublings.load(Ordering::Relaxed) + doublings;
        self.doublings.store(sum.clamp(-DOUBLINGS_MAX, DOUBLINGS_MAX), Ordering::Relaxed);
    }

    /// Whether a pause was requested.
    pub fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Relaxed)
    }

    /// Whether the replay is waiting: it follows a request a little later.
    pub fn waits(&self) -> bool {
        self.waits.load(Ordering::Relaxed)
    }

    /// Called by the pacer when it begins or ends a wait.
    pub fn set_waits(&self, waits: bool) {
        self.waits.store(waits, Ordering::Relaxed);
    }

    /// The times in which the whole process was stopped.
    pub fn stops(&self) -> &Stops {
        &self.stops
    }

    /// The current speed as a multiple of the requested one.
    pub fn speed_times(&self) -> f64 {
        let factor = match self.factor.load(Ordering::Relaxed) {
            0 => 1.0,
            bits => f64::from_bits(bits),
        };
        factor * 2f64.powi(self.doublings.load(Ordering::Relaxed))
    }
}

/// A change that re-anchored the plan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// When, counted from the first send.
    pub at: Duration,
    pub what: ChangeKind,
}

/// What the user did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ChangeKind {
    /// Paused for this long.
    Pause(Duration),
    /// Stopped the whole process for this long: Ctrl-Z, or SIGSTOP.
    Stop(Duration),
    /// Continued at this multiple of the speed requested at the start.
    Speed(f64),
}
