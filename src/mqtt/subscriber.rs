//! The receiving side: messages from the broker back to events, with an account of what is missing.
//!
//! Own messages carry their place in the stream, so a missing one is seen by the next. Foreign ones
//! carry nothing: for them, the broker's log offsets tell, less what was our own.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use rumqttd::local::{LinkRx, LinkTx};
use rumqttd::protocol::{Packet, PingReq};
use rumqttd::{Forward, Notification};

use super::MqttError;
use super::flight::{Flight, Load, Waiting};
use super::publisher::{MARK_BYTES, disconnect, push};
use crate::event::Event;
use crate::report::Counters;

/// Most events handed on at once.
const BATCH_MAX: usize = 256;

/// Receives what is published on the topic.
pub struct Subscriber {
    pub(super) link: LinkRx,
    pub(super) own_link: Arc<Mutex<LinkTx>>,
    pub(super) flight: Arc<Flight>,
    pub(super) counters: Arc<Counters>,
    pub(super) run_nonce: u64,
    /// Segments of the broker's ring.
    pub(super) segments: u64,
    /// Log offset of the next message, where it is known.
    pub(super) next_offset: Option<u64>,
    pub(super) state: State,
}

#[derive(Default)]
pub(super) struct State {
    /// Place of the next own message.
    next_place: u64,
    /// Own messages from `next_place` on that are known to be published.
    waiting: VecDeque<Waiting>,
    /// Segment of the log that the last message was in.
    segment: u64,
    /// Messages missing by log offset since the last own one.
    gap: u64,
    /// Set once the broker has everything the publisher sent.
    ending: Option<Ending>,
}

/// The publisher is done and the broker has all of it: read on until it is all accounted for.
struct Ending {
    total: u64,
    /// A message came since the last answer to a ping.
    heard: bool,
    /// No own message is in this segment of the log or a later one.
    end_segment: Option<u64>,
}

/// What one batch adds to the counters.
#[derive(Default)]
struct Batch {
    events: Vec<Event>,
    handled: Load,
    received: u64,
    lost: u64,
    duplicates: u64,
    foreign: u64,
    foreign_lost: u64,
}

impl Subscriber {
    /// Receives until the publisher is done and everything it sent is either received or known
    /// to be lost. Each batch goes to `send`, which takes the events out of the vector; only
    /// then is their room in the window free again.
    ///
    /// # Errors
    /// Those of `send`, and [`MqttError::BrokerGone`]. The publisher then gets an error too.
    pub fn run<E: From<MqttError>>(
        mut self,
        mut send: impl FnMut(&mut Vec<Event>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut batch = Batch::default();
        loop {
            batch.events.reserve(BATCH_MAX);
            let done = self.receive(&mut batch)?;
            self.count(&mut batch);
            if !batch.events.is_empty() {
                send(&mut batch.events)?;
                batch.events.clear();
            }
            self.flight.leave(std::mem::take(&mut batch.handled));
            if done {
                return Ok(());
            }
        }
    }

    /// Waits for the broker, then takes what is there. Says whether that was the end.
    fn receive(&mut self, batch: &mut Batch) -> Result<bool, MqttError> {
        let mut next = self.link.recv().map_err(|_| MqttError::BrokerGone)?;
        let started = Instant::now();
        loop {
            match next {
                Some(Notification::Forward(forward)) => {
                    self.take(forward, started, batch);
                    if self.is_all_accounted_for(batch) {
                        return Ok(true);
                    }
                }
                // The router sends no more until it hears this.
                Some(Notification::Unschedule) => self.link.ready().map_err(|_| MqttError::BrokerGone)?,
                Some(Notification::Disconnect(..)) => return Err(MqttError::BrokerGone),
                Some(Notification::DeviceAck(ack)) => {
                    let is_ping_answer = matches!(Packet::from(ack), Packet::PingResp(_));
                    if is_ping_answer && self.on_ping_answer(batch)? {
                        return Ok(true);
                    }
                }
                Some(_) | None => {}
            }
            if batch.events.len() >= BATCH_MAX {
                return Ok(false);
            }
            next = match self.link.recv_deadline(started) {
                Ok(next) => next,
                // Nothing more for now; a broker that is gone is seen by the next wait.
                Err(_) => return Ok(false),
            };
        }
    }

    fn take(&mut self, forward: Forward, now: Instant, batch: &mut Batch) {
        let mark = forward.properties.and_then(|properties| properties.correlation_data);
        self.follow_log(forward.cursor);
        let state = &mut self.state;
        let payload = forward.publish.payload;
        let Some(place) = mark.and_then(|mark| place(self.run_nonce, &mark)) else {
            batch.foreign += 1;
            batch.events.push(foreign(payload, now));
            if state.gap > 0 && self.counters.published.get() == state.next_place {
                batch.foreign_lost += std::mem::take(&mut state.gap);
            }
            return;
        };
        let Some(ahead) = place.checked_sub(state.next_place) else {
            // Somebody sent one of ours again: it goes on, so that it can be seen further down.
            batch.duplicates += 1;
            batch.foreign += 1;
            batch.events.push(foreign(payload, now));
            return;
        };
        if ahead >= state.waiting.len() as u64 {
            self.flight.take_waiting(&mut state.waiting);
        }
        if ahead >= state.waiting.len() as u64 {
            // Our mark on something that we did not send.
            batch.foreign += 1;
            batch.events.push(foreign(payload, now));
            return;
        }
        for lost in state.waiting.drain(..ahead as usize) {
            batch.handled.add(lost.ring_bytes);
        }
        batch.lost += ahead;
        batch.foreign_lost += std::mem::take(&mut state.gap).saturating_sub(ahead);
        if let Some(own) = state.waiting.pop_front() {
            batch.handled.add(own.ring_bytes);
            batch.received += 1;
            batch.events.push(own.into_event(payload));
        }
        state.next_place = place + 1;
    }

    /// Counts what is missing in the broker's log before this message. Retained messages have no
    /// place in it.
    fn follow_log(&mut self, cursor: Option<(u64, u64)>) {
        let Some((segment, offset)) = cursor else { return };
        if let Some(expected) = self.next_offset {
            self.state.gap += offset.saturating_sub(expected);
        }
        self.next_offset = Some(offset + 1);
        self.state.segment = segment;
        if let Some(ending) = &mut self.state.ending {
            ending.heard = true;
            // The log had at most `segments` segments when it had all own messages, and this
            // message was read from it after that.
            ending.end_segment.get_or_insert(segment + self.segments);
        }
    }

    /// The broker answered: it has taken in all that was sent before the ping.
    fn on_ping_answer(&mut self, batch: &mut Batch) -> Result<bool, MqttError> {
        let heard = match &mut self.state.ending {
            Some(ending) => std::mem::take(&mut ending.heard),
            None => {
                let Some(total) = self.flight.total() else { return Ok(false) };
                self.state.ending = Some(Ending { total, heard: false, end_segment: None });
                true
            }
        };
        if self.is_all_accounted_for(batch) {
            return Ok(true);
        }
        if !heard {
            // The router answers pings before it looks into the log: nothing between two answers
            // means that there was nothing left to read.
            self.give_up_rest(batch);
            return Ok(true);
        }
        let mut link = self.own_link.lock().unwrap_or_else(PoisonError::into_inner);
        push(&mut link, Packet::PingReq(PingReq))?;
        Ok(false)
    }

    fn is_all_accounted_for(&mut self, batch: &mut Batch) -> bool {
        let state = &mut self.state;
        let Some(ending) = &state.ending else { return false };
        if state.next_place == ending.total {
            batch.foreign_lost += std::mem::take(&mut state.gap);
            return true;
        }
        // Foreign messages came in so fast that the log has turned over since.
        if ending.end_segment.is_some_and(|end| state.segment >= end) {
            self.give_up_rest(batch);
            return true;
        }
        false
    }

    fn give_up_rest(&mut self, batch: &mut Batch) {
        let state = &mut self.state;
        self.flight.take_waiting(&mut state.waiting);
        let lost = state.waiting.len() as u64;
        for waiting in state.waiting.drain(..) {
            batch.handled.add(waiting.ring_bytes);
        }
        batch.lost += lost;
        batch.foreign_lost += std::mem::take(&mut state.gap).saturating_sub(lost);
        state.next_place += lost;
    }

    fn count(&self, batch: &mut Batch) {
        let counters = &self.counters;
        for (counter, count) in [
            (&counters.received, &mut batch.received),
            (&counters.mqtt_lost, &mut batch.lost),
            (&counters.duplicates, &mut batch.duplicates),
            (&counters.foreign, &mut batch.foreign),
            (&counters.foreign_lost, &mut batch.foreign_lost),
        ] {
            if *count > 0 {
                counter.add(std::mem::take(count));
            }
        }
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.flight.subscriber_gone();
        let mut link = self.own_link.lock().unwrap_or_else(PoisonError::into_inner);
        // An error means that the broker is gone, and the connection with it.
        let _ = push(&mut link, disconnect());
    }
}

/// Reads the mark of an own message; `None`: somebody else's.
fn place(run_nonce: u64, mark: &[u8]) -> Option<u64> {
    let mark: &[u8; MARK_BYTES] = mark.try_into().ok()?;
    let (nonce, place) = mark.split_first_chunk::<8>()?;
    (u64::from_be_bytes(*nonce) == run_nonce).then(|| place.try_into().map(u64::from_be_bytes).ok())?
}

fn foreign(payload: Bytes, now: Instant) -> Event {
    Event { seq: None, intended: None, sent: now, key: Bytes::new(), payload }
}
