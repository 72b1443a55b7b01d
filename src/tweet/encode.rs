//! Writes a tweet as the flat JSON object that travels through MQTT and Kafka into Druid.
//!
//! `timestamp` is the first field and always 24 characters long: its place is left blank here, and
//! the pacer writes the time into it when it releases the event.

use super::civil::civil_from_days;
use super::json::Json;
use super::members::Hashtag;
use super::{Extra, Hashtags, Id, Tweet, hashtags_in};
use crate::event::PayloadForm;
use bytes::{BufMut, BytesMut};

/// Position of the 24 characters of `timestamp` in a payload, in bytes from its start.
pub const TIMESTAMP_OFFSET: usize = BEFORE_TIMESTAMP.len();

/// Length of `2026-11-24T05:02:11.123Z`.
pub const TIMESTAMP_BYTES: usize = 24;

/// Longest run id that fits in a payload's tail, in bytes.
pub const RUN_ID_MAX_BYTES: usize = 64;

const BEFORE_TIMESTAMP: &[u8] = b"{\"timestamp\":\"";

/// From the start to the author's id, including the blank.
const HEAD: &[u8] = b"{\"timestamp\":\"                        \",\"user_id\":";

/// ISO 8601 with milliseconds, UTC: `2026-11-24T05:02:11.123Z`.
pub fn iso_ms(time_ms: i64) -> String {
    let mut text = [0; TIMESTAMP_BYTES];
    write_timestamp(time_ms, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// Appends the payload of `tweet` to `out`, with a blank in place of its time stamp.
///
/// `run` must need no escaping in JSON. The user's `extra` members come between the tweet's own
/// fields and `run`, in [`PayloadForm::Tweet`] only. [`PayloadForm::Raw`] is not written here: its
/// payload is the frame.
pub fn encode(
    tweet: &Tweet<'_>,
    form: PayloadForm,
    extra: Option<&Extra>,
    run: &str,
    seq: u64,
    out: &mut BytesMut,
) {
    // Enough for everything except the hashtags, if nothing needs an escape.
    const USUAL_BYTES: usize = 384;
    out.reserve(USUAL_BYTES + tweet.text.len());
    out.put_slice(HEAD);
    match tweet.user_id {
        Some(id) => out.put_slice(itoa::Buffer::new().format(id).as_bytes()),
        None => out.put_slice(b"null"),
    }
    out.put_slice(b",\"tweet\":\"");
    put_string(tweet.text, out);
    if form == PayloadForm::Tweet {
        put_details(tweet, extra.and_then(|extra| extra.screen_name.as_deref()), out);
        if let Some(extra) = extra {
            out.put_slice(&extra.members);
        }
        out.put_slice(b",\"run\":\"");
        out.put_slice(run.as_bytes());
        out.put_slice(b"\",\"seq\":");
        put_number(seq, out);
    }
    out.put_u8(b'}');
}

fn put_details(tweet: &Tweet<'_>, other_name: Option<&[u8]>, out: &mut BytesMut) {
    match tweet.id {
        Some(Id::Text(id)) => {
            out.put_slice(b",\"id\":\"");
            put_string(id, out);
        }
        Some(Id::Number(id)) => {
            out.put_slice(b",\"id\":\"");
            put_number(id, out);
            out.put_u8(b'"');
        }
        None => {}
    }
    if let Some(time) = tweet.event_time_ms {
        out.put_slice(b",\"created_at\":\"");
        let mut stamp = [0; TIMESTAMP_BYTES];
        write_timestamp(time, &mut stamp);
        out.put_slice(&stamp);
        out.put_u8(b'"');
    }
    // Written out, so that each name is copied as a constant.
    if let Some(lang) = tweet.lang {
        out.put_slice(b",\"lang\":\"");
        put_string(lang, out);
    }
    match (tweet.screen_name, other_name) {
        (Some(name), _) => {
            out.put_slice(b",\"screen_name\":\"");
            put_string(name, out);
        }
        (None, Some(name)) => {
            out.put_slice(b",\"screen_name\":");
            out.put_slice(name);
        }
        (None, None) => {}
    }
    if let Some(count) = tweet.retweet_count {
        out.put_slice(b",\"retweet_count\":");
        put_number(count, out);
    }
    if let Some(count) = tweet.favorite_count {
        out.put_slice(b",\"favorite_count\":");
        put_number(count, out);
    }
    put_hashtags(tweet, out);
    if let Some((lat, lon)) = tweet.position {
        // Display of a finite f64 is its shortest exact decimal form, which is JSON.
        out.put_slice(format!(",\"lat\":{lat},\"lon\":{lon}").as_bytes());
    }
}

fn put_hashtags(tweet: &Tweet<'_>, out: &mut BytesMut) {
    match tweet.hashtags {
        Hashtags::Listed(tags) => {
            let Some(tags) = tags.items() else { return };
            put_list(tags.filter_map(tag_text), out);
        }
        Hashtags::InText => {
            let mut tags = hashtags_in(tweet.text).peekable();
            if tags.peek().is_some() {
                put_list(tags, out);
            }
        }
        Hashtags::None => {}
    }
}

/// The text of one element of a list of hashtags.
fn tag_text(tag: Json<'_, Hashtag>) -> Option<&str> {
    let text = match tag.is_object() {
        true => tag.get(Hashtag::TEXT).or_else(|| tag.get(Hashtag::TAG))?.text()?,
        false => tag.text()?,
    };
    // Some write the sign and others do not.
    Some(text.strip_prefix(['#', '＃']).unwrap_or(text)).filter(|tag| !tag.is_empty())
}

fn put_list<'a>(tags: impl Iterator<Item = &'a str>, out: &mut BytesMut) {
    out.put_slice(b",\"hashtags\":[");
    for (index, tag) in tags.enumerate() {
        out.put_slice(if index > 0 { b",\"" } else { b"\"" });
        put_string(tag, out);
    }
    out.put_u8(b']');
}

fn put_number(number: u64, out: &mut BytesMut) {
    out.put_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends a JSON string without its opening quote: `"`, `\` and control characters escaped (RFC
/// 8259, section 7), everything else unchanged, and the closing quote.
fn put_string(text: &str, out: &mut BytesMut) {
    let mut rest = text.as_bytes();
    out.reserve(rest.len() + 1);
    loop {
        let (plain, behind) = rest.split_at(plain_bytes(rest));
        out.put_slice(plain);
        let Some((byte, behind)) = behind.split_first() else { break };
        rest = behind;
        match byte {
            b'"' => out.put_slice(b"\\\""),
            b'\\' => out.put_slice(b"\\\\"),
            b'\n' => out.put_slice(b"\\n"),
            b'\r' => out.put_slice(b"\\r"),
            b'\t' => out.put_slice(b"\\t"),
            _ => out.put_slice(format!("\\u{byte:04x}").as_bytes()),
        }
    }
    out.put_u8(b'"');
}

/// How many bytes at the start of `bytes` need no escape.
#[inline]
fn plain_bytes(bytes: &[u8]) -> usize {
    const WORD: usize = 8;
    let (words, rest) = bytes.as_chunks();
    for (nth, word) in words.iter().enumerate() {
        if let Some(place) = first_to_escape(*word) {
            return nth * WORD + place;
        }
    }
    match bytes.last_chunk() {
        // Some of these were checked already, and need none.
        Some(last) => first_to_escape(*last).map_or(bytes.len(), |place| bytes.len() - WORD + place),
        None => {
            let needs_one = |byte: &u8| *byte < b' ' || matches!(byte, b'"' | b'\\');
            rest.iter().position(needs_one).unwrap_or(rest.len())
        }
    }
}

/// The position of the first of these bytes that needs an escape.
#[inline]
fn first_to_escape(word: [u8; 8]) -> Option<usize> {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let word = u64::from_le_bytes(word);
    // The highest bit of a byte is set where it is below `least`. Borrows from the bytes above it
    // do not matter, since the lowest one counts.
    let below = |bytes: u64, least: u8| bytes.wrapping_sub(EACH * u64::from(least)) & !bytes;
    let is = |byte: u8| below(word ^ (EACH * u64::from(byte)), 1);
    let wanted = (below(word, b' ') | is(b'"') | is(b'\\')) & (EACH << 7);
    (wanted != 0).then(|| wanted.trailing_zeros() as usize / 8)
}

/// Writes milliseconds since 1970 UTC as `2026-11-24T05:02:11.123Z`. Times outside the years 0 to
/// 9999, which do not fit in 24 characters, are clamped.
pub fn write_timestamp(time_ms: i64, out: &mut [u8; TIMESTAMP_BYTES]) {
    const YEAR_0_MS: i64 = -62_167_219_200_000;
    const YEAR_9999_END_MS: i64 = 253_402_300_799_999;
    let time_ms = time_ms.clamp(YEAR_0_MS, YEAR_9999_END_MS);
    let (days, ms_of_day) = (time_ms.div_euclid(86_400_000), time_ms.rem_euclid(86_400_000) as u32);
    let (year, month, day) = civil_from_days(days);
    *out = *b"0000-00-00T00:00:00.000Z";
    let mut put = |at: usize, number: u32| {
        out[at] += (number / 10) as u8;
        out[at + 1] += (number % 10) as u8;
    };
    let (seconds, ms) = (ms_of_day / 1_000, ms_of_day % 1_000);
    put(0, year / 100);
    put(2, year % 100);
    put(5, month);
    put(8, day);
    put(11, seconds / 3_600);
    put(14, seconds / 60 % 60);
    put(17, seconds % 60);
    put(20, ms / 10);
    out[22] += (ms % 10) as u8;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::PayloadForm;
    use crate::tweet::{Parser, Record};
    use proptest::prelude::*;

    fn payload(json: &str, form: PayloadForm) -> String {
        let mut out = BytesMut::new();
        Parser::new().parse(json.as_bytes(), |record| match record {
            Ok(Record::Tweet(tweet)) => encode(&tweet, form, None, "r1", 7, &mut out),
            other => panic!("{other:?}"),
        });
        String::from_utf8(out.to_vec()).unwrap()
    }

    const FULL: &str = r#"{"created_at":"Wed Aug 27 13:08:45 +0000 2008","id":5,"id_str":"6","text":"a \"b\"\n\u0001é",
        "user":{"id":9,"screen_name":"u"},"lang":"en","retweet_count":1,"favorite_count":2,
        "entities":{"hashtags":[{"text":"x"},{"text":"y"}]},"geo":{"coordinates":[40.5,-73]}}"#;

    #[test]
    fn every_field_in_its_place() {
        assert_eq!(
            payload(FULL, PayloadForm::Tweet),
            concat!(
                r#"{"timestamp":"                        ","user_id":9,"tweet":"a \"b\"\n\u0001é","id":"6","#,
                r#""created_at":"2008-08-27T13:08:45.000Z","lang":"en","screen_name":"u","retweet_count":1,"#,
                r#""favorite_count":2,"hashtags":["x","y"],"lat":40.5,"lon":-73,"run":"r1","seq":7}"#
            )
        );
    }

    #[test]
    fn minimal_has_the_three_fields_of_the_first_sender() {
        assert_eq!(
            payload(r#"{"id":1,"text":"t"}"#, PayloadForm::Minimal),
            r#"{"timestamp":"                        ","user_id":null,"tweet":"t"}"#
        );
    }

    #[test]
    fn absent_fields_are_omitted() {
        assert_eq!(
            payload(r#"{"text":"t","user":{"id_str":"3"}}"#, PayloadForm::Tweet),
            r#"{"timestamp":"                        ","user_id":3,"tweet":"t","run":"r1","seq":7}"#
        );
    }

    #[test]
    fn hashtags_come_from_the_text_only_where_the_record_says_nothing_of_them() {
        let hashtags = |json| {
            let payload: serde_json::Value =
                serde_json::from_str(&payload(json, PayloadForm::Tweet)).unwrap();
            payload["hashtags"].clone()
        };
        use serde_json::json;
        assert_eq!(hashtags(r##"{"text":"#a #b\"\n"}"##), json!(["a", "b"]));
        assert_eq!(hashtags(r##"{"text":"no tag"}"##), json!(null));
        assert_eq!(hashtags(r##"{"id":1,"text":"#a","entities":{"hashtags":[]}}"##), json!([]));
        assert_eq!(hashtags(r##"{"id":1,"text":"#a","entities":{"urls":[]}}"##), json!(null));
        assert_eq!(hashtags(r##"{"text":"#a","hashtags":["b"]}"##), json!(["b"]));
        assert_eq!(hashtags(r##"{"text":"t","hashtags":["#b","＃c","d","#",""]}"##), json!(["b", "c", "d"]));
        assert_eq!(hashtags(r##"{"id":1,"text":"t","entities":{"hashtags":[{"tag":"#b"}]}}"##), json!(["b"]));
        assert_eq!(hashtags(r##"{"tweet":{"id_str":"1","full_text":"#a"}}"##), json!(["a"]));
        assert_eq!(hashtags(r##"{"data":{"id":"1","text":"#a"}}"##), json!(["a"]));
    }

    proptest! {
        #[test]
        fn strings_agree_with_a_plain_json_reader(text: String) {
            let mut out = BytesMut::from("\"");
            put_string(&text, &mut out);
            prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }

        #[test]
        fn time_stamps_agree_with_a_calendar_library(ms in -62_167_219_200_000i64..=253_402_300_799_999) {
            let mut stamp = [0; TIMESTAMP_BYTES];
            write_timestamp(ms, &mut stamp);
            let read: jiff::Timestamp = std::str::from_utf8(&stamp).unwrap().parse().unwrap();
            prop_assert_eq!(read.as_millisecond(), ms);
        }
    }
}
