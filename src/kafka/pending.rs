//! The events that a producer waits for.

use crate::event::{Event, Trace};

/// Events that librdkafka has but has not reported on, each in a place whose number travels with
/// it.
#[derive(Default)]
pub(super) struct Pending {
    places: Vec<Option<PendingEvent>>,
    free: Vec<usize>,
    bytes: usize,
}

#[derive(Clone, Copy)]
pub(super) struct PendingEvent {
    pub trace: Trace,
    bytes: usize,
}

impl PendingEvent {
    fn of(event: &Event) -> Self {
        let bytes = event.key.len() + event.payload.len();
        Self { trace: event.trace, bytes }
    }
}

impl Pending {
    /// How many of these events fit into this many bytes; one always does if nothing else is
    /// pending.
    pub fn fitting(&self, events: &[Event], most_bytes: usize) -> usize {
        let mut bytes = self.bytes;
        let fits = |event: &&Event| {
            let is_first = bytes == 0;
            bytes += event.key.len() + event.payload.len();
            is_first || bytes <= most_bytes
        };
        events.iter().take_while(fits).count()
    }

    pub fn insert(&mut self, event: &Event) -> usize {
        let waiting = PendingEvent::of(event);
        self.bytes += waiting.bytes;
        let waiting = Some(waiting);
        match self.free.pop() {
            Some(place) => {
                self.places[place] = waiting;
                place
            }
            None => {
                self.places.push(waiting);
                self.places.len() - 1
            }
        }
    }

    pub fn take(&mut self, place: usize) -> Option<PendingEvent> {
        let waiting = self.places.get_mut(place)?.take()?;
        self.bytes -= waiting.bytes;
        self.free.push(place);
        Some(waiting)
    }

    pub fn count(&self) -> usize {
        self.places.len() - self.free.len()
    }
}
