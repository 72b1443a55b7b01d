//! What skimming finds of a record, beside what a parser finds that reads all of it.

use proptest::prelude::*;
use proptest::sample::Index;

use super::tests::{FORMS, TWEET, made, record, values};
use crate::tweet::{Mended, NotJson, Parser, Record, TimeClues, Unread};

/// What the pass over a file wants to know of a record.
#[derive(Debug, PartialEq)]
struct Found {
    /// Form, id and time of a tweet, or what else it is.
    record: Result<String, NotJson>,
    is_tweet: bool,
    mended: Mended,
    clues: TimeClues,
    /// The field of a time that is not read, and why.
    unread: Option<(String, Unread)>,
}

fn found(parser: &mut Parser, json: &[u8]) -> Found {
    let mut is_tweet = false;
    let record = parser.parse(json, |record| match record? {
        Record::Tweet(tweet) => {
            is_tweet = true;
            Ok(format!("{:?}", (tweet.shape, tweet.id, tweet.event_time_ms)))
        }
        other => Ok(format!("{other:?}")),
    });
    let (clues, unread) = (parser.times().take_clues(), parser.times().take_unread());
    // Its value is shown with as much of it as was kept.
    let unread = unread.map(|unread| (unread.field, unread.why));
    Found { record, is_tweet, mended: parser.mended(), clues, unread }
}

fn skimming() -> Parser {
    let mut parser = Parser::new();
    parser.skim();
    parser
}

/// Whether skimming finds what reading the whole finds, except that it may take a broken record for a tweet.
fn check(skimmed: &Found, whole: &Found) -> Result<(), String> {
    let is_right = match whole {
        Found { record: Err(_), .. } => skimmed.is_tweet || skimmed == whole,
        Found { mended, .. } if *mended != Mended::default() => {
            let unnoticed = Mended::default();
            skimmed == whole
                || (skimmed.is_tweet && skimmed.mended == unnoticed && skimmed.record == whole.record)
        }
        _ => skimmed == whole,
    };
    is_right.then_some(()).ok_or_else(|| format!("{skimmed:?} is not {whole:?}"))
}

#[test]
fn records_of_every_form_have_the_same_places() {
    let (mut skimming, mut whole) = (skimming(), Parser::new());
    for form in FORMS {
        let (made, mut tweets) = (made(form), 0);
        for value in values(&made) {
            let skimmed = found(&mut skimming, value);
            tweets += usize::from(skimmed.is_tweet);
            assert_eq!(skimmed, found(&mut whole, value), "{}", String::from_utf8_lossy(value));
        }
        assert_eq!(tweets, 300, "{form:?}");
    }
}

/// Whether the record in which `whole` is replaced is refused.
fn is_refused(parser: &mut Parser, whole: &str, broken: &str) -> bool {
    let json = TWEET.replacen(whole, broken, 1);
    assert_ne!(json, TWEET);
    found(parser, json.as_bytes()).record.is_err()
}

#[test]
fn breaks_that_skimming_notices() {
    let mut skimming = skimming();
    for end in 0..TWEET.len() {
        assert!(found(&mut skimming, &TWEET.as_bytes()[..end]).record.is_err(), "{}", &TWEET[..end]);
    }
    for (whole, broken) in [
        // Brackets that do not balance, anywhere; bytes after the end.
        ("\"en\"}", "\"en\"}}"),
        ("\"en\"}", "\"en\"} x"),
        ("\"en\"}", "\"en\"]"),
        ("\"id\":2}", "\"id\":2]"),
        ("\"x\":0,\"text\"", "\"x\":[0,\"text\""),
        ("[{\"text\":\"h\"}]", "[{\"text\":\"h\"}"),
        // Strings without an end, control characters in them, escapes outside: anywhere.
        ("\"x\":0,\"text\"", "\"x\":\"0,\"text\""),
        ("\"h\"", "\"h"),
        ("\"h\"", "\"\n\""),
        ("\"id\":2", "\"id\":\\2"),
        // Times and ids.
        ("\"id\":1", "\"id\":01"),
        ("\"id\":1", "\"id\":1x"),
        ("\"id\":1", "\"id\":"),
        ("\"id\":1,", "\"id\":1,,"),
        ("+0000 2008\"", "\\x0000 2008\""),
        // Keys at the top, and what is around them.
        ("\"x\":0,\"text\"", "\"x\":0 \"text\""),
        ("\"x\":0,\"text\"", "x:0,\"text\""),
        ("{\"created_at\"", "{,\"created_at\""),
        ("\"en\"}", "\"en\",}"),
        ("\"t\"", "t"),
        ("\"user\":{", "\"user\" {"),
    ] {
        assert!(is_refused(&mut skimming, whole, broken), "{broken}");
    }
    let mut not_utf8 = TWEET.replacen("\"x\":0}", "\"x\":\"?\"}", 1).into_bytes();
    let place = not_utf8.iter().position(|byte| *byte == b'?').unwrap();
    not_utf8[place] = 0xff;
    assert!(found(&mut skimming, &not_utf8).record.is_err());
}

#[test]
fn breaks_that_only_sending_notices() {
    let (mut skimming, mut whole) = (skimming(), Parser::new());
    let place = found(&mut skimming, TWEET.as_bytes());
    for (kept, broken) in [
        // Inside the user and the entities.
        ("\"id\":2", "\"id\":tru"),
        ("\"x\":0,\"id\":2", "\"x\":0 \"id\":2"),
        ("\"id\":2}", "\"id\":2,}"),
        ("[{\"text\":\"h\"}]", "[{\"text\" \"h\"}]"),
        ("[{\"text\":\"h\"}]", "[{\"text\":\"h\"}}"),
        ("\"h\"", "\"\\x\""),
        // Escapes in the text.
        ("\"t\"", "\"\\x\""),
        ("\"t\"", "\"\\u12g4\""),
        // Values at the top that tell nothing of the place.
        ("\"en\"", "tru"),
    ] {
        let json = TWEET.replacen(kept, broken, 1);
        assert_ne!(json, TWEET);
        assert_eq!(found(&mut skimming, json.as_bytes()), place, "{broken}");
        assert!(is_refused(&mut whole, kept, broken), "{broken}");
    }
    let json = TWEET.replacen("\"t\"", "\"\\ud83d\"", 1);
    let whole = found(&mut whole, json.as_bytes());
    assert!(whole.mended.surrogates);
    assert_eq!(found(&mut skimming, json.as_bytes()), Found { mended: Mended::default(), ..whole });
}

#[test]
fn what_may_hold_a_tweet_inside_is_looked_at_as_a_whole() {
    let (mut skimming, mut whole) = (skimming(), Parser::new());
    let inside =
        r#"{\"id_str\":\"12\",\"text\":\"a\",\"user\":{\"id\":7},\"created_at\":\"2021-07-06T16:04:47Z\"}"#;
    for text in [inside.to_owned(), inside.replacen('{', "\\u007b", 1), format!(" {inside}"), "{".to_owned()]
    {
        for key in ["text", "message", "tweet"] {
            let json = format!(r#"{{"timestamp":"2020-01-01T00:00:00Z","{key}":"{text}"}}"#);
            assert_eq!(found(&mut skimming, json.as_bytes()), found(&mut whole, json.as_bytes()), "{json}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn places_are_those_of_whole_tweets(
        records in prop::collection::vec(record(), 1..8),
        edits in prop::collection::vec((any::<Index>(), any::<u8>(), 0u8..5), 0..3),
    ) {
        // One parser reads all of them, so that its guesses of the next key are often wrong.
        let (mut skimming, mut whole) = (skimming(), Parser::new());
        for record in &records {
            let mut json = record.clone().into_bytes();
            prop_assert_eq!(check(&found(&mut skimming, &json), &found(&mut whole, &json)), Ok(()), "{}", record);
            for (at, byte, kind) in &edits {
                let at = at.index(json.len());
                match kind {
                    0 => json[at] = b"\"\\{}[],: \n"[usize::from(*byte) % 10],
                    1 => json[at] = *byte,
                    2 => { json.remove(at); }
                    3 => json.insert(at, b"\"\\{}[],:0t"[usize::from(*byte) % 10]),
                    _ => json.truncate(at + 1),
                }
                if json.is_empty() {
                    break;
                }
                let (skimmed, whole) = (found(&mut skimming, &json), found(&mut whole, &json));
                prop_assert_eq!(check(&skimmed, &whole), Ok(()), "{}", String::from_utf8_lossy(&json));
            }
        }
    }
}
