//! Where the fields of a tweet are in hand-made files, as given by the user: `--map
//! time=meta.posted,text=body,user=by.0.id,id=nr` and `--time-format`.

use std::str::FromStr;

use simd_json::prelude::*;
use simd_json::tape::Value;

use super::civil::Stamp;
use super::json::Json;
use super::members::Plain;
use super::read::{id_of, stamp, user_id};
use super::{Id, Tweet, TweetForm};

/// Where each field of a record is. Fields that are not mapped are found as in any file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldMap {
    time: Option<Path>,
    text: Option<Path>,
    user: Option<Path>,
    id: Option<Path>,
    /// The format of the mapped time; `None`: as in any file.
    pub time_format: Option<TimeFormat>,
}

/// Names of members, from the record inwards; a number is an index into an array.
type Path = Vec<String>;

/// The format of a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimeFormat {
    /// A number in units of which this many make a second.
    PerSecond(u32),
    /// A text, in a strftime format.
    Pattern(String),
}

/// A mistake in `--map` or `--time-format`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// Not `name=path`.
    #[error("{0:?} is not of the form FIELD=PATH, with time, text, user or id for FIELD")]
    Assignment(String),
    /// A field twice.
    #[error("{0} is mapped twice")]
    Twice(String),
    /// A pattern that cannot parse what it formats.
    #[error(
        "{pattern:?} is not a time format: {reason}; use s, ms, us, ns, or a pattern such as %d/%m/%Y %H:%M:%S"
    )]
    Pattern {
        /// As given.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl FromStr for FieldMap {
    type Err = MapError;

    fn from_str(text: &str) -> Result<Self, MapError> {
        let mut map = Self::default();
        for part in text.split(',') {
            let wrong = || MapError::Assignment(part.to_owned());
            let (name, path) = part.split_once('=').ok_or_else(wrong)?;
            let place = match name.trim() {
                "time" => &mut map.time,
                "text" => &mut map.text,
                "user" => &mut map.user,
                "id" => &mut map.id,
                _ => return Err(wrong()),
            };
            let path: Path = path.trim().split('.').map(str::to_owned).collect();
            if path.iter().any(String::is_empty) {
                return Err(wrong());
            }
            if place.replace(path).is_some() {
                return Err(MapError::Twice(name.trim().to_owned()));
            }
        }
        Ok(map)
    }
}

impl FromStr for TimeFormat {
    type Err = MapError;

    fn from_str(text: &str) -> Result<Self, MapError> {
        Ok(match text {
            "s" => Self::PerSecond(1),
            "ms" => Self::PerSecond(1_000),
            "us" => Self::PerSecond(1_000_000),
            "ns" => Self::PerSecond(1_000_000_000),
            pattern => {
                let wrong = |reason: String| MapError::Pattern { pattern: pattern.to_owned(), reason };
                // A time whose fields all differ: the pattern must be able to parse what it
                // formats.
                let time =
                    jiff::Timestamp::from_second(1_625_587_487).map_err(|error| wrong(error.to_string()))?;
                let time = time.to_zoned_datetime(jiff::tz::TimeZone::UTC);
                let written =
                    jiff::fmt::strtime::format(pattern, &time).map_err(|error| wrong(error.to_string()))?;
                if !pattern.contains('%') {
                    return Err(wrong("it has no % in it".to_owned()));
                }
                read_pattern(pattern, &written)
                    .ok_or_else(|| wrong("it does not say the year, the month and the day".to_owned()))?;
                Self::Pattern(pattern.to_owned())
            }
        })
    }
}

impl TimeFormat {
    /// Whether a text written like this one is a time in this format.
    pub fn reads(&self, text: &str) -> bool {
        match self {
            TimeFormat::PerSecond(_) => text.trim().parse::<f64>().is_ok(),
            TimeFormat::Pattern(pattern) => read_pattern(pattern, text.trim()).is_some(),
        }
    }

    fn read(&self, value: Json<'_, Plain>) -> Option<Stamp> {
        match self {
            TimeFormat::PerSecond(per_second) => {
                let per_second = f64::from(*per_second);
                let number = value.number().or_else(|| value.text()?.trim().parse().ok())?;
                let ms = (number / per_second * 1_000.0).round();
                let is_time = ms.abs() < 1e15;
                is_time.then_some(Stamp { ms: ms as i64, has_zone: true })
            }
            TimeFormat::Pattern(pattern) => read_pattern(pattern, value.text()?.trim()),
        }
    }
}

fn read_pattern(pattern: &str, text: &str) -> Option<Stamp> {
    let parts = jiff::fmt::strtime::parse(pattern, text).ok()?;
    if let Ok(time) = parts.to_timestamp() {
        return Some(Stamp { ms: time.as_millisecond(), has_zone: true });
    }
    let time = parts.to_datetime().or_else(|_| parts.to_date().map(Into::into)).ok()?;
    let time = jiff::tz::TimeZone::UTC.to_timestamp(time).ok()?;
    Some(Stamp { ms: time.as_millisecond(), has_zone: false })
}

/// The values at the mapped paths. An outer `None` means that the field is not mapped; an inner
/// one, that there is no value.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mapped<'a> {
    /// The text; without it the record is not a tweet.
    pub text: Option<&'a str>,
    pub id: Option<Option<Id<'a>>>,
    pub time: Option<Option<Stamp>>,
    user: Option<Option<Json<'a, Plain>>>,
}

impl<'a> Mapped<'a> {
    /// Whether there is a user.
    pub fn has_user(&self) -> bool {
        self.user.flatten().is_some()
    }

    /// The tweet as mapped, with this user if one is mapped: a number is an id, otherwise it is a
    /// name.
    pub fn put_user(&self, tweet: Tweet<'a>) -> Tweet<'a> {
        let tweet = Tweet { shape: TweetForm::Mapped, ..tweet };
        let Some(user) = self.user else { return tweet };
        let name = user.and_then(Json::text).filter(|name| name.parse::<u64>().is_err());
        Tweet { user_id: user.and_then(user_id), screen_name: name.or(tweet.screen_name), ..tweet }
    }
}

/// What a record has where one field is mapped.
#[derive(Debug)]
pub enum AtPath<'a> {
    /// No such member, or null.
    Nothing,
    /// What the field takes.
    Fits,
    /// Something else.
    Other(Value<'a, 'a>),
}

impl FieldMap {
    /// Each field that is mapped: its name, its path, and what `record` has there.
    pub fn each<'a>(&self, record: Value<'a, 'a>) -> Vec<(&'static str, String, AtPath<'a>)> {
        let fields = [("text", &self.text), ("time", &self.time), ("user", &self.user), ("id", &self.id)];
        let mapped = fields.into_iter().filter_map(|(name, path)| Some((name, path.as_ref()?)));
        mapped.map(|(name, path)| (name, path.join("."), self.at_path(name, look_up(record, path)))).collect()
    }

    fn at_path<'a>(&self, name: &str, found: Option<Value<'a, 'a>>) -> AtPath<'a> {
        let Some(value) = found else { return AtPath::Nothing };
        let json = Json::<Plain>::from(value);
        let fits = match name {
            "text" => json.text().is_some(),
            "time" => self.read_time(json).is_some(),
            "id" => id_of(json).is_some(),
            _ => user_id(json).is_some() || json.text().is_some(),
        };
        if fits { AtPath::Fits } else { AtPath::Other(value) }
    }

    fn read_time(&self, value: Json<'_, Plain>) -> Option<Stamp> {
        match &self.time_format {
            Some(format) => format.read(value),
            None => stamp(value),
        }
    }

    /// The values at the mapped paths. `None` if a text is mapped and missing: whatever else the
    /// record has, it is not a tweet.
    pub(super) fn look_up<'a>(&self, record: Value<'a, 'a>) -> Option<Mapped<'a>> {
        let at =
            |path: &Option<Path>| path.as_ref().map(|path| look_up(record, path).map(Json::<Plain>::from));
        let text = match at(&self.text) {
            Some(text) => Some(text?.text()?),
            None => None,
        };
        Some(Mapped {
            text,
            id: at(&self.id).map(|id| id.and_then(id_of)),
            time: at(&self.time).map(|time| time.and_then(|value| self.read_time(value))),
            user: at(&self.user),
        })
    }
}

/// The value at a path. A key that contains dots is found too, if the path spells it as one.
fn look_up<'a>(value: Value<'a, 'a>, path: &[String]) -> Option<Value<'a, 'a>> {
    let Some((first, rest)) = path.split_first() else {
        return Some(value).filter(|value| !value.is_null());
    };
    if let Some(items) = value.as_array() {
        return look_up(items.get(first.parse().ok()?)?, rest);
    }
    let object = value.as_object()?;
    let member = |name: &str| object.iter().filter(|(key, _)| *key == name).last().map(|(_, value)| value);
    match member(first) {
        Some(value) => look_up(value, rest),
        None => member(&path.join(".")).filter(|value| !value.is_null()),
    }
}

#[cfg(test)]
#[path = "map_tests.rs"]
mod tests;
