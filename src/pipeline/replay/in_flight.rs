//! Where the tweets in flight are in the input, for the dead letters of those that fail.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::pipeline::input::location::Location;

/// Where the tweets are that have been read but not yet reported on. As many as are in flight,
/// which the hops limit.
#[derive(Default)]
pub(crate) struct InFlight(Mutex<PlaceQueue>);

#[derive(Default)]
struct PlaceQueue {
    first_seq: u64,
    places: VecDeque<Location>,
}

impl InFlight {
    /// Notes the next ones, in the order of their sequence numbers.
    pub fn push(&self, places: impl IntoIterator<Item = Location>) {
        self.lock().places.extend(places);
    }

    /// Forgets all below `seq`.
    pub fn settle(&self, seq: u64) {
        let mut inner = self.lock();
        let settled = seq.saturating_sub(inner.first_seq).min(inner.places.len() as u64);
        inner.places.drain(..settled as usize);
        inner.first_seq += settled;
    }

    /// Where this one is; `None` if it was settled.
    pub fn get(&self, seq: u64) -> Option<Location> {
        let inner = self.lock();
        let at = seq.checked_sub(inner.first_seq)?;
        inner.places.get(usize::try_from(at).ok()?).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, PlaceQueue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pace::Slot;
    use crate::pipeline::input::files::Context;

    #[test]
    fn places_are_kept_until_they_are_settled() {
        let place = |offset| {
            let slot = Slot { event_time_ms: 0, offset, len: 1, context: 0 };
            Location::mapped(slot, Context::record(0))
        };
        let at = |in_flight: &InFlight, seq| in_flight.get(seq).map(|place| place.slot.offset);
        let in_flight = InFlight::default();
        in_flight.push((0..5).map(place));
        in_flight.settle(3);
        in_flight.push([place(5)]);
        assert_eq!(at(&in_flight, 2), None);
        assert_eq!(at(&in_flight, 3), Some(3));
        assert_eq!(at(&in_flight, 5), Some(5));
        assert_eq!(at(&in_flight, 6), None);
        in_flight.settle(100);
        assert_eq!(at(&in_flight, 5), None);
    }
}
