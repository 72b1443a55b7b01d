//! What the shapes ask for, at the top of a record and in its members.

use crate::tweet::keys::{Field, Name, find_name};

/// How much of a value is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// The value, but nothing of what is in it when it is an object or an array.
    Plain,
    /// The value with all that is in it.
    Whole,
    /// A record with it is left to simd-json.
    NotHere,
    /// Of an object some members.
    Members(Level),
    /// The elements of an array, of objects some members.
    Each(Level),
}

/// Which members of an object are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// What any shape asks for at the top of a record.
    Record,
    Person,
    Entities,
    Extended,
    Place,
    Metrics,
    Note,
    LongObject,
    Includes,
    Hashtag,
}

/// A member that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    pub name: &'static str,
    pub keep: Keep,
    /// At the top of a record: its place in [`KEYS`](crate::tweet::keys::KEYS).
    pub place: u8,
}

struct Listed {
    word: Name,
    member: Member,
}

const fn member(name: &'static str, keep: Keep) -> Listed {
    Listed { word: Name::of(name.as_bytes()), member: Member { name, keep, place: u8::MAX } }
}

static PERSON: [Listed; 5] = [
    member("id", Keep::Plain),
    member("id_str", Keep::Plain),
    member("screen_name", Keep::Plain),
    member("username", Keep::Plain),
    member("preferredUsername", Keep::Plain),
];
static ENTITIES: [Listed; 1] = [member("hashtags", Keep::Each(Level::Hashtag))];
static EXTENDED: [Listed; 2] =
    [member("full_text", Keep::Plain), member("entities", Keep::Members(Level::Entities))];
static PLACE: [Listed; 1] = [member("coordinates", Keep::Whole)];
static METRICS: [Listed; 2] = [member("retweet_count", Keep::Plain), member("like_count", Keep::Plain)];
static NOTE: [Listed; 1] = [member("text", Keep::Plain)];
static LONG_OBJECT: [Listed; 1] = [member("body", Keep::Plain)];
static INCLUDES: [Listed; 1] = [member("users", Keep::Each(Level::Person))];

static HASHTAG: [Listed; 2] = [member("text", Keep::Plain), member("tag", Keep::Plain)];

/// What the shapes ask for in the value of a field.
fn keep(field: Field) -> Keep {
    match field {
        Field::User | Field::Author | Field::Actor => Keep::Members(Level::Person),
        Field::Entities => Keep::Members(Level::Entities),
        Field::ExtendedTweet => Keep::Members(Level::Extended),
        Field::Coordinates | Field::Geo => Keep::Members(Level::Place),
        Field::PublicMetrics => Keep::Members(Level::Metrics),
        Field::NoteTweet => Keep::Members(Level::Note),
        Field::LongObject => Keep::Members(Level::LongObject),
        Field::Includes => Keep::Members(Level::Includes),
        Field::Data | Field::Tweet => Keep::Members(Level::Record),
        Field::Hashtags => Keep::Each(Level::Hashtag),
        Field::Tweets => Keep::NotHere,
        _ => Keep::Plain,
    }
}

impl Level {
    /// The member under this name, if it is asked for.
    pub fn member(self, name: &[u8]) -> Option<Member> {
        let word = Name::of(name);
        let listed: &[Listed] = match self {
            Level::Record => {
                let (key, place) = find_name(&word, name)?;
                return Some(Member { name: key.name, keep: keep(key.field), place });
            }
            Level::Person => &PERSON,
            Level::Entities => &ENTITIES,
            Level::Extended => &EXTENDED,
            Level::Place => &PLACE,
            Level::Metrics => &METRICS,
            Level::Note => &NOTE,
            Level::LongObject => &LONG_OBJECT,
            Level::Includes => &INCLUDES,
            Level::Hashtag => &HASHTAG,
        };
        let found = listed.iter().find(|listed| word.is(name, &listed.word, listed.member.name))?;
        Some(found.member)
    }
}
