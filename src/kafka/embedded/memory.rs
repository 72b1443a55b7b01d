//! The memory that requests and answers of all connections may take together.
//!
//! A taker waits until some bytes are free, but never beyond a deadline. A client that holds its
//! bytes too long loses its connection, so waiting always ends.
//! One request may exceed the limit: waiting for "some free" instead of "enough free" keeps small
//! requests from starving a big one.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Requests below this size take nothing: the number of connections limits them.
const FREE_OF_CHARGE_BYTES: usize = 16 << 10;

/// A budget of bytes. At most `total` plus one request are taken at a time.
#[derive(Debug)]
pub(crate) struct Memory {
    left: Mutex<Left>,
    freed: Condvar,
}

#[derive(Debug)]
struct Left {
    bytes: i64,
    closed: bool,
}

/// Taken bytes; returned to the budget on drop.
#[derive(Debug)]
pub(crate) struct Taken<'a> {
    memory: &'a Memory,
    bytes: i64,
}

impl Memory {
    pub fn new(total_bytes: usize) -> Self {
        let bytes = i64::try_from(total_bytes).unwrap_or(i64::MAX);
        Self { left: Mutex::new(Left { bytes, closed: false }), freed: Condvar::new() }
    }

    /// Takes bytes, waiting for them until `deadline`; `None` if there were none, or at the end.
    pub fn take(&self, bytes: usize, deadline: Instant) -> Option<Taken<'_>> {
        if bytes <= FREE_OF_CHARGE_BYTES {
            return Some(Taken { memory: self, bytes: 0 });
        }
        let mut left = self.lock();
        while left.bytes <= 0 && !left.closed {
            let wait = deadline.checked_duration_since(Instant::now())?;
            left = self.freed.wait_timeout(left, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
        if left.closed {
            return None;
        }
        let bytes = bytes as i64; // at most a request's length, an i32
        left.bytes -= bytes;
        Some(Taken { memory: self, bytes })
    }

    /// Ends all waiting.
    pub fn close(&self) {
        self.lock().closed = true;
        self.freed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Left> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner) // changes are single additions
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.memory.lock().bytes += self.bytes;
            self.memory.freed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_taker_waits_for_bytes_that_are_returned() {
        let memory = Memory::new(1 << 20);
        let soon = || Instant::now() + Duration::from_millis(5);
        let first = memory.take(2 << 20, soon()).unwrap();
        assert!(memory.take(1 << 20, soon()).is_none());
        assert!(memory.take(100, soon()).is_some(), "small requests never wait");
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| memory.take(1 << 20, Instant::now() + Duration::from_secs(60)));
            drop(first);
            assert!(waiting.join().unwrap().is_some());
        });
        assert_eq!(memory.lock().bytes, 1 << 20);
        memory.close();
        assert!(memory.take(1 << 20, soon()).is_none());
    }
}
