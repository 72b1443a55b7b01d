//! Rows of a CSV table: a header, then one line per row. Commas, semicolons or tabs between the
//! fields; blanks around them are dropped.
//!
//! CSV has only text, so each column is scanned first: it holds numbers, or booleans, if all of its
//! fields do. `007` is text, as in JSON.

use std::borrow::Cow;
use std::collections::HashSet;

use csv::{ByteRecord, ReaderBuilder};
use serde_json::{Number, Value};

use super::column::{ColumnType, is_nothing_text};
use super::error::EnrichError;

/// Passes each row after the header to `take`, with its line, or the reason why it is not a row.
pub(super) fn read(
    bytes: &[u8],
    mut take: impl FnMut(u64, Result<Vec<(Cow<'_, str>, Value)>, String>),
) -> Result<(), EnrichError> {
    let mut names = Vec::new();
    records(bytes, |_, record| {
        if names.is_empty() {
            names = record.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
        }
        // The header is enough; this pass needs nothing else.
        false
    });
    let mut kinds = vec![None; names.len()];
    let mut is_header = true;
    records(bytes, |_, record| {
        if !std::mem::take(&mut is_header)
            && let Ok(fields) = fields(record, names.len())
        {
            for (kind, field) in kinds.iter_mut().zip(fields).filter(|(_, field)| !is_empty(field)) {
                let found = kind_of(field);
                *kind = Some(kind.map_or(found, |kind: ColumnType| kind.or(found)));
            }
        }
        true
    });
    // Of two columns with one name the first counts; a name is text whatever it looks like.
    let mut seen = HashSet::new();
    let kinds: Vec<_> = kinds
        .iter()
        .zip(&names)
        .map(|(kind, name)| match name.as_str() {
            name if !seen.insert(name) => None,
            "screen_name" => Some(ColumnType::Text),
            _ => Some(kind.unwrap_or(ColumnType::Text)),
        })
        .collect();
    let mut is_header = true;
    records(bytes, |line, record| {
        if std::mem::take(&mut is_header) {
            return true;
        }
        let row = fields(record, names.len()).map(|fields| {
            let cells = names.iter().zip(&kinds).zip(fields);
            cells
                .filter_map(|((name, kind), field): ((&String, &Option<ColumnType>), &str)| {
                    Some((Cow::Borrowed(name.as_str()), value_of(field, (*kind)?)))
                })
                .collect()
        });
        take(line, row);
        true
    });
    Ok(())
}

/// Passes each record, including the header, to `look` until it wants no more.
fn records(bytes: &[u8], mut look: impl FnMut(u64, &ByteRecord) -> bool) {
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter(bytes)).from_reader(bytes);
    let mut record = ByteRecord::new();
    // Reading from memory does not fail, and with `flexible` no record is refused.
    while let Ok(true) = reader.read_byte_record(&mut record) {
        // The reader's position is the one before the empty lines that it skips.
        let line = record.position().map_or(0, |before| {
            let behind =
                usize::try_from(before.byte()).ok().and_then(|byte| bytes.get(byte..)).unwrap_or_default();
            let ends = behind.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
            before.line() + ends.filter(|byte| **byte == b'\n').count() as u64
        });
        if !look(line, &record) {
            break;
        }
    }
}

/// The delimiter: of three characters the one that is most frequent in the first line.
fn delimiter(bytes: &[u8]) -> u8 {
    let head = bytes.trim_ascii_start();
    let header = &head[..memchr::memchr(b'\n', head).unwrap_or(head.len())];
    let count = |sign: &u8| memchr::memchr_iter(*sign, header).count();
    // The last of equals wins: a comma if there are none.
    [b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',')
}

/// The fields of a row, without blanks around them.
fn fields(record: &ByteRecord, columns: usize) -> Result<Vec<&str>, String> {
    if record.len() != columns {
        return Err(format!("{} fields, the header has {columns}", record.len()));
    }
    record
        .iter()
        .map(|field| std::str::from_utf8(field).map(str::trim).map_err(|_| "not in UTF-8".to_owned()))
        .collect()
}

fn is_empty(field: &str) -> bool {
    field.is_empty() || is_nothing_text(field)
}

fn kind_of(field: &str) -> ColumnType {
    match number(field) {
        Some(number) if number.is_i64() => ColumnType::Long,
        // A longer integer is an id or similar; as a double it would be another number.
        Some(_) if field.contains(['.', 'e', 'E']) => ColumnType::Double,
        Some(_) => ColumnType::Text,
        None if boolean(field).is_some() => ColumnType::Boolean,
        None => ColumnType::Text,
    }
}

fn value_of(field: &str, kind: ColumnType) -> Value {
    if is_empty(field) {
        return Value::Null;
    }
    match kind {
        ColumnType::Long | ColumnType::Double => number(field).map(Value::Number),
        ColumnType::Boolean => boolean(field).map(Value::Bool),
        ColumnType::Text => None,
    }
    .unwrap_or_else(|| field.into())
}

/// As JSON writes numbers: no leading zeros, no plus sign.
fn number(field: &str) -> Option<Number> {
    serde_json::from_str(field).ok()
}

fn boolean(field: &str) -> Option<bool> {
    let is = |word: &str| field.eq_ignore_ascii_case(word);
    is("true").then_some(true).or_else(|| is("false").then_some(false))
}
