//! The threads that count rows during the replay: at a short interval, on connections of their own, whatever
//! else waits for Druid. The interval and the time that an answer takes are what the time to queryable is not known
//! better than.
//!
//! Each count takes time from Druid. Where tweets have waited for long, a longer interval says as much.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::count::Queryable;
use crate::druid::{Client, DruidError, RowAnswer, RowQuestion, RunName};
use crate::event::OwnNames;

/// Shortest and longest time from the beginning of one count to that of the next.
const INTERVAL_MIN: Duration = Duration::from_millis(25);
const INTERVAL_MAX: Duration = Duration::from_secs(1);

/// In between it is this part of the time for which the oldest tweet has waited: half of the 10 % to which a time to
/// queryable is to be known, as an answer takes its time, too.
const PARTS_OF_WAIT: u32 = 20;

/// Counts that may be under way at the same time: with one alone, an answer that takes longer than the interval
/// would stretch it.
const COUNTS: usize = 2;

/// Pause after a count that failed.
const AFTER_ERROR: Duration = Duration::from_millis(200);

/// Rows with times this long before the oldest tweet that is not queryable yet do not change any more.
const SETTLED_AFTER: Duration = Duration::from_secs(1);

/// Time without a new row after which all rows are counted again.
const RECOUNT_AFTER: Duration = Duration::from_secs(2);

/// A running count; by default none.
#[derive(Default)]
pub(crate) struct Counting {
    stop: Arc<AtomicBool>,
    failing: Arc<AtomicBool>,
}

/// Whose rows are counted.
pub(crate) struct Counted {
    pub client: Client,
    pub datasource: String,
    pub run: String,
    /// What the columns with run and sequence number are called.
    pub names: OwnNames,
    /// Whether the rows have the times at which they were sent.
    pub by_send_time: bool,
    pub queryable: Arc<Queryable>,
}

impl Counting {
    /// Counts until [`end`](Self::end).
    pub fn start(counted: Counted) -> Self {
        let counting = Self::default();
        let poll = Arc::new(Poll { counted, window: Mutex::default(), next: Mutex::new(Instant::now()) });
        for _ in 0..COUNTS {
            let (poll, stop, failing) = (poll.clone(), counting.stop.clone(), counting.failing.clone());
            let work = move || poll.run(&stop, &failing);
            if let Err(error) = std::thread::Builder::new().name("druid-count".into()).spawn(work) {
                tracing::warn!("rows are counted less often: cannot start a thread: {error}");
            }
        }
        counting
    }

    /// Whether the last count failed.
    pub fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Relaxed)
    }

    /// Ends it, without waiting for an answer that is still to come.
    pub fn end(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// What the counting threads share.
struct Poll {
    counted: Counted,
    window: Mutex<Window>,
    /// When the next count begins.
    next: Mutex<Instant>,
}

/// The rows that still change: with the times at which they were sent, only the newest do, and the rest
/// need not be counted again and again.
#[derive(Debug, Clone, Copy, Default)]
struct Window {
    /// Rows before this time, in milliseconds since 1970, are settled.
    since_ms: Option<i64>,
    /// How many that are.
    settled: u64,
    /// Changes with each of the two above.
    version: u64,
    /// The last count of all rows, and when it grew.
    rows: u64,
    grew: Option<Instant>,
}

impl Poll {
    fn run(&self, stop: &AtomicBool, failing: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            self.wait_for_turn();
            let counted = self.count(stop);
            failing.store(counted.is_err(), Ordering::Relaxed);
            if counted.is_err() {
                std::thread::sleep(AFTER_ERROR);
            }
        }
    }

    /// Sleeps until the next count begins. Counts that should have begun meanwhile are skipped.
    fn wait_for_turn(&self) {
        let turn = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let turn = (*next).max(Instant::now());
            *next = turn + interval(self.counted.queryable.oldest_waiting().map(|oldest| oldest.elapsed()));
            turn
        };
        std::thread::sleep(turn.saturating_duration_since(Instant::now()));
    }

    fn count(&self, stop: &AtomicBool) -> Result<(), DruidError> {
        let Counted { client, datasource, run, names, by_send_time, queryable } = &self.counted;
        let samples = queryable.samples();
        let window = self.window(|window| {
            if window.is_stuck() && queryable.is_behind() {
                window.forget();
            }
            *window
        });
        let settled_ms = by_send_time.then(|| settled_ms(queryable)).flatten().filter(|settled| {
            window.since_ms.is_none_or(|since| *settled > since + SETTLED_AFTER.as_millis() as i64)
        });
        let question = RowQuestion { since_ms: window.since_ms, settled_ms, samples: &samples };
        let asked = Instant::now();
        let answer = question.ask(client, datasource, RunName { run, names: *names })?;
        let at = Instant::now();
        if !stop.load(Ordering::Relaxed) {
            let rows = self.window(|shared| shared.take(window, settled_ms, &answer, at));
            queryable.counted(rows, &samples, &answer.found, asked, at);
        }
        Ok(())
    }

    fn window<T>(&self, with: impl FnOnce(&mut Window) -> T) -> T {
        with(&mut self.window.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Time until the next count begins, where the oldest tweet has `waited` for so long.
fn interval(waited: Option<Duration>) -> Duration {
    (waited.unwrap_or_default() / PARTS_OF_WAIT).clamp(INTERVAL_MIN, INTERVAL_MAX)
}

/// The time before which all rows are there, in milliseconds since 1970.
fn settled_ms(queryable: &Queryable) -> Option<i64> {
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_millis();
    let waits = queryable.oldest_waiting().map_or(Duration::ZERO, |oldest| oldest.elapsed());
    i64::try_from(now_ms.checked_sub((waits + SETTLED_AFTER).as_millis())?).ok()
}

impl Window {
    /// Takes an answer to a question about the window `asked`; returns the number of all rows.
    fn take(&mut self, asked: Self, settled_ms: Option<i64>, answer: &RowAnswer, at: Instant) -> u64 {
        let rows = asked.settled + answer.rows;
        if let Some(settled_ms) = settled_ms
            && asked.version == self.version
        {
            self.since_ms = Some(settled_ms);
            self.settled += answer.settled;
            self.version += 1;
        }
        if rows > self.rows || self.grew.is_none() {
            (self.rows, self.grew) = (rows.max(self.rows), Some(at));
        }
        rows
    }

    /// Whether it may have missed rows that came late.
    fn is_stuck(&self) -> bool {
        self.since_ms.is_some() && self.grew.is_some_and(|grew| grew.elapsed() > RECOUNT_AFTER)
    }

    /// Counts all rows the next time.
    fn forget(&mut self) {
        *self = Self {
            version: self.version + 1,
            rows: self.rows,
            grew: Some(Instant::now()),
            ..Self::default()
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(rows: u64, settled: u64) -> RowAnswer {
        RowAnswer { rows, settled, found: Vec::new() }
    }

    #[test]
    fn rows_are_counted_less_often_where_tweets_wait_for_long() {
        let after_ms = |waited_ms| interval(Some(Duration::from_millis(waited_ms))).as_millis();
        assert_eq!(interval(None), INTERVAL_MIN);
        assert_eq!((after_ms(0), after_ms(500), after_ms(4_000), after_ms(600_000)), (25, 25, 200, 1_000));
    }

    #[test]
    fn settled_rows_are_counted_once_and_late_ones_are_found_again() {
        let (mut window, now) = (Window::default(), Instant::now());
        let first = window;
        assert_eq!(window.take(first, Some(1_000), &answer(10, 7), now), 10);
        assert_eq!((window.since_ms, window.settled), (Some(1_000), 7));
        // Asked at the same time as the first: of all rows.
        assert_eq!(window.take(first, Some(1_010), &answer(12, 8), now), 12);
        assert_eq!((window.since_ms, window.settled), (Some(1_000), 7), "not twice");
        let second = window;
        assert_eq!(window.take(second, None, &answer(6, 0), now), 13);
        assert!(!window.is_stuck());
        window.grew = now.checked_sub(RECOUNT_AFTER * 2);
        assert!(window.is_stuck());
        window.forget();
        assert!(window.since_ms.is_none() && window.settled == 0 && !window.is_stuck());
        let all = window;
        assert_eq!(window.take(all, None, &answer(20, 0), now), 20);
    }
}
