//! Waits for work that cannot be stopped: a library's call, or an answer of another program.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::pipeline::error::ReplayError;

/// How often a stop is checked.
const LOOK: Duration = Duration::from_millis(20);

/// The result of `work`. After a stop, the work continues on its thread until it or the process ends.
///
/// # Errors
/// When it was stopped, or its thread cannot be started.
pub(crate) fn unless_stopped<T: Send + 'static>(
    stop: &AtomicBool,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ReplayError> {
    let thread = std::thread::Builder::new().name("ask".into()).spawn(work).map_err(ReplayError::Thread)?;
    while !thread.is_finished() {
        if stop.load(Ordering::Relaxed) {
            return Err(ReplayError::Stopped);
        }
        std::thread::sleep(LOOK);
    }
    thread.join().map_err(|panic| resume_unwind(panic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_ends_a_wait_without_an_end_and_nothing_else_does() {
        assert_eq!(unless_stopped(&AtomicBool::new(false), || 7).unwrap(), 7);
        let stop = AtomicBool::new(true);
        let waited = unless_stopped(&stop, || std::thread::sleep(Duration::from_secs(3_600)));
        assert!(matches!(waited, Err(ReplayError::Stopped)));
    }
}
