//! Why a record, or an item of one, is not a tweet.

use super::fields::Fields;
use super::keys::Field;

/// Why a record (or an item of one) is not a tweet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reject {
    /// A notice of the streaming API, by its key: `delete`, `limit`, …
    Notice(&'static str),
    /// Another answer of the APIs, described in words: a user, a count, an error, …
    Other(&'static str),
    /// An object without anything of a tweet, or not an object at all.
    NotATweet,
    /// An item of a user's `tweets` that is not a text.
    NotAText,
    /// A frame above the limit for one record.
    TooLarge,
    /// Its time has another unit, or another order of day and month, than the first ones of a stream.
    TimeUnlikeTheFirst,
    /// Among events: not an object with members.
    NotAnObject,
    /// Among events: without the member that has the time of the others.
    WithoutTime,
    /// Among events: a line of a bulk file that says what is to be done with the next one.
    ActionLine,
    /// Among events: none of the members that nearly all others have.
    UnlikeTheOthers,
    /// Among events: a member with a name that ours have, although the first records have none.
    OwnName,
}

const OWN_NAME: &str = "field named as one of ours, unlike the first records";

/// What to type so that records of this kind are sent, too; `None`: they are no tweets, whatever the flags are.
#[must_use]
pub fn reject_advice(kind: &str) -> Option<&'static str> {
    match kind {
        OWN_NAME => Some("--payload raw sends them as they are, with run and seq in headers"),
        _ => None,
    }
}

impl Reject {
    /// The kind's name in the report.
    pub fn name(self) -> &'static str {
        match self {
            Reject::Notice(name) | Reject::Other(name) => name,
            Reject::NotATweet => "not a tweet",
            Reject::NotAText => "not a text",
            Reject::TooLarge => "too large",
            Reject::TimeUnlikeTheFirst => "time not written as the first ones",
            Reject::NotAnObject => "not an object",
            Reject::WithoutTime => "without the field of the time",
            Reject::ActionLine => "bulk action line",
            Reject::UnlikeTheOthers => "without any field of the others",
            Reject::OwnName => OWN_NAME,
        }
    }
}

/// What an object without a tweet is, by the keys at its top.
pub(super) fn judge(fields: &Fields<'_>) -> Reject {
    if let Some(notice) = fields.name(Field::Notice) {
        return Reject::Notice(notice);
    }
    match fields.name(Field::Mark) {
        // A change on a wiki has a title, too, and an id and a user.
        Some("errors" | "error" | "title") if !fields.has(Field::Id) && !fields.has(Field::User) => {
            Reject::Other("error message")
        }
        Some("tweet_count") => Reject::Other("tweet count"),
        Some("action" | "redacted_at") if fields.has(Field::Id) => Reject::Other("compliance record"),
        Some("member_count") => Reject::Other("list"),
        Some("follows") if fields.has(Field::Id) => Reject::Other("follower list"),
        Some("statuses" | "results" | "meta") => Reject::Other("page without tweets"),
        _ if fields.has(Field::Name) && fields.has(Field::Id) => Reject::Other("user"),
        _ if fields.has(Field::Data) => Reject::Other("page without tweets"),
        _ => Reject::NotATweet,
    }
}
