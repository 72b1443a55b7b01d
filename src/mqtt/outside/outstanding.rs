//! Messages that were published and have not returned yet, kept whole so that they can be sent
//! again.
//!
//! A broker's PUBACK is not the end of our care: what it has taken it may forget when it is killed,
//! or drop when its queue is full, and at QoS 1 it says neither. Both ends are in this process, so
//! a message is done with when it has come back: it and no other, since anybody may publish under its run and number.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::super::flight::Load;
use crate::event::Event;

/// After this many sends over a working connection without a return, a message counts as lost.
const SENDINGS_MAX: u32 = 4;

/// Most messages on their way once the broker has dropped one: its queue is too small for the
/// window, and would drop most of what is sent again, too.
const ON_THE_WAY_AFTER_DROP: usize = 16;

/// Messages that have come back and are known when they come again: far more than a broker has in flight, or sends again
/// after a lost connection.
const KNOWN_MAX: usize = 1 << 16;

/// Published messages on their way through the broker.
#[derive(Default)]
pub(super) struct Outstanding {
    /// Messages that the broker dropped, as far as can be known.
    dropped: u64,
    messages: HashMap<u64, Message>,
    /// Place in the order of sending of all messages that were sent and have not been missed since.
    on_the_way: BTreeMap<u64, u64>,
    /// Messages to send, in this order.
    to_send: VecDeque<u64>,
    next_place: u64,
    /// Hashes of what has come back, by sequence number, and those in the order in which they came.
    known: HashMap<u64, u64>,
    known_order: VecDeque<u64>,
    hasher: RandomState,
}

struct Message {
    event: Event,
    window_bytes: usize,
    first_place: Option<u64>,
    /// Place and time of the last send.
    last_sent: Option<(u64, Instant)>,
    sendings: u32,
}

/// How a received message with one of our sequence numbers is classified.
pub(super) enum Received {
    /// It has returned, with its size in the window.
    New(Event, usize),
    /// It returned before.
    Repeat,
    /// It is not what was published under this number.
    Unknown,
}

impl Outstanding {
    /// Takes a new message to send.
    pub fn publish(&mut self, seq: u64, event: Event, window_bytes: usize) {
        let message = Message { event, window_bytes, first_place: None, last_sent: None, sendings: 0 };
        self.messages.insert(seq, message);
        self.to_send.push_back(seq);
    }

    /// The next message to send, if one may be sent; it then counts as sent.
    pub fn send_next(&mut self, now: Instant) -> Option<Bytes> {
        while self.may_send() {
            let seq = self.to_send.pop_front()?;
            // It may have returned while it waited to be sent again.
            let Some(message) = self.messages.get_mut(&seq) else { continue };
            let place = self.next_place;
            self.next_place += 1;
            if let Some((before, _)) = message.last_sent.replace((place, now)) {
                self.on_the_way.remove(&before);
            }
            message.first_place.get_or_insert(place);
            message.sendings += 1;
            self.on_the_way.insert(place, seq);
            return Some(message.event.payload.clone());
        }
        None
    }

    /// Takes out a message that has come back. Those sent before it that have not are missed: a
    /// broker keeps the order of what it does not drop. They are to be sent again, at the end.
    pub fn receive(&mut self, seq: u64, payload: &[u8]) -> Received {
        let Some(message) = self.messages.get(&seq) else {
            let is_known = self.known.get(&seq).is_some_and(|hash| *hash == self.hasher.hash_one(payload));
            return if is_known { Received::Repeat } else { Received::Unknown };
        };
        if message.event.payload != payload {
            return Received::Unknown;
        }
        let Some(message) = self.messages.remove(&seq) else { return Received::Unknown };
        self.remember(seq, payload);
        if let Some((place, _)) = message.last_sent {
            self.on_the_way.remove(&place);
        }
        if let Some(first) = message.first_place {
            let later = self.on_the_way.split_off(&first);
            let missed = std::mem::replace(&mut self.on_the_way, later);
            self.miss(missed);
        }
        Received::New(message.event, message.window_bytes)
    }

    fn remember(&mut self, seq: u64, payload: &[u8]) {
        self.known.insert(seq, self.hasher.hash_one(payload));
        self.known_order.push_back(seq);
        if self.known_order.len() > KNOWN_MAX
            && let Some(oldest) = self.known_order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    /// A new connection: nobody knows what became of anything. All is to be sent, in its order,
    /// and no sending over the old one counts.
    pub fn reconnected(&mut self) {
        self.on_the_way.clear();
        let mut all: Vec<u64> = self.messages.keys().copied().collect();
        all.sort_unstable();
        self.to_send = all.into();
        for message in self.messages.values_mut() {
            message.sendings = 0;
        }
    }

    /// After a long silence: sends again what was sent longer ago than `patience`.
    pub fn miss_older(&mut self, now: Instant, patience: Duration) {
        let messages = &self.messages;
        let is_old = |seq: &u64| {
            let sent = messages.get(seq).and_then(|message| message.last_sent);
            sent.is_some_and(|(_, at)| now.saturating_duration_since(at) >= patience)
        };
        let (old, young) = std::mem::take(&mut self.on_the_way).into_iter().partition(|(_, seq)| is_old(seq));
        self.on_the_way = young;
        self.miss(old);
    }

    fn miss(&mut self, missed: BTreeMap<u64, u64>) {
        self.dropped += missed.len() as u64;
        self.to_send.extend(missed.into_values());
    }

    /// Removes messages that have been sent too often.
    pub fn take_lost(&mut self) -> Load {
        let is_lost = |message: &Message| message.sendings >= SENDINGS_MAX;
        let lost = self.to_send.iter().filter(|seq| self.messages.get(seq).is_some_and(is_lost));
        let lost: Vec<u64> = lost.copied().collect();
        self.to_send.retain(|seq| !lost.contains(seq));
        self.lose(&lost)
    }

    /// Removes messages that are lost. If one arrives later, it is not passed on.
    fn lose(&mut self, seqs: &[u64]) -> Load {
        let mut lost = Load::default();
        for seq in seqs {
            let Some(message) = self.messages.remove(seq) else { continue };
            lost.add(message.window_bytes);
            self.remember(*seq, &message.event.payload);
        }
        lost
    }

    /// Removes all messages.
    pub fn give_up(&mut self) -> Load {
        self.on_the_way.clear();
        self.to_send.clear();
        let all: Vec<u64> = self.messages.keys().copied().collect();
        self.lose(&all)
    }

    /// Whether a message that was sent over this connection has not returned.
    pub fn is_on_the_way(&self) -> bool {
        !self.on_the_way.is_empty()
    }

    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Whether a message may be sent now.
    pub fn may_send(&self) -> bool {
        !self.to_send.is_empty() && (self.dropped == 0 || self.on_the_way.len() < ON_THE_WAY_AFTER_DROP)
    }

    /// How many sends the broker has dropped, as far as can be known.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Trace;

    fn published(count: u64) -> Outstanding {
        let mut out = Outstanding::default();
        for seq in 0..count {
            let payload = Bytes::from(seq.to_string());
            let event = Event {
                trace: Trace { seq: Some(seq), ..Trace::foreign(Instant::now()) },
                key: Bytes::new(),
                payload,
            };
            out.publish(seq, event, 1);
        }
        out
    }

    fn send_all(out: &mut Outstanding) -> Vec<u64> {
        let payloads = std::iter::from_fn(|| out.send_next(Instant::now()));
        payloads.map(|payload| String::from_utf8(payload.to_vec()).unwrap().parse().unwrap()).collect()
    }

    fn receive(out: &mut Outstanding, seq: u64) -> &'static str {
        receive_as(out, seq, &seq.to_string())
    }

    fn receive_as(out: &mut Outstanding, seq: u64, payload: &str) -> &'static str {
        match out.receive(seq, payload.as_bytes()) {
            Received::New(event, 1) if event.trace.seq == Some(seq) => "new",
            Received::New(..) => "wrong",
            Received::Repeat => "repeat",
            Received::Unknown => "unknown",
        }
    }

    #[test]
    fn each_comes_back_once_and_what_was_never_published_is_not_ours() {
        let mut out = published(3);
        assert_eq!(send_all(&mut out), [0, 1, 2]);
        assert_eq!(
            [0, 0, 1, 2, 2, 3].map(|seq| receive(&mut out, seq)),
            ["new", "repeat", "new", "new", "repeat", "unknown"]
        );
        assert!(out.is_empty() && !out.may_send());
    }

    #[test]
    fn another_message_under_a_number_of_ours_never_stands_for_it() {
        let mut out = published(2);
        send_all(&mut out);
        assert_eq!(receive_as(&mut out, 0, "forged"), "unknown");
        assert_eq!(receive(&mut out, 0), "new", "the true one goes on");
        assert_eq!([receive_as(&mut out, 0, "forged"), receive_as(&mut out, 0, "0")], ["unknown", "repeat"]);
        out.give_up();
        assert_eq!([receive_as(&mut out, 1, "forged"), receive_as(&mut out, 1, "1")], ["unknown", "repeat"]);
    }

    #[test]
    fn what_is_known_is_bounded() {
        let mut out = Outstanding::default();
        (0..KNOWN_MAX as u64 + 10).for_each(|seq| out.remember(seq, b"x"));
        assert_eq!((out.known.len(), out.known_order.len()), (KNOWN_MAX, KNOWN_MAX));
        assert_eq!([receive_as(&mut out, 9, "x"), receive_as(&mut out, 10, "x")], ["unknown", "repeat"]);
    }

    #[test]
    fn what_was_overtaken_is_sent_again_and_only_that() {
        let mut out = published(5);
        send_all(&mut out);
        receive(&mut out, 2);
        assert_eq!(send_all(&mut out), [0, 1]);
        // 3 and 4 were sent before 0 and 1 were sent again, so they say nothing about them.
        assert_eq!((receive(&mut out, 3), receive(&mut out, 4)), ("new", "new"));
        assert!(send_all(&mut out).is_empty());
        // A message that returns while it waits to be sent again is not sent.
        receive(&mut out, 1);
        assert!(send_all(&mut out).is_empty(), "1 was there before as well: it says nothing about 0");
        assert_eq!(receive(&mut out, 0), "new");
        assert!(out.is_empty());
    }

    #[test]
    fn a_new_connection_gets_everything_in_order_and_repeats_are_known() {
        let mut out = published(4);
        send_all(&mut out);
        receive(&mut out, 0);
        out.reconnected();
        assert_eq!(send_all(&mut out), [1, 2, 3]);
        // What the broker had kept comes first, then what was sent again.
        let came = [1, 2, 3, 1, 2, 3].map(|seq| receive(&mut out, seq));
        assert_eq!(came, ["new", "new", "new", "repeat", "repeat", "repeat"]);
        assert!(!out.may_send());
    }

    #[test]
    fn a_broker_that_has_dropped_one_gets_few_at_a_time() {
        let mut out = published(100);
        assert_eq!(send_all(&mut out).len(), 100);
        assert_eq!((receive(&mut out, 99), out.dropped()), ("new", 99));
        let first: Vec<u64> = (0..ON_THE_WAY_AFTER_DROP as u64).collect();
        assert_eq!(send_all(&mut out), first);
        receive(&mut out, 0);
        assert_eq!(send_all(&mut out), [ON_THE_WAY_AFTER_DROP as u64]);
    }

    #[test]
    fn what_never_comes_back_is_lost_after_some_sendings_and_nothing_else_is() {
        let mut out = published(3);
        send_all(&mut out);
        out.miss_older(Instant::now(), Duration::from_secs(3_600));
        assert!(!out.may_send(), "it has not been long");
        receive(&mut out, 1);
        for _ in 1..SENDINGS_MAX {
            assert_eq!(out.take_lost(), Load::default());
            out.miss_older(Instant::now(), Duration::ZERO);
            send_all(&mut out);
        }
        out.miss_older(Instant::now(), Duration::ZERO);
        assert_eq!(out.take_lost().messages, 2);
        assert!(out.is_empty());
        let mut left = published(2);
        assert_eq!((left.give_up().messages, left.is_empty(), left.may_send()), (2, true, false));
    }
}
