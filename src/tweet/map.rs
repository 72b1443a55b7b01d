//! Where the fields of a tweet are in hand-made files, as given by the user: `--map
//! time=meta.posted,text=body,user=by.0.id,id=nr` and `--time-format`.

use std::str::FromStr;

use simd_json::prelude::*;
use simd_json::tape::Value;

use super::civil::Stamp;
use super::json::Json;
use super::members::Plain;
use super::read::{id_of, stamp, user_id};
use super::{Id, Shape, Tweet};

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
        "{pattern:?} is no time format: {reason}; use s, ms, us, ns, or a pattern such as %d/%m/%Y %H:%M:%S"
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
        let tweet = Tweet { shape: Shape::Mapped, ..tweet };
        let Some(user) = self.user else { return tweet };
        let name = user.and_then(Json::text).filter(|name| name.parse::<u64>().is_err());
        Tweet { user_id: user.and_then(user_id), screen_name: name.or(tweet.screen_name), ..tweet }
    }
}

impl FieldMap {
    /// The values at the mapped paths. `None` if a text is mapped and missing: whatever else the
    /// record has, it is not a tweet.
    pub(super) fn look_up<'a>(&self, record: Value<'a, 'a>) -> Option<Mapped<'a>> {
        let at =
            |path: &Option<Path>| path.as_ref().map(|path| look_up(record, path).map(Json::<Plain>::from));
        let read_time = |value| match &self.time_format {
            Some(format) => format.read(value),
            None => stamp(value),
        };
        let text = match at(&self.text) {
            Some(text) => Some(text?.text()?),
            None => None,
        };
        Some(Mapped {
            text,
            id: at(&self.id).map(|id| id.and_then(id_of)),
            time: at(&self.time).map(|time| time.and_then(read_time)),
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
mod tests {
    use super::*;
    use crate::tweet::{Hashtags, Parser, ParserOptions, Record};

    fn with_map<T>(
        map: &str,
        format: Option<&str>,
        json: &str,
        look: impl FnOnce(Option<Tweet<'_>>) -> T,
    ) -> T {
        let mut fields: FieldMap = map.parse().unwrap();
        fields.time_format = format.map(|format| format.parse().unwrap());
        let mut parser =
            Parser::with_options(ParserOptions { fields: Some(fields), ..ParserOptions::default() });
        parser.parse(json.as_bytes(), |record| match record {
            Ok(Record::Tweet(tweet)) => look(Some(tweet)),
            Ok(Record::Reject(_)) => look(None),
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn paths_lead_into_objects_and_arrays() {
        with_map(
            "time=meta.at,text=says.1.words,user=by.id,id=nr",
            None,
            r#"{"nr":"20","says":[{},{"words":"hello"}],"by":{"id":"7"},"meta":{"at":"2021-07-06T16:04:47Z"}}"#,
            |tweet| {
                let tweet = tweet.unwrap();
                assert_eq!((tweet.text, tweet.user_id, tweet.shape), ("hello", Some(7), Shape::Mapped));
                assert_eq!(tweet.id, Some(Id::Text("20")));
                assert_eq!(tweet.event_time_ms, Some(1_625_587_487_000));
            },
        );
    }

    #[test]
    fn what_is_not_mapped_is_found_as_in_any_file() {
        let json =
            r#"{"id_str":"20","text":"t","user":{"screen_name":"n"},"when":"06/07/2021 16:04","a.b":"bob"}"#;
        with_map("time=when,user=a.b", Some("%d/%m/%Y %H:%M"), json, |tweet| {
            let tweet = tweet.unwrap();
            assert_eq!((tweet.text, tweet.screen_name, tweet.user_id), ("t", Some("bob"), None));
            assert_eq!(tweet.event_time_ms, Some(1_625_587_440_000));
        });
    }

    /// All fields of a tweet, as text.
    fn all_of(map: &str, json: &str) -> String {
        with_map(map, None, json, |tweet| {
            let Some(tweet) = tweet else { return "none".to_owned() };
            let id = tweet.id.and_then(Id::number);
            let time_s = tweet.event_time_ms.map(|ms| ms / 1_000);
            let user = (tweet.user_id, tweet.screen_name);
            let counts = (tweet.retweet_count, tweet.favorite_count);
            let listed = matches!(tweet.hashtags, Hashtags::Listed(_));
            format!(
                "{} {id:?} {time_s:?} {user:?} {:?} {counts:?} {:?} {listed}",
                tweet.text, tweet.lang, tweet.position
            )
        })
    }

    /// Every field has a common and an uncommon name: whatever is mapped, the rest is found.
    #[test]
    fn each_field_is_mapped_by_itself() {
        let usual = r#""id":"1","user_id":"7","screen_name":"n","created_at":"2021-07-06T16:04:47Z","lang":"en",
            "retweets":2,"likes":3,"hashtags":["h"],"lat":40,"lon":-73.5"#;
        let unusual = r#""nr":"2","who":"8","when":"2021-07-06T16:04:48Z","words":"w""#;
        let usual_text = format!("{{{usual},\"text\":\"t\",{unusual}}}");
        let no_usual_text = format!("{{{usual},{unusual}}}");
        for mapped in 0..16 {
            let is = |bit: u32| mapped & (1 << bit) != 0;
            let pick = |bit, usual, unusual| if is(bit) { unusual } else { usual };
            let expected = |text| {
                let (id, user) = (pick(0, "1", "2"), pick(1, "7", "8"));
                let time_s = pick(2, "1625587487", "1625587488");
                format!(
                    "{text} Some({id}) Some({time_s}) (Some({user}), Some(\"n\")) Some(\"en\") \
                     (Some(2), Some(3)) Some((40.0, -73.5)) true"
                )
            };
            let map: Vec<&str> = ["id=nr", "user=who", "time=when", "text=words"]
                .into_iter()
                .enumerate()
                .filter_map(|(bit, part)| is(bit as u32).then_some(part))
                .collect();
            if map.is_empty() {
                continue;
            }
            let map = map.join(",");
            assert_eq!(all_of(&map, &usual_text), expected(pick(3, "t", "w")), "{map}");
            let without = if is(3) { expected("w") } else { "none".to_owned() };
            assert_eq!(all_of(&map, &no_usual_text), without, "{map}");
        }
    }

    #[test]
    fn with_an_unusual_text_official_records_are_read_too() {
        let of = |path: &str, json: &str| all_of(&format!("text={path}"), json);
        let expected =
            "w Some(1) Some(1625587487) (Some(7), Some(\"n\")) Some(\"en\") (None, Some(3)) None false";
        let v11 = r#"{"id_str":"1","created_at":"Tue Jul 06 16:04:47 +0000 2021","words":"w","lang":"en",
            "favorite_count":3,"user":{"id":7,"screen_name":"n"}}"#;
        assert_eq!(of("words", v11), expected);
        assert_eq!(of("tweet.words", &format!("{{\"tweet\":{v11}}}")), expected);
        let v2 = r#"{"data":{"id":"1","created_at":"2021-07-06T16:04:47.000Z","words":"w","lang":"en","author_id":"7",
            "public_metrics":{"like_count":3}},"includes":{"users":[{"id":"7","username":"n"}]}}"#;
        assert_eq!(of("data.words", v2), expected);
        let activity = r#"{"id":"tag:search.twitter.com,2005:1","verb":"post","postedTime":"2021-07-06T16:04:47Z",
            "actor":{"id":"id:twitter.com:7","preferredUsername":"n"},"words":"w","favoritesCount":3,"twitter_lang":"en"}"#;
        assert_eq!(of("words", activity), expected);
    }

    /// Log lines and events of other programs use such names, too.
    #[test]
    fn an_official_name_in_a_hand_made_record_hides_nothing_of_it() {
        let rest =
            r#""id":1,"user_id":7,"username":"n","time":"2021-07-06T16:04:47Z","language":"en","likes":3"#;
        for (map, official) in [
            ("text=msg", r#""verb":"GET","msg":"w""#),
            ("text=data.msg", r#""data":{"msg":"w"}"#),
            ("text=tweet.msg", r#""tweet":{"msg":"w"}"#),
        ] {
            assert_eq!(
                all_of(map, &format!("{{{official},{rest}}}")),
                "w Some(1) Some(1625587487) (Some(7), Some(\"n\")) Some(\"en\") (None, Some(3)) None false",
                "{official}"
            );
        }
    }

    #[test]
    fn what_is_mapped_makes_the_rest_likely_and_an_id_has_its_time() {
        // A `content` alone is not a tweet.
        assert_eq!(all_of("id=nr", r#"{"content":"c"}"#), "none");
        for (map, member) in
            [("id=nr", "\"nr\":5"), ("time=when", "\"when\":1625587487"), ("user=who", "\"who\":7")]
        {
            assert!(all_of(map, &format!("{{\"content\":\"c\",{member}}}")).starts_with("c "), "{map}");
        }
        let json = r#"{"text":"t","id":"1","nr":"1494676113423061005"}"#;
        with_map("id=nr", None, json, |tweet| {
            assert_eq!(tweet.unwrap().event_time_ms, crate::tweet::snowflake_ms(1_494_676_113_423_061_005));
        });
    }

    #[test]
    fn a_record_without_the_mapped_text_is_no_tweet() {
        assert!(with_map("text=words", None, r#"{"text":"t","id":1}"#, |tweet| tweet.is_none()));
        assert!(with_map("text=words", None, r#"{"words":7}"#, |tweet| tweet.is_none()));
    }

    #[test]
    fn numbers_of_any_unit() {
        for (format, time) in [("s", "1625587487"), ("ms", "\"1625587487000\""), ("us", "1625587487000000")] {
            let json = format!("{{\"text\":\"t\",\"at\":{time}}}");
            with_map("time=at", Some(format), &json, |tweet| {
                assert_eq!(tweet.unwrap().event_time_ms, Some(1_625_587_487_000), "{format}");
            });
        }
    }

    #[test]
    fn mistakes_are_named() {
        let wrong = |map: &str| map.parse::<FieldMap>().unwrap_err().to_string();
        assert!(wrong("time").contains("FIELD=PATH"));
        assert!(wrong("date=x").contains("time, text, user or id"));
        assert!(wrong("time=a..b").contains("FIELD=PATH"));
        assert_eq!(wrong("id=a,id=b"), "id is mapped twice");
        for pattern in ["", "when", "%H:%M", "%d/%m %H:%M", "%Q!"] {
            assert!(pattern.parse::<TimeFormat>().is_err(), "{pattern}");
        }
    }
}
