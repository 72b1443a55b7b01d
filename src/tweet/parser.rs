//! Parses a frame and decides what it is.
//!
//! Each frame is first copied: mapped bytes may change at any time, and simd-json unescapes strings in place (1.6
//! times faster than letting it write to a private map). The values come as a tape, without the members that no form
//! reads if `pruned.rs` finds a way through the record. The tape is walked by hand: a field of an
//! unexpected type is ignored instead of failing the whole record. Events are parsed whole: they are sent as they are.

use std::sync::Arc;

use simd_json::prelude::ValueIntoString;
use simd_json::tape::Value;

use super::events::{self, EventBuffers, EventFields};
use super::fields::Fields;
use super::keys::{DATA, Field, TWEET, USER};
use super::map::FieldMap;
use super::mend::Mended;
use super::reading::{TimeOptions, TimeReader};
use super::reject::judge;
use super::users::{PageUsers, Users};
use super::values::{NotJson, ValueBuffers};
use super::wrapped::{look_inside, with_envelope};
use super::{Group, Reject, Tweet, TweetForm, activity, flat, grouped, v2, v11};
use crate::source::Frame;

/// What a frame turned out to be.
#[derive(Debug)]
pub enum Record<'a> {
    /// One tweet.
    Tweet(Tweet<'a>),
    /// One user and the texts of their tweets, without times.
    Group(Group<'a>),
    /// JSON, but not a tweet.
    Reject(Reject),
}

/// How records are read.
#[derive(Debug, Clone, Default)]
pub struct ParserOptions {
    /// Where the fields of hand-made records are; `None`: they are found by their names.
    pub fields: Option<FieldMap>,
    /// How times are written.
    pub times: TimeOptions,
    /// A record that breaks anywhere is not JSON, even in a value that is not read. For replays
    /// that send the record's own bytes.
    pub strict: bool,
    /// Of a tweet, only whether it is one, its id and its time are of interest; the rest may be missing. What is
    /// checked is the same.
    pub only_places: bool,
    /// The same, and less is checked: [`Parser::skim`] says what.
    pub skims: bool,
    /// Where each file of events has what is read of a record; `None`: the records are tweets.
    pub events: Option<Arc<[EventFields]>>,
}

/// The parser of one thread, with buffers that it reuses for every frame.
#[derive(Default)]
pub struct Parser {
    options: ParserOptions,
    times: TimeReader,
    values: ValueBuffers,
    users: PageUsers,
    /// For a record inside another one.
    inside: ValueBuffers,
    event: EventBuffers,
    /// The number of the file that is read.
    file: usize,
}

impl Parser {
    /// A parser with empty buffers; they grow to the largest frame seen.
    pub fn new() -> Self {
        Self::default()
    }

    /// As [`new`](Self::new), with options.
    pub fn with_options(options: ParserOptions) -> Self {
        Self { times: TimeReader::new(options.times.clone()), options, ..Self::default() }
    }

    /// From now on only places are of interest, as [`ParserOptions::only_places`] says.
    pub fn only_places(&mut self) {
        self.options.only_places = true;
    }

    /// From now on records are skimmed for their places: members that tell nothing of the place are not looked into, nor
    /// are the escapes of texts. A record that is found to be a tweet may be broken there, or have to be
    /// mended, when it is read as a whole, by any other parser; its id and time are the same. What is not found to be a
    /// tweet is read as a whole at once. With `strict` or a map no record is skimmed.
    pub fn skim(&mut self) {
        self.options.only_places = true;
        self.options.skims = true;
    }

    /// What reads the times: it knows what the records have shown of how these are written.
    pub fn times(&mut self) -> &mut TimeReader {
        &mut self.times
    }

    /// The next frames are of the file with this number.
    pub fn begin_file(&mut self, file: u32) {
        self.file = file as usize;
    }

    /// What was mended in the last frame.
    pub fn mended(&self) -> Mended {
        self.values.mended
    }

    /// Parses one frame and shows what it is to `look`. Copies the frame; allocates nothing once
    /// the buffers have grown.
    pub fn parse<T>(&mut self, frame: &[u8], look: impl FnOnce(Result<Record<'_>, NotJson>) -> T) -> T {
        self.parse_frame(Frame { offset: 0, bytes: frame, includes: &[] }, look)
    }

    /// As [`parse`](Self::parse), with the names of authors from the frame's page.
    pub fn parse_frame<T>(
        &mut self,
        frame: Frame<'_>,
        look: impl FnOnce(Result<Record<'_>, NotJson>) -> T,
    ) -> T {
        if self.options.events.is_some() {
            return self.parse_event(frame.bytes, look);
        }
        if !frame.includes.is_empty() {
            self.users.look_through(frame.includes);
        }
        let Self { options, times, values, users, inside, .. } = self;
        let clues = times.begin();
        let times = &*times;
        let users = match frame.includes {
            [] => Users::None,
            includes => Users::Page(users, includes),
        };
        // A map may lead anywhere in a record.
        let prune = !options.strict && options.fields.is_none();
        let skimmed = match prune && options.skims {
            true => values.skim(frame.bytes, |skimmed| {
                match skimmed.map(|(value, places)| read(value, Some(places), options, &users, times)) {
                    Some(Record::Tweet(tweet)) if is_sure(&tweet) => Ok(look(Ok(Record::Tweet(tweet)))),
                    _ => Err(look),
                }
            }),
            false => Err(look),
        };
        let look = match skimmed {
            Ok(seen) => return seen,
            Err(look) => look,
        };
        if options.skims {
            times.forget(clues);
        }
        values.read(frame.bytes, prune, |value, places| {
            match value.map(|value| read(value, places, options, &users, times)) {
                Ok(record) if options.fields.is_none() && may_wrap(&record) => {
                    let attempt =
                        &mut |json: &[u8], look| read_inside(inside, times, json, frame.bytes, look);
                    look_inside(frame.bytes, look, attempt).unwrap_or_else(|look| look(Ok(record)))
                }
                record => look(record),
            }
        })
    }

    /// An event is the record in `json`, or in the string that `json` is.
    fn parse_event<T>(&mut self, json: &[u8], look: impl FnOnce(Result<Record<'_>, NotJson>) -> T) -> T {
        let Self { options, times, values, inside, event, file, .. } = self;
        times.begin();
        let all = options.events.as_deref().unwrap_or_default();
        let Some(fields) = all.get(*file).or(all.first()) else { return look(Err(NotJson)) };
        values.read_whole(json, |value| {
            let (value, mended) = match value {
                Ok(read) => read,
                Err(error) => return look(Err(error)),
            };
            match value.into_string().map(str::trim).filter(|text| text.starts_with('{')) {
                None => look(record_of(events::read(value, (json, mended), fields, times, event))),
                Some(text) => inside.read_whole(text.as_bytes(), |value| {
                    look(match value {
                        Ok((value, mended)) => {
                            record_of(events::read(value, (text.as_bytes(), mended), fields, times, event))
                        }
                        Err(_) => Ok(Record::Reject(Reject::NotAnObject)),
                    })
                }),
            }
        })
    }

    /// Decodes one text of a group, found by [`super::texts`]: `raw` is its JSON string with the
    /// quotes, `user_id` the id of its group. Gives the same [`Tweet`] as [`Group::items`].
    pub fn parse_text<T>(
        &mut self,
        raw: &[u8],
        user_id: Option<i64>,
        look: impl FnOnce(Result<Record<'_>, NotJson>) -> T,
    ) -> T {
        self.values.read(raw, true, |value, _| {
            look(value.map(|value| match grouped::text(value.into(), user_id) {
                Ok(tweet) => Record::Tweet(tweet),
                Err(reject) => Record::Reject(reject),
            }))
        })
    }
}

/// What a record among events is.
fn record_of(event: Result<Result<Tweet<'_>, Reject>, NotJson>) -> Result<Record<'_>, NotJson> {
    Ok(match event? {
        Ok(event) => Record::Tweet(event),
        Err(reject) => Record::Reject(reject),
    })
}

/// Whether a skimmed tweet is one as a whole. Its text is as it is spelt.
fn is_sure(tweet: &Tweet<'_>) -> bool {
    tweet.shape != TweetForm::Flat || !tweet.text.starts_with(['{', '\\'])
}

/// Whether a tweet may be inside this record.
fn may_wrap(record: &Record<'_>) -> bool {
    match record {
        Record::Tweet(tweet) => tweet.shape == TweetForm::Flat && tweet.text.starts_with("{\""),
        Record::Group(_) => false,
        Record::Reject(reject) => matches!(reject, Reject::NotATweet | Reject::Other(_)),
    }
}

/// Shows the tweet in `json`, which is inside `record`, to `look`; gives `look` back if it is none.
fn read_inside<T, F>(
    values: &mut ValueBuffers,
    times: &TimeReader,
    json: &[u8],
    record: &[u8],
    look: F,
) -> Result<T, F>
where
    F: FnOnce(Result<Record<'_>, NotJson>) -> T,
{
    let options = ParserOptions::default();
    times.begin();
    values.read(json, true, |value, places| {
        match value.map(|value| read(value, places, &options, &Users::None, times)) {
            Ok(Record::Tweet(tweet)) => Ok(look(Ok(Record::Tweet(with_envelope(tweet, record))))),
            _ => Err(look),
        }
    })
}

/// Decides what a JSON value is.
fn read<'a>(
    value: Value<'a, 'a>,
    places: Option<&[u8]>,
    options: &'a ParserOptions,
    users: &Users<'a>,
    times: &'a TimeReader,
) -> Record<'a> {
    let Some(object) = value.as_object() else {
        return Record::Reject(Reject::NotATweet);
    };
    let mut fields = Fields::new(times);
    fields.only_places = options.only_places;
    match places {
        Some(places) => fields.put_at(places, &object),
        None => fields.put_all(&object),
    }
    if let Some(map) = &options.fields {
        let tweet = map.look_up(value).and_then(|mapped| {
            fields.mapped = mapped;
            read_mapped(&fields, users)
        });
        return found(tweet, &fields, times);
    }
    if let Some(group) = grouped::read(&fields) {
        return Record::Group(group);
    }
    found(read_tweet(&fields, users), &fields, times)
}

fn found<'a>(tweet: Option<Tweet<'a>>, fields: &Fields<'a>, times: &TimeReader) -> Record<'a> {
    match tweet {
        Some(_) if times.contradicts() => Record::Reject(Reject::TimeUnlikeTheFirst),
        Some(tweet) => Record::Tweet(tweet),
        None => Record::Reject(judge(fields)),
    }
}

/// The tweet in a record, by the keys at its top.
fn read_tweet<'a>(fields: &Fields<'a>, users: &Users<'a>) -> Option<Tweet<'a>> {
    // Scrapers kept some of the official names, and renamed the rest.
    read_official(fields, users).or_else(|| flat::read(fields))
}

/// The tweet in a record of the form that its names suggest.
fn read_official<'a>(fields: &Fields<'a>, users: &Users<'a>) -> Option<Tweet<'a>> {
    if let Some(wrapped) = fields.object(TWEET) {
        let tweet = v11::read(&fields.within(wrapped)?)?;
        return Some(Tweet { shape: TweetForm::Archive, ..tweet });
    }
    if let Some(data) = fields.object(DATA) {
        return v2::read_stream(fields, data);
    }
    if fields.has(Field::Verb) || fields.has(Field::PostedTime) {
        return activity::read(fields);
    }
    let is_v11 = fields.has(Field::Id) && (fields.object(USER).is_some() || fields.has(Field::Entities));
    match (v2::is_v2(fields), is_v11) {
        (true, _) => v2::read(fields, users),
        (_, true) => v11::read(fields),
        _ => None,
    }
}

/// The tweet in a record with mapped fields.
fn read_mapped<'a>(fields: &Fields<'a>, users: &Users<'a>) -> Option<Tweet<'a>> {
    let found = read_tweet(fields, users);
    // With the text known, one official name (`data`, `verb`) makes a hand-made record look
    // official: what is missing there is looked for at the top.
    let at_the_top = fields.mapped.text.and_then(|_| flat::read(fields));
    let tweet = match (found, at_the_top) {
        (Some(found), Some(at_the_top)) => found.or(at_the_top),
        (found, at_the_top) => found.or(at_the_top)?,
    };
    Some(fields.mapped.put_user(tweet))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tweet::tests::kind;

    #[test]
    fn each_kind_of_record() {
        assert_eq!(kind(r#"{"id_str":"7","text":"a\u00e9","user":{}}"#), "tweet Some(Text(\"7\")) aé");
        assert_eq!(kind(r#"{"id":1608,"tweets":["a"]}"#), "group Some(1608)");
        assert_eq!(kind(r#"{"delete":{"status":{"id":1}},"timestamp_ms":"1"}"#), "reject delete");
        assert_eq!(kind(r#"{"limit":{"track":3}}"#), "reject limit");
        assert_eq!(kind(r#"{"data":{"id":"1","text":"a"}}"#), "tweet Some(Text(\"1\")) a");
        assert_eq!(kind("{}"), "reject not a tweet");
        assert_eq!(kind("17"), "reject not a tweet");
        assert_eq!(kind("\"text\""), "reject not a tweet");
        assert_eq!(kind("[{\"text\":\"a\"}]"), "reject not a tweet");
    }

    #[test]
    fn what_the_apis_give_out_besides_is_named() {
        assert_eq!(kind(r#"{"errors":[{"code":88}]}"#), "reject error message");
        assert_eq!(kind(r#"{"title":"Unauthorized","detail":"x","status":401}"#), "reject error message");
        assert_eq!(kind(r#"{"id":"1","name":"n","username":"u","verified":false}"#), "reject user");
        assert_eq!(kind(r#"{"id":1,"screen_name":"u","statuses_count":3}"#), "reject user");
        assert_eq!(kind(r#"{"start":"x","end":"y","tweet_count":4}"#), "reject tweet count");
        assert_eq!(kind(r#"{"id":"1","action":"delete","created_at":"x"}"#), "reject compliance record");
        assert_eq!(kind(r#"{"follows":[1],"is_followed_by":[],"id":3}"#), "reject follower list");
        assert_eq!(kind(r#"{"meta":{"result_count":0}}"#), "reject page without tweets");
    }

    #[test]
    fn a_hand_made_record_may_have_an_official_name_in_it() {
        for official in [r#""verb":"say""#, r#""data":{"x":1}"#, r#""tweet":{"x":1}"#, r#""author_id":7"#] {
            let json = format!("{{\"id\":6,\"full_text\":\"a\",{official}}}");
            assert_eq!(kind(&json), "tweet Some(Number(6)) a", "{official}");
        }
        assert_eq!(kind(r#"{"id":6,"text":"a","postedTime":"2021-07-06"}"#), "tweet Some(Number(6)) a");
    }

    #[test]
    fn broken_json_is_an_error_and_the_parser_can_continue() {
        let mut parser = Parser::new();
        for broken in ["", "{", "{\"text\":\"a", "hello", "{\"text\":\"\\u00\"}", "\u{0}"] {
            assert!(parser.parse(broken.as_bytes(), |record| record.is_err()), "{broken:?}");
        }
        assert!(parser.parse(br#"{"id":1,"text":"a","user":{}}"#, |record| record.is_ok()));
    }

    #[test]
    fn json_by_other_rules_is_read_as_its_writers_meant_it() {
        let tweet =
            r#"{"id":18446744073709551616,"text":"cut \ud83d","user":{"id":5.0},"lang":NaN,"score":NaN}"#;
        assert_eq!(kind(tweet), "tweet Some(Text(\"18446744073709551616\")) cut \u{fffd}");
        let mut parser = Parser::new();
        let user = |record: Result<Record<'_>, NotJson>| match record {
            Ok(Record::Tweet(tweet)) => (tweet.user_id, tweet.lang.map(str::to_owned)),
            other => panic!("{other:?}"),
        };
        assert_eq!(parser.parse(tweet.as_bytes(), user), (Some(5), None));
        assert_eq!(parser.mended().names().count(), 3);
        assert!(parser.parse(br#"{"id":1,"text":"a","user":{}}"#, |record| record.is_ok()));
        assert_eq!(parser.mended(), Mended::default());
    }

    #[test]
    fn fields_of_unexpected_types_are_passed_over() {
        let json =
            r#"{"id_str":{},"id":6,"text":"a","user":[],"lang":{},"retweet_count":"100+","created_at":[]}"#;
        assert_eq!(kind(json), "tweet Some(Number(6)) a");
        let json = r#"{"id_str":true,"text":"a","full_text":7,"user":"x","entities":[],"coordinates":"here","geo":1}"#;
        assert_eq!(kind(json), "tweet None a");
    }
}
