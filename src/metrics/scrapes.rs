//! When it was scraped, and whether the end of a run has been.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Longest wait where there was one scrape only: the usual time between two.
const USUAL: Duration = Duration::from_secs(15);

/// Longest wait of all: Prometheus scrapes once per minute if it is not told otherwise.
const LONGEST: Duration = Duration::from_secs(90);

/// The scrapes of one endpoint.
#[derive(Debug, Default)]
pub(super) struct Scrapes(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    last: Option<Instant>,
    between: Option<Duration>,
    /// Whether what there is now is the end of a run, and whether that has been scraped.
    is_end: bool,
    has_seen_end: bool,
}

impl Scrapes {
    /// A scrape begins; whether what it reads is the end of a run.
    pub fn begin(&self, now: Instant) -> bool {
        let mut book = self.lock();
        book.between = book.last.map(|last| now.saturating_duration_since(last)).or(book.between);
        book.last = Some(now);
        book.is_end
    }

    /// A scrape has read all.
    pub fn end(&self, at_end: bool) {
        self.lock().has_seen_end |= at_end;
    }

    /// A run begins.
    pub fn run_began(&self) {
        let mut book = self.lock();
        (book.is_end, book.has_seen_end) = (false, false);
    }

    /// A run has ended: what is read from now on is what it came to.
    pub fn run_ended(&self) {
        let mut book = self.lock();
        (book.is_end, book.has_seen_end) = (true, false);
    }

    /// Whether the end of the run has been scraped.
    pub fn has_seen_end(&self) -> bool {
        self.lock().has_seen_end
    }

    /// How long the scrape of the end may take; `None`: it has been, or nobody scrapes.
    pub fn longest_wait(&self) -> Option<Duration> {
        let book = self.lock();
        book.last.filter(|_| book.is_end && !book.has_seen_end)?;
        Some(book.between.map_or(USUAL, |between| (between * 3 / 2 + Duration::from_secs(1)).min(LONGEST)))
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scrape_that_began_before_the_end_has_not_seen_it() {
        let (scrapes, now) = (Scrapes::default(), Instant::now());
        assert_eq!(scrapes.longest_wait(), None);
        let early = scrapes.begin(now);
        scrapes.run_ended();
        scrapes.end(early);
        assert_eq!(scrapes.longest_wait(), Some(USUAL));
        let next = scrapes.begin(now + Duration::from_secs(4));
        assert_eq!(scrapes.longest_wait(), Some(Duration::from_secs(7)));
        scrapes.end(next);
        assert_eq!((scrapes.longest_wait(), scrapes.has_seen_end()), (None, true));
        scrapes.run_began();
        assert_eq!((scrapes.longest_wait(), scrapes.has_seen_end()), (None, false));
    }
}
