//! Any value, as a record of every form: it is a tweet, texts of a user, a reject, or not JSON, and
//! the payload of a tweet is JSON that can be read back. A value that is JSON from end to end gives
//! the same result with the pruned parser, and what serde_json, which shares no code with it, finds in it. Skimmed, it
//! has the same place.

use bytes::BytesMut;
use serde_json::Value;
use tweetblast::event::PayloadForm;
use tweetblast::source::Frame;
use tweetblast::tweet::{Id, Parser, ParserOptions, Record, Tweet, TweetForm, encode, texts};

fn check_tweet(tweet: &Tweet<'_>) {
    for form in [PayloadForm::Tweet, PayloadForm::Minimal] {
        let mut payload = BytesMut::new();
        encode(tweet, form, None, "run", 7, &mut payload);
        Parser::new().parse(&payload, |record| assert!(record.is_ok(), "{payload:?}"));
    }
}

/// What a record is, as text.
fn words(parser: &mut Parser, frame: Frame<'_>) -> Option<String> {
    parser.parse_frame(frame, |record| match record {
        Ok(Record::Tweet(tweet)) => {
            let mut payload = BytesMut::new();
            encode(&tweet, PayloadForm::Tweet, None, "run", 7, &mut payload);
            Some(format!("{:?} {payload:?}", tweet.shape))
        }
        Ok(Record::Group(group)) => {
            Some(format!("{:?} {:?}", group.user_id, group.items().collect::<Vec<_>>()))
        }
        Ok(Record::Reject(reject)) => Some(reject.name().to_owned()),
        Err(_) => None,
    })
}

/// Holds what is found in a tweet of v1.1 against what serde_json finds at its usual places.
fn check_v11(tweet: &Tweet<'_>, record: &Value) {
    let text = |pointer: &str| record.pointer(pointer).and_then(Value::as_str);
    let has = |name: &str| record.get(name).is_some_and(|value| !value.is_null());
    if !has("id") || !(has("entities") || record["user"].is_object()) {
        // The tweet is inside this record.
        return;
    }
    let texts = ["/extended_tweet/full_text", "/full_text", "/text"].into_iter().filter_map(text);
    let longest =
        texts.reduce(|one, other| if other.chars().count() > one.chars().count() { other } else { one });
    assert_eq!(Some(tweet.text), longest, "{record}");
    if let Some(lang) = text("/lang") {
        assert_eq!(tweet.lang, Some(lang), "{record}");
    }
    assert_eq!(tweet.screen_name, text("/user/screen_name"), "{record}");
    if let Some(id) =
        text("/id_str").filter(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()))
    {
        assert_eq!(tweet.id, Some(Id::Text(id)), "{record}");
    }
    if let Some(user_id) = text("/user/id_str").and_then(|id| id.parse::<i64>().ok()) {
        assert_eq!(tweet.user_id, Some(user_id), "{record}");
    }
}

/// What serde_json takes for JSON is JSON, and has the same in it.
fn check_against_serde(bytes: &[u8]) {
    let Ok(record) = serde_json::from_slice::<Value>(bytes) else { return };
    Parser::new().parse(bytes.trim_ascii(), |read| match read {
        Ok(Record::Tweet(tweet)) if tweet.shape == TweetForm::V11 => check_v11(&tweet, &record),
        Ok(_) => {}
        Err(_) => panic!("JSON that is not read: {record}"),
    });
}

/// Form, id and time of a tweet; or what else a record is.
fn place(parser: &mut Parser, frame: Frame<'_>) -> Result<String, Option<String>> {
    parser.parse_frame(frame, |record| match record {
        Ok(Record::Tweet(tweet)) => Ok(format!("{:?}", (tweet.shape, tweet.id, tweet.event_time_ms))),
        Ok(other) => Err(Some(format!("{other:?}"))),
        Err(_) => Err(None),
    })
}

/// Skimming finds the same tweets with the same ids and times, but that it may take what is not JSON for a tweet.
fn check_skimmed(frame: Frame<'_>) {
    let (mut parser, mut skimming) = (Parser::new(), Parser::new());
    skimming.skim();
    let (whole, skimmed) = (place(&mut parser, frame), place(&mut skimming, frame));
    let is_taken = whole == Err(None) && skimmed.is_ok();
    assert!(is_taken || skimmed == whole, "{skimmed:?} is not {whole:?}");
}

pub fn check(input: &[u8]) {
    // One part for the record, one for the `includes` of its page.
    let (bytes, includes) = match input.iter().position(|byte| *byte == 0) {
        Some(at) => (&input[..at], &input[at + 1..]),
        None => (input, &[][..]),
    };
    check_against_serde(bytes);
    let frame = Frame { offset: 0, bytes, includes };
    let mut strict = Parser::with_options(ParserOptions { strict: true, ..ParserOptions::default() });
    let whole = words(&mut strict, frame);
    let mut parser = Parser::new();
    assert!(whole.is_none() || words(&mut parser, frame) == whole, "more or less than the whole record has");
    check_skimmed(frame);
    let mut texts_of_user = None;
    parser.parse_frame(frame, |record| match record {
        Ok(Record::Tweet(tweet)) => check_tweet(&tweet),
        Ok(Record::Group(group)) => {
            texts_of_user = Some(group.items().count());
            group.items().filter_map(Result::ok).for_each(|tweet| check_tweet(&tweet));
        }
        Ok(Record::Reject(_)) | Err(_) => {}
    });
    let found = texts(frame).count();
    assert!(texts_of_user.is_none_or(|items| items == found), "slots and items of a user differ");
}
