//! The receiving side: turns messages from the broker back into events, and counts what is missing.
//!
//! Own messages carry their place in the stream, so the next one reveals a missing one. Foreign
//! messages carry nothing; missing ones are found by the broker's log offsets, minus our own.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use rumqttd::local::LinkRx;
use rumqttd::protocol::Packet;
use rumqttd::{Forward, Notification};

use super::MqttError;
use super::clients::{Hub, Log, Reader, outside_number};
use super::flight::{Flight, FlightEvent, Load};
use super::link::Pinger;
use super::publisher::MARK_BYTES;
use crate::count::Counters;
use crate::event::{Event, Trace};

/// Most events passed on at once.
const BATCH_MAX: usize = 256;

/// Receives what is published on the topic.
pub struct Subscriber {
    pub(super) link: LinkRx,
    pub(super) pinger: Arc<Pinger>,
    pub(super) flight: Arc<Flight>,
    pub(super) hub: Arc<Hub>,
    pub(super) counters: Arc<Counters>,
    pub(super) run_nonce: u64,
    /// Segments of the broker's ring.
    pub(super) segments: u64,
    pub(super) state: SubscriberState,
}

/// What was received so far, and what is known of gaps.
#[derive(Default)]
pub(super) struct SubscriberState {
    /// Log offset of the next message, if known.
    next_offset: Option<u64>,
    /// Segment of the log that held the last message.
    segment: u64,
    /// Place of the next own message.
    next_place: u64,
    /// Own messages from `next_place` on that are known to be published.
    waiting: VecDeque<FlightEvent>,
    /// Messages missing by log offset since the last own one.
    gap: u64,
    /// Whether own messages may be missing since the last one.
    doubt: bool,
    check: Option<GapCheck>,
    /// Pings answered.
    answers: u64,
    /// Own messages in all, once the publisher is done.
    total: Option<u64>,
}

/// Finds out which own messages are missing when only foreign ones follow a gap. Without it, a
/// publisher whose whole window was overwritten would wait forever.
///
/// The router handles its notifications in order, so when it answers a ping, all messages sent
/// before are in its log. And it answers before it reads the log: if nothing arrives between the
/// answers to two pings, the second sent after the first was answered, everything was read.
struct GapCheck {
    /// The check covers own messages before this place.
    until: u64,
    /// The ping whose answer is expected.
    ping: u64,
    /// All of them are in the log.
    in_log: bool,
    /// A message came since the last answer.
    heard: bool,
    /// None of them is in this segment of the log or a later one.
    end_segment: Option<u64>,
}

/// What one batch adds to the counters.
#[derive(Default)]
struct ReceivedBatch {
    events: Vec<Event>,
    handled: Load,
    received: u64,
    lost: u64,
    duplicates: u64,
    foreign: u64,
    foreign_lost: u64,
    /// The number behind the last message of an outside client.
    outside_passed: Option<u64>,
}

impl Subscriber {
    /// Receives until the publisher is done and everything it sent is either received or known to
    /// be lost. Each batch goes to `send`, which takes the events out of the vector; only then is
    /// their room in the window freed.
    ///
    /// # Errors
    /// Those of `send`, and [`MqttError::BrokerGone`]. The publisher then gets an error too.
    pub fn run<E: From<MqttError>>(
        mut self,
        mut send: impl FnMut(&mut Vec<Event>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut batch = ReceivedBatch::default();
        loop {
            batch.events.reserve(BATCH_MAX);
            let done = self.receive(&mut batch)?;
            self.count(&mut batch);
            if !batch.events.is_empty() {
                send(&mut batch.events)?;
                batch.events.clear();
            }
            self.flight.leave(std::mem::take(&mut batch.handled));
            if let Some(number) = batch.outside_passed.take() {
                self.hub.passed(Log::Replay, Reader::Replay, number);
            }
            if done {
                return Ok(());
            }
        }
    }

    /// Waits for the broker, then takes what has arrived. Returns whether that was the end.
    fn receive(&mut self, batch: &mut ReceivedBatch) -> Result<bool, MqttError> {
        let mut next = self.link.recv().map_err(|_| MqttError::BrokerGone)?;
        let started = Instant::now();
        loop {
            match next {
                Some(Notification::Forward(forward)) => self.take(forward, started, batch)?,
                // The router sends no more until it gets this answer.
                Some(Notification::Unschedule) => self.link.ready().map_err(|_| MqttError::BrokerGone)?,
                Some(Notification::Disconnect(..)) => return Err(MqttError::BrokerGone),
                Some(Notification::DeviceAck(ack)) => {
                    if let Packet::PingResp(_) = ack.into() {
                        self.on_ping_answer(batch)?;
                    }
                }
                Some(_) | None => {}
            }
            if self.state.total == Some(self.state.next_place) {
                batch.foreign_lost += std::mem::take(&mut self.state.gap);
                return Ok(true);
            }
            if batch.events.len() >= BATCH_MAX {
                return Ok(false);
            }
            next = match self.link.recv_deadline(started) {
                Ok(next) => next,
                // Nothing more for now; the next wait notices a broker that is gone.
                Err(_) => return Ok(false),
            };
        }
    }

    fn take(&mut self, forward: Forward, now: Instant, batch: &mut ReceivedBatch) -> Result<(), MqttError> {
        self.follow_log(forward.cursor);
        let payload = forward.publish.payload;
        let mark = forward.properties.and_then(|properties| properties.correlation_data);
        if let Some(place) = mark.as_ref().and_then(|mark| place(self.run_nonce, mark)) {
            if let Some(own) = self.take_own(place, batch) {
                batch.events.push(own.into_event(payload));
                return Ok(());
            }
            // Another client sent one of ours again. It is passed on, so that later hops can see
            // it.
            batch.duplicates += u64::from(place < self.state.next_place);
        }
        if let Some(number) = mark.as_deref().and_then(outside_number) {
            batch.outside_passed = Some(number + 1);
        }
        batch.foreign += 1;
        batch.events.push(Event { trace: Trace::foreign(now), key: Bytes::new(), payload });
        if self.state.doubt { self.look_into_gap(batch) } else { Ok(()) }
    }

    /// Takes the part that waits for an own message; `None` if it is not new, or never was ours.
    fn take_own(&mut self, place: u64, batch: &mut ReceivedBatch) -> Option<FlightEvent> {
        let state = &mut self.state;
        let ahead = usize::try_from(place.checked_sub(state.next_place)?).ok()?;
        if ahead >= state.waiting.len() {
            self.flight.take_waiting(&mut state.waiting);
        }
        if ahead >= state.waiting.len() {
            return None;
        }
        state.lose(ahead, batch);
        batch.foreign_lost += std::mem::take(&mut state.gap);
        (state.doubt, state.check) = (false, None);
        let own = state.waiting.pop_front()?;
        state.next_place += 1;
        batch.received += 1;
        batch.handled.add(own.ring_bytes);
        Some(own)
    }

    /// Counts the messages missing in the broker's log before this one. Retained messages have no
    /// place in it.
    fn follow_log(&mut self, cursor: Option<(u64, u64)>) {
        let Some((segment, offset)) = cursor else { return };
        let state = &mut self.state;
        match state.next_offset.replace(offset + 1) {
            Some(expected) => {
                state.gap += offset.saturating_sub(expected);
                state.doubt |= offset > expected;
            }
            None => state.doubt = true,
        }
        state.segment = segment;
        if let Some(check) = state.check.as_mut().filter(|check| check.in_log) {
            check.heard = true;
            // This message was read from the log after everything the check covers was in it, and
            // the log never has more than `segments` segments.
            check.end_segment.get_or_insert(segment + self.segments);
        }
    }

    /// Finds out whose messages are missing.
    fn look_into_gap(&mut self, batch: &mut ReceivedBatch) -> Result<(), MqttError> {
        let state = &mut self.state;
        if let Some(check) = &state.check {
            // Foreign messages may arrive so fast that there is always one more to read.
            if check.end_segment.is_some_and(|end| state.segment >= end) {
                return self.give_up(batch);
            }
            return Ok(());
        }
        let (entered, sent) = self.flight.progress();
        if entered == state.next_place {
            batch.foreign_lost += std::mem::take(&mut state.gap);
            state.doubt = false;
        } else {
            let ping = self.pinger.ping()?;
            state.check =
                Some(GapCheck { until: sent, ping, in_log: false, heard: false, end_segment: None });
        }
        Ok(())
    }

    fn on_ping_answer(&mut self, batch: &mut ReceivedBatch) -> Result<(), MqttError> {
        let state = &mut self.state;
        state.answers += 1;
        state.total = self.flight.total();
        let Some(check) = state.check.as_mut().filter(|check| check.ping == state.answers) else {
            return Ok(());
        };
        if check.in_log && !check.heard {
            return self.give_up(batch);
        }
        (check.in_log, check.heard) = (true, false);
        check.ping = self.pinger.ping()?;
        Ok(())
    }

    /// What the check covers is lost. Own messages that came after may be lost, too.
    fn give_up(&mut self, batch: &mut ReceivedBatch) -> Result<(), MqttError> {
        let state = &mut self.state;
        let Some(check) = state.check.take() else { return Ok(()) };
        self.flight.take_waiting(&mut state.waiting);
        let lost = usize::try_from(check.until.saturating_sub(state.next_place)).unwrap_or(usize::MAX);
        state.lose(lost.min(state.waiting.len()), batch);
        self.look_into_gap(batch)
    }

    fn count(&self, batch: &mut ReceivedBatch) {
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

impl SubscriberState {
    pub fn new(next_offset: Option<u64>) -> Self {
        Self { next_offset, ..Self::default() }
    }

    /// The next `count` own messages will never arrive.
    fn lose(&mut self, count: usize, batch: &mut ReceivedBatch) {
        for lost in self.waiting.drain(..count) {
            batch.handled.add(lost.ring_bytes);
        }
        self.next_place += count as u64;
        self.gap = self.gap.saturating_sub(count as u64);
        batch.lost += count as u64;
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.flight.subscriber_gone();
        self.hub.set_reading(Log::Replay, Reader::Replay, false);
        // On an error the broker is gone, and the connection with it.
        let _ = self.pinger.disconnect();
    }
}

/// Reads the mark of an own message; `None` for a foreign one.
fn place(run_nonce: u64, mark: &[u8]) -> Option<u64> {
    let mark: [u8; MARK_BYTES] = mark.try_into().ok()?;
    let mark = u128::from_be_bytes(mark);
    ((mark >> 64) as u64 == run_nonce).then_some(mark as u64)
}
