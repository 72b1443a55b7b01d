//! Which tweets are sent: by event time, and each id once.

use std::collections::HashSet;

use crate::options::Select;
use crate::tweet::{Id, Tweet, TweetForm};

/// An id, for comparison with others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum IdKey {
    /// No id.
    None,
    /// A number in its usual spelling: without a sign or a leading zero.
    Number(u64),
    /// Anything else.
    Text(Box<str>),
}

impl IdKey {
    pub fn of(id: Option<Id<'_>>) -> Self {
        match id {
            None => IdKey::None,
            Some(Id::Number(number)) => IdKey::Number(number),
            Some(Id::Text(text)) => match text.parse() {
                Ok(number) if text == "0" || !text.starts_with(['0', '+']) => IdKey::Number(number),
                _ => IdKey::Text(text.into()),
            },
        }
    }

    /// Of a tweet or an event. Ids of tweets grow with time; those of events need not, so that they are texts.
    pub fn of_tweet(tweet: &Tweet<'_>) -> Self {
        match (tweet.shape, tweet.id) {
            (TweetForm::Event, Some(Id::Number(number))) => IdKey::Text(number.to_string().into()),
            (TweetForm::Event, Some(Id::Text(text))) => IdKey::Text(text.into()),
            (_, id) => IdKey::of(id),
        }
    }

    pub fn number(&self) -> Option<u64> {
        match self {
            IdKey::Number(number) => Some(*number),
            _ => None,
        }
    }
}

/// Tweets that were skipped, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Skipped {
    pub limit: u64,
    pub range: u64,
    pub duplicate_id: u64,
}

impl Skipped {
    pub fn total(&self) -> u64 {
        self.limit + self.range + self.duplicate_id
    }

    pub fn add(&mut self, other: Skipped) {
        self.limit += other.limit;
        self.range += other.range;
        self.duplicate_id += other.duplicate_id;
    }

    /// Of so many loops.
    pub fn times(self, loops: u64) -> Skipped {
        Skipped {
            limit: self.limit * loops,
            range: self.range * loops,
            duplicate_id: self.duplicate_id * loops,
        }
    }
}

/// Decides, in input order, and counts what it skips. Keeps each id with `dedup`: 9 to 18 bytes per
/// tweet.
#[derive(Debug)]
pub(crate) struct Selection {
    select: Select,
    numbers: HashSet<u64>,
    texts: HashSet<Box<str>>,
    pub skipped: Skipped,
}

impl Selection {
    pub fn new(select: Select) -> Self {
        Self { select, numbers: HashSet::new(), texts: HashSet::new(), skipped: Skipped::default() }
    }

    /// Whether an earlier tweet had the same id.
    pub fn is_duplicate(&mut self, id: IdKey) -> bool {
        let is_new = !self.select.dedup
            || match id {
                IdKey::None => true,
                IdKey::Number(number) => self.numbers.insert(number),
                IdKey::Text(text) => self.texts.insert(text),
            };
        self.skipped.duplicate_id += u64::from(!is_new);
        !is_new
    }

    /// Whether a tweet of this time is not selected.
    pub fn is_out_of_range(&mut self, time_ms: i64) -> bool {
        let is_out = self.select.start_ms.is_some_and(|start_ms| time_ms < start_ms)
            || self.select.end_ms.is_some_and(|end_ms| time_ms >= end_ms);
        self.skipped.range += u64::from(is_out);
        is_out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_same_only_when_they_are_written_the_same() {
        let text = |text| IdKey::of(Some(Id::Text(text)));
        assert_eq!(text("17"), IdKey::of(Some(Id::Number(17))));
        assert_eq!(text("0"), IdKey::Number(0));
        for other in ["017", "+17", "17x", "", "99999999999999999999"] {
            assert_eq!(text(other), IdKey::Text(other.into()));
        }
    }

    #[test]
    fn each_id_once_and_only_in_the_range() {
        let select = Select { start_ms: Some(10), end_ms: Some(20), dedup: true, limit: None };
        let mut selection = Selection::new(select);
        let ids = [IdKey::Number(1), IdKey::None, IdKey::Number(1), IdKey::None, IdKey::Text("a".into())];
        let duplicate: Vec<bool> = ids.into_iter().map(|id| selection.is_duplicate(id)).collect();
        assert_eq!(duplicate, [false, false, true, false, false]);
        let out: Vec<bool> = [9, 10, 19, 20].map(|time_ms| selection.is_out_of_range(time_ms)).into();
        assert_eq!(out, [true, false, false, true]);
        assert_eq!(selection.skipped, Skipped { limit: 0, range: 2, duplicate_id: 1 });
    }
}
