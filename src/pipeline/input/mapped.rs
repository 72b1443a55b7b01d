//! What `--map` names, and the first records do not have.

use std::fmt::Write;

use indicatif::HumanCount;

use super::files::Files;
use super::sample::{Sample, first_records, shown};
use super::time_pattern::{other_pattern_of, pattern_of};
use crate::options::ReplayOptions;
use crate::pipeline::error::ReplayError;
use crate::report::place;
use crate::tweet::{AtPath, FieldMap, Record, Reject, TimeReader};

/// One mapped field in the sampled records.
struct MappedField {
    name: &'static str,
    path: String,
    records: u64,
    nothing: u64,
    other: u64,
    /// The first value that does not fit the field: where, as JSON, and plain.
    first: Option<(u32, u64, String, String)>,
}

/// Mapped fields that no record has, or that cannot be read in any: in the records that `is_wanted`
/// selects.
pub(super) fn misses(
    files: &Files,
    options: &ReplayOptions,
    map: &FieldMap,
    is_wanted: impl Fn(&Record<'_>) -> bool,
) -> Vec<String> {
    let times = TimeReader::new(options.input.parser.times.clone());
    let (mut sample, mut mapped) = (Sample::default(), Vec::<MappedField>::new());
    first_records(files, options, is_wanted, |record, at| {
        sample.add(record);
        for (number, (name, path, found)) in map.each(record, &times).into_iter().enumerate() {
            if mapped.len() == number {
                mapped.push(MappedField { name, path, records: 0, nothing: 0, other: 0, first: None });
            }
            let field = &mut mapped[number];
            field.records += 1;
            match found {
                AtPath::Nothing => field.nothing += 1,
                AtPath::Fits => {}
                AtPath::Other(value) => {
                    field.other += 1;
                    field
                        .first
                        .get_or_insert_with(|| (at.file, at.frame.offset, shown(value), value_text(value)));
                }
            }
        }
    });
    mapped.iter().filter_map(|field| miss_words(field, files, &sample, options)).collect()
}

fn value_text(value: simd_json::tape::Value<'_, '_>) -> String {
    use simd_json::prelude::ValueAsScalar;
    value.as_str().map_or_else(|| shown(value), str::to_owned)
}

fn miss_words(
    field: &MappedField,
    files: &Files,
    sample: &Sample,
    options: &ReplayOptions,
) -> Option<String> {
    let MappedField { name, path, records, .. } = field;
    let (none_of, any_of) = match records {
        1 => ("not in the first record".to_owned(), "in the first record".to_owned()),
        records => {
            let of = format!("of the first {} records", HumanCount(*records));
            (format!("in none {of}"), format!("in any {of}"))
        }
    };
    if field.nothing == *records {
        let mut words = format!("{name}={path} is {none_of}; there are: {}", sample.paths());
        if let Some(meant) = sample.meant_by(path) {
            let _ = write!(words, "; did you mean {name}={meant}?");
        }
        return Some(words);
    }
    let is_none = field.nothing + field.other == *records;
    let (file, offset, example, plain) = field.first.as_ref().filter(|_| is_none)?;
    let place = place(files.line(*file, *offset), *offset);
    let what = match *name {
        "time" => "cannot be read as a time",
        "text" => "is not a text",
        "id" => "is not an id",
        _ => "is not a user",
    };
    let mut words = format!("{name}={path} {what} {any_of}; the first is {example} ({place})");
    if *name == "time" {
        match pattern_of(plain).filter(|_| options.input.parser.times.format.is_none()) {
            Some(pattern) => {
                let _ = write!(words, "; try{}", time_format(&pattern, plain));
            }
            None => {
                words.push_str("; --time-format says how it is written, such as '%d/%m/%Y %H:%M:%S' or ms")
            }
        }
    }
    Some(words)
}

/// Checks that the tweets have the mapped fields.
///
/// # Errors
/// When a mapped field is in none of the first tweets, or cannot be read in any.
pub(crate) fn check_map(files: &Files, options: &ReplayOptions) -> Result<(), ReplayError> {
    let Some(map) = &options.input.parser.fields else { return Ok(()) };
    refuse_misses(files, misses(files, options, map, |record| matches!(record, Record::Tweet(_))))
}

/// The same of events: of all records but the notices of the streaming API.
///
/// # Errors
/// When a mapped field is in none of the first events, or cannot be read in any.
pub(crate) fn check_event_map(
    files: &Files,
    options: &ReplayOptions,
    map: &FieldMap,
) -> Result<(), ReplayError> {
    let is_event = |record: &Record<'_>| !matches!(record, Record::Reject(Reject::Notice(_)));
    refuse_misses(files, misses(files, options, map, is_event))
}

fn refuse_misses(files: &Files, misses: Vec<String>) -> Result<(), ReplayError> {
    match misses.is_empty() {
        true => Ok(()),
        false => Err(ReplayError::Map { input: input_words(files), misses: misses.join("\n  --map ") }),
    }
}

/// The flag for a pattern, and for the other one that fits, too.
pub(super) fn time_format(pattern: &str, text: &str) -> String {
    let flag = format!(" --time-format {}", quoted(pattern));
    match other_pattern_of(pattern, text) {
        Some(other) => format!("{flag} (or {})", quoted(&other)),
        None => flag,
    }
}

/// The input, as a message begins with it.
pub(super) fn input_words(files: &Files) -> String {
    match files.words() {
        stdin if stdin == "-" => "standard input".to_owned(),
        words => words,
    }
}

/// A word, quoted for a shell.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./=,:@+".contains(&byte);
    match !word.is_empty() && word.bytes().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}
