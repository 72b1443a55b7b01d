//! The tweet hop: what a record means, and the payload made of it.
//!
//! The bytes of a frame go in. Out comes a [`Tweet`] that borrows from the parser's buffers, a
//! user-grouped [`Group`] of texts, or a [`Reject`] with its kind. [`encode`] writes a tweet as the
//! flat JSON object that travels.
//!
//! One file per form. To add one:
//! 1. Add its names at the top of a record to `keys.rs`, and those inside members to `members.rs`.
//!    The parser drops all other members, and a form cannot read them.
//! 2. Write its file, which reads a [`Tweet`] by these names, and call it in `parser.rs`, next to
//!    the names that distinguish it from other forms. Name it with a variant of [`TweetForm`].
//! 3. Add a small sample file to `tests/data`; `tests/input/golden.rs` compares what comes out.

mod activity;
mod civil;
mod decimal;
mod decision;
mod encode;
mod epoch;
mod events;
mod extra;
mod fields;
mod flat;
mod grouped;
mod hashtags;
mod json;
mod keys;
mod map;
mod members;
mod mend;
mod name;
mod parser;
mod pruned;
mod read;
mod reading;
mod reject;
mod spelling;
mod time;
mod time_format;
mod users;
mod v11;
mod v2;
mod values;
mod wrapped;

#[cfg(test)]
mod tests;

pub use civil::Stamp;
pub use decision::{DayOrder, TimeClues, TimeDecision};
pub use encode::{RUN_ID_MAX_BYTES, TIMESTAMP_BYTES, TIMESTAMP_OFFSET, encode, iso_ms, write_timestamp};
pub use epoch::EpochUnit;
pub use events::{
    ChosenField, Column, ColumnKind, EventChoice, EventFields, EventSample, NameSearch, WantedFields,
    encode_event, timestamp_offset,
};
pub use extra::Extra;
pub use grouped::{Group, TextSlot, texts};
pub use hashtags::{Hashtags, hashtags_in};
pub use map::{AtPath, FieldMap, MapError, Path, TimePath, parse_path};
pub use mend::Mended;
pub use parser::{Parser, ParserOptions, Record};
pub use reading::{Reading, TimeOptions, TimeReader, Unread, UnreadTime, parse_time};
pub use reject::{Reject, reject_advice};
pub use time::{event_time_ms, parse_created_at, snowflake_ms};
pub use time_format::{TimeFormat, TimeFormatError};
pub use values::NotJson;

use decimal::decimal;

/// One tweet, borrowed from the parser's buffers; it never leaves the parsing thread.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tweet<'a> {
    /// The form of the record that it was read from.
    pub shape: TweetForm,
    /// The exact id: `id_str` if there is one, because many files have rounded `id` to a double.
    pub id: Option<Id<'a>>,
    /// The author's id. `None`: not in the record, or not a number below 2^63.
    pub user_id: Option<i64>,
    /// The longest text of the record, unchanged (HTML entities are kept); of an event the record itself.
    pub text: &'a str,
    /// When the tweet was written, in milliseconds since 1970 UTC. `None`: the record has no time.
    pub event_time_ms: Option<i64>,
    /// Language tag as in the record.
    pub lang: Option<&'a str>,
    /// The author's handle; of an event the key, if it is not a number.
    pub screen_name: Option<&'a str>,
    /// Retweets when the record was saved.
    pub retweet_count: Option<u64>,
    /// Likes when the record was saved.
    pub favorite_count: Option<u64>,
    pub hashtags: Hashtags<'a>,
    /// Latitude and longitude, in degrees.
    pub position: Option<(f64, f64)>,
    /// A text under a name that logs and messages have, too, and nothing beside it that only tweets have.
    pub is_vague: bool,
}

impl Tweet<'_> {
    /// This tweet; fields that it lacks are taken from `other`, which comes from the same record.
    fn or(self, other: Self) -> Self {
        Self {
            shape: self.shape,
            id: self.id.or(other.id),
            user_id: self.user_id.or(other.user_id),
            text: self.text,
            event_time_ms: self.event_time_ms.or(other.event_time_ms),
            lang: self.lang.or(other.lang),
            screen_name: self.screen_name.or(other.screen_name),
            retweet_count: self.retweet_count.or(other.retweet_count),
            favorite_count: self.favorite_count.or(other.favorite_count),
            hashtags: match self.hashtags {
                Hashtags::InText => other.hashtags,
                hashtags => hashtags,
            },
            position: self.position.or(other.position),
            is_vague: self.is_vague && other.is_vague,
        }
    }
}

/// The form of a record that holds a tweet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum TweetForm {
    /// Twitter API v1.1.
    #[default]
    V11,
    /// Twitter API v2.
    V2,
    /// A user with their texts.
    Grouped,
    /// A tweet of an account archive.
    Archive,
    /// Activity streams.
    ActivityStreams,
    /// A hand-made object, by the usual field names.
    Flat,
    /// A hand-made object, by the mapped field names.
    Mapped,
    /// Not a tweet, but any record with a time.
    Event,
}

impl TweetForm {
    /// A description for people.
    pub fn name(self) -> &'static str {
        match self {
            TweetForm::V11 => "Twitter API v1.1",
            TweetForm::V2 => "Twitter API v2",
            TweetForm::Grouped => "users with their texts",
            TweetForm::Archive => "account archive",
            TweetForm::ActivityStreams => "activity streams",
            TweetForm::Flat => "flat objects",
            TweetForm::Mapped => "objects as mapped",
            TweetForm::Event => "events",
        }
    }
}

/// A tweet's id as the record has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Id<'a> {
    Text(&'a str),
    /// A number, if there is no `id_str`.
    Number(u64),
}

impl Id<'_> {
    /// As a number, if it is one.
    pub fn number(self) -> Option<u64> {
        match self {
            Id::Text(text) => decimal(text).or_else(|| text.parse().ok()),
            Id::Number(number) => Some(number),
        }
    }
}
