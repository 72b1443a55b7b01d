//! The sending side: batches of events to the broker, never more in flight than the window.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::shared::Shared;
use crate::count::Counters;
use crate::event::Event;
use crate::mqtt::MqttError;
use crate::mqtt::clients::PACKET_MAX_BYTES;
use crate::mqtt::flight::Admission;

/// Publishes the events of one run to an outside broker, at QoS 1.
///
/// The subscriber learns how many there were when this is dropped or [finished](Self::finish).
pub struct OutsidePublisher {
    pub(super) shared: Arc<Shared>,
    pub(super) counters: Arc<Counters>,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) stopped: bool,
}

impl OutsidePublisher {
    /// Publishes all of `events`, in order, and empties the vector. Without a connection they are
    /// kept and sent once there is one. Blocks while the window is full. When a stop is requested
    /// meanwhile, the remaining events are skipped, and so are all later ones. Returns how many
    /// were skipped.
    ///
    /// # Errors
    /// When a message is too large, before any of the batch is sent; when the subscriber is gone.
    pub fn publish(&mut self, events: &mut Vec<Event>) -> Result<usize, MqttError> {
        let size = |event: &Event| event.payload.len() + self.shared.topic.len();
        if let Some(bytes) = events.iter().map(size).find(|bytes| *bytes > PACKET_MAX_BYTES) {
            return Err(MqttError::TooLarge { bytes, max_bytes: PACKET_MAX_BYTES });
        }
        while !events.is_empty() && !self.stopped {
            let chunk = self.shared.flight.chunk(events.iter().map(size));
            let mut blocked = Duration::ZERO;
            let entry = self.shared.flight.enter(chunk, std::iter::empty(), &self.stop, &mut blocked);
            if blocked > Duration::ZERO {
                self.counters.mqtt_blocked_ns.add_time(blocked);
            }
            if entry? == Admission::Stopped {
                self.stopped = true;
                break;
            }
            self.counters.published.add(chunk.messages as u64);
            self.shared
                .send_all(|outstanding| {
                    for event in events.drain(..chunk.messages) {
                        let bytes = size(&event);
                        // Every event of a run has a number.
                        outstanding.publish(event.trace.seq.unwrap_or_default(), event, bytes);
                    }
                })
                .map_err(MqttError::Codec)?;
        }
        let skipped = events.len();
        events.clear();
        Ok(skipped)
    }

    /// Tells the subscriber that no more events will come.
    pub fn finish(self) {}
}

impl Drop for OutsidePublisher {
    fn drop(&mut self) {
        self.shared.flight.finish();
    }
}
