//! Rows of a JSON table: an array of objects, one object per line, and all other formats of tweet
//! files.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::path::Path;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::error::EnrichError;
use crate::source::{Frames, detect};

/// An object with its members in order; of two with one name the last counts, at the position of
/// the first.
#[derive(Debug, Default)]
pub(super) struct Row(pub Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RowVisitor;
        impl<'de> Visitor<'de> for RowVisitor {
            type Value = Row;

            fn expecting(&self, words: &mut fmt::Formatter<'_>) -> fmt::Result {
                words.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Row, A::Error> {
                // An object may be a table itself, with a key for each of many users.
                let (mut row, mut places) = (Vec::new(), HashMap::new());
                while let Some((name, value)) = members.next_entry::<String, Value>()? {
                    match places.entry(name.clone()) {
                        Entry::Occupied(place) => row[*place.get()] = (name, value),
                        Entry::Vacant(place) => {
                            place.insert(row.len());
                            row.push((name, value));
                        }
                    }
                }
                Ok(Row(row))
            }
        }
        deserializer.deserialize_map(RowVisitor)
    }
}

/// Passes each row to `take`, with its line, or the reason why it is not a row.
pub(super) fn read(
    path: &Path,
    bytes: &[u8],
    mut take: impl FnMut(u64, Result<Vec<(Cow<'_, str>, Value)>, String>),
) -> Result<(), EnrichError> {
    let bytes = without_nan(bytes);
    let framing = detect(path, &bytes).map_err(EnrichError::Source)?;
    let (mut line, mut counted) = (1, 0);
    for frame in Frames::new(framing, &bytes) {
        let offset = usize::try_from(frame.offset).unwrap_or(bytes.len()).min(bytes.len());
        line += memchr::memchr_iter(b'\n', &bytes[counted..offset]).count() as u64;
        counted = offset;
        let row = serde_json::from_slice::<Row>(frame.bytes);
        take(
            line,
            row.map(|row| {
                row.0.into_iter().map(|(name, value)| (name.trim().to_owned().into(), value)).collect()
            })
            .map_err(|error| if error.is_data() { "no object".to_owned() } else { "not JSON".to_owned() }),
        );
    }
    Ok(())
}

/// Python's json.dump writes missing numbers as NaN and Infinity, which are not JSON: replaces them
/// with null, outside strings.
fn without_nan(bytes: &[u8]) -> Cow<'_, [u8]> {
    const NO_NUMBERS: [&[u8]; 3] = [b"NaN", b"-Infinity", b"Infinity"];
    if NO_NUMBERS.iter().all(|word| memchr::memmem::find(bytes, word).is_none()) {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 64);
    let (mut at, mut in_string) = (0, false);
    while let Some(byte) = bytes.get(at) {
        let word = NO_NUMBERS.iter().find(|word| !in_string && bytes[at..].starts_with(word));
        if let Some(word) = word {
            out.extend_from_slice(b"null");
            at += word.len();
            continue;
        }
        out.push(*byte);
        at += 1;
        match byte {
            b'"' => in_string = !in_string,
            b'\\' if in_string => {
                out.extend(bytes.get(at));
                at += 1;
            }
            _ => {}
        }
    }
    Cow::Owned(out)
}
