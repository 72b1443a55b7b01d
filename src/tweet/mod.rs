//! The tweet hop: what a record means, and the payload made of it.
//!
//! The bytes of a frame go in; out comes a [`Tweet`] that borrows from the parser's buffers, a
//! user-grouped [`Group`] of texts, or a [`Reject`] with its kind. [`encode`] writes a tweet as the
//! flat JSON object that travels. One file per shape; adding one is a file and a line in `parser.rs`.

mod encode;
mod grouped;
mod parser;
mod time;
mod v11;

pub use encode::{PayloadForm, RUN_ID_MAX_BYTES, TIMESTAMP_BYTES, TIMESTAMP_OFFSET, encode, write_timestamp};
pub use grouped::{Group, TextSlot, texts};
pub use parser::{NotJson, Parser, Record, Reject};
pub use time::{event_time_ms, parse_created_at, snowflake_ms};

use simd_json::tape::Value;

/// One tweet, borrowed from the parser's buffers; it never leaves the parsing thread.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tweet<'a> {
    /// The id, exact: `id_str` before `id`, which in many files went through a double.
    pub id: Option<Id<'a>>,
    /// The author's id. `None`: not in the record, or no number below 2^63.
    pub user_id: Option<i64>,
    /// The longest text of the record, as it is (HTML entities are left alone).
    pub text: &'a str,
    /// Milliseconds since 1970 UTC at which the tweet was written. `None`: the record has no time.
    pub event_time_ms: Option<i64>,
    /// Language tag as in the record.
    pub lang: Option<&'a str>,
    /// The author's handle.
    pub screen_name: Option<&'a str>,
    /// Retweets when the record was saved.
    pub retweet_count: Option<u64>,
    /// Likes when the record was saved.
    pub favorite_count: Option<u64>,
    /// The array `entities.hashtags`.
    pub hashtags: Option<Value<'a, 'a>>,
    /// Latitude and longitude, in degrees.
    pub position: Option<(f64, f64)>,
}

/// A tweet's id as the record has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Id<'a> {
    /// `id_str`.
    Text(&'a str),
    /// A number, where there is no `id_str`.
    Number(u64),
}

impl Id<'_> {
    /// As a number, where it is one.
    pub fn number(self) -> Option<u64> {
        match self {
            Id::Text(text) => text.parse().ok(),
            Id::Number(number) => Some(number),
        }
    }
}
