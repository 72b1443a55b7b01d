//! Times in which the whole process was stopped: by Ctrl-Z, or SIGSTOP.
//!
//! A process cannot see a stop coming, and the clock keeps running meanwhile. But a thread that
//! looks at the clock every few milliseconds finds a gap between two looks, and if SIGCONT came
//! within the gap, it was a stop. A gap without that signal is a busy machine: events that are late
//! then count as late.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Shorter gaps are ignored.
pub(super) const GAP_MIN: Duration = Duration::from_millis(250);

/// The shortest stop that can be distinguished from a busy machine: one that every thread sees as a
/// gap.
const STOP_MIN: Duration = Duration::from_millis(300);

/// Time for a thread that was woken with the others to handle SIGCONT.
const HANDLER_TIME: Duration = Duration::from_millis(10);

/// One stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop {
    /// The last look before it.
    pub since: Instant,
    /// How long it took, plus up to one look.
    pub time: Duration,
}

/// Shared between the thread that looks for stops, the signal handler and the pacer.
#[derive(Debug, Default)]
pub struct Stops {
    continued: Arc<AtomicBool>,
    /// Number of looks; 0: no thread looks.
    looks: AtomicU64,
    is_found: AtomicBool,
    seen: Mutex<StopsState>,
}

#[derive(Debug, Default)]
struct StopsState {
    last_look: Option<Instant>,
    found: Vec<Stop>,
}

impl Stops {
    /// For the handler of SIGCONT to set.
    pub fn continued(&self) -> &Arc<AtomicBool> {
        &self.continued
    }

    /// To be called every few milliseconds, by the main thread, because SIGCONT is handled there
    /// before anything else. Returns the stop since the last look, if there was one.
    pub fn look(&self, now: Instant) -> Option<Stop> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let since = seen.last_look.replace(now);
        let is_told = || self.continued.swap(false, Ordering::Relaxed);
        let stop = since.map(|since| Stop { since, time: now.saturating_duration_since(since) });
        let gap = stop.filter(|stop| stop.time >= STOP_MIN);
        let mut continued = is_told();
        if gap.is_some() && !continued {
            // Another thread may have received the signal, and not handled it yet.
            std::thread::sleep(HANDLER_TIME);
            continued = is_told();
        }
        let stop = gap.filter(|_| continued);
        seen.found.extend(stop);
        self.is_found.fetch_or(stop.is_some(), Ordering::Relaxed);
        self.looks.fetch_add(1, Ordering::Release);
        stop
    }

    /// Records that no thread looks any more.
    pub fn end_looks(&self) {
        self.looks.store(0, Ordering::Release);
    }

    /// Number of looks; `None`: no thread looks.
    pub(super) fn looks(&self) -> Option<u64> {
        Some(self.looks.load(Ordering::Acquire)).filter(|looks| *looks > 0)
    }

    /// Whether [`take`](Self::take) would return something.
    pub(super) fn is_found(&self) -> bool {
        self.is_found.load(Ordering::Relaxed)
    }

    /// The stops found since the last call, in order.
    pub(super) fn take(&self) -> Vec<Stop> {
        self.is_found.store(false, Ordering::Relaxed);
        std::mem::take(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner).found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_is_a_gap_in_which_the_process_was_told_to_go_on() {
        let (stops, zero) = (Stops::default(), Instant::now());
        let look = |ms| stops.look(zero + Duration::from_millis(ms)).map(|stop| stop.time.as_millis());
        let tell = || stops.continued().store(true, Ordering::Relaxed);
        tell();
        assert_eq!(look(0), None, "nobody knows since when");
        assert_eq!(look(5_000), None, "a busy machine");
        tell();
        assert_eq!(look(5_020), None, "continued while it was running");
        tell();
        assert_eq!((look(8_020), look(11_020)), (Some(3_000), None));
        let stop = Stop { since: zero + Duration::from_millis(5_020), time: Duration::from_millis(3_000) };
        assert!(stops.is_found());
        assert_eq!((stops.take(), stops.take()), (vec![stop], vec![]));
        assert!(!stops.is_found());
    }
}
