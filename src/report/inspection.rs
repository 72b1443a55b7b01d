//! What is in an input, and how long a replay of it would take: as JSON and as a page.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use indicatif::{HumanBytes, HumanCount};
use serde::Serialize;

use super::{FileReport, InputFraming, rate, seconds};
use crate::count::RejectCount;
use crate::pace::{FileOrder, Order};

/// Everything that is known without sending anything.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Inspection {
    /// Path as given; of several, how many and the first.
    pub file: String,
    /// How its values are strung together.
    pub form: InputFraming,
    /// What the records with tweets look like; null without tweets.
    pub shape: Option<String>,
    /// Size, unpacked.
    pub bytes: u64,
    /// JSON values = records + unparseable.
    pub frames: u64,
    /// Values that parsed.
    pub records: u64,
    /// Tweets and what is none, in all records = tweets + the sum of rejects.
    pub items: u64,
    /// Items that are tweets.
    pub tweets: u64,
    /// Users that wrote them, by id, or by name where there is no id.
    pub users: u64,
    /// Items that are no tweets, by kind.
    #[cfg_attr(test, schemars(extend("additionalProperties" = serde_json::json!({"type": "integer", "minimum": 1}))))]
    pub rejects: BTreeMap<&'static str, u64>,
    /// The same with the place of the first of each kind.
    pub rejects_by_kind: BTreeMap<&'static str, RejectCount>,
    /// Values that are no JSON.
    pub unparseable: u64,
    /// Where the first of those begin, in bytes.
    pub unparseable_at: Vec<u64>,
    /// Time of the oldest tweet, ISO 8601 with milliseconds; null without times.
    pub first: Option<String>,
    /// Time of the youngest tweet.
    pub last: Option<String>,
    /// Tweets without a time among others that have one; they take that of the one before.
    pub without_time: u64,
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
    /// How fast it would be, in the words of the flag.
    pub asked: String,
    /// Order in which they would be sent.
    pub send_order: Order,
    /// Whether tweets of one second would be spread over it.
    pub spread: bool,
    /// First to last send at that speed, in all loops; null at full speed or without an end.
    pub predicted_duration_s: Option<f64>,
    /// Tweets a second at that speed; null at full speed or without an end.
    pub predicted_rate_per_s: Option<f64>,
    /// Hours on the clock that this takes, begun ones counted: Druid segments with --timestamp send.
    pub send_hours: Option<u64>,
    /// Each file with what is in it.
    pub files: Vec<FileReport>,
}

/// Appends the page to `out`.
///
/// # Errors
/// None of its own.
pub fn write_inspection(found: &Inspection, out: &mut String) -> fmt::Result {
    let count = HumanCount;
    writeln!(out, "  file       {}, {}", found.file, HumanBytes(found.bytes))?;
    writeln!(out, "  form       {}", found.form.name())?;
    if let Some(shape) = &found.shape {
        writeln!(out, "  shape      {shape}")?;
    }
    writeln!(
        out,
        "  values     {} = {} records + {} unparseable{}",
        count(found.frames),
        count(found.records),
        count(found.unparseable),
        match found.unparseable_at.first() {
            Some(offset) => format!(" (first at byte {offset})"),
            None => String::new(),
        }
    )?;
    let rejects: u64 = found.rejects.values().sum();
    let items = (found.items, found.tweets, rejects);
    writeln!(
        out,
        "  items      {} = {} tweets + {} rejects",
        count(items.0),
        count(items.1),
        count(items.2)
    )?;
    for (kind, rejects) in &found.rejects_by_kind {
        let first = rejects.first_offset;
        writeln!(out, "             {} {kind}, the first at byte {first}", count(rejects.count))?;
    }
    if found.tweets == 0 {
        return Ok(());
    }
    let bytes = found.bytes_per_tweet.unwrap_or(0.0).round() as u64;
    writeln!(out, "  users      {}", count(found.users))?;
    writeln!(out, "  size       {} bytes of input a tweet", count(bytes))?;
    write_times(found, out)?;
    if found.files.len() > 1 {
        writeln!(out, "\n  files")?;
        for file in &found.files {
            let rejects: u64 = file.rejects_by_kind.values().map(|kind| kind.count).sum();
            writeln!(
                out,
                "    {}: {}, {} tweets, {} rejects, {} unparseable{}",
                file.file,
                file.framing.name(),
                count(file.tweets),
                count(rejects),
                count(file.unparseable),
                file.order.map_or(String::new(), |order| format!(", {}", order.name())),
            )?;
        }
    }
    write_prediction(found, out)
}

fn write_times(found: &Inspection, out: &mut String) -> fmt::Result {
    let (Some(first), Some(last), Some(order)) = (&found.first, &found.last, found.order) else {
        return writeln!(
            out,
            "  times      none: a replay spaces the tweets evenly (--interval, --rate, --fit)"
        );
    };
    writeln!(out, "  times      {first} to {last}, {}", order.name())?;
    if found.without_time > 0 {
        let without_time = HumanCount(found.without_time);
        writeln!(out, "             {without_time} tweets have none, and take that of the one before")?;
    }
    let peak = HumanCount(found.peak_rate_per_s.unwrap_or(0));
    let gap = seconds(found.longest_gap_s.unwrap_or(0.0));
    writeln!(out, "  peak       {peak} in a second; longest silence {gap}")?;
    let hours = HumanCount(found.event_hours.unwrap_or(0));
    writeln!(out, "  hours      {hours} with tweets in them: as many Druid segments with --timestamp event")
}

fn write_prediction(found: &Inspection, out: &mut String) -> fmt::Result {
    write!(out, "\na replay at {}, {}, ", found.asked, found.send_order.name())?;
    let tweets = HumanCount(found.selected);
    match (found.predicted_duration_s, found.predicted_rate_per_s) {
        (Some(duration_s), per_s) => {
            write!(out, "sends {tweets} tweets in {}", seconds(duration_s))?;
            if let Some(per_s) = per_s {
                write!(out, " at {}", rate(per_s))?;
            }
        }
        (None, Some(per_s)) => write!(out, "sends {tweets} tweets a loop at {}", rate(per_s))?,
        (None, None) => write!(out, "sends {tweets} tweets a loop")?,
    }
    if found.spread {
        write!(out, ", those of one second spread over it")?;
    }
    if let Some(hours) = found.send_hours.filter(|hours| *hours > 1) {
        write!(out, "; {} hours on the clock", HumanCount(hours))?;
    }
    writeln!(out)
}
