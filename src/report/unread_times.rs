//! What of the input was not read as it is: times that could not be, and JSON that had to be mended.

use std::collections::BTreeMap;

use serde::Serialize;

use super::noun::Noun;
use super::page::Page;
use super::words::{counted, place};
use crate::count::RejectCount;

/// Times that are there and could not be read: how many, and the first one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct UnreadTimesReport {
    /// Tweets with such a time.
    pub tweets: u64,
    /// Of these, tweets of which nothing else tells when they were written, as an id may.
    pub without_time: u64,
    /// The member that holds the first one, as --map names it.
    pub field: String,
    /// Its value as JSON, cut if it is long.
    pub example: String,
    /// Why it was not read: spelling, day or month first, zone, unit or format.
    pub reason: &'static str,
    /// The file of its record.
    pub file: String,
    /// Byte offset of its record.
    pub offset: u64,
    /// Its line, from 1; null where it lies too far in to be counted.
    pub line: Option<u64>,
    /// What to type.
    pub advice: String,
}

impl UnreadTimesReport {
    /// The same for a page.
    pub fn words(&self, noun: Noun) -> String {
        let times = if self.tweets == 1 { "the time" } else { "the times" };
        let tweets = format!("{times} of {}", noun.counted(self.tweets));
        let place = place(self.line, self.offset);
        format!(
            "{tweets} cannot be read, the first {} {} ({place}): {}",
            self.field, self.example, self.advice
        )
    }
}

/// A row for what was mended, if there is any.
pub(super) fn write_mended(mended: &BTreeMap<&'static str, RejectCount>, page: &mut Page) {
    for (nth, (what, found)) in mended.iter().enumerate() {
        let (records, place) = (counted(found.count, "record"), place(found.first_line, found.first_offset));
        let words = format!("{records} with {what} (first at {place})");
        match nth {
            0 => page.row("mended", words),
            _ => page.more(words),
        }
    }
}
