//! The fields of the first records, for messages about an input.

use std::collections::HashMap;
use std::ops::ControlFlow;

use simd_json::prelude::{TypedScalarValue, ValueAsScalar, Writable};
use simd_json::tape::Value;

use super::files::Files;
use crate::options::ReplayOptions;
use crate::source::Frame;
use crate::tweet::{Record, parse_time};

/// How many frames are searched for records of the wanted kind.
const FRAMES: usize = 1_000;

/// How many records are taken.
const RECORDS: usize = 100;

/// How deep in a record fields are looked for.
const DEPTH: usize = 4;

/// Longest value that is shown, in characters.
const SHOWN_CHARS: usize = 40;

/// What a record is called that is a string containing JSON.
pub(crate) const JSON_INSIDE: &str = "JSON inside strings";

/// A record of the sample, and where it is.
pub(crate) struct SampledRecord<'a> {
    pub file: u32,
    pub frame: Frame<'a>,
}

/// Shows the first records of which `is_wanted` is true to `look`, parsed whole.
pub(crate) fn first_records(
    files: &Files,
    options: &ReplayOptions,
    is_wanted: impl Fn(&Record<'_>) -> bool,
    mut look: impl FnMut(Value<'_, '_>, SampledRecord<'_>),
) {
    let (mut parser, mut taken) = (options.new_parser(), 0);
    let mut searched = 0;
    files.each_frame(|file, frame| {
        searched += 1;
        let is_short = frame.bytes.len() <= options.input.max_record_bytes;
        if is_short
            && parser.parse_frame(frame, |record| record.is_ok_and(|record| is_wanted(&record)))
            && let Ok(tape) = simd_json::to_tape(&mut frame.bytes.to_vec())
        {
            look(tape.as_value(), SampledRecord { file, frame });
            taken += 1;
        }
        match searched == FRAMES || taken == RECORDS {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    });
}

/// The fields of some records, in the order in which they appear.
#[derive(Default)]
pub(crate) struct Sample {
    /// Objects in the sample.
    pub objects: u64,
    /// What a record is if it is not an object: a list, a text, a number.
    pub other: Option<&'static str>,
    fields: Vec<SampleField>,
    by_path: HashMap<String, usize>,
}

/// One field.
pub(crate) struct SampleField {
    /// As `--map` accepts it.
    pub path: String,
    /// The first value that is not null, as JSON, shortened.
    pub example: String,
    /// The same, if it is a text or a number.
    pub plain: String,
    /// Records with a text there.
    texts: u64,
    /// Characters of these texts.
    chars: u64,
    /// Those that contain a blank.
    spaced: u64,
}

impl Sample {
    /// Adds the fields of a record.
    pub fn add(&mut self, record: Value<'_, '_>) {
        match record.as_object() {
            Some(_) => {
                self.objects += 1;
                self.collect(record, String::new(), 0);
            }
            None => self.other = self.other.or(Some(kind_of(record))),
        }
    }

    fn collect(&mut self, value: Value<'_, '_>, path: String, depth: usize) {
        let inside = |name: &str| match path.is_empty() {
            true => name.to_owned(),
            false => format!("{path}.{name}"),
        };
        if let Some(object) = value.as_object().filter(|object| depth < DEPTH && !object.is_empty()) {
            for (key, value) in object.iter() {
                self.collect(value, inside(key), depth + 1);
            }
        } else if let Some(first) = value.as_array().filter(|_| depth < DEPTH).and_then(|list| list.get(0)) {
            self.collect(first, inside("0"), depth + 1);
        } else if !path.is_empty() {
            self.put(path, value);
        }
    }

    fn put(&mut self, path: String, value: Value<'_, '_>) {
        let place = *self.by_path.entry(path.clone()).or_insert_with(|| {
            self.fields.push(SampleField {
                path,
                example: "null".to_owned(),
                plain: String::new(),
                texts: 0,
                chars: 0,
                spaced: 0,
            });
            self.fields.len() - 1
        });
        let field = &mut self.fields[place];
        if field.plain.is_empty() && !value.is_null() {
            field.example = shown(value);
            field.plain = value.as_str().map_or_else(|| shown(value), str::to_owned);
        }
        if let Some(text) = value.as_str() {
            field.texts += 1;
            field.chars += text.chars().count() as u64;
            field.spaced += u64::from(text.trim().contains(' '));
        }
    }

    /// All fields.
    pub fn fields(&self) -> &[SampleField] {
        &self.fields
    }

    /// The paths, for a sentence.
    pub fn paths(&self) -> String {
        const MOST: usize = 12;
        let mut words =
            self.fields.iter().take(MOST).map(|field| &field.path[..]).collect::<Vec<_>>().join(", ");
        if self.fields.len() > MOST {
            words.push_str(&format!(" and {} more", self.fields.len() - MOST));
        }
        words
    }

    /// The path that was probably meant by an unknown one.
    pub fn meant_by(&self, path: &str) -> Option<&str> {
        let last = |path: &str| path.rsplit('.').next().unwrap_or(path).to_ascii_lowercase();
        let same = |field: &&SampleField| field.path.eq_ignore_ascii_case(path);
        let alike = |field: &&SampleField| last(&field.path) == last(path);
        let found = self.fields.iter().find(same).or_else(|| self.fields.iter().find(alike));
        found.map(|field| &field.path[..])
    }

    /// The field that is most likely the text: the longest one, of those that contain blanks if
    /// there are any, and not the time.
    pub fn text(&self) -> Option<&SampleField> {
        let time = self.time().map(|(field, _)| &field.path);
        let likely = |field: &&SampleField| {
            let is_code = field.plain.starts_with("http") || parse_time(&field.plain).is_some();
            let is_number = field.plain.bytes().all(|byte| byte.is_ascii_digit());
            field.texts > 0 && !is_code && !is_number && Some(&field.path) != time
        };
        let length = |field: &&SampleField| (field.spaced > 0, field.chars / field.texts.max(1));
        // Of equal ones the first.
        self.fields.iter().rev().filter(likely).max_by_key(length)
    }

    /// The field that is most likely the time, and whether it can be read.
    pub fn time(&self) -> Option<(&SampleField, bool)> {
        let reads = |field: &SampleField| parse_time(&field.plain).is_some();
        let is_number =
            |field: &SampleField| field.plain.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let named = |field: &&SampleField| is_name_of_time(&field.path);
        let written = |field: &&SampleField| reads(field) && !is_number(field);
        let find = |wanted: &dyn Fn(&&SampleField) -> bool| {
            self.fields.iter().filter(|field| !is_of_a_user(&field.path)).find(wanted)
        };
        find(&|field| named(field) && reads(field))
            .or_else(|| find(&written))
            .map(|field| (field, true))
            .or_else(|| {
                let has_digits = |field: &&SampleField| field.plain.bytes().any(|byte| byte.is_ascii_digit());
                find(&|field| named(field) && has_digits(field)).map(|field| (field, false))
            })
    }
}

/// Whether a field belongs to the author or to an embedded record: its time is not that of the tweet.
fn is_of_a_user(path: &str) -> bool {
    path.split('.').any(|part| {
        ["user", "author", "profile", "account", "retweeted_status", "quoted_status"].contains(&part)
    })
}

/// Whether a field with this path has a typical name for a time.
fn is_name_of_time(path: &str) -> bool {
    let name = path.to_ascii_lowercase();
    let last = name.rsplit('.').find(|part| !part.starts_with('$')).unwrap_or(&name);
    ["time", "date", "created", "posted", "published"].iter().any(|word| last.contains(word))
        || ["ts", "at", "when", "day", "fecha", "datum"].contains(&last)
}

fn kind_of(value: Value<'_, '_>) -> &'static str {
    match () {
        () if value.as_str().is_some_and(|text| text.trim_start().starts_with('{')) => JSON_INSIDE,
        () if value.is_str() => "texts",
        () if value.is_array() => "lists",
        () if value.is_null() => "nulls",
        () if value.is_bool() => "true or false",
        () => "numbers",
    }
}

/// A value as JSON, shortened.
pub(crate) fn shown(value: Value<'_, '_>) -> String {
    let whole = match value.as_str() {
        Some(text) => serde_json::Value::from(text).to_string(),
        None if value.is_object() => "{…}".to_owned(),
        None if value.is_array() => "[…]".to_owned(),
        None => value.encode(),
    };
    match whole.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &whole[..end]),
        None => whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(records: &[&str]) -> Sample {
        let mut sample = Sample::default();
        for record in records {
            sample.add(simd_json::to_tape(&mut record.as_bytes().to_vec()).unwrap().as_value());
        }
        sample
    }

    #[test]
    fn fields_are_named_in_their_order_with_an_example() {
        let sample = sample(&[
            r#"{"Date":null,"by":[{"id":7},{"id":8}],"a":{"b":{"c":"x"}},"Tweet":"hola a todos","e":{}}"#,
            r#"{"Date":"09/03/2024 18:00","more":true}"#,
        ]);
        assert_eq!(sample.paths(), "Date, by.0.id, a.b.c, Tweet, e, more");
        let examples: Vec<&str> = sample.fields().iter().map(|field| &field.example[..]).collect();
        let expected = [r#""09/03/2024 18:00""#, "7", r#""x""#, r#""hola a todos""#, "{…}", "true"];
        assert_eq!(examples, expected);
        assert_eq!((sample.meant_by("date"), sample.meant_by("A.C")), (Some("Date"), Some("a.b.c")));
        assert_eq!(sample.meant_by("nope"), None);
    }

    #[test]
    fn text_and_time_are_guessed() {
        let guess = |record: &str| {
            let sample = sample(&[record]);
            let time = sample.time().map(|(field, reads)| (field.path.clone(), reads));
            (sample.text().map(|field| field.path.clone()), time)
        };
        let found = |text: &str, time: &str, reads| (Some(text.to_owned()), Some((time.to_owned(), reads)));
        let date = r#"{"Date":"09/03/2024 18:00","Tweet":"hola a todos","Author":"ann"}"#;
        assert_eq!(guess(date), found("Tweet", "Date", false));
        let long = r#"{"url":"https://example.com/a/very/long/one","msg":"a b","_source":{"at":1625587487}}"#;
        assert_eq!(guess(long), found("msg", "_source.at", true));
        let nested = r#"{"created":{"$date":"2021-07-06T16:04:47Z"},"body":"x"}"#;
        assert_eq!(guess(nested), found("body", "created.$date", true));
        assert_eq!(guess(r#"{"size":1}"#), (None, None));
        let users = r#"{"body":"x","user":{"created_at":"2021-07-06T16:04:47Z"}}"#;
        assert_eq!(guess(users), (Some("body".to_owned()), None));
    }

    #[test]
    fn records_that_are_not_objects_are_named() {
        assert_eq!(sample(&["[1]"]).other, Some("lists"));
        assert_eq!(sample(&[r#""{\"text\":\"a\"}""#]).other, Some("JSON inside strings"));
        assert_eq!(sample(&["17", "{}"]).other, Some("numbers"));
    }
}
