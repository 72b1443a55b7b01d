//! A stop by the user ends the wait for an answer: a Druid that accepts connections may never give one.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{RecvTimeoutError, bounded};

/// How long an answer may take after a stop. A Druid that is well answers within it: so a run that was
/// stopped can still be counted.
const AFTER_STOP: Duration = Duration::from_millis(1_500);

/// The same once an answer did not come: what has been asked is sent, and nothing waits for it.
const AFTER_SILENCE: Duration = Duration::from_millis(50);

/// How often a stop is checked.
const LOOK: Duration = Duration::from_millis(20);

/// Ctrl-C or SIGTERM, and what it has cut short. A clone shares both.
#[derive(Debug, Clone)]
pub(super) struct Stop {
    flag: Arc<AtomicBool>,
    /// Whether an answer did not come in time after the stop.
    silent: Arc<AtomicBool>,
}

impl Stop {
    pub fn new(flag: Arc<AtomicBool>) -> Self {
        Self { flag, silent: Arc::default() }
    }

    /// What `ask` returns, or `None` if that takes too long after a stop; then `ask` continues on its
    /// thread until it or the process ends.
    ///
    /// # Errors
    /// When its thread cannot be started.
    pub fn bound<T: Send + 'static>(
        &self,
        ask: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<Option<T>> {
        let (sender, answer) = bounded(1);
        let work = move || drop(sender.send(ask()));
        std::thread::Builder::new().name("druid-call".into()).spawn(work)?;
        let mut stopped_at = None;
        loop {
            match answer.recv_timeout(LOOK) {
                Ok(answer) => return Ok(Some(answer)),
                // It panicked, which its thread has said.
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if !self.flag.load(Ordering::Relaxed) {
                continue;
            }
            let limit = if self.silent.load(Ordering::Relaxed) { AFTER_SILENCE } else { AFTER_STOP };
            if stopped_at.get_or_insert_with(Instant::now).elapsed() > limit {
                self.silent.store(true, Ordering::Relaxed);
                return Ok(None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_comes_through_and_after_a_stop_one_that_never_comes_ends_the_wait() {
        let flag = Arc::<AtomicBool>::default();
        let stop = Stop::new(flag.clone());
        assert_eq!(stop.bound(|| 7).unwrap(), Some(7));
        flag.store(true, Ordering::Relaxed);
        assert_eq!(stop.bound(|| 8).unwrap(), Some(8), "a Druid that is well can still be asked");
        let never = || std::thread::sleep(Duration::from_secs(3_600));
        assert_eq!(stop.bound(never).unwrap(), None);
        assert!(stop.silent.load(Ordering::Relaxed), "the next one has less time");
        assert_eq!(stop.bound(never).unwrap(), None);
    }
}
