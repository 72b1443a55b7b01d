//! The sending side: batches of events into the broker, never more in flight than the window.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use rumqttd::local::LinkTx;
use rumqttd::protocol::{Packet, Publish, PublishProperties};

use super::MqttError;
use super::clients::PACKET_MAX_BYTES;
use super::flight::{Admission, Flight, FlightEvent, Load};
use super::link::{Pinger, disconnect, push};
use crate::count::Counters;
use crate::event::Event;

/// Length of the mark by which own messages are known: the run's nonce and the place in the stream.
pub(super) const MARK_BYTES: usize = 16;

/// What the ring counts besides payload and topic.
pub(super) const RING_OVERHEAD_BYTES: usize = 4;

/// Publishes the events of one run.
///
/// The subscriber learns how many there were when this is dropped or [finished](Self::finish).
pub struct Publisher {
    pub(super) link: LinkTx,
    pub(super) pinger: Arc<Pinger>,
    pub(super) flight: Arc<Flight>,
    pub(super) topic: Bytes,
    pub(super) run_nonce: u64,
    pub(super) published: u64,
    pub(super) counters: Arc<Counters>,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) stopped: bool,
}

impl Publisher {
    /// Publishes all of `events`, in order, and empties the vector. Payloads are not copied. Blocks
    /// while the window is full. When a stop is requested meanwhile, the remaining events are
    /// skipped, and so are all later ones. Returns how many were skipped.
    ///
    /// # Errors
    /// When a message is too large, before any of the batch is sent; when the broker or the
    /// subscriber is gone.
    pub fn publish(&mut self, events: &mut Vec<Event>) -> Result<usize, MqttError> {
        let overhead_bytes = RING_OVERHEAD_BYTES + self.topic.len();
        let size = |event: &Event| overhead_bytes + event.payload.len();
        if let Some(bytes) = events.iter().map(size).find(|bytes| *bytes > PACKET_MAX_BYTES) {
            return Err(MqttError::TooLarge { bytes, max_bytes: PACKET_MAX_BYTES });
        }
        while !events.is_empty() && !self.stopped {
            let chunk = self.flight.chunk(events.iter().map(size));
            let waiting = events[..chunk.messages].iter_mut().map(|event| FlightEvent {
                trace: event.trace,
                ring_bytes: size(event),
                key: std::mem::take(&mut event.key),
            });
            let mut blocked = Duration::ZERO;
            let entry = self.flight.enter(chunk, waiting, &self.stop, &mut blocked);
            if blocked > Duration::ZERO {
                self.counters.mqtt_blocked_ns.add_time(blocked);
            }
            match entry? {
                Admission::Entered => self.send(events, chunk)?,
                Admission::Stopped => self.stopped = true,
            }
        }
        let skipped = events.len();
        events.clear();
        Ok(skipped)
    }

    /// Tells the subscriber that no more events will come.
    pub fn finish(self) {}

    fn send(&mut self, events: &mut Vec<Event>, chunk: Load) -> Result<(), MqttError> {
        let marks = marks(self.run_nonce, self.published, chunk.messages);
        let mut packets = events.drain(..chunk.messages).enumerate().map(|(index, event)| {
            let mark = marks.slice(index * MARK_BYTES..(index + 1) * MARK_BYTES);
            let properties = PublishProperties { correlation_data: Some(mark), ..Default::default() };
            Packet::Publish(Publish::new(self.topic.clone(), event.payload, false), Some(properties))
        });
        let Some(last) = packets.next_back() else { return Ok(()) };
        self.published += chunk.messages as u64;
        self.counters.published.add(chunk.messages as u64);
        self.link.buffer().extend(packets);
        // The router is notified once per batch, with the last message.
        push(&mut self.link, last)?;
        self.flight.sent(self.published);
        Ok(())
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.flight.finish();
        // On an error the broker is gone, which the subscriber notices too.
        let _ = push(&mut self.link, disconnect());
        // The answer wakes the subscriber.
        let _ = self.pinger.ping();
    }
}

/// The marks of `count` messages from `first` on, back to back: one allocation per batch.
fn marks(run_nonce: u64, first: u64, count: usize) -> Bytes {
    let mut marks = BytesMut::with_capacity(count * MARK_BYTES);
    for place in first..first + count as u64 {
        marks.put_u64(run_nonce);
        marks.put_u64(place);
    }
    marks.freeze()
}
