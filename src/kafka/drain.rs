//! When to stop waiting for Kafka.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// When to stop waiting for Kafka. By default only a stop ends the wait, at once.
#[derive(Debug, Clone, Default)]
pub struct DrainLimit {
    /// Set by Ctrl-C.
    pub stop: Arc<AtomicBool>,
    /// Longest wait after a stop.
    pub after_stop: Duration,
    /// Set when the last event has been sent, even if it is still on its way here.
    pub ended: Arc<AtomicBool>,
    /// Longest wait after the last event of an undisturbed replay; `None`: no limit.
    pub after_end: Option<Duration>,
}

/// The wait of one producer under such a limit.
#[derive(Debug)]
pub(super) struct Drain {
    limit: DrainLimit,
    stopped_at: Option<Instant>,
    ended_at: Option<Instant>,
    /// Since when there are events that Kafka has not acknowledged.
    waiting_since: Option<Instant>,
}

impl Drain {
    pub(super) fn new(limit: DrainLimit) -> Self {
        Self { limit, stopped_at: None, ended_at: None, waiting_since: None }
    }

    /// No more events will come.
    pub(super) fn end(&mut self, now: Instant) {
        self.ended_at.get_or_insert(now);
    }

    /// Whether the wait has lasted too long, if `is_waiting` says that there are events which Kafka
    /// has not acknowledged. Otherwise there is no wait for Kafka: an outside MQTT broker may still
    /// have events.
    pub(super) fn is_over(&mut self, is_waiting: bool, now: Instant) -> bool {
        if self.limit.stop.load(Ordering::Relaxed) {
            self.stopped_at.get_or_insert(now);
        }
        if self.limit.ended.load(Ordering::Relaxed) {
            self.end(now);
        }
        if !is_waiting {
            self.waiting_since = None;
            return false;
        }
        let since = *self.waiting_since.get_or_insert(now);
        let stop = self.stopped_at.map(|at| at.max(since) + self.limit.after_stop);
        let end = self.ended_at.zip(self.limit.after_end).map(|(at, limit)| at.max(since) + limit);
        [stop, end].into_iter().flatten().any(|limit| now >= limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);
    const SECOND: Duration = Duration::from_secs(1);

    fn drain() -> (Drain, Instant) {
        let limit = DrainLimit { after_stop: LIMIT, after_end: Some(LIMIT), ..DrainLimit::default() };
        (Drain::new(limit), Instant::now())
    }

    #[test]
    fn without_a_stop_or_an_end_the_wait_has_none() {
        let (mut drain, start) = drain();
        assert!(!drain.is_over(true, start));
        assert!(!drain.is_over(true, start + 1_000 * SECOND));
    }

    #[test]
    fn it_counts_from_the_end_or_the_stop_that_came_while_kafka_took_nothing() {
        for is_stop in [true, false] {
            let (mut drain, start) = drain();
            assert!(!drain.is_over(true, start));
            let flag = if is_stop { &drain.limit.stop } else { &drain.limit.ended };
            flag.store(true, Ordering::Relaxed);
            let at = start + 10 * SECOND;
            assert!(!drain.is_over(true, at));
            assert!(!drain.is_over(true, at + LIMIT - SECOND));
            assert!(drain.is_over(true, at + LIMIT));
        }
    }

    #[test]
    fn while_nothing_waits_for_kafka_it_does_not_count() {
        let (mut drain, start) = drain();
        drain.end(start);
        assert!(!drain.is_over(false, start + 100 * SECOND));
        // An event comes late, from an outside broker that was away.
        let late = start + 101 * SECOND;
        assert!(!drain.is_over(true, late));
        assert!(!drain.is_over(false, late + SECOND));
        let later = late + 100 * SECOND;
        assert!(!drain.is_over(true, later));
        assert!(drain.is_over(true, later + LIMIT));
    }

    #[test]
    fn without_a_limit_after_the_end_only_a_stop_ends_it() {
        let mut drain = Drain::new(DrainLimit { after_stop: LIMIT, ..DrainLimit::default() });
        let start = Instant::now();
        drain.end(start);
        assert!(!drain.is_over(true, start + 1_000 * SECOND));
        drain.limit.stop.store(true, Ordering::Relaxed);
        assert!(!drain.is_over(true, start + 1_001 * SECOND));
        assert!(drain.is_over(true, start + 1_001 * SECOND + LIMIT));
    }
}
