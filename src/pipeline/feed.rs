//! Phase two, first half: reads each tweet again where phase one found it, encodes it, and hands
//! it on in batches, a little ahead of the clock.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use bytes::{BufMut, BytesMut};
use crossbeam_channel::{Sender, TrySendError};

use super::read::{Found, read_frame};
use super::{KeyBy, ReplayOptions, prepare::Slots};
use crate::event::{Draft, Drafts};
use crate::pace::NO_GROUP;
use crate::report::{Counters, Intake};
use crate::source::TweetFile;
use crate::tweet::{NotJson, Parser, PayloadForm, Record, Tweet, encode};

/// Most tweets in one batch.
const BATCH_TWEETS: usize = 256;
/// Bytes after which a batch is handed on all the same.
const BATCH_BYTES: usize = 256 * 1024;
/// Payloads of several batches share a buffer of this size: one made for each batch would be half
/// empty, and the broker's ring keeps them for a long time.
const SLAB_BYTES: usize = 1 << 20;

/// Reads and encodes.
pub(super) struct Feed<'a> {
    pub file: &'a TweetFile,
    pub options: &'a ReplayOptions,
    pub run: &'a str,
    pub out: Sender<Drafts>,
    pub counters: &'a Counters,
    pub stop: &'a AtomicBool,
    pub batch: Batch,
}

/// What came of it.
#[derive(Default)]
pub(super) struct Fed {
    /// Tweets encoded and handed on.
    pub tweets: u64,
    /// Tweets left out because of the limit.
    pub skipped_by_limit: u64,
    /// Tweets left out because of a stop.
    pub skipped_by_stop: u64,
    /// What a stream was found to hold; `None` where phase one has counted.
    pub intake: Option<Intake>,
    /// The offset of a tweet that phase one saw and that is not there any more.
    pub changed_at: Option<u64>,
}

/// The batch being filled.
#[derive(Default)]
pub(super) struct Batch {
    slab: BytesMut,
    items: Vec<Draft>,
    next_seq: u64,
}

impl Feed<'_> {
    /// Sends the tweets of `slots`.
    pub fn slots(mut self, slots: &Slots) -> Fed {
        let mut parser = Parser::new();
        let mut fed = Fed { skipped_by_limit: slots.beyond_limit, ..Fed::default() };
        for (index, slot) in slots.slots.iter().enumerate() {
            if self.batch.items.is_empty() && self.stop.load(Ordering::Relaxed) {
                fed.skipped_by_stop = (slots.slots.len() - index) as u64;
                break;
            }
            let raw = self.file.slice(slot.offset, slot.len).unwrap_or_default();
            let (batch, options, run) = (&mut self.batch, self.options, self.run);
            let put = |record: Result<Record<'_>, NotJson>| match record {
                Ok(Record::Tweet(tweet)) => {
                    batch.push(&tweet, slot.event_time_ms, raw, options, run);
                    true
                }
                _ => false,
            };
            let found = match slot.group {
                NO_GROUP => parser.parse(raw, put),
                group => parser.parse_text(raw, slots.users[group as usize], put),
            };
            if !found {
                fed.changed_at = Some(slot.offset);
                break;
            }
            fed.tweets += 1;
            if self.batch.is_full() && !self.hand_on() {
                break;
            }
        }
        self.hand_on();
        fed
    }

    /// Sends the tweets of the whole file as they come.
    pub fn stream(mut self, first_ms: Option<i64>) -> Fed {
        let mut parser = Parser::new();
        let (mut fed, mut intake) = (Fed::default(), Intake::default());
        let limit = self.options.limit.unwrap_or(u64::MAX);
        let mut before_ms = first_ms;
        for frame in self.file.frames() {
            if fed.tweets >= limit || self.stop.load(Ordering::Relaxed) {
                break;
            }
            let (batch, options, run) = (&mut self.batch, self.options, self.run);
            read_frame(&frame, options, &mut parser, &mut intake, |found, intake| {
                let mut put = |tweet: &Tweet<'_>, intake: &mut Intake| {
                    intake.without_time += u64::from(tweet.event_time_ms.is_none() && first_ms.is_some());
                    if fed.tweets >= limit {
                        fed.skipped_by_limit += 1;
                        return;
                    }
                    before_ms = tweet.event_time_ms.or(before_ms);
                    batch.push(tweet, before_ms.unwrap_or(0), frame.bytes, options, run);
                    fed.tweets += 1;
                };
                match found {
                    Found::Tweet(tweet) => put(&tweet, intake),
                    Found::Group(group) => {
                        for item in group.items() {
                            match item {
                                Ok(tweet) => {
                                    intake.tweet();
                                    put(&tweet, intake);
                                }
                                Err(reject) => intake.reject(reject.name(), frame.offset),
                            }
                        }
                    }
                }
            });
            if self.batch.is_full() && !self.hand_on() {
                break;
            }
        }
        self.hand_on();
        fed.intake = Some(intake);
        fed
    }

    /// Whether somebody still takes batches.
    fn hand_on(&mut self) -> bool {
        if self.batch.items.is_empty() {
            return true;
        }
        let items = std::mem::replace(&mut self.batch.items, Vec::with_capacity(BATCH_TWEETS));
        match self.out.try_send(Drafts { bytes: self.batch.slab.split(), items }) {
            Ok(()) => true,
            Err(TrySendError::Disconnected(_)) => false,
            Err(TrySendError::Full(drafts)) => {
                let since = Instant::now();
                let taken = self.out.send(drafts).is_ok();
                self.counters.feed_blocked_ns.add_time(since.elapsed());
                taken
            }
        }
    }
}

impl Batch {
    fn is_full(&self) -> bool {
        self.items.len() >= BATCH_TWEETS || self.slab.len() >= BATCH_BYTES
    }

    fn push(
        &mut self,
        tweet: &Tweet<'_>,
        event_time_ms: i64,
        raw: &[u8],
        options: &ReplayOptions,
        run: &str,
    ) {
        let Self { slab: bytes, items, .. } = self;
        // Room for most tweets; `put` makes more where one needs it.
        const USUAL_BYTES: usize = 4_096;
        if bytes.capacity() - bytes.len() < USUAL_BYTES {
            bytes.reserve(SLAB_BYTES);
        }
        let start = bytes.len();
        match options.payload {
            PayloadForm::Raw => bytes.put_slice(raw),
            form => encode(tweet, form, run, self.next_seq, bytes),
        }
        let payload_end = bytes.len();
        put_key(tweet, options.key, bytes);
        items.push(Draft {
            seq: self.next_seq,
            event_time_ms,
            payload_bytes: payload_end - start,
            key_bytes: bytes.len() - payload_end,
        });
        self.next_seq += 1;
    }
}

fn put_key(tweet: &Tweet<'_>, key: KeyBy, out: &mut BytesMut) {
    use crate::tweet::Id;
    let mut digits = itoa::Buffer::new();
    match (key, tweet.user_id, tweet.id) {
        (KeyBy::User, Some(id), _) => out.put_slice(digits.format(id).as_bytes()),
        (KeyBy::Id, _, Some(Id::Text(id))) => out.put_slice(id.as_bytes()),
        (KeyBy::Id, _, Some(Id::Number(id))) => out.put_slice(digits.format(id).as_bytes()),
        _ => {}
    }
}
