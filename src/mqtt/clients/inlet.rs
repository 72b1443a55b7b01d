//! The way into the router: messages of all outside clients go over one link, with never more under way
//! than the router's logs are guaranteed to hold.
//!
//! The router has two logs: that of the replay's topic, which the replay's subscriber reads too, and one
//! for all other topics together, under a name of ours. A message carries a number in its log; what else
//! there is to know of it waits here until all that read the log have passed it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use bytes::{BufMut, Bytes, BytesMut};
use rumqttd::local::LinkTx;
use rumqttd::protocol::{Packet, Publish, PublishProperties};

use super::super::MqttError;
use super::super::link::push;
use super::super::publisher::{MARK_BYTES, RING_OVERHEAD_BYTES};
use super::limits::UNDER_WAY_MAX;

/// Name of all other topics in the router. The ring counts topic and payload, but not the 232 bytes that
/// it needs beside them: so this is long. No client can ask for it: it never reaches the router.
pub(in crate::mqtt) const OTHER_TOPICS: &str = "tweetblast/outside/\
    ................................................................................................\
    ................................................................................................\
    ........................................";

/// How the marks of outside messages begin. Those of a replay begin with a random number.
const OUTSIDE_NONCE: u64 = 0;

/// The two logs of the router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mqtt) enum Log {
    Replay = 0,
    Others = 1,
}

/// Who reads a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mqtt) enum Reader {
    /// The replay's subscriber.
    Replay = 0,
    /// The link of all watchers.
    Watchers = 1,
}

/// A message from an outside client.
#[derive(Debug)]
pub(in crate::mqtt) struct Message {
    pub log: Log,
    pub payload: Bytes,
    pub about: About,
}

/// What is to be known of a message besides its payload.
#[derive(Debug, Clone)]
pub(in crate::mqtt) struct About {
    pub topic: Bytes,
    /// The [session](super::session::Session) that sent it.
    pub from: u64,
    pub qos: u8,
    pub retain: bool,
    /// How many messages were kept up to this one; 0: it is not kept.
    pub kept: u64,
    pub arrived: Instant,
    pub expiry_s: Option<u32>,
    pub properties: Bytes,
}

impl About {
    /// Seconds left until it expires: `Some(None)` if it never does.
    pub fn expiry_left(&self, now: Instant) -> Option<Option<u32>> {
        let Some(expiry_s) = self.expiry_s else { return Some(None) };
        let age_s = now.saturating_duration_since(self.arrived).as_secs();
        u64::from(expiry_s).checked_sub(age_s).filter(|left| *left > 0).map(|left| Some(left as u32))
    }
}

pub(super) struct Inlet {
    link: LinkTx,
    names: [Bytes; 2],
    logs: [UnderWay; 2],
}

/// What is under way in one log.
#[derive(Debug)]
struct UnderWay {
    /// The number of the next message.
    next: u64,
    /// The newest messages: those that somebody has yet to pass.
    messages: VecDeque<(usize, Arc<About>)>,
    bytes: usize,
    max_bytes: usize,
    /// The number that each reader comes to next, while it reads.
    readers: [Option<u64>; 2],
}

impl Inlet {
    pub fn new(link: LinkTx, topic: Bytes, max_bytes: [usize; 2], has_replay: bool) -> Self {
        let log = |readers, max_bytes| UnderWay {
            next: 0,
            messages: VecDeque::new(),
            bytes: 0,
            max_bytes,
            readers,
        };
        Self {
            link,
            names: [topic, Bytes::from_static(OTHER_TOPICS.as_bytes())],
            logs: [log([has_replay.then_some(0), None], max_bytes[0]), log([None, Some(0)], max_bytes[1])],
        }
    }

    /// Hands as many of `messages` to the router, from the first on, as there is room for. Returns whether
    /// it was all of them.
    pub fn submit(&mut self, messages: &mut VecDeque<Message>) -> Result<bool, MqttError> {
        let mut count = 0;
        let mut marks = BytesMut::with_capacity(messages.len() * MARK_BYTES);
        for message in &*messages {
            let log = &mut self.logs[message.log as usize];
            let bytes = RING_OVERHEAD_BYTES
                + self.names[message.log as usize].len()
                + message.payload.len()
                + message.about.topic.len()
                + message.about.properties.len();
            if !log.has_room(bytes) {
                break;
            }
            marks.put_u64(OUTSIDE_NONCE);
            marks.put_u64(log.next);
            log.next += 1;
            count += 1;
            if log.readers != [None, None] {
                log.messages.push_back((bytes, Arc::new(message.about.clone())));
                log.bytes += bytes;
            }
        }
        let is_all = count == messages.len();
        let mut marks = marks.freeze();
        let mut packets = messages.drain(..count).map(|message| {
            let properties = PublishProperties {
                correlation_data: Some(marks.split_to(MARK_BYTES)),
                ..Default::default()
            };
            let name = self.names[message.log as usize].clone();
            Packet::Publish(Publish::new(name, message.payload, false), Some(properties))
        });
        // Pulled from the front: the marks are split off in order.
        let Some(first) = packets.next() else { return Ok(is_all) };
        let mut buffer = self.link.buffer();
        let mut last = first;
        for packet in packets {
            buffer.push_back(std::mem::replace(&mut last, packet));
        }
        drop(buffer);
        push(&mut self.link, last)?;
        Ok(is_all)
    }

    /// What waits here of a message.
    pub fn about(&self, log: Log, number: u64) -> Option<Arc<About>> {
        let log = &self.logs[log as usize];
        let index = number.checked_sub(log.first())?;
        log.messages.get(usize::try_from(index).ok()?).map(|(_, about)| about.clone())
    }

    /// A reader has passed everything before `number`.
    pub fn passed(&mut self, log: Log, reader: Reader, number: u64) {
        let log = &mut self.logs[log as usize];
        if let Some(next) = &mut log.readers[reader as usize] {
            *next = (*next).max(number);
        }
        log.release();
    }

    /// A reader begins to read a log, or no longer does.
    pub fn set_reading(&mut self, log: Log, reader: Reader, is_reading: bool) {
        let log = &mut self.logs[log as usize];
        log.readers[reader as usize] = is_reading.then_some(log.next);
        log.release();
    }
}

impl UnderWay {
    fn has_room(&self, bytes: usize) -> bool {
        self.messages.is_empty()
            || (self.messages.len() < UNDER_WAY_MAX && self.bytes + bytes <= self.max_bytes)
    }

    /// Number of the oldest message that is still here.
    fn first(&self) -> u64 {
        self.next - self.messages.len() as u64
    }

    fn release(&mut self) {
        let passed = self.readers.iter().flatten().min().copied().unwrap_or(self.next);
        while self.first() < passed
            && let Some((bytes, _)) = self.messages.pop_front()
        {
            self.bytes -= bytes;
        }
    }
}

/// The number of an outside message in its log; `None` for the replay's own.
pub(in crate::mqtt) fn outside_number(mark: &[u8]) -> Option<u64> {
    let mark: [u8; MARK_BYTES] = mark.try_into().ok()?;
    let mark = u128::from_be_bytes(mark);
    ((mark >> 64) as u64 == OUTSIDE_NONCE).then_some(mark as u64)
}
