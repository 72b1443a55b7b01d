//! Where the fields of a tweet are in hand-made files, as given by the user: `--map
//! time=meta.posted,text=body,user=by.0.id,id=nr` and `--time-format`; `time=Date+Time` joins two fields.

use std::str::FromStr;

use simd_json::prelude::*;
use simd_json::tape::Value;

use super::json::Json;
use super::members::Plain;
use super::read::{id_of, user_id, whole_of};
use super::reading::{Reading, TimeReader, Unread};
use super::{Id, Tweet, TweetForm};

/// Where each field of a record is. Fields that are not mapped are found as in any file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldMap {
    time: Option<TimePath>,
    text: Option<Path>,
    user: Option<Path>,
    id: Option<Path>,
}

/// Names of members, from the record inwards; a number is an index into an array.
pub type Path = Vec<String>;

/// Where a time is: in one field, or in two, with a blank between their values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimePath {
    pub first: Path,
    pub second: Option<Path>,
}

impl TimePath {
    /// In one field.
    pub fn of(first: Path) -> Self {
        Self { first, second: None }
    }

    /// As `--map` has it.
    pub fn words(&self) -> String {
        match &self.second {
            Some(second) => format!("{}+{}", self.first.join("."), second.join(".")),
            None => self.first.join("."),
        }
    }
}

/// The path that is spelt so; `None`: one of its names is empty.
pub fn parse_path(text: &str) -> Option<Path> {
    let path: Path = text.trim().split('.').map(str::to_owned).collect();
    let is_whole = !path.iter().any(String::is_empty);
    is_whole.then_some(path)
}

/// A mistake in `--map`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// Not `name=path`.
    #[error("{0:?} is not of the form FIELD=PATH, with time, text, user or id for FIELD")]
    Assignment(String),
    /// A field twice.
    #[error("{0} is mapped twice")]
    Twice(String),
}

impl FromStr for FieldMap {
    type Err = MapError;

    fn from_str(text: &str) -> Result<Self, MapError> {
        let mut map = Self::default();
        for part in text.split(',') {
            let wrong = || MapError::Assignment(part.to_owned());
            let (name, path) = part.split_once('=').ok_or_else(wrong)?;
            let parsed = |path: &str| parse_path(path).ok_or_else(wrong);
            let is_twice = match name.trim() {
                "time" => {
                    let (first, second) = path.split_once('+').map_or((path, None), |(a, b)| (a, Some(b)));
                    let second = second.map(parsed).transpose()?;
                    map.time.replace(TimePath { first: parsed(first)?, second }).is_some()
                }
                "text" => map.text.replace(parsed(path)?).is_some(),
                "user" => map.user.replace(parsed(path)?).is_some(),
                "id" => map.id.replace(parsed(path)?).is_some(),
                _ => return Err(wrong()),
            };
            if is_twice {
                return Err(MapError::Twice(name.trim().to_owned()));
            }
        }
        Ok(map)
    }
}

/// The values at the mapped paths. An outer `None` means that the field is not mapped; an inner
/// one, that there is no value.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mapped<'a> {
    /// The text; without it the record is not a tweet.
    pub text: Option<&'a str>,
    pub id: Option<Option<Id<'a>>>,
    pub time: Option<MappedTime<'a>>,
    user: Option<Option<Json<'a, Plain>>>,
}

/// The value at the path of the time, and that path.
#[derive(Debug, Clone, Copy)]
pub(super) struct MappedTime<'a> {
    pub path: &'a TimePath,
    pub value: Option<Json<'a, Plain>>,
    /// The value of the second of two fields.
    pub second: Option<Json<'a, Plain>>,
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
        let name =
            user.and_then(Json::text).filter(|name| name.parse::<u64>().is_err() && whole_of(name).is_none());
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
    pub fn each<'a>(
        &self,
        record: Value<'a, 'a>,
        times: &TimeReader,
    ) -> Vec<(&'static str, String, AtPath<'a>)> {
        let plain = |name, path: &Option<Path>| {
            let path = path.as_ref()?;
            Some((name, path.join("."), at_path(name, look_up(record, path), times)))
        };
        let time = || {
            let place = self.time.as_ref()?;
            let (first, second) = (look_up(record, &place.first), place.second.as_ref());
            let second = second.and_then(|path| look_up(record, path)).map(Json::<Plain>::from);
            let found = match (first, second) {
                (Some(first), Some(second)) => match times.read_joined(first.into(), second) {
                    Reading::Unread { why: Unread::Spelling | Unread::Zone | Unread::Format, .. } => {
                        AtPath::Other(first)
                    }
                    Reading::Absent => AtPath::Nothing,
                    _ => AtPath::Fits,
                },
                (first, _) => at_path("time", first, times),
            };
            Some(("time", place.words(), found))
        };
        [plain("text", &self.text), time(), plain("user", &self.user), plain("id", &self.id)]
            .into_iter()
            .flatten()
            .collect()
    }

    /// Whether a text is mapped: then the records are tweets.
    pub fn has_text(&self) -> bool {
        self.text.is_some()
    }

    pub fn time(&self) -> Option<&TimePath> {
        self.time.as_ref()
    }

    pub fn user(&self) -> Option<&Path> {
        self.user.as_ref()
    }

    pub fn id(&self) -> Option<&Path> {
        self.id.as_ref()
    }

    /// The values at the mapped paths. `None` if a text is mapped and missing: whatever else the
    /// record has, it is not a tweet.
    pub(super) fn look_up<'a>(&'a self, record: Value<'a, 'a>) -> Option<Mapped<'a>> {
        let at =
            |path: &Option<Path>| path.as_ref().map(|path| look_up(record, path).map(Json::<Plain>::from));
        let text = match at(&self.text) {
            Some(text) => Some(text?.text()?),
            None => None,
        };
        Some(Mapped {
            text,
            id: at(&self.id).map(|id| id.and_then(id_of)),
            time: self.time.as_ref().map(|path| MappedTime {
                path,
                value: look_up(record, &path.first).map(Json::from),
                second: path.second.as_ref().and_then(|path| look_up(record, path)).map(Json::from),
            }),
            user: at(&self.user),
        })
    }
}

fn at_path<'a>(name: &str, found: Option<Value<'a, 'a>>, times: &TimeReader) -> AtPath<'a> {
    let Some(value) = found else { return AtPath::Nothing };
    let json = Json::<Plain>::from(value);
    let fits = match name {
        "text" => json.text().is_some(),
        // What the file as a whole may still decide.
        "time" => match times.read(json) {
            Reading::Unread { why, .. } => matches!(why, Unread::DayOrder | Unread::Unit),
            Reading::Absent => return AtPath::Nothing,
            Reading::At(_) | Reading::Contradiction => true,
        },
        "id" => id_of(json).is_some(),
        _ => user_id(json).is_some() || json.text().is_some(),
    };
    if fits { AtPath::Fits } else { AtPath::Other(value) }
}

/// The value at a path, if it is not null. A key that contains dots is found too, if the path spells it as one.
fn look_up<'a>(value: Value<'a, 'a>, path: &[String]) -> Option<Value<'a, 'a>> {
    find_path(value, path).filter(|value| !value.is_null())
}

/// The same, null or not.
pub(super) fn find_path<'a>(value: Value<'a, 'a>, path: &[String]) -> Option<Value<'a, 'a>> {
    let Some((first, rest)) = path.split_first() else { return Some(value) };
    if let Some(items) = value.as_array() {
        return find_path(items.get(first.parse().ok()?)?, rest);
    }
    let object = value.as_object()?;
    let member = |name: &str| object.iter().filter(|(key, _)| *key == name).last().map(|(_, value)| value);
    match member(first) {
        Some(value) => find_path(value, rest),
        None if rest.is_empty() => None,
        None => member(&path.join(".")),
    }
}

#[cfg(test)]
#[path = "map_tests.rs"]
mod tests;
