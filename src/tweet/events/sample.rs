//! A sample of records: which fields they have, and what is in them.

use std::collections::{BTreeMap, HashMap, HashSet};

use memchr::memmem::Finder;
use simd_json::prelude::*;
use simd_json::tape::Value;

use super::names::{id_rank, key_rank, time_rank};
use super::read::is_action;
use crate::event::TakenNames;
use crate::scan::Members;
use crate::tweet::epoch::count_of;
use crate::tweet::json::Json;
use crate::tweet::map::{Path, find_path};
use crate::tweet::members::Plain;
use crate::tweet::mend::mend;
use crate::tweet::reading::{Reading, TimeOptions, TimeReader, Unread};

/// How deep in a record fields are looked for.
const DEPTH: usize = 4;

/// Most fields that are looked at: records with names that are values have any number.
const FIELDS_MAX: usize = 2_000;

/// Some records of one file.
#[derive(Debug, Default)]
pub struct EventSample {
    records: Vec<Box<[u8]>>,
}

/// A column of the records, for a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub kind: ColumnKind,
}

/// What is in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Integers below 2^63.
    Long,
    /// Numbers.
    Double,
    /// Texts, or different kinds of values.
    Text,
    /// Lists of texts.
    Texts,
    /// Objects, and other lists.
    Nested,
}

/// What a sample shows of one field that may be the time, the key or the id.
pub(super) struct FieldSample {
    pub path: Path,
    /// As [`time_rank`] of the path.
    pub time_rank: Option<u32>,
    /// Whether its name may be that of a key or an id.
    may_be_name: bool,
    /// Records in which it is there and neither null nor empty.
    pub records: u64,
    pub distinct: HashSet<String>,
    /// Values that are written as a UUID.
    pub uuids: u64,
    /// Whether each is a text or a whole number.
    pub are_names: bool,
    reader: TimeReader,
    /// Of each record that has one: its time in milliseconds, `None` where the whole file has to decide.
    pub times: BTreeMap<usize, Option<i64>>,
    /// Texts that are not numbers.
    pub texts: u64,
}

/// The fields of a sample.
pub(super) struct Fields {
    /// Records that may be events.
    pub records: u64,
    /// In the order in which they appear.
    pub fields: Vec<FieldSample>,
    /// In how many records each name is at the top.
    pub names: HashMap<String, u64>,
}

impl EventSample {
    /// Adds a record; one that is not an object is left aside.
    pub fn add(&mut self, record: &[u8]) {
        self.records.push(record.into());
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether one of them has a value at this path.
    pub fn has(&self, path: &[String]) -> bool {
        let mut is_there = false;
        self.each(|_, value| is_there |= find_path(value, path).is_some_and(|value| !value.is_null()));
        is_there
    }

    /// Names at the top of the records that could be ours.
    pub fn taken_names(&self) -> TakenNames {
        let mut taken = TakenNames::default();
        self.each(|_, object| {
            object
                .as_object()
                .into_iter()
                .flat_map(|object| object.iter())
                .for_each(|(name, _)| taken.note(name));
        });
        taken
    }

    /// The columns of the records, by name.
    pub fn columns(&self) -> Vec<Column> {
        let mut columns: Vec<Column> = Vec::new();
        let mut places = HashMap::new();
        self.each(|_, value| {
            let Some(object) = value.as_object().filter(|object| !is_action(object)) else { return };
            for (name, value) in object.iter().filter(|(_, value)| !value.is_null()) {
                let (kind, at) =
                    (ColumnKind::of(value), places.entry(name.to_owned()).or_insert(columns.len()));
                match columns.get_mut(*at) {
                    Some(column) => column.kind = column.kind.or(kind),
                    None => columns.push(Column { name: name.to_owned(), kind }),
                }
            }
        });
        columns
    }

    /// All fields that may be of use, with times read as `times` says.
    pub(super) fn fields(&self, times: &TimeOptions) -> Fields {
        let mut found = Fields { records: 0, fields: Vec::new(), names: HashMap::new() };
        let mut places: HashMap<Path, usize> = HashMap::new();
        self.each(|_, value| {
            let Some(object) = value.as_object().filter(|object| !is_action(object)) else { return };
            found.records += 1;
            object.iter().for_each(|(name, _)| *found.names.entry(name.to_owned()).or_default() += 1);
            walk(value, &mut Vec::new(), &mut |path, value| {
                let place = match places.get(path) {
                    Some(place) => *place,
                    None if found.fields.len() == FIELDS_MAX => return,
                    None => {
                        places.insert(path.to_vec(), found.fields.len());
                        found.fields.push(FieldSample::new(path, times));
                        found.fields.len() - 1
                    }
                };
                found.fields[place].note(value);
            });
        });
        // How a number or a date is to be read is known only now.
        for field in &mut found.fields {
            let decision = field.reader.take_clues().decide(false);
            field.reader.decide(decision);
        }
        self.each(|number, value| {
            if value.as_object().is_some_and(|object| !is_action(&object)) {
                walk(value, &mut Vec::new(), &mut |path, value| {
                    if let Some(place) = places.get(path) {
                        found.fields[*place].read(number, value);
                    }
                });
            }
        });
        found
    }

    fn each(&self, mut look: impl FnMut(usize, Value<'_, '_>)) {
        for (number, record) in self.records.iter().enumerate() {
            parsed(record, &mut |value| look(number, value));
        }
    }
}

/// Finds the records that may have a name at their top that could be ours.
pub struct NameSearch {
    ends: [Finder<'static>; 4],
}

impl Default for NameSearch {
    fn default() -> Self {
        // The last one: a letter may be written as an escape.
        Self { ends: ["run\"", "seq\"", "timestamp\"", "\\u00"].map(Finder::new) }
    }
}

impl NameSearch {
    /// Notes the names at the top of a record that could be ours, without parsing it.
    pub fn note(&self, record: &[u8], taken: &mut TakenNames) {
        if self.ends.iter().any(|end| end.find(record).is_some()) {
            note_names(record, taken);
        }
    }
}

fn note_names(record: &[u8], taken: &mut TakenNames) {
    for member in Members::of(record, 0) {
        match std::str::from_utf8(member.key) {
            // With an escape, as in `r\u0075n`.
            Ok(name) if name.contains('\\') => {
                let name = serde_json::from_str::<String>(&format!("\"{name}\""));
                taken.note(&name.unwrap_or_default());
            }
            Ok(name) => taken.note(name),
            Err(_) => {}
        }
    }
}

/// Shows the value in `json`, mended if need be, or the one in the string that it is.
fn parsed(json: &[u8], look: &mut dyn FnMut(Value<'_, '_>)) {
    let mut bytes = json.to_vec();
    let mut mended = Vec::new();
    let tape = simd_json::to_tape(&mut bytes).or_else(|_| {
        mend(json, &mut mended);
        simd_json::to_tape(&mut mended)
    });
    let Ok(tape) = tape else { return };
    match tape.as_value().as_str().map(str::trim).filter(|text| text.starts_with('{')) {
        Some(text) => parsed(text.as_bytes(), look),
        None => look(tape.as_value()),
    }
}

/// Passes each plain value in `value` to `each`; lists are no fields.
fn walk(value: Value<'_, '_>, path: &mut Path, each: &mut impl FnMut(&[String], Value<'_, '_>)) {
    let is_wrapped = |value: Value<'_, '_>| {
        value.as_object().is_some_and(|object| object.iter().any(|(name, _)| name.starts_with('$')))
    };
    let Some(object) = value.as_object() else { return };
    for (name, value) in object.iter().filter(|(_, value)| !value.is_array()) {
        path.push(name.to_owned());
        // MongoDB writes a plain value as an object.
        if !value.is_object()
            || (is_wrapped(value) && value.as_object().is_some_and(|object| object.len() == 1))
        {
            each(path, value);
        } else if path.len() < DEPTH {
            walk(value, path, each);
        }
        path.pop();
    }
}

impl FieldSample {
    fn new(path: &[String], times: &TimeOptions) -> Self {
        let is_id = path.last().is_some_and(|name| name == "id");
        Self {
            path: path.to_vec(),
            time_rank: time_rank(path),
            may_be_name: key_rank(path).is_some() || id_rank(path).is_some() || is_id,
            records: 0,
            distinct: HashSet::new(),
            uuids: 0,
            are_names: true,
            reader: TimeReader::new(times.clone()),
            times: BTreeMap::new(),
            texts: 0,
        }
    }

    fn note(&mut self, value: Value<'_, '_>) {
        let json = Json::<Plain>::from(value).unwrapped();
        let words = json.words();
        if json.is_null() || words.trim().is_empty() {
            return;
        }
        self.records += 1;
        self.are_names &= json.text().is_some() || json.i64().is_some() || json.u64().is_some();
        self.uuids += u64::from(is_uuid(&words));
        self.texts += u64::from(json.text().is_some() && count_of(words.trim()).is_none());
        if self.time_rank.is_some() {
            self.reader.read(Json::<Plain>::from(value));
        }
        if self.may_be_name {
            self.distinct.insert(words);
        }
    }

    /// Reads a value as a time, as all of the field have shown that it is to be read.
    fn read(&mut self, number: usize, value: Value<'_, '_>) {
        let json = Json::<Plain>::from(value);
        let plain = json.unwrapped();
        // 0 stands for a time that nobody knows, and a flag is not a time.
        let is_nothing = plain.number() == Some(0.0) || plain.text().is_some_and(|text| text.trim() == "0");
        let is_number =
            plain.number().is_some() || plain.text().is_some_and(|text| count_of(text.trim()).is_some());
        if is_nothing || (is_number && self.time_rank.is_none()) {
            return;
        }
        match self.reader.read(json) {
            Reading::At(stamp) => _ = self.times.insert(number, Some(stamp.ms)),
            Reading::Unread { why: Unread::DayOrder | Unread::Zone, .. } => {
                _ = self.times.insert(number, None)
            }
            Reading::Absent | Reading::Contradiction | Reading::Unread { .. } => {}
        }
    }
}

/// Whether a text has the length and the dashes of a UUID (RFC 9562).
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

impl ColumnKind {
    fn of(value: Value<'_, '_>) -> Self {
        match value.as_array() {
            Some(items) if items.iter().all(|item| item.is_str() || item.is_null()) => return Self::Texts,
            Some(_) => return Self::Nested,
            None => {}
        }
        match () {
            () if value.is_object() => Self::Nested,
            () if value.is_i64() || value.as_i64().is_some() => Self::Long,
            () if value.cast_f64().is_some() => Self::Double,
            () => Self::Text,
        }
    }

    /// What has both kinds of values in it.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (Self::Long, Self::Double) | (Self::Double, Self::Long) => Self::Double,
            (Self::Nested, _) | (_, Self::Nested) => Self::Nested,
            _ => Self::Text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_for_names_finds_what_a_look_at_all_members_finds() {
        for record in [
            r#"{"a":1,"run":2}"#,
            r#"{"__seq" : 2, "x": {"run": 1}}"#,
            r#"{"r\u0075n":1,"t":2}"#,
            r#"{"a":"run","timestamp":5}"#,
            r#"{"running":"run","seqs":[],"s\"eq":1}"#,
            "{}",
        ] {
            let (mut found, mut all) = (TakenNames::default(), TakenNames::default());
            NameSearch::default().note(record.as_bytes(), &mut found);
            note_names(record.as_bytes(), &mut all);
            assert_eq!(found, all, "{record}");
        }
        let mut found = TakenNames::default();
        NameSearch::default().note(br#"{"r\u0075n":1,"_run":1}"#, &mut found);
        assert_eq!(found.free().run(), "__run");
    }

    #[test]
    fn columns_have_the_kind_that_takes_all_values() {
        let mut sample = EventSample::default();
        sample.add(br#"{"a":1,"b":1.5,"c":"x","d":{"x":1},"e":["a"],"f":1,"g":[1],"h":true,"i":null,"j":1}"#);
        sample.add(br#"{"a":2,"b":2,"c":3,"e":[],"j":18446744073709551615}"#);
        sample.add(br#"{"index":{"_id":"1"}}"#);
        let kinds: Vec<String> =
            sample.columns().iter().map(|column| format!("{} {:?}", column.name, column.kind)).collect();
        let expected = [
            "a Long", "b Double", "c Text", "d Nested", "e Texts", "f Long", "g Nested", "h Text", "j Double",
        ];
        assert_eq!(kinds, expected);
    }
}
