//! The top of a record, looked through once, and how its values are read.
//!
//! Types differ from file to file (ids as numbers and as strings, counts as strings in archives): a
//! value of an unexpected type is ignored and does not fail the record.

use simd_json::prelude::*;
use simd_json::tape::{Object, Value};

use super::civil::Stamp;
use super::json::Json;
use super::keys::{COORDINATES, ENTITIES, FIELDS, Field, GEO, HASHTAGS, Holder, KEYS, find};
use super::map::Mapped;
use super::members::{Entities, Place, Plain, RecordFields};
use super::read::{count, degrees, id_of, integer, on_earth, pair, stamp};
use super::time::event_time_ms;
use super::{Hashtags, Id, Tweet};

/// The values of all fields that the record has.
pub struct Fields<'a> {
    values: [Option<Value<'a, 'a>>; FIELDS],
    /// Which key of [`KEYS`] each field was found under.
    places: [u8; FIELDS],
    /// Values at the paths of a `--map`.
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

    /// As [`of`](Self::of), where it is known which keys of [`KEYS`] the object has.
    pub fn at(places: &[u8], object: &Object<'a, 'a>) -> Self {
        let mut fields = Self::default();
        for (place, (_, value)) in places.iter().zip(object.iter()) {
            fields.put(*place, value);
        }
        fields
    }

    /// The fields of a record inside this one.
    pub fn within(&self, record: Json<'a, RecordFields>) -> Option<Self> {
        Some(Self { mapped: self.mapped, ..Self::of(&record.object()?) })
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

    pub fn get(&self, field: Field) -> Option<Json<'a, Plain>> {
        self.values[field as usize].map(Json::from)
    }

    /// The value of a field, typed by what can be read in it.
    pub fn inside<I>(&self, holder: Holder<I>) -> Option<Json<'a, I>> {
        self.values[holder.field as usize].map(Json::from)
    }

    /// The key under which the field was found.
    pub fn name(&self, field: Field) -> Option<&'static str> {
        KEYS.get(usize::from(self.places[field as usize])).map(|key| key.name)
    }

    pub fn has(&self, field: Field) -> bool {
        self.values[field as usize].is_some()
    }

    pub fn text(&self, field: Field) -> Option<&'a str> {
        self.get(field)?.text()
    }

    pub fn object<I>(&self, holder: Holder<I>) -> Option<Json<'a, I>> {
        self.inside(holder).filter(|value| value.is_object())
    }

    /// The mapped text, otherwise the [`longest`] of these.
    pub fn longest<const N: usize>(&self, texts: [Option<&'a str>; N]) -> Option<&'a str> {
        self.mapped.text.or_else(|| longest(texts))
    }

    /// The mapped time, otherwise the first time in these fields.
    pub fn created<const N: usize>(&self, fields: [Field; N]) -> Option<Stamp> {
        match self.mapped.time {
            Some(time) => time,
            None => fields.into_iter().find_map(|field| stamp(self.get(field)?)),
        }
    }

    /// The mapped id, otherwise `id_str`, otherwise `id`, which many files have rounded to a
    /// double.
    pub fn id(&self) -> Option<Id<'a>> {
        match self.mapped.id {
            Some(id) => id,
            None => [Field::IdStr, Field::Id, Field::OtherId]
                .into_iter()
                .find_map(|field| id_of(self.get(field)?)),
        }
    }

    /// What all forms share: the counts, the language, the position, and, through `id` and
    /// `created`, the time.
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
        let entities = self.inside(ENTITIES);
        let listed = entities.and_then(|entities| entities.get(Entities::HASHTAGS));
        match listed.or(self.inside(HASHTAGS)) {
            Some(listed) => Hashtags::Listed(listed),
            None if entities.is_some() => Hashtags::None,
            None => Hashtags::InText,
        }
    }

    /// Latitude and longitude: `coordinates` has them as [longitude, latitude], as does API v2
    /// within `geo`; the older `geo` of v1.1 and of activity streams has them in the opposite
    /// order.
    fn position(&self) -> Option<(f64, f64)> {
        let swapped = |(lon, lat)| (lat, lon);
        let inner = |holder: Holder<Place>| self.inside(holder)?.get(Place::COORDINATES);
        let here = inner(COORDINATES).and_then(pair).map(swapped);
        let geo = || {
            let geo = inner(GEO)?;
            if geo.is_object() { geo.member("coordinates").and_then(pair).map(swapped) } else { pair(geo) }
        };
        let plain =
            || Some((self.get(Field::Lat).and_then(degrees)?, self.get(Field::Lon).and_then(degrees)?));
        here.filter(on_earth).or_else(|| geo().filter(on_earth)).or_else(|| plain().filter(on_earth))
    }
}

/// The longest of these texts, in characters: a text that was cut ends in an ellipsis and a link,
/// and may have more bytes than the whole one.
fn longest<const N: usize>(texts: [Option<&str>; N]) -> Option<&str> {
    let mut texts = texts.into_iter().flatten();
    let first = texts.next()?;
    // Counted only if there is a choice.
    Some(texts.fold(
        first,
        |longest, text| {
            if text.chars().count() > longest.chars().count() { text } else { longest }
        },
    ))
}
