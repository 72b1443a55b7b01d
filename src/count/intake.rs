//! What was found in the input: frames, records, tweets and rejects.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

/// Counts of one pass over the input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Intake {
    /// JSON values found by the source.
    pub frames: u64,
    /// Frames that parsed.
    pub records: u64,
    /// Frames that did not.
    pub unparseable: u64,
    /// Where the first unparseable frames begin, in bytes from the start of the file.
    pub unparseable_at: Vec<u64>,
    /// The lines of these, from 1, where they have been counted.
    pub unparseable_lines: Vec<Option<u64>>,
    /// What the records held: tweets and rejects.
    pub items: u64,
    pub tweets: u64,
    /// Items that are not tweets, by kind.
    pub rejects: BTreeMap<&'static str, RejectCount>,
    /// The forms of the records that hold tweets.
    pub shapes: BTreeSet<&'static str>,
    /// Tweets without a time in a file whose other tweets have one.
    pub without_time: u64,
    /// Records that are not JSON by its rules and were read as their writers meant them, by what was mended.
    pub mended: BTreeMap<&'static str, RejectCount>,
    /// Times that are there and could not be read; `None`: there are none.
    pub unread_times: Option<UnreadTimes>,
}

/// Times of tweets that are there and could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadTimes {
    /// Tweets with such a time.
    pub tweets: u64,
    /// Of these, tweets of which nothing else tells when they were written.
    pub without_time: u64,
    /// The member that holds the first one.
    pub field: String,
    /// Its value, as JSON.
    pub example: String,
    /// Why it was not read.
    pub reason: &'static str,
    /// Byte offset of its record.
    pub first_offset: u64,
}

/// How many rejects of one kind there were, and where the first is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RejectCount {
    /// How many.
    pub count: u64,
    /// Byte offset of the record with the first one.
    pub first_offset: u64,
    /// Its line, from 1; null where it lies too far in to be counted.
    pub first_line: Option<u64>,
}

/// How many offsets of unparseable frames are kept: enough to look into the file, few enough to
/// print.
const OFFSETS_KEPT: usize = 10;

impl Intake {
    /// Counts a frame that is not JSON.
    pub fn unparseable(&mut self, offset: u64) {
        self.unparseable += 1;
        if self.unparseable_at.len() < OFFSETS_KEPT {
            self.unparseable_at.push(offset);
        }
    }

    /// Offsets of rejects and unparseable frames whose lines are not known yet.
    pub fn offsets_without_lines(&self) -> impl Iterator<Item = u64> {
        let firsts = self.rejects.values().filter(|rejects| rejects.first_line.is_none());
        let unparseable = self.unparseable_at.iter().skip(self.unparseable_lines.len());
        firsts.map(|rejects| rejects.first_offset).chain(unparseable.copied())
    }

    /// Notes the lines of these offsets.
    pub fn note_lines(&mut self, mut line: impl FnMut(u64) -> Option<u64>) {
        for rejects in self.rejects.values_mut().filter(|rejects| rejects.first_line.is_none()) {
            rejects.first_line = line(rejects.first_offset);
        }
        let known = self.unparseable_lines.len();
        self.unparseable_lines.extend(self.unparseable_at.iter().skip(known).map(|offset| line(*offset)));
    }

    /// Counts an item that is not a tweet, in the record at `offset`.
    pub fn reject(&mut self, kind: &'static str, offset: u64) {
        self.items += 1;
        self.rejects
            .entry(kind)
            .or_insert(RejectCount { count: 0, first_offset: offset, first_line: None })
            .count += 1;
    }

    /// Counts a tweet from a record of this form.
    pub fn tweet(&mut self, shape: &'static str) {
        self.items += 1;
        self.tweets += 1;
        // Nearly always the form of all tweets before.
        if self.shapes.first() != Some(&shape) {
            self.shapes.insert(shape);
        }
    }

    /// Counts a record at `offset` in which this was mended.
    pub fn mended(&mut self, what: &'static str, offset: u64) {
        let none = RejectCount { count: 0, first_offset: offset, first_line: None };
        self.mended.entry(what).or_insert(none).count += 1;
    }

    /// Counts times that could not be read.
    pub fn unread(&mut self, later: UnreadTimes) {
        match &mut self.unread_times {
            None => self.unread_times = Some(later),
            Some(unread) => {
                unread.tweets += later.tweets;
                unread.without_time += later.without_time;
            }
        }
    }

    /// What was not simply a tweet: rejects, unparseable frames, and what was mended.
    pub fn odd(&self) -> u64 {
        let mended: u64 = self.mended.values().map(|found| found.count).sum();
        self.unparseable + self.items - self.tweets + mended
    }

    /// Replaces the counts `before` of some records of the file with what these turned out to be.
    pub fn correct(&mut self, before: &Intake, after: Intake) {
        for (count, before, after) in [
            (&mut self.frames, before.frames, after.frames),
            (&mut self.records, before.records, after.records),
            (&mut self.unparseable, before.unparseable, after.unparseable),
            (&mut self.items, before.items, after.items),
            (&mut self.tweets, before.tweets, after.tweets),
            (&mut self.without_time, before.without_time, after.without_time),
        ] {
            *count = count.saturating_sub(before) + after;
        }
        self.unparseable_at.retain(|offset| !before.unparseable_at.contains(offset));
        self.unparseable_at.extend(after.unparseable_at);
        self.unparseable_at.sort_unstable();
        self.unparseable_at.truncate(OFFSETS_KEPT);
        correct_kinds(&mut self.rejects, &before.rejects, after.rejects);
        correct_kinds(&mut self.mended, &before.mended, after.mended);
        self.shapes.extend(after.shapes);
        if let (Some(unread), Some(before)) = (&mut self.unread_times, &before.unread_times) {
            unread.tweets = unread.tweets.saturating_sub(before.tweets);
            unread.without_time = unread.without_time.saturating_sub(before.without_time);
        }
        self.unread_times.take_if(|unread| unread.tweets == 0);
        if let Some(unread) = after.unread_times {
            self.unread(unread);
        }
    }

    /// Adds the counts of a later part of the same file.
    pub fn merge(&mut self, later: Intake) {
        self.frames += later.frames;
        self.records += later.records;
        self.unparseable += later.unparseable;
        let room = OFFSETS_KEPT.saturating_sub(self.unparseable_at.len());
        self.unparseable_at.extend(later.unparseable_at.into_iter().take(room));
        self.unparseable_lines.extend(later.unparseable_lines.into_iter().take(room));
        self.items += later.items;
        self.tweets += later.tweets;
        for (kind, found) in later.rejects {
            let none = RejectCount { count: 0, ..found };
            self.rejects.entry(kind).or_insert(none).count += found.count;
        }
        self.shapes.extend(later.shapes);
        self.without_time += later.without_time;
        for (what, found) in later.mended {
            self.mended.entry(what).or_insert(RejectCount { count: 0, ..found }).count += found.count;
        }
        if let Some(unread) = later.unread_times {
            self.unread(unread);
        }
    }

    /// The sum over several files. An offset is one in the first file that has such an item.
    pub fn sum(files: &[Intake]) -> Intake {
        let mut sum = Intake::default();
        files.iter().for_each(|intake| sum.merge(intake.clone()));
        sum
    }

    /// The total over all kinds.
    pub fn reject_total(&self) -> u64 {
        self.rejects.values().map(|kind| kind.count).sum()
    }
}

/// As [`Intake::correct`], for counts by kind; the first one is that with the lowest offset.
fn correct_kinds(
    kinds: &mut BTreeMap<&'static str, RejectCount>,
    before: &BTreeMap<&'static str, RejectCount>,
    after: BTreeMap<&'static str, RejectCount>,
) {
    for (kind, before) in before {
        if let Some(found) = kinds.get_mut(kind) {
            found.count = found.count.saturating_sub(before.count);
        }
    }
    kinds.retain(|_, found| found.count > 0);
    for (kind, after) in after {
        let found = kinds.entry(kind).or_insert(RejectCount { count: 0, ..after });
        found.count += after.count;
        if after.first_offset < found.first_offset {
            (found.first_offset, found.first_line) = (after.first_offset, after.first_line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_tweets_and_rejects_and_the_first_place_of_a_kind_is_kept() {
        let mut intake = Intake::default();
        intake.tweet("flat");
        intake.reject("delete", 7);
        intake.reject("delete", 90);
        for offset in 0..20 {
            intake.unparseable(offset);
        }
        assert_eq!((intake.items, intake.tweets, intake.reject_total()), (3, 1, 2));
        assert_eq!(intake.rejects["delete"], RejectCount { count: 2, first_offset: 7, first_line: None });
        assert_eq!((intake.unparseable, intake.unparseable_at.len()), (20, OFFSETS_KEPT));
        let mut later = Intake::default();
        later.reject("limit", 200);
        later.reject("delete", 300);
        later.unparseable(400);
        intake.merge(later);
        assert_eq!(intake.rejects["delete"], RejectCount { count: 3, first_offset: 7, first_line: None });
        assert_eq!(intake.rejects["limit"].first_offset, 200);
        assert_eq!((intake.unparseable, intake.unparseable_at.len()), (21, OFFSETS_KEPT));
    }
}
