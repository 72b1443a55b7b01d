//! What is in an input, and how long a replay of it would take: as JSON and as a page.

use std::collections::BTreeMap;

use indicatif::{HumanBytes, HumanCount};
use serde::Serialize;

#[cfg(test)]
use super::REPORT_VERSION;
use super::events::write_events;
use super::page::{Layout, Page, glued};
use super::unread_times::write_mended;
use super::words::{advice, counted, iso_seconds, place, rate, seconds};
use super::{EventsReport, FileReport, InputFormat, Noun, UnreadTimesReport};
use crate::count::RejectCount;
use crate::pace::{FileOrder, Order};
use crate::source::Format;

/// Everything that is known without sending anything.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Inspection {
    /// Version of this form, the same as the report's: raised when a key changes its meaning or goes; keys
    /// are added without.
    #[cfg_attr(test, schemars(extend("const" = REPORT_VERSION)))]
    pub report_version: u32,
    /// Path as given; of several, how many and the first.
    pub file: String,
    /// Layout of its bytes, as --format has it; mixed: not the same in each file.
    pub format: InputFormat,
    /// What the records with tweets are; null without tweets.
    pub form: Option<String>,
    /// Which fields are read of records that are not tweets; null: they are tweets.
    pub events: Option<EventsReport>,
    /// Size, unpacked.
    pub bytes: u64,
    /// JSON values = records + unparseable.
    pub frames: u64,
    /// Frames that parsed.
    pub records: u64,
    /// What the records held = tweets + rejects.
    pub items: u64,
    /// Items that are tweets.
    pub tweets: u64,
    /// Users that wrote them, by id, or by name where there is no id.
    pub users: u64,
    /// Items that are not tweets.
    pub rejects: u64,
    /// The same by kind.
    pub rejects_by_kind: BTreeMap<&'static str, RejectCount>,
    /// Frames that are not JSON.
    pub unparseable: u64,
    /// Where the first of those begin, in bytes.
    pub unparseable_at: Vec<u64>,
    /// The lines of these, from 1; null where one lies too far in to be counted.
    pub unparseable_lines: Vec<Option<u64>>,
    /// Time of the oldest tweet, ISO 8601 with milliseconds; null without times.
    pub first: Option<String>,
    /// Time of the newest tweet.
    pub last: Option<String>,
    /// Tweets without a time among others that have one; they take that of the one before.
    pub without_time: u64,
    /// Records that are not JSON by its rules and were read as their writers meant them, by what was mended.
    pub mended_by_kind: BTreeMap<&'static str, RejectCount>,
    /// Times that are there and could not be read; null: all were.
    pub unread_times: Option<UnreadTimesReport>,
    /// How they lie in time; null without times.
    pub order: Option<FileOrder>,
    /// Whether no time is finer than a second.
    pub whole_seconds: Option<bool>,
    /// Longest time between two tweets, in event time; null without times.
    pub longest_gap_s: Option<f64>,
    /// Most tweets in one second of event time; null without times.
    pub peak_rate_per_s: Option<u64>,
    /// Hours of event time with tweets in them: Druid segments with --timestamp event and a granularity of
    /// an hour.
    pub event_hours: Option<u64>,
    /// Bytes of the input for each tweet; null without tweets.
    pub bytes_per_tweet: Option<f64>,
    /// Tweets that a replay would send in each loop.
    pub selected: u64,
    /// How fast it would be, as flags.
    pub requested: String,
    /// Order in which they would be sent.
    pub send_order: Order,
    /// Whether tweets of the same second would be spread over it.
    pub spread: bool,
    /// First to last send at that speed, in all loops; null at full speed or without an end.
    pub planned_duration_s: Option<f64>,
    /// Tweets per second at that speed; null at full speed or without an end.
    pub planned_rate_per_s: Option<f64>,
    /// Hours of the clock that this touches: Druid segments with --timestamp send.
    pub send_hours: Option<u64>,
    /// Each file with what is in it.
    pub files: Vec<FileReport>,
}

impl Inspection {
    /// What a replay would send.
    fn noun(&self) -> Noun {
        self.events.is_some().into()
    }
}

/// The page.
pub fn inspection_page(found: &Inspection, layout: Layout) -> String {
    let mut page = Page::new(layout);
    let count = HumanCount;
    let file = if found.file == "-" { "standard input" } else { &found.file };
    page.row("file", format!("{file}, {}", HumanBytes(found.bytes)));
    page.row("format", found.format.words());
    if let Some(form) = &found.form {
        page.row("form", form);
    }
    if let Some(events) = &found.events {
        write_events(events, &mut page);
    }
    page.row(
        "frames",
        format!(
            "{} = {} + {} unparseable{}",
            count(found.frames),
            counted(found.records, "record"),
            count(found.unparseable),
            match found.unparseable_at.first().zip(found.unparseable_lines.first()) {
                Some((offset, line)) => format!(" (first at {})", place(*line, *offset)),
                None => String::new(),
            }
        ),
    );
    let (tweets, rejects) = (found.noun().counted(found.tweets), counted(found.rejects, "reject"));
    page.row("items", format!("{} = {tweets} + {rejects}", count(found.items)));
    for (kind, rejects) in &found.rejects_by_kind {
        let first = place(rejects.first_line, rejects.first_offset);
        page.more(format!("{} {kind}, the first at {first}{}", count(rejects.count), advice(kind)));
    }
    if found.tweets == 0 {
        return page.finish();
    }
    let of = if found.format == InputFormat::One(Format::Table) { ", in rows of the table" } else { "" };
    let bytes = found.bytes_per_tweet.unwrap_or(0.0).round() as u64;
    page.row("users", count(found.users).to_string());
    page.row("size", format!("{} {}{of}", counted(bytes, "byte"), found.noun().of("of input per tweet")));
    write_mended(&found.mended_by_kind, &mut page);
    write_times(found, &mut page);
    if found.files.len() > 1 {
        write_files(found, &mut page);
    }
    page.blank();
    page.finish() + &prediction_line(found, layout)
}

fn write_files(found: &Inspection, page: &mut Page) {
    page.blank();
    page.line("  files");
    for file in &found.files {
        let rejects: u64 = file.rejects_by_kind.values().map(|kind| kind.count).sum();
        page.hanging(
            "    ",
            format!(
                "{}: {}, {}, {}, {} unparseable{}",
                file.file,
                file.format.name(),
                found.noun().counted(file.tweets),
                counted(rejects, "reject"),
                HumanCount(file.unparseable),
                file.order.map_or(String::new(), |order| format!(", {}", order.name())),
            ),
        );
    }
}

fn write_times(found: &Inspection, page: &mut Page) {
    let (Some(first), Some(last), Some(order)) = (&found.first, &found.last, found.order) else {
        match &found.unread_times {
            Some(unread) => page.row("times", unread.words(found.noun())),
            None => page.row(
                "times",
                found.noun().of("none: a replay spaces the tweets evenly (--interval, --rate, --fit)"),
            ),
        }
        return;
    };
    page.row("times", format!("{} to {}, {}", to_the_second(first), to_the_second(last), order.name()));
    if let Some(unread) = &found.unread_times {
        page.more(unread.words(found.noun()));
    }
    match found.without_time {
        0 => {}
        1 => page.more(found.noun().of("1 tweet has none, and takes that of the one before")),
        tweets => {
            page.more(format!("{} have none, and take that of the one before", found.noun().counted(tweets)));
        }
    }
    let gap = seconds(found.longest_gap_s.unwrap_or(0.0));
    let peak = found.noun().counted(found.peak_rate_per_s.unwrap_or(0));
    page.row("peak", format!("{peak} in one second; longest silence {gap}"));
    let hours = found.event_hours.unwrap_or(0);
    let segments = counted(hours, "Druid segment");
    let tweets = found.noun().of("tweets in");
    page.row("hours", format!("{tweets} {}: {segments} with --timestamp event", counted(hours, "hour")));
}

/// A time of the JSON as people read it.
fn to_the_second(iso: &str) -> String {
    iso.parse::<jiff::Timestamp>()
        .map_or_else(|_| iso.to_owned(), |time| glued(&iso_seconds(time.as_millisecond())))
}

/// How long a replay takes, in one line.
pub fn prediction_line(found: &Inspection, layout: Layout) -> String {
    let tweets = found.noun().counted(found.selected);
    let how = match found.first {
        Some(_) => format!("a replay with {}, {},", found.requested, found.send_order.name()),
        None => {
            let why = match found.unread_times {
                Some(_) => "no time can be read: with --order shuffle",
                None => "no times in the file:",
            };
            format!("{why} a replay with {}, {},", found.requested, found.send_order.name())
        }
    };
    let rate = found.planned_rate_per_s.map_or(String::new(), |per_s| format!(" at {}", rate(per_s)));
    let what = match found.planned_duration_s {
        Some(duration_s) => format!("sends {tweets} in {}{rate}", seconds(duration_s)),
        None => format!("sends {tweets} in each loop{rate}"),
    };
    let spread = if found.spread { "; tweets of the same second are spread over it" } else { "" };
    let spread = found.noun().of(spread);
    let hours = found.send_hours.filter(|hours| *hours > 1);
    let hours = hours.map_or(String::new(), |hours| {
        format!("; {} with --timestamp send", counted(hours, "Druid segment"))
    });
    let mut page = Page::new(layout);
    page.line(format!("{how} {what}{spread}{hours}"));
    page.finish()
}
