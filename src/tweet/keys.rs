//! The keys that any form reads at the top of a record, and a fast way from a key to its field.
//!
//! Several keys may stand for one field: in hand-made files, one author writes `tweet_id` and
//! another `tweetId`. The one listed first in [`KEYS`] wins. If one key appears twice, its last
//! value counts, as in other JSON readers.
//!
//! [`Holder`] says what is read inside the value of a field; of all other fields only the value
//! itself is kept.

use std::marker::PhantomData;

use super::members::{
    Each, Entities, Extended, Hashtag, Includes, Keep, LongObject, Metrics, Note, Person, Place, Readable,
    RecordFields, Texts,
};
use super::name::Name;

/// What a key stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Field {
    // v1.1, and formats derived from it.
    CreatedAt,
    TimestampMs,
    Id,
    IdStr,
    Text,
    FullText,
    ExtendedTweet,
    User,
    Lang,
    Retweets,
    Favorites,
    Entities,
    Coordinates,
    Geo,
    // User-grouped.
    Tweets,
    // API v2.
    Data,
    Includes,
    AuthorId,
    Author,
    PublicMetrics,
    NoteTweet,
    V2Mark,
    // Account archives wrap each tweet; hand-made files have the text here.
    Tweet,
    // Activity streams.
    PostedTime,
    Verb,
    Body,
    LongObject,
    Actor,
    // Hand-made.
    Time,
    OtherText,
    WeakText,
    OtherId,
    UserId,
    Name,
    Hashtags,
    Lat,
    Lon,
    // Records that are not tweets.
    Notice,
    Mark,
}

/// Number of fields.
pub const FIELDS: usize = Field::Mark as usize + 1;

/// A field in whose value `I` is read.
pub struct Holder<I> {
    pub field: Field,
    inside: PhantomData<I>,
}

macro_rules! holders {
    ($($name:ident = $field:ident: $inside:ty,)*) => {
        $(pub const $name: Holder<$inside> = Holder { field: Field::$field, inside: PhantomData };)*

        /// How much of a field's value is kept.
        pub fn keep(field: Field) -> Keep {
            match field {
                $(Field::$field => <$inside as Readable>::KEEP,)*
                _ => Keep::Plain,
            }
        }
    };
}

holders! {
    USER = User: Person,
    AUTHOR = Author: Person,
    ACTOR = Actor: Person,
    ENTITIES = Entities: Entities,
    HASHTAGS = Hashtags: Each<Hashtag>,
    EXTENDED_TWEET = ExtendedTweet: Extended,
    COORDINATES = Coordinates: Place,
    GEO = Geo: Place,
    PUBLIC_METRICS = PublicMetrics: Metrics,
    NOTE_TWEET = NoteTweet: Note,
    LONG_OBJECT = LongObject: LongObject,
    INCLUDES = Includes: Includes,
    DATA = Data: RecordFields,
    TWEET = Tweet: RecordFields,
    TWEETS = Tweets: Texts,
}

/// A key and the field it stands for.
#[derive(Debug)]
pub struct RecordKey {
    pub name: &'static str,
    pub field: Field,
    word: Name,
}

const fn key(name: &'static str, field: Field) -> RecordKey {
    RecordKey { name, field, word: Name::of(name.as_bytes()) }
}

/// All keys; of those for one field, the preferred one comes first.
pub static KEYS: [RecordKey; 122] = [
    key("created_at", Field::CreatedAt),
    key("timestamp_ms", Field::TimestampMs),
    key("id", Field::Id),
    key("id_str", Field::IdStr),
    key("text", Field::Text),
    key("full_text", Field::FullText),
    key("extended_tweet", Field::ExtendedTweet),
    key("user", Field::User),
    key("lang", Field::Lang),
    key("language", Field::Lang),
    key("twitter_lang", Field::Lang),
    key("retweet_count", Field::Retweets),
    key("retweetCount", Field::Retweets),
    key("retweets_count", Field::Retweets),
    key("retweets", Field::Retweets),
    key("reblogs_count", Field::Retweets),
    key("favorite_count", Field::Favorites),
    key("favoritesCount", Field::Favorites),
    key("like_count", Field::Favorites),
    key("likeCount", Field::Favorites),
    key("likes_count", Field::Favorites),
    key("likes", Field::Favorites),
    key("favourites_count", Field::Favorites),
    key("entities", Field::Entities),
    key("twitter_entities", Field::Entities),
    key("coordinates", Field::Coordinates),
    key("geo", Field::Geo),
    key("tweets", Field::Tweets),
    key("data", Field::Data),
    key("includes", Field::Includes),
    key("author_id", Field::AuthorId),
    key("author", Field::Author),
    key("account", Field::Author),
    key("public_metrics", Field::PublicMetrics),
    key("metrics", Field::PublicMetrics),
    key("note_tweet", Field::NoteTweet),
    key("edit_history_tweet_ids", Field::V2Mark),
    key("conversation_id", Field::V2Mark),
    key("referenced_tweets", Field::V2Mark),
    key("tweet", Field::Tweet),
    key("postedTime", Field::PostedTime),
    key("verb", Field::Verb),
    key("body", Field::Body),
    key("long_object", Field::LongObject),
    key("actor", Field::Actor),
    key("published_at_utc", Field::Time),
    key("created_at_utc", Field::Time),
    key("createdAt", Field::Time),
    key("tweet_created_at", Field::Time),
    key("tweetCreatedAt", Field::Time),
    key("published_at", Field::Time),
    key("publishedAt", Field::Time),
    key("posted_at", Field::Time),
    key("postedAt", Field::Time),
    key("created_utc", Field::Time),
    key("created", Field::Time),
    key("datetime", Field::Time),
    key("date_time", Field::Time),
    key("dateTime", Field::Time),
    key("timestamp", Field::Time),
    key("tweet_date", Field::Time),
    key("tweet_time", Field::Time),
    key("date", Field::Time),
    key("time", Field::Time),
    key("Datetime", Field::Time),
    key("Timestamp", Field::Time),
    key("Date", Field::Time),
    key("Time", Field::Time),
    key("tweet_text", Field::OtherText),
    key("tweetText", Field::OtherText),
    key("tweet_full_text", Field::OtherText),
    key("fullText", Field::OtherText),
    key("rawContent", Field::OtherText),
    key("Text", Field::OtherText),
    key("Tweet", Field::OtherText),
    key("content", Field::WeakText),
    key("message", Field::WeakText),
    key("Content", Field::WeakText),
    key("tweet_id", Field::OtherId),
    key("tweetId", Field::OtherId),
    key("tweet_id_str", Field::OtherId),
    key("tweetid", Field::OtherId),
    key("status_id", Field::OtherId),
    key("Id", Field::OtherId),
    key("ID", Field::OtherId),
    key("user_id_str", Field::UserId),
    key("user_id", Field::UserId),
    key("userId", Field::UserId),
    key("userid", Field::UserId),
    key("screen_name", Field::Name),
    key("screenName", Field::Name),
    key("user_screen_name", Field::Name),
    key("username", Field::Name),
    key("user_name", Field::Name),
    key("userName", Field::Name),
    key("handle", Field::Name),
    key("Username", Field::Name),
    key("hashtags", Field::Hashtags),
    key("lat", Field::Lat),
    key("latitude", Field::Lat),
    key("lon", Field::Lon),
    key("lng", Field::Lon),
    key("longitude", Field::Lon),
    // The streaming API's message types.
    key("delete", Field::Notice),
    key("limit", Field::Notice),
    key("scrub_geo", Field::Notice),
    key("status_withheld", Field::Notice),
    key("user_withheld", Field::Notice),
    key("disconnect", Field::Notice),
    key("warning", Field::Notice),
    key("info", Field::Notice),
    // Other answers of the APIs.
    key("errors", Field::Mark),
    key("error", Field::Mark),
    key("title", Field::Mark),
    key("tweet_count", Field::Mark),
    key("action", Field::Mark),
    key("redacted_at", Field::Mark),
    key("member_count", Field::Mark),
    key("follows", Field::Mark),
    key("statuses", Field::Mark),
    key("results", Field::Mark),
    key("meta", Field::Mark),
];

/// The key with this name, and its place in [`KEYS`].
#[inline]
pub fn find(name: &[u8]) -> Option<(&'static RecordKey, u8)> {
    find_name(&Name::of(name), name)
}

/// As [`find`], with the name as `word`.
#[inline]
pub fn find_name(word: &Name, name: &[u8]) -> Option<(&'static RecordKey, u8)> {
    let place = TABLE[slot_of(word)];
    let key = KEYS.get(usize::from(place))?;
    word.is(name, &key.word, key.name).then_some((key, place))
}

#[inline]
const fn slot_of(name: &Name) -> usize {
    let mixed = name.first ^ name.last.rotate_left(25) ^ name.len as u64;
    (mixed.wrapping_mul(SEED) >> (u64::BITS - SLOT_BITS)) as usize
}

const SLOTS: usize = 1 << SLOT_BITS;
const SLOT_BITS: u32 = 10;
/// Found by trial: with it no two keys share a slot. The compiler reports when a new key needs
/// another seed.
const SEED: u64 = 0x4270_05f6_ca2e_3611;
const NONE: u8 = u8::MAX;
static TABLE: [u8; SLOTS] = table();
const fn table() -> [u8; SLOTS] {
    let mut table = [NONE; SLOTS];
    let mut at = 0;
    while at < KEYS.len() {
        let slot = slot_of(&KEYS[at].word);
        assert!(table[slot] == NONE, "two keys share a slot: choose another SEED");
        table[slot] = at as u8;
        at += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_and_no_other() {
        for (place, key) in KEYS.iter().enumerate() {
            let (found, at) = find(key.name.as_bytes()).unwrap();
            assert_eq!((found.name, usize::from(at)), (key.name, place));
        }
        for name in ["", "i", "ids", "created_At", "retweeted_status", "\u{e9}"] {
            assert!(find(name.as_bytes()).is_none(), "{name}");
        }
    }
}
