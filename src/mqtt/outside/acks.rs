//! Which of the broker's messages may be acknowledged: those that Kafka has reported on, in the
//! order they arrived.

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use super::super::flight::Load;
use crate::event::Delivery;

/// Identifies a message on its way through Kafka. The subscriber gives no receive time twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Tag {
    Own(u64),
    Foreign(Instant),
}

impl Tag {
    fn of(delivery: &Delivery) -> Self {
        delivery.trace.seq.map_or(Tag::Foreign(delivery.trace.sent), Tag::Own)
    }
}

/// Messages received but not yet acknowledged.
#[derive(Default)]
pub(super) struct Acks {
    /// Packet ids in the order they arrived over this connection.
    queue: VecDeque<(u16, Tag)>,
    /// Messages that Kafka has not reported on, with their size in the window; 0 for foreign
    /// messages.
    unreported: HashMap<Tag, usize>,
}

impl Acks {
    /// A message was passed on to Kafka.
    pub fn handed_on(&mut self, tag: Tag, window_bytes: usize) {
        self.unreported.insert(tag, window_bytes);
    }

    /// Acknowledge packet `id` once Kafka has reported on `tag`.
    pub fn wait_for(&mut self, id: u16, tag: Tag) {
        self.queue.push_back((id, tag));
    }

    /// Takes Kafka's reports; returns the room they free in the window.
    pub fn reported(&mut self, deliveries: &[Delivery]) -> Load {
        let mut load = Load::default();
        for delivery in deliveries {
            match self.unreported.remove(&Tag::of(delivery)) {
                Some(window_bytes) if delivery.trace.seq.is_some() => load.add(window_bytes),
                _ => {}
            }
        }
        load
    }

    /// The next packet that may be acknowledged.
    pub fn next_ready(&mut self) -> Option<u16> {
        if !self.is_ready() {
            return None;
        }
        self.queue.pop_front().map(|(id, _)| id)
    }

    /// Whether [`next_ready`](Self::next_ready) would return one.
    pub fn is_ready(&self) -> bool {
        self.queue.front().is_some_and(|(_, tag)| !self.unreported.contains_key(tag))
    }

    /// Packet ids of a lost connection mean nothing to the next one.
    pub fn connection_lost(&mut self) {
        self.queue.clear();
    }

    /// Whether Kafka has reported on everything.
    pub fn is_all_reported(&self) -> bool {
        self.unreported.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Outcome;
    use crate::event::Trace;

    fn delivery(seq: Option<u64>, sent: Instant) -> Delivery {
        let outcome = Outcome::Delivered { partition: 0, offset: 0 };
        Delivery { trace: Trace { seq, ..Trace::foreign(sent) }, acked: sent, outcome }
    }

    fn ready(acks: &mut Acks) -> Vec<u16> {
        std::iter::from_fn(|| acks.next_ready()).collect()
    }

    #[test]
    fn acknowledgements_wait_for_kafka_and_keep_the_order() {
        let (mut acks, now) = (Acks::default(), Instant::now());
        for (id, tag) in [(1, Tag::Own(0)), (2, Tag::Foreign(now)), (3, Tag::Own(1)), (4, Tag::Own(0))] {
            acks.handed_on(tag, 10);
            acks.wait_for(id, tag);
        }
        assert_eq!(acks.reported(&[delivery(Some(1), now)]), Load { messages: 1, bytes: 10 });
        assert_eq!((ready(&mut acks), acks.is_ready()), (vec![], false));
        acks.reported(&[delivery(Some(0), now)]);
        assert_eq!(ready(&mut acks), [1]);
        // Foreign messages take no room in the window.
        assert_eq!(acks.reported(&[delivery(None, now)]), Load::default());
        assert_eq!((ready(&mut acks), acks.is_all_reported()), (vec![2, 3, 4], true));
    }

    #[test]
    fn a_report_after_the_connection_is_gone_makes_room_and_acknowledges_nothing() {
        let (mut acks, now) = (Acks::default(), Instant::now());
        acks.handed_on(Tag::Own(5), 7);
        acks.wait_for(9, Tag::Own(5));
        acks.connection_lost();
        assert_eq!(acks.reported(&[delivery(Some(5), now)]).messages, 1);
        assert!(ready(&mut acks).is_empty());
        // The same message again: its PUBACK goes out at once.
        acks.wait_for(1, Tag::Own(5));
        assert_eq!(ready(&mut acks), [1]);
    }
}
