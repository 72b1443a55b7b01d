//! The batch of encoded tweets that is being filled.

use bytes::{BufMut, BytesMut};

use crate::enrich::Enrichment;
use crate::event::{Draft, Drafts, PayloadForm, TimeMs};
use crate::options::{KeyBy, MessageOptions};
use crate::pace::StampTime;
use crate::pipeline::context::Replay;
use crate::pipeline::input::location::Location;
use crate::tweet::{Id, Tweet, TweetForm, encode, encode_event};

/// A tweet to encode.
pub(crate) struct Ready<'t> {
    pub tweet: &'t Tweet<'t>,
    /// Where it is in the input, and when it was written.
    pub location: &'t Location,
    /// Its planned event time, in microseconds since 1970 UTC.
    pub plan_time_us: i64,
    pub raw: &'t [u8],
}

/// Most tweets in one batch.
const BATCH_TWEETS: usize = 256;
/// Bytes after which a batch is passed on even if it has fewer tweets.
const BATCH_BYTES: usize = 256 * 1024;
/// Payloads of several batches share a buffer of this size: a separate one for each batch would be
/// half empty, and the broker's ring keeps them for a long time.
const SLAB_BYTES: usize = 1 << 20;

/// Tweets that have been encoded but not yet passed on.
pub(crate) struct Batch<'a> {
    message: MessageOptions,
    run: &'a str,
    sends_events: bool,
    /// Whether Kafka is to store the event times.
    keeps_time: bool,
    /// The tables of users.
    enrichment: Option<&'a Enrichment>,
    /// Tweets of users who are in these tables.
    pub enriched: u64,
    /// Which loop they are from.
    pub pass: u32,
    /// Where they are in the input; `None`: not needed.
    places: Option<Vec<Location>>,
    slab: BytesMut,
    items: Vec<Draft>,
    next_seq: u64,
}

impl<'a> Batch<'a> {
    /// An empty batch. It notes where its tweets are in the input if dead letters are written.
    pub fn new(replay: &Replay<'a>) -> Self {
        Self {
            message: replay.options.message,
            run: replay.run,
            sends_events: replay.events.is_some(),
            keeps_time: replay.options.message.kafka_timestamp == StampTime::Event
                && replay.prepared.times_ms.is_some(),
            enrichment: replay.enrichment,
            enriched: 0,
            pass: 0,
            places: replay.dead_letters.map(|_| Vec::new()),
            slab: BytesMut::new(),
            items: Vec::new(),
            next_seq: 0,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub fn is_full(&self) -> bool {
        self.items.len() >= BATCH_TWEETS || self.slab.len() >= BATCH_BYTES
    }

    /// Its contents, leaving it empty; `None` if there is nothing.
    pub fn take(&mut self) -> Option<(Drafts, Vec<Location>)> {
        if self.items.is_empty() {
            return None;
        }
        let items = std::mem::replace(&mut self.items, Vec::with_capacity(BATCH_TWEETS));
        let places = self.places.as_mut().map(std::mem::take).unwrap_or_default();
        Some((Drafts { bytes: self.slab.split(), items, came_at: None }, places))
    }

    /// Encodes a tweet.
    pub fn push(&mut self, ready: &Ready<'_>) {
        let Self { slab: bytes, items, .. } = self;
        // Room for most tweets; `put` makes more if one needs it.
        const USUAL_BYTES: usize = 4_096;
        if bytes.capacity() - bytes.len() < USUAL_BYTES {
            bytes.reserve(SLAB_BYTES);
        }
        let start = bytes.len();
        match self.message.payload {
            PayloadForm::Raw => bytes.put_slice(ready.raw),
            _ if self.sends_events => {
                encode_event(ready.tweet, self.message.names, self.run, self.next_seq, bytes);
            }
            form => {
                let extra = self.enrichment.and_then(|enrichment| enrichment.of(ready.tweet.user_id));
                self.enriched += u64::from(extra.is_some());
                encode(ready.tweet, form, extra, self.run, self.next_seq, bytes);
            }
        }
        let payload_end = bytes.len();
        put_key(ready.tweet, self.message.key, bytes);
        items.push(Draft {
            seq: self.next_seq,
            event_time_ms: ready.location.slot.event_time_ms,
            plan_time_us: ready.plan_time_us,
            kafka_time_ms: TimeMs::new(ready.location.slot.event_time_ms).filter(|_| self.keeps_time),
            pass: self.pass,
            payload_bytes: payload_end - start,
            key_bytes: bytes.len() - payload_end,
        });
        self.next_seq += 1;
        if let Some(places) = &mut self.places {
            places.push(ready.location.clone());
        }
    }
}

fn put_key(tweet: &Tweet<'_>, key: KeyBy, out: &mut BytesMut) {
    let mut digits = itoa::Buffer::new();
    match (key, tweet.user_id, tweet.id) {
        (KeyBy::User, Some(id), _) => out.put_slice(digits.format(id).as_bytes()),
        // An id of Bluesky's is a text, and any may be the key of an event.
        (KeyBy::User, None, _) => {
            let is_id = |name: &&str| tweet.shape == TweetForm::Event || name.starts_with("did:");
            let id = tweet.screen_name.filter(is_id);
            out.put_slice(id.unwrap_or_default().as_bytes());
        }
        (KeyBy::Id, _, Some(Id::Text(id))) => out.put_slice(id.as_bytes()),
        (KeyBy::Id, _, Some(Id::Number(id))) => out.put_slice(digits.format(id).as_bytes()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_the_users_id_also_where_it_is_a_text() {
        let key = |user_id, screen_name| {
            let mut out = BytesMut::new();
            put_key(&Tweet { user_id, screen_name, ..Tweet::default() }, KeyBy::User, &mut out);
            String::from_utf8(out.to_vec()).unwrap()
        };
        assert_eq!(key(Some(7), Some("ann")), "7");
        assert_eq!(key(None, Some("did:plc:abc")), "did:plc:abc");
        assert_eq!(key(None, Some("ann")), "");
    }
}
