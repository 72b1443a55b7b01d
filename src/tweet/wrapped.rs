//! Tweets inside other records, and inside strings: an export or a queue has put something around each.
//!
//! A record is looked into only if it is not a tweet itself. Its bytes stay those of the whole record: they are
//! its place in the input, and what `--payload raw` sends.

use std::borrow::Cow;

use super::Tweet;
use crate::scan::{Members, space, value_end};

/// How many records may be around one another.
const MAX_DEPTH: usize = 4;

/// Members whose values are records: of Elasticsearch (`_source`), Kafka Connect and `kcat -J` (`payload`),
/// Debezium (`after`), MongoDB's change streams, log shippers, Bluesky's Jetstream (`commit`, `record`), GeoJSON.
const WRAPPERS: [&[u8]; 12] = [
    b"_source",
    b"payload",
    b"after",
    b"message",
    b"fullDocument",
    b"value",
    b"commit",
    b"record",
    b"log",
    b"event",
    b"doc",
    b"properties",
];

/// The JSON inside `record`, which is whole: each object in a member that wraps others, or string that contains an
/// object, with its quotes; also if the record itself is such a string.
fn wrapped_json(record: &[u8]) -> impl Iterator<Item = &[u8]> {
    let itself = Some(record).filter(|record| is_json_string(record));
    let members = Members::of(record, 0).filter(|member| {
        let value = &record[member.value..];
        WRAPPERS.contains(&member.key) && (value.first() == Some(&b'{') || is_json_string(value))
    });
    itself
        .into_iter()
        .chain(members.filter_map(|member| record.get(member.value..value_end(record, member.value)?)))
}

/// The value of a member of `record` with this name.
fn json_member<'a>(record: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let member = Members::of(record, 0).filter(|member| member.key == name.as_bytes()).last()?;
    record.get(member.value..value_end(record, member.value)?)
}

/// Whether a string begins here that may contain an object.
fn is_json_string(value: &[u8]) -> bool {
    value.first() == Some(&b'"') && value.get(space(value, 1)) == Some(&b'{')
}

/// Gives the JSON inside `record` to `attempt`, the outermost first, until that has found a tweet; it gets `look`, and
/// gives it back where there is none.
pub(super) fn look_inside<T, F>(
    record: &[u8],
    look: F,
    attempt: &mut impl FnMut(&[u8], F) -> Result<T, F>,
) -> Result<T, F> {
    look_in(record, MAX_DEPTH, look, attempt)
}

fn look_in<T, F>(
    record: &[u8],
    levels: usize,
    mut look: F,
    attempt: &mut impl FnMut(&[u8], F) -> Result<T, F>,
) -> Result<T, F> {
    for json in wrapped_json(record) {
        let Some(json) = without_escapes(json) else { continue };
        match attempt(&json, look) {
            Err(back) if levels > 1 => match look_in(&json, levels - 1, back, attempt) {
                Err(back) => look = back,
                seen => return seen,
            },
            Err(back) => look = back,
            seen => return seen,
        }
    }
    Err(look)
}

/// JSON as it is, or what a string of JSON contains.
fn without_escapes(json: &[u8]) -> Option<Cow<'_, [u8]>> {
    match json.first()? {
        b'"' => {
            let text = serde_json::from_slice::<String>(json).ok()?;
            Some(Cow::Owned(text.trim().as_bytes().to_vec()))
        }
        _ => Some(Cow::Borrowed(json)),
    }
}

/// The tweet with what Bluesky's Jetstream says around it: the account (`did`) and the time (`time_us`).
pub(super) fn with_envelope<'a>(tweet: Tweet<'a>, record: &'a [u8]) -> Tweet<'a> {
    let word = |name| std::str::from_utf8(json_member(record, name)?).ok();
    let did = word("did").map(|did| did.trim_matches('"')).filter(|did| did.starts_with("did:"));
    if did.is_none() {
        return tweet;
    }
    const US_PER_MS: i64 = 1_000;
    let time_ms = word("time_us").and_then(|time_us| time_us.parse::<i64>().ok()).map(|us| us / US_PER_MS);
    Tweet { screen_name: tweet.screen_name.or(did), event_time_ms: time_ms.or(tweet.event_time_ms), ..tweet }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tweet::tests::{kind, tweet};

    const TWEET: &str = r#"{"id_str":"12","text":"a","user":{"id":7},"created_at":"2021-07-06T16:04:47Z"}"#;

    #[test]
    fn the_tweet_inside_a_record_of_an_export_or_a_queue_is_found() {
        let text = serde_json::to_string(TWEET).unwrap();
        let twice = serde_json::to_string(&format!(r#"{{"payload":{text}}}"#)).unwrap();
        for record in [
            format!(r#"{{"_index":"tw","_id":"0","_score":1,"_source":{TWEET}}}"#),
            format!(
                r#"{{"schema":{{"type":"struct"}},"payload":{{"before":null,"after":{TWEET},"op":"c"}}}}"#
            ),
            format!(r#"{{"topic":"t","partition":0,"offset":5,"ts":1,"key":"7","payload":{text}}}"#),
            format!(r#"{{"timestamp":"2020-01-01T00:00:00Z","message":{text}}}"#),
            format!(r#"{{"log":{{"level":"info"}},"event":{TWEET}}}"#),
            format!(r#"{{"title":"x","error":"y","message":{TWEET}}}"#),
            text.clone(),
            twice,
        ] {
            tweet(&record, |tweet| {
                assert_eq!((tweet.text, tweet.user_id), ("a", Some(7)), "{record}");
                assert_eq!(tweet.event_time_ms, Some(1_625_587_487_000), "{record}");
            });
        }
    }

    #[test]
    fn a_record_without_a_tweet_inside_is_what_it_was() {
        assert_eq!(kind(r#"{"payload":{"a":1}}"#), "reject not a tweet");
        assert_eq!(kind(r#"{"payload":"{\"a\":1"}"#), "reject not a tweet");
        assert_eq!(kind(r#"{"delete":{"id":1},"payload":{"text":"a","id":1}}"#), "reject delete");
        assert_eq!(kind(r#"{"text":"{\"a\": 1}","id":3}"#), "tweet Some(Number(3)) {\"a\": 1}");
        assert_eq!(kind(r#""{\"text\"""#), "reject not a tweet");
    }

    #[test]
    fn a_post_of_the_jetstream_has_its_account_and_the_time_around_it() {
        let record = r#"{"did":"did:plc:abc","time_us":1583229600000000,"kind":"commit","commit":{"operation":"create",
            "record":{"$type":"app.bsky.feed.post","createdAt":"2020-03-03T09:59:59.000Z","text":"hello"}}}"#;
        tweet(record, |tweet| {
            assert_eq!((tweet.text, tweet.screen_name), ("hello", Some("did:plc:abc")));
            assert_eq!(tweet.event_time_ms, Some(1_583_229_600_000));
        });
    }

    #[test]
    fn the_record_in_a_known_member_or_in_a_string_is_found() {
        let inside = |record: &'static str| {
            wrapped_json(record.as_bytes()).next().map(|inside| std::str::from_utf8(inside).unwrap())
        };
        assert_eq!(inside(r#"{"_id":"0","_source":{"text":"a"},"sort":[1]}"#), Some(r#"{"text":"a"}"#));
        assert_eq!(inside(r#"{"topic":"t","payload":"{\"text\":\"a\"}"}"#), Some(r#""{\"text\":\"a\"}""#));
        assert_eq!(inside(r#"{"before":{"a":1},"after":null}"#), None);
        assert_eq!(inside(r#"{"message":"hello","a":{"b":1}}"#), None);
        assert_eq!(inside(r#""{}""#), Some(r#""{}""#));
        assert_eq!((inside("7"), inside("[{}]"), inside("")), (None, None, None));
        assert_eq!(json_member(br#"{"a":"x","b":[1]}"#, "b"), Some(&b"[1]"[..]));
    }
}
