//! Reads the time, the key and the id of an event.

use simd_json::tape::{Object, Value};

use super::EventFields;
use crate::tweet::json::Json;
use crate::tweet::map::{TimePath, find_path};
use crate::tweet::members::Plain;
use crate::tweet::mend::{Mended, mend};
use crate::tweet::reading::{Reading, TimeReader};
use crate::tweet::values::NotJson;
use crate::tweet::{Id, Reject, Tweet, TweetForm};

/// What an event borrows from, reused for each.
#[derive(Default)]
pub struct EventBuffers {
    /// The record as it is sent.
    record: Vec<u8>,
    key: String,
}

/// The event in `value`, which was parsed from `json` and mended so.
pub fn read<'a>(
    value: Value<'a, 'a>,
    (json, mended): (&[u8], Mended),
    fields: &EventFields,
    times: &TimeReader,
    buffers: &'a mut EventBuffers,
) -> Result<Result<Tweet<'a>, Reject>, NotJson> {
    let Some(object) = value.as_object() else { return Ok(Err(Reject::NotAnObject)) };
    let reject = |reject| Ok(Err(reject));
    if fields.own.is_some_and(|own| object.iter().any(|(name, _)| own.has(name))) {
        return reject(Reject::OwnName);
    }
    let event_time_ms = match fields.time.as_ref().map(|place| time_of(value, place, times)) {
        None => None,
        Some(None) if is_action(&object) => return reject(Reject::ActionLine),
        Some(None) => return reject(Reject::WithoutTime),
        Some(Some(Reading::At(stamp))) => Some(stamp.ms),
        Some(Some(Reading::Contradiction)) => return reject(Reject::TimeUnlikeTheFirst),
        Some(Some(Reading::Absent | Reading::Unread { .. })) => None,
    };
    let EventBuffers { record, key } = buffers;
    let user_id = key_of(value, fields, key);
    let screen_name = (!key.is_empty()).then_some(&key[..]);
    if user_id.is_none() && screen_name.is_none() && is_unlike(&object, &fields.usual) {
        return reject(Reject::UnlikeTheOthers);
    }
    record.clear();
    match mended == Mended::default() {
        true => record.extend_from_slice(json),
        false => _ = mend(json, record),
    }
    Ok(Ok(Tweet {
        shape: TweetForm::Event,
        id: fields.id.as_ref().and_then(|path| id_of(find_path(value, path)?)),
        user_id,
        screen_name,
        text: simdutf8::basic::from_utf8(record).map_err(|_| NotJson)?.trim(),
        event_time_ms,
        ..Tweet::default()
    }))
}

/// What a record says of its time; `None`: it has no such member.
fn time_of(value: Value<'_, '_>, place: &TimePath, times: &TimeReader) -> Option<Reading> {
    let first = Json::<Plain>::from(find_path(value, &place.first)?);
    let second = place.second.as_ref().and_then(|path| find_path(value, path)).map(Json::<Plain>::from);
    let reading = match second {
        Some(second) => times.read_joined(first, second),
        None => times.read(first),
    };
    times.note(reading, || (place.words(), first.shown()));
    Some(reading)
}

/// The key, as a number, or else as a text in `out`.
fn key_of(value: Value<'_, '_>, fields: &EventFields, out: &mut String) -> Option<i64> {
    out.clear();
    for path in &fields.key {
        let Some(found) = find_path(value, path).map(|found| Json::<Plain>::from(found).unwrapped()) else {
            continue;
        };
        match (found.text(), found.i64(), found.number()) {
            (Some(""), ..) => {}
            (Some(text), ..) => out.push_str(text),
            (None, Some(number), _) => return Some(number),
            (None, None, Some(number)) => out.push_str(&number.to_string()),
            (None, None, None) => {}
        }
        if !out.is_empty() {
            break;
        }
    }
    None
}

/// The id as it is: of texts, all of it counts.
fn id_of<'a>(value: Value<'a, 'a>) -> Option<Id<'a>> {
    let id = Json::<Plain>::from(value).unwrapped();
    match id.text() {
        Some(text) => (!text.is_empty()).then_some(Id::Text(text)),
        None => id.u64().map(Id::Number),
    }
}

/// Whether this is a line that says what is to be done with the next one, as in files for the bulk interface of
/// Elasticsearch and OpenSearch: `{"index":{"_id":"7"}}`.
pub(super) fn is_action(object: &Object<'_, '_>) -> bool {
    let mut members = object.iter();
    let (Some((name, value)), None) = (members.next(), members.next()) else { return false };
    let is_setting =
        |name: &str| name.starts_with('_') || ["routing", "pipeline", "retry_on_conflict"].contains(&name);
    ["index", "create", "update", "delete"].contains(&name)
        && value.as_object().is_some_and(|settings| {
            settings.iter().all(|(name, _)| is_setting(name) || name.starts_with("require_"))
        })
}

fn is_unlike(object: &Object<'_, '_>, usual: &[String]) -> bool {
    !usual.is_empty() && !object.iter().any(|(name, _)| usual.iter().any(|usual| usual == name))
}
