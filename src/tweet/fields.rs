//! The top of a record, looked through once, and how its values are read.
//!
//! Types differ from file to file (ids as numbers and as strings, counts as strings in archives): a
//! value of an unexpected type is passed over, it does not fail the record.

use simd_json::prelude::*;
use simd_json::tape::{Object, Value};

use super::decimal::decimal;
use super::keys::{FIELDS, Field, KEYS, find};
use super::map::Mapped;
use super::time::{Stamp, event_time_ms, parse_time, stamp_of_number};
use super::{Hashtags, Id, Tweet};

/// The values of all fields that the record has.
pub struct Fields<'a> {
    values: [Option<Value<'a, 'a>>; FIELDS],
    /// Which key of [`KEYS`] each came under.
    places: [u8; FIELDS],
    /// What is where the user says instead.
    pub mapped: Mapped<'a>,
}

impl Default for Fields<'_> {
    fn default() -> Self {
        Self { values: [None; FIELDS], places: [u8::MAX; FIELDS], mapped: Mapped::default() }
    }
}

impl<'a> Fields<'a> {
    pub fn of(object: &Object<'a, 'a>) -> Self {
        let mut fields = Self::default();
        for (name, value) in object.iter() {
            if let Some((_, place)) = find(name.as_bytes()) {
                fields.put(place, value);
            }
        }
        fields
    }

    /// Likewise, where it is known which keys of [`KEYS`] the object has.
    pub fn at(places: &[u8], object: &Object<'a, 'a>) -> Self {
        let mut fields = Self::default();
        for (place, (_, value)) in places.iter().zip(object.iter()) {
            fields.put(*place, value);
        }
        fields
    }

    /// The fields of an object in this record.
    pub fn within(&self, object: &Object<'a, 'a>) -> Self {
        Self { mapped: self.mapped, ..Self::of(object) }
    }

    #[inline]
    fn put(&mut self, place: u8, value: Value<'a, 'a>) {
        let field = KEYS[usize::from(place)].field as usize;
        let before = self.places[field];
        if value.is_null() && place == before {
            (self.values[field], self.places[field]) = (None, u8::MAX);
        } else if place <= before && !value.is_null() {
            (self.values[field], self.places[field]) = (Some(value), place);
        }
    }

    pub fn get(&self, field: Field) -> Option<Value<'a, 'a>> {
        self.values[field as usize]
    }

    /// The key under which the field came.
    pub fn name(&self, field: Field) -> Option<&'static str> {
        KEYS.get(usize::from(self.places[field as usize])).map(|key| key.name)
    }

    pub fn has(&self, field: Field) -> bool {
        self.get(field).is_some()
    }

    pub fn text(&self, field: Field) -> Option<&'a str> {
        self.get(field)?.into_string()
    }

    pub fn object(&self, field: Field) -> Option<Value<'a, 'a>> {
        self.get(field).filter(|value| value.is_object())
    }

    /// The mapped text, else the [`longest`] of these.
    pub fn longest<const N: usize>(&self, texts: [Option<&'a str>; N]) -> Option<&'a str> {
        self.mapped.text.or_else(|| longest(texts))
    }

    /// The mapped time, else the first time in these fields.
    pub fn created<const N: usize>(&self, fields: [Field; N]) -> Option<Stamp> {
        match self.mapped.time {
            Some(time) => time,
            None => fields.into_iter().find_map(|field| stamp(self.get(field)?)),
        }
    }

    /// The mapped id, else `id_str` before `id`, which in many files went through a double.
    pub fn id(&self) -> Option<Id<'a>> {
        match self.mapped.id {
            Some(id) => id,
            None => [Field::IdStr, Field::Id, Field::OtherId]
                .into_iter()
                .find_map(|field| id_of(self.get(field)?)),
        }
    }

    /// What the shapes have in common: the counts, the language, the position, and, by way of `id`
    /// and `created`, the time.
    pub fn tweet(&self, text: &'a str, id: Option<Id<'a>>, created: Option<Stamp>) -> Tweet<'a> {
        let timestamp_ms = self.get(Field::TimestampMs).filter(|_| self.mapped.time.is_none());
        Tweet {
            id,
            text,
            event_time_ms: event_time_ms(timestamp_ms.and_then(integer), id.and_then(Id::number), created),
            lang: self.text(Field::Lang),
            retweet_count: self.get(Field::Retweets).and_then(count),
            favorite_count: self.get(Field::Favorites).and_then(count),
            hashtags: self.hashtags(),
            position: self.position(),
            ..Tweet::default()
        }
    }

    fn hashtags(&self) -> Hashtags<'a> {
        let entities = self.get(Field::Entities);
        match entities.and_then(|entities| member(entities, "hashtags")).or(self.get(Field::Hashtags)) {
            Some(listed) => Hashtags::Listed(listed),
            None if entities.is_some() => Hashtags::None,
            None => Hashtags::InText,
        }
    }

    /// Latitude and longitude: `coordinates` has them as [longitude, latitude], and so has API v2
    /// within `geo`; the older `geo` of v1.1 and of activity streams has them the other way round.
    fn position(&self) -> Option<(f64, f64)> {
        let swapped = |(lon, lat)| (lat, lon);
        let inner = |field| member(self.get(field)?, "coordinates");
        let here = inner(Field::Coordinates).and_then(pair).map(swapped);
        let geo = || {
            let geo = inner(Field::Geo)?;
            if geo.is_object() { member(geo, "coordinates").and_then(pair).map(swapped) } else { pair(geo) }
        };
        let plain =
            || Some((self.get(Field::Lat).and_then(degrees)?, self.get(Field::Lon).and_then(degrees)?));
        here.filter(on_earth).or_else(|| geo().filter(on_earth)).or_else(|| plain().filter(on_earth))
    }
}

/// The longest of these texts, in characters: a text that was cut ends in an ellipsis and a link, and
/// may have more bytes than the whole one.
fn longest<const N: usize>(texts: [Option<&str>; N]) -> Option<&str> {
    let mut texts = texts.into_iter().flatten();
    let first = texts.next()?;
    // Counted only where there is a choice.
    Some(texts.fold(
        first,
        |longest, text| {
            if text.chars().count() > longest.chars().count() { text } else { longest }
        },
    ))
}

/// The member `name` of an object; the last one where it comes twice.
pub fn member<'a>(value: Value<'a, 'a>, name: &str) -> Option<Value<'a, 'a>> {
    value.as_object()?.iter().filter(|(key, _)| *key == name).last().map(|(_, value)| value)
}

/// The text under `name` in an object.
pub fn text_in<'a>(value: Option<Value<'a, 'a>>, name: &str) -> Option<&'a str> {
    member(value?, name)?.into_string()
}

/// An id below 2^63, as a number or as a string of digits, which may end something longer
/// (`id:twitter.com:12`).
pub fn user_id(value: Value<'_, '_>) -> Option<i64> {
    value.as_i64().or_else(|| {
        let text = value.into_string()?;
        decimal(text).and_then(|id| id.try_into().ok()).or_else(|| digits(text).parse().ok())
    })
}

/// The id in a value; an empty text is none.
pub fn id_of<'a>(value: Value<'a, 'a>) -> Option<Id<'a>> {
    match value.into_string() {
        Some(text) => Some(digits(text)).filter(|text| !text.is_empty()).map(Id::Text),
        None => value.as_u64().map(Id::Number),
    }
}

/// What stands behind the last colon.
fn digits(text: &str) -> &str {
    text.bytes().rposition(|byte| byte == b':').map_or(text, |colon| &text[colon + 1..])
}

/// A number, or a string of digits.
pub fn integer(value: Value<'_, '_>) -> Option<i64> {
    value.as_i64().or_else(|| {
        let text = value.into_string()?;
        decimal(text).and_then(|number| number.try_into().ok()).or_else(|| text.parse().ok())
    })
}

/// Likewise; account archives have counts as strings.
pub fn count(value: Value<'_, '_>) -> Option<u64> {
    value.as_u64().or_else(|| value.into_string()?.parse().ok())
}

/// A time as a text in one of many spellings, or as a number.
pub fn stamp(value: Value<'_, '_>) -> Option<Stamp> {
    match value.into_string() {
        Some(text) => parse_time(text),
        None => stamp_of_number(value.cast_f64()?),
    }
}

fn degrees(value: Value<'_, '_>) -> Option<f64> {
    value.cast_f64().or_else(|| value.into_string()?.parse().ok()).filter(|degrees| degrees.is_finite())
}

/// Whether latitude and longitude are such: beyond them a number is no degrees, and may be too long to
/// be read back.
fn on_earth(&(lat, lon): &(f64, f64)) -> bool {
    lat.abs() <= 90.0 && lon.abs() <= 180.0
}

fn pair(value: Value<'_, '_>) -> Option<(f64, f64)> {
    let pair = value.as_array()?;
    let mut numbers = pair.iter().map(degrees);
    match (numbers.next(), numbers.next(), numbers.next()) {
        (Some(Some(first)), Some(Some(second)), None) => Some((first, second)),
        _ => None,
    }
}
