//! The top of a record, looked through once, and how its values are read.
//!
//! Types differ from file to file (ids as numbers and as strings, counts as strings in archives): a
//! value of an unexpected type is ignored and does not fail the record.

use simd_json::prelude::*;
use simd_json::tape::{Object, Value};

use super::civil::Stamp;
use super::decision::DayOrder;
use super::json::Json;
use super::keys::{COORDINATES, ENTITIES, FIELDS, Field, GEO, HASHTAGS, Holder, KEYS, find};
use super::map::Mapped;
use super::members::{Entities, Place, Plain, RecordFields};
use super::read::{count, degrees, id_of, integer, on_earth, pair};
use super::reading::{Reading, TimeReader, Unread};
use super::time::{event_time_ms, precise_ms};
use super::{Hashtags, Id, Tweet};

/// Ids from 2010-11-07 on: three days after they began to hold a time.
const SURELY_SNOWFLAKE: u64 = 1 << 50;

/// The values of all fields that the record has.
pub struct Fields<'a> {
    values: [Option<Value<'a, 'a>>; FIELDS],
    /// Which key of [`KEYS`] each field was found under.
    places: [u8; FIELDS],
    /// Values at the paths of a `--map`.
    pub mapped: Mapped<'a>,
    /// As [`ParserOptions`](super::ParserOptions) has it.
    pub only_places: bool,
    times: &'a TimeReader,
}

/// What the record says of when it was written.
#[derive(Debug, Clone, Copy)]
pub struct Written<'a> {
    pub reading: Reading,
    /// The value of a time that is not read, and its field.
    unread: Option<(Option<Field>, Json<'a, Plain>)>,
}

impl Written<'_> {
    /// Whether there is a time, read or not.
    pub fn is_there(&self) -> bool {
        self.reading != Reading::Absent
    }
}

impl<'a> Fields<'a> {
    /// No fields yet, whose times `times` reads.
    pub fn new(times: &'a TimeReader) -> Self {
        Self {
            values: [None; FIELDS],
            places: [u8::MAX; FIELDS],
            mapped: Mapped::default(),
            only_places: false,
            times,
        }
    }

    /// Puts in all of an object's fields.
    pub fn put_all(&mut self, object: &Object<'a, 'a>) {
        for (name, value) in object.iter() {
            if let Some((_, place)) = find(name.as_bytes()) {
                self.put(place, value);
            }
        }
    }

    /// The same where it is known which keys of [`KEYS`] the object has.
    pub fn put_at(&mut self, places: &[u8], object: &Object<'a, 'a>) {
        for (place, (_, value)) in places.iter().zip(object.iter()) {
            self.put(*place, value);
        }
    }

    /// The fields of a record inside this one.
    pub fn within(&self, record: Json<'a, RecordFields>) -> Option<Self> {
        let mut fields = Self { mapped: self.mapped, only_places: self.only_places, ..Self::new(self.times) };
        fields.put_all(&record.object()?);
        Some(fields)
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

    /// The mapped time, otherwise the first time in these fields that is read, or else that is there.
    pub fn created<const N: usize>(&self, fields: [Field; N]) -> Written<'a> {
        if let Some(mapped) = self.mapped.time {
            return match (mapped.value, mapped.second) {
                (Some(first), Some(second)) => {
                    let reading = self.times.read_joined(first, second);
                    let is_read = matches!(reading, Reading::At(_) | Reading::Absent);
                    Written { reading, unread: (!is_read).then_some((None, first)) }
                }
                (first, second) => self.written(None, first.or(second)),
            };
        }
        let mut written = Written { reading: Reading::Absent, unread: None };
        for field in fields {
            let next = self.written(Some(field), self.get(field));
            match next.reading {
                Reading::At(_) => return next,
                Reading::Absent => {}
                _ if written.is_there() => {}
                _ => written = next,
            }
        }
        written
    }

    #[inline]
    fn written(&self, field: Option<Field>, value: Option<Json<'a, Plain>>) -> Written<'a> {
        let Some(value) = value else { return Written { reading: Reading::Absent, unread: None } };
        let reading = self.times.read(value);
        let is_read = matches!(reading, Reading::At(_) | Reading::Absent);
        Written { reading, unread: (!is_read).then_some((field, value)) }
    }

    /// The name and the value of an unread time.
    fn example(&self, written: &Written<'a>) -> (String, String) {
        let Some((field, value)) = written.unread else { return Default::default() };
        let name = match (field, self.mapped.time) {
            (Some(field), _) => self.name(field).unwrap_or_default().to_owned(),
            (None, mapped) => mapped.map_or(String::new(), |mapped| mapped.path.words()),
        };
        (name, value.shown())
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
    pub fn tweet(&self, text: &'a str, id: Option<Id<'a>>, created: Written<'a>) -> Tweet<'a> {
        let timestamp_ms = self.get(Field::TimestampMs).filter(|_| self.mapped.time.is_none());
        let (timestamp_ms, number) = (timestamp_ms.and_then(integer), id.and_then(Id::number));
        let event_time_ms = match created.reading {
            Reading::At(stamp) => event_time_ms(timestamp_ms, number, Some(stamp)),
            Reading::Absent => event_time_ms(timestamp_ms, number, None),
            _ => self.unread_time_ms(timestamp_ms, number, &created),
        };
        if self.only_places {
            return Tweet { id, text, event_time_ms, ..Tweet::default() };
        }
        Tweet {
            id,
            text,
            event_time_ms,
            lang: self.text(Field::Lang),
            retweet_count: self.get(Field::Retweets).and_then(count),
            favorite_count: self.get(Field::Favorites).and_then(count),
            hashtags: self.hashtags(),
            position: self.position(),
            ..Tweet::default()
        }
    }

    /// The time of a record whose spelt time is not read: the id may tell which of several times it is.
    #[cold]
    fn unread_time_ms(
        &self,
        timestamp_ms: Option<i64>,
        id: Option<u64>,
        created: &Written<'a>,
    ) -> Option<i64> {
        if let Reading::Unread { why, maybe } = created.reading {
            let precise =
                |stamp: Option<Stamp>| stamp.and_then(|stamp| precise_ms(timestamp_ms, id, Some(stamp)));
            let told = match maybe.map(precise) {
                [Some(time_ms), None] => Some((time_ms, DayOrder::DayFirst)),
                [None, Some(time_ms)] => Some((time_ms, DayOrder::MonthFirst)),
                _ => None,
            };
            if let Some((time_ms, order)) = told {
                if why == Unread::DayOrder {
                    self.times.learn(order);
                }
                return Some(time_ms);
            }
        }
        self.times.note(created.reading, || self.example(created));
        // Small numbers are made up, or of another service.
        event_time_ms(timestamp_ms, id.filter(|id| *id >= SURELY_SNOWFLAKE), None)
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
