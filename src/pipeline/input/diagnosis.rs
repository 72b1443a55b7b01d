//! Why an input has no tweets, or not the fields that `--map` names, and what to type.

use std::fmt::Write;
use std::ops::ControlFlow;

use indicatif::HumanCount;

use super::files::Files;
use super::mapped::{input_words, misses, quoted, time_format};
use super::sample::{JSON_INSIDE, Sample, first_records};
use super::time_pattern::pattern_of;
use crate::count::Intake;
use crate::options::{ReplayOptions, Select};
use crate::pipeline::error::ReplayError;
use crate::report::{counted, iso_seconds};
use crate::source::{Format, Frame, detect};
use crate::tweet::{Record, Reject};

/// Fields shown with an example.
const FIELDS: usize = 12;

/// An input without tweets, with what is in it instead and what to do.
pub(crate) fn without_tweets(files: &Files, options: &ReplayOptions, intake: &Intake) -> ReplayError {
    let mut found = summary(files, intake);
    // Writing to a string cannot fail.
    let _ = write_details(files, options, intake, &mut found);
    ReplayError::NoTweets { input: input_words(files), found }
}

/// The counts, on one line.
fn summary(files: &Files, intake: &Intake) -> String {
    if intake.frames == 0 {
        let is_list = files
            .iter()
            .all(|(file, _)| files.with_start(file, |bytes| bytes.trim_ascii().starts_with(b"[")));
        return if is_list { "it is an empty list".to_owned() } else { "it has no records".to_owned() };
    }
    let kinds = intake.rejects.iter().map(|(kind, rejects)| format!("{} {kind}", HumanCount(rejects.count)));
    let kinds = kinds.collect::<Vec<_>>().join(", ");
    let records = (intake.records > 0).then(|| format!("{} ({kinds})", counted(intake.records, "record")));
    let broken = (intake.unparseable > 0).then(|| format!("{} unparseable", HumanCount(intake.unparseable)));
    records.into_iter().chain(broken).collect::<Vec<_>>().join(" and ")
}

fn write_details(
    files: &Files,
    options: &ReplayOptions,
    intake: &Intake,
    out: &mut String,
) -> std::fmt::Result {
    if let Some(words) = intake.unparseable_at.first().and_then(|_| first_break(files, options)) {
        write!(out, "\n  broken     {words}")?;
    }
    if let Some(words) = other_layout(files, options) {
        write!(out, "\n  layout     {words}")?;
    }
    if let Some(words) = intake.rejects.get(Reject::TooLarge.name()).and_then(|_| too_large(files, options)) {
        write!(out, "\n  too large  {words}")?;
    }
    let is_candidate =
        |record: &Record<'_>| matches!(record, Record::Reject(Reject::NotATweet | Reject::Other(_)));
    let mut sample = Sample::default();
    first_records(files, options, is_candidate, |record, _| sample.add(record));
    let mut notices = 0;
    first_records(
        files,
        options,
        |record| matches!(record, Record::Reject(Reject::Notice(_))),
        |_, _| notices += 1,
    );
    let others = intake.rejects.contains_key(Reject::NotATweet.name()) || sample.objects > 0;
    if notices > 0 && !others {
        return write!(out, "\n  These are notices of the streaming API, which say what became of tweets.");
    }
    write_fields(&sample, out)?;
    if let Some(fields) = &options.input.parser.fields {
        for miss in misses(files, options, fields, is_candidate) {
            write!(out, "\n  --map      {miss}")?;
        }
    }
    let is_unknown = intake.rejects.contains_key(Reject::NotATweet.name());
    match command(files, &sample).filter(|_| is_unknown) {
        Some(command) => write!(out, "\n  try        {command}"),
        // What is wrong is said, and it is not that nobody knows such tweets.
        None if intake.records == 0 && intake.frames > 0 => Ok(()),
        None if intake.rejects.contains_key(Reject::TooLarge.name()) => Ok(()),
        None => write!(out, "\n  {READ}"),
    }
}

/// What can be read, for the end of a message.
const READ: &str = "tweetblast reads tweets of the Twitter API v1.1 and v2, account archives, activity streams, users\n  \
     with their texts, and objects with fields such as text and created_at; --map names other fields.\n  \
     `tweetblast generate -o tweets.json` makes a file with tweets.";

/// Where the first frame that is not JSON breaks, and what was expected there.
fn first_break(files: &Files, options: &ReplayOptions) -> Option<String> {
    let mut parser = options.new_parser();
    let (file, offset, why) = first_of(files, |file, frame| {
        let is_broken = parser.parse_frame(frame, |record| record.is_err());
        let (at, why) = is_broken.then(|| match files.get(file).framing() {
            Format::Table => (0, row_break(frame.bytes)),
            _ => break_in(frame.bytes),
        })?;
        Some((file, frame.offset + at as u64, why))
    })?;
    let column = files.with_start(file, |bytes| {
        let before = &bytes[..bytes.len().min(offset as usize)];
        before.len() - memchr::memrchr(b'\n', before).map_or(0, |end| end + 1) + 1
    });
    let line = files.line(file, offset)?;
    let name =
        if files.count() > 1 { format!("{}, ", files.get(file).path().display()) } else { String::new() };
    let (line, column, offset) = (HumanCount(line), HumanCount(column as u64), HumanCount(offset));
    Some(format!("{name}line {line}, column {column} (byte {offset}): {why}"))
}

/// The first value that `find` returns, frame by frame.
fn first_of<T>(files: &Files, mut find: impl FnMut(u32, Frame<'_>) -> Option<T>) -> Option<T> {
    let mut found = None;
    files.each_frame(|file, frame| {
        found = find(file, frame);
        if found.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    found
}

/// Why a row of a table is not one, which stands at its end.
fn row_break(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let why = text.rsplit_once(" (").and_then(|(_, why)| why.strip_suffix(')'));
    format!("not a row of the table: {}", why.unwrap_or("its object is not JSON"))
}

/// How far a value is valid JSON, in bytes, and what is wrong there.
fn break_in(bytes: &[u8]) -> (usize, String) {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return (error.valid_up_to(), "this is not UTF-8".to_owned()),
    };
    let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) else {
        return (
            0,
            "this record has an escape that stands for no character, or a number that is too long".into(),
        );
    };
    let line_start =
        text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
    let at = (line_start + error.column()).saturating_sub(1).min(bytes.len());
    let words = error.to_string();
    let words = words.rfind(" at line ").map_or(&words[..], |end| &words[..end]);
    let words = match words.strip_prefix("EOF while parsing ") {
        Some(what) => format!("the record ends inside {what}"),
        None => words.to_owned(),
    };
    (at, words)
}

/// Another format than the given one.
fn other_layout(files: &Files, options: &ReplayOptions) -> Option<String> {
    // Of a table only the records are left.
    let given = options.input.framing.filter(|given| *given != Format::Table)?;
    let (number, file) = files.iter().next()?;
    let found = files.with_start(number, |bytes| detect(file.path(), bytes)).ok();
    let found = found.filter(|found| *found != given)?;
    Some(format!(
        "--format {} was given, and it looks like {}: leave --format out, or --format {}",
        given.flag(),
        found.name(),
        found.flag()
    ))
}

/// The first record above the limit, and a limit that would admit it.
fn too_large(files: &Files, options: &ReplayOptions) -> Option<String> {
    let most = options.input.max_record_bytes;
    let bytes = first_of(files, |_, frame| Some(frame.bytes.len()).filter(|bytes| *bytes > most))?;
    // Room for others that are slightly longer.
    let enough = (2 * bytes).next_power_of_two().max(1 << 10);
    let enough = match enough {
        enough if enough < 1 << 20 => format!("{}KiB", enough >> 10),
        enough => format!("{}MiB", enough >> 20),
    };
    let (bytes, most) = (HumanCount(bytes as u64), HumanCount(most as u64));
    Some(format!("the first has {bytes} bytes, and --max-record allows {most}: try --max-record {enough}"))
}

fn write_fields(sample: &Sample, out: &mut String) -> std::fmt::Result {
    if sample.objects == 0 {
        return match sample.other {
            Some(kind) => write!(out, "\n  records    {kind}, not objects with fields"),
            None => Ok(()),
        };
    }
    match sample.objects {
        1 => write!(out, "\n  fields     of the first record")?,
        objects => write!(out, "\n  fields     of the first {} records", HumanCount(objects))?,
    }
    let fields = &sample.fields()[..sample.fields().len().min(FIELDS)];
    let width = fields.iter().map(|field| field.path.chars().count()).max().unwrap_or(0).min(30);
    for field in fields {
        write!(out, "\n             {:<width$}  {}", field.path, field.example)?;
    }
    match sample.fields().len().saturating_sub(FIELDS) {
        0 => Ok(()),
        more => write!(out, "\n             and {more} more"),
    }
}

/// What to type, by the fields that are likely.
fn command(files: &Files, sample: &Sample) -> Option<String> {
    let (_, file) = files.iter().next()?;
    let name = file.path().display().to_string();
    if sample.other == Some(JSON_INSIDE) && sample.objects == 0 {
        let filter = if file.framing() == Format::Array { "'.[] | fromjson'" } else { "fromjson" };
        return Some(format!("jq -c {filter} {} | tweetblast -", quoted(&name)));
    }
    let text = sample.text()?;
    let mut map = format!("text={}", text.path);
    let mut pattern = None;
    if let Some((time, reads)) = sample.time().filter(|(time, _)| time.path != text.path) {
        pattern = if reads { None } else { pattern_of(&time.plain) };
        if reads || pattern.is_some() {
            let _ = write!(map, ",time={}", time.path);
        }
    }
    let format = pattern.map_or(String::new(), |pattern| format!(" --time-format {}", quoted(&pattern)));
    Some(format!("tweetblast inspect {} --map {}{format}", quoted(&name), quoted(&map)))
}

/// A field that looks like a time, in tweets without a readable time.
pub(crate) fn unread_time(files: &Files, options: &ReplayOptions) -> Option<String> {
    let mut sample = Sample::default();
    first_records(
        files,
        options,
        |record| matches!(record, Record::Tweet(_)),
        |record, _| sample.add(record),
    );
    let (time, reads) = sample.time()?;
    let pattern = if reads { None } else { pattern_of(&time.plain) };
    const DIGITS: usize = 6;
    if !reads && pattern.is_none() && time.plain.bytes().filter(u8::is_ascii_digit).count() < DIGITS {
        return None;
    }
    let format = match (reads, pattern) {
        (true, _) => String::new(),
        (false, Some(pattern)) => time_format(&pattern, &time.plain),
        (false, None) => " --time-format FORMAT".to_owned(),
    };
    let (path, example) = (&time.path, &time.example);
    let map = quoted(&format!("time={path}"));
    Some(format!("no time could be read; {path} may be one, such as {example}: --map {map}{format}"))
}

/// Which flags exclude all tweets, and when those were written; `tweets`: how many, in words.
pub(crate) fn excluded(select: &Select, tweets: &str, times_ms: Option<(i64, i64)>) -> String {
    let flag = |name: &str, time_ms: Option<i64>| {
        let time = iso_seconds(time_ms?);
        // A date, as it was most likely typed.
        Some(format!("{name} {}", time.strip_suffix(" 00:00:00 UTC").unwrap_or(&time)))
    };
    let flags: Vec<String> =
        [flag("--start", select.start_ms), flag("--end", select.end_ms)].into_iter().flatten().collect();
    let verb = if flags.len() == 1 { "excludes" } else { "exclude" };
    let words = format!("{} {verb} all {}", flags.join(" and "), tweets);
    match times_ms {
        Some((first_ms, last_ms)) => {
            format!("{words} (the input covers {} to {})", iso_seconds(first_ms), iso_seconds(last_ms))
        }
        None => words,
    }
}

#[cfg(test)]
#[path = "diagnosis_tests.rs"]
mod tests;
