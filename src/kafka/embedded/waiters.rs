//! How a fetch at the end of the log learns that a batch was appended.
//!
//! Each connection has one [`Waiter`]. A fetch registers it with every partition it asks for,
//! *then* checks the logs again, then waits. An append wakes the waiters of its partition.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::time::Instant;

/// Wakes the thread of one connection.
#[derive(Debug, Default)]
pub(crate) struct Waiter {
    woken: Mutex<bool>,
    changed: Condvar,
    closed: AtomicBool,
}

impl Waiter {
    pub fn wake(&self) {
        *self.woken.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_one();
    }

    /// Wakes permanently: the endpoint ends.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.wake();
    }

    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Waits for a [`wake`](Self::wake), including one since the last wait; false if none came, or
    /// at the end.
    pub fn wait_until(&self, deadline: Instant) -> bool {
        let mut woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
        while !*woken && !self.is_closed() {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else { return false };
            woken = self.changed.wait_timeout(woken, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        std::mem::take(&mut *woken) && !self.is_closed()
    }
}

/// The waiters registered with one partition: at most one per connection.
#[derive(Debug, Default)]
pub(crate) struct Waiters(Mutex<Vec<Weak<Waiter>>>);

impl Waiters {
    pub fn add(&self, waiter: &Arc<Waiter>) {
        let mut waiters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Those of closed connections would pile up at a partition that gets no messages.
        waiters.retain(|other| other.strong_count() > 0);
        if !waiters.iter().any(|other| std::ptr::eq(other.as_ptr(), Arc::as_ptr(waiter))) {
            waiters.push(Arc::downgrade(waiter));
        }
    }

    pub fn wake_all(&self) {
        let mut waiters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for waiter in waiters.drain(..).filter_map(|waiter| waiter.upgrade()) {
            waiter.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_wake_between_looking_and_waiting_is_not_missed() {
        let (waiters, waiter) = (Waiters::default(), Arc::new(Waiter::default()));
        let soon = || Instant::now() + Duration::from_millis(5);
        waiters.add(&waiter);
        waiters.wake_all();
        assert!(waiter.wait_until(soon()));
        assert!(!waiter.wait_until(soon()));
        waiters.wake_all(); // not left there again
        assert!(!waiter.wait_until(soon()));
    }

    #[test]
    fn the_list_holds_each_living_connection_once() {
        let (waiters, waiter) = (Waiters::default(), Arc::new(Waiter::default()));
        for _ in 0..3 {
            waiters.add(&Arc::new(Waiter::default()));
            waiters.add(&waiter);
        }
        assert_eq!(waiters.0.lock().unwrap().len(), 1);
    }
}
