//! What the user asks for while a replay runs: pause it, go on, faster, slower.

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::Duration;

use super::Stops;

/// Shared between whoever reads the keys and the pacer.
#[derive(Debug, Default)]
pub struct Control {
    paused: AtomicBool,
    /// How often the speed was doubled; below 0: halved.
    doublings: AtomicI32,
    waits: AtomicBool,
    stops: Stops,
}

/// Farthest from the speed asked for, in doublings: a million times faster or slower.
const DOUBLINGS_MAX: i32 = 20;

impl Control {
    /// For a replay that waits at its start for [`toggle_pause`](Self::toggle_pause), or does not.
    pub fn new(paused: bool) -> Self {
        Self { paused: AtomicBool::new(paused), ..Self::default() }
    }

    /// Pauses, or goes on.
    pub fn toggle_pause(&self) {
        self.paused.fetch_xor(true, Ordering::Relaxed);
    }

    /// Twice as fast (`1`) or half as fast (`-1`).
    pub fn double_speed(&self, doublings: i32) {
        let sum = self.doublings.load(Ordering::Relaxed) + doublings;
        self.doublings.store(sum.clamp(-DOUBLINGS_MAX, DOUBLINGS_MAX), Ordering::Relaxed);
    }

    /// Whether the replay is to wait.
    pub fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Relaxed)
    }

    /// Whether the replay does wait: it notices what is asked for a little later.
    pub fn waits(&self) -> bool {
        self.waits.load(Ordering::Relaxed)
    }

    /// For the pacer: it waits now, or goes on.
    pub fn set_waits(&self, waits: bool) {
        self.waits.store(waits, Ordering::Relaxed);
    }

    /// When the whole process stood still.
    pub fn stops(&self) -> &Stops {
        &self.stops
    }

    /// How many times the speed asked for.
    pub fn speed_times(&self) -> f64 {
        2f64.powi(self.doublings.load(Ordering::Relaxed))
    }
}

/// Something that anchored the plan anew.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// When, counted from the first send.
    pub at: Duration,
    /// What.
    pub what: ChangeKind,
}

/// What the user did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ChangeKind {
    /// Paused, for so long.
    Pause(Duration),
    /// Stopped the whole process, for so long: Ctrl-Z, or SIGSTOP.
    Stop(Duration),
    /// Went on so many times as fast as asked for at the start.
    Speed(f64),
}
