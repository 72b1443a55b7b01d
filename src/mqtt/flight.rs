//! What is between publisher and subscriber: the credit window, and the parts of an event that do
//! not travel through the broker (key and times) and wait for its message to come out.
//!
//! Both sides take the lock once per batch. Own messages come out in the order they went in, so the
//! waiting parts are a queue and need no index.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::MqttError;
use crate::event::{Event, Trace};

/// The most that may be published but not yet passed on by the subscriber.
///
/// A single message larger than `bytes` is let in when nothing else is in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlightWindow {
    pub messages: usize,
    /// As the broker's ring counts them: payload, topic and 4.
    pub bytes: usize,
}

impl FlightWindow {
    /// No limit: the broker overwrites what a slow subscriber has not read. For tests and benches
    /// that show why the window is needed.
    pub const OFF: Self = Self { messages: usize::MAX, bytes: usize::MAX };
}

impl Default for FlightWindow {
    /// A quarter of what the default ring is guaranteed to hold: the rest is for outside
    /// publishers.
    fn default() -> Self {
        Self { messages: 4_096, bytes: 1 << 20 }
    }
}

/// Messages and bytes, as the window counts them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Load {
    pub messages: usize,
    pub bytes: usize,
}

impl Load {
    pub fn add(&mut self, bytes: usize) {
        self.messages += 1;
        self.bytes += bytes;
    }
}

/// The part of an own event that waits here while its payload passes through the broker.
#[derive(Debug)]
pub(super) struct FlightEvent {
    pub trace: Trace,
    pub key: Bytes,
    pub ring_bytes: usize,
}

impl FlightEvent {
    /// Puts the event back together.
    pub fn into_event(self, payload: Bytes) -> Event {
        Event { trace: self.trace, key: self.key, payload }
    }
}

/// How [`Flight::enter`] ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    Entered,
    /// A stop was requested while there was no room.
    Stopped,
}

pub(super) struct Flight {
    window: FlightWindow,
    /// Messages announced to the router.
    sent: AtomicU64,
    state: Mutex<FlightState>,
    room: Condvar,
}

#[derive(Default)]
struct FlightState {
    waiting: VecDeque<FlightEvent>,
    /// Messages let in so far.
    entered: u64,
    load: Load,
    /// Set while the publisher waits: wake it when no more than this is in flight.
    wanted: Option<Load>,
    total: Option<u64>,
    subscriber_gone: bool,
}

/// How long a publisher that waits for room takes to notice a stop, at most.
const STOP_POLL: Duration = Duration::from_millis(50);

impl Flight {
    pub fn new(window: FlightWindow) -> Self {
        Self { window, sent: AtomicU64::new(0), state: Mutex::default(), room: Condvar::new() }
    }

    /// How many of `sizes` make one chunk: as many as fit an empty window, but at least one.
    pub fn chunk(&self, sizes: impl Iterator<Item = usize>) -> Load {
        let mut chunk = Load::default();
        for bytes in sizes {
            let larger = Load { messages: chunk.messages + 1, bytes: chunk.bytes + bytes };
            if chunk.messages > 0 && !self.fits(larger) {
                break;
            }
            chunk = larger;
        }
        chunk
    }

    /// Waits for room for `chunk`, then lets it in with its `waiting` parts. Adds the time waited
    /// to `blocked`.
    pub fn enter(
        &self,
        chunk: Load,
        waiting: impl Iterator<Item = FlightEvent>,
        stop: &AtomicBool,
        blocked: &mut Duration,
    ) -> Result<Admission, MqttError> {
        let mut state = self.lock();
        if !self.has_room(&state, chunk) {
            let since = Instant::now();
            // Waits until half the window is free, not just enough for this chunk: fewer wake-ups,
            // and the other half keeps the subscriber busy meanwhile.
            let half = Load { messages: self.window.messages / 2, bytes: self.window.bytes / 2 };
            let room = Load {
                messages: self.window.messages.saturating_sub(chunk.messages).min(half.messages),
                bytes: self.window.bytes.saturating_sub(chunk.bytes).min(half.bytes),
            };
            while !state.subscriber_gone && !is_within(state.load, room) {
                if stop.load(Ordering::Relaxed) {
                    state.wanted = None;
                    *blocked += since.elapsed();
                    return Ok(Admission::Stopped);
                }
                state.wanted = Some(room);
                state = self.room.wait_timeout(state, STOP_POLL).unwrap_or_else(PoisonError::into_inner).0;
            }
            state.wanted = None;
            *blocked += since.elapsed();
        }
        if state.subscriber_gone {
            return Err(MqttError::SubscriberGone);
        }
        state.load.messages += chunk.messages;
        state.load.bytes += chunk.bytes;
        state.entered += chunk.messages as u64;
        state.waiting.extend(waiting);
        Ok(Admission::Entered)
    }

    /// Frees the room of what was passed on.
    pub fn leave(&self, load: Load) {
        let mut state = self.lock();
        state.load.messages -= load.messages;
        state.load.bytes -= load.bytes;
        if state.wanted.is_some_and(|wanted| is_within(state.load, wanted)) {
            self.room.notify_one();
        }
    }

    /// Appends all waiting parts to `into`.
    pub fn take_waiting(&self, into: &mut VecDeque<FlightEvent>) {
        let mut state = self.lock();
        if into.is_empty() {
            std::mem::swap(into, &mut state.waiting);
        } else {
            into.append(&mut state.waiting);
        }
    }

    /// The first `count` messages have been announced to the router.
    pub fn sent(&self, count: u64) {
        self.sent.store(count, Ordering::Release);
    }

    /// How many messages have entered, and how many of those were announced to the router.
    pub fn progress(&self) -> (u64, u64) {
        (self.lock().entered, self.sent.load(Ordering::Acquire))
    }

    /// No more messages will enter.
    pub fn finish(&self) {
        let mut state = self.lock();
        state.total = Some(state.entered);
    }

    /// How many entered, once no more can.
    pub fn total(&self) -> Option<u64> {
        self.lock().total
    }

    /// No more room will be made.
    pub fn subscriber_gone(&self) {
        self.lock().subscriber_gone = true;
        self.room.notify_all();
    }

    fn has_room(&self, state: &FlightState, chunk: Load) -> bool {
        let full = Load {
            messages: state.load.messages.saturating_add(chunk.messages),
            bytes: state.load.bytes.saturating_add(chunk.bytes),
        };
        state.load.messages == 0 || self.fits(full)
    }

    fn fits(&self, load: Load) -> bool {
        load.messages <= self.window.messages && load.bytes <= self.window.bytes
    }

    fn lock(&self) -> MutexGuard<'_, FlightState> {
        // A poisoned lock guards nothing here: no code under it panics half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_within(load: Load, limit: Load) -> bool {
    load.messages == 0 || (load.messages <= limit.messages && load.bytes <= limit.bytes)
}
