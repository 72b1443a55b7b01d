//! The name of a member, and how much of it is kept, according to the tables of keys.

use crate::tweet::keys::{Field, KEYS, find_name, keep};
use crate::tweet::members::{Keep, Level};
use crate::tweet::name::Name;

/// A member that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptMember {
    pub name: &'static str,
    pub keep: Keep,
    /// At the top of a record: its place in [`KEYS`].
    pub place: u8,
}

/// What is read of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// All that some form of tweet reads.
    Tweet,
    /// What tells whether it is a tweet, its id and its time.
    Place,
}

impl Wanted {
    /// The member with this name, if it is kept.
    pub fn member(self, level: Level, name: &[u8]) -> Option<KeptMember> {
        let member = level.member(name)?;
        let keep = match self {
            Wanted::Tweet => member.keep,
            Wanted::Place => match KEYS.get(usize::from(member.place)) {
                Some(key) => keep_for_place(key.field)?,
                // Inside others there may be a text.
                None => Some(Keep::Spelt).filter(|_| member.keep == Keep::Plain)?,
            },
        };
        Some(KeptMember { keep, ..member })
    }
}

/// How much is kept of a field at the top of a record to know its place; `None`: nothing.
fn keep_for_place(field: Field) -> Option<Keep> {
    match field {
        // Times and ids.
        Field::CreatedAt | Field::TimestampMs | Field::Time | Field::PostedTime => Some(Keep::Plain),
        Field::Id | Field::IdStr | Field::OtherId => Some(Keep::Plain),
        // Other records, and what may hold the only text.
        Field::Data | Field::Tweet | Field::Tweets => Some(keep(field)),
        Field::ExtendedTweet | Field::NoteTweet | Field::LongObject => Some(keep(field)),
        Field::Lang | Field::Retweets | Field::Favorites | Field::Hashtags => None,
        Field::Coordinates | Field::Geo | Field::Lat | Field::Lon => None,
        Field::Author | Field::Actor | Field::Includes | Field::Notice | Field::Mark => None,
        // Whether there is one.
        Field::Text | Field::FullText | Field::OtherText | Field::WeakText | Field::Body => Some(Keep::Spelt),
        Field::User | Field::UserId | Field::Name | Field::AuthorId => Some(Keep::Spelt),
        Field::Entities | Field::PublicMetrics | Field::V2Mark | Field::Verb => Some(Keep::Spelt),
    }
}

impl Level {
    /// The member with this name, if it is kept.
    fn member(self, name: &[u8]) -> Option<KeptMember> {
        let word = Name::of(name);
        if self == Level::Record {
            let (key, place) = find_name(&word, name)?;
            return Some(KeptMember { name: key.name, keep: keep(key.field), place });
        }
        let listed = self.listed().iter().find(|listed| word.is(name, &listed.word, listed.name))?;
        Some(KeptMember { name: listed.name, keep: listed.keep, place: u8::MAX })
    }
}
