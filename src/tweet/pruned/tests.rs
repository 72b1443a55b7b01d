//! Compares the pruned tape with the whole one: both must give the same result.

use bytes::BytesMut;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use simd_json::prelude::*;
use simd_json::tape::Tape;

use super::*;
use crate::event::PayloadForm;
use crate::generate::{GenerateForm, GenerateOptions, generate};
use crate::tweet::keys::{self, KEYS};
use crate::tweet::{Hashtags, Parser, ParserOptions, Record, encode};

/// Everything read from a record, as text.
pub fn seen(parser: &mut Parser, json: &[u8]) -> Result<String, ()> {
    parser.parse(json, |record| match record {
        Ok(Record::Tweet(tweet)) => {
            let mut payload = BytesMut::new();
            encode(&tweet, PayloadForm::Tweet, None, "r", 1, &mut payload);
            let tweet = crate::tweet::Tweet { hashtags: Hashtags::None, ..tweet };
            Ok(format!("{tweet:?} {}", String::from_utf8_lossy(&payload)))
        }
        Ok(Record::Group(group)) => {
            Ok(format!("{:?} {:?}", group.user_id, group.items().collect::<Vec<_>>()))
        }
        Ok(Record::Reject(reject)) => Ok(reject.name().to_owned()),
        Err(_) => Err(()),
    })
}

pub fn strict() -> Parser {
    Parser::with_options(ParserOptions { strict: true, ..ParserOptions::default() })
}

/// Whether pruning succeeds for a record.
fn is_pruned(json: &[u8], buffers: &mut Buffers) -> bool {
    let to = Pruned { wanted: Wanted::Tweet, nodes: &mut Vec::new(), places: &mut Vec::new() };
    fill(json, buffers, to).is_some()
}

pub const FORMS: [GenerateForm; 7] = [
    GenerateForm::Lines,
    GenerateForm::FullLines,
    GenerateForm::Objects,
    GenerateForm::V2Stream,
    GenerateForm::V2Flat,
    GenerateForm::ActivityStreams,
    GenerateForm::Flat,
];

/// The values in these bytes, one after another.
pub fn values(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<serde::de::IgnoredAny>();
    let mut start = 0;
    std::iter::from_fn(move || {
        values.next()?.unwrap();
        let value = bytes[start..values.byte_offset()].trim_ascii();
        start = values.byte_offset();
        Some(value)
    })
}

pub fn made(form: GenerateForm) -> Vec<u8> {
    let mut made = Vec::new();
    generate(&GenerateOptions { tweets: 300, form, ..GenerateOptions::default() }, &mut made).unwrap();
    made
}

#[test]
fn records_of_every_form_are_pruned_and_the_same() {
    let (mut buffers, mut parser, mut strict) = (Buffers::default(), Parser::new(), strict());
    for form in FORMS {
        let made = made(form);
        for value in values(&made) {
            assert!(is_pruned(value, &mut buffers), "{}", String::from_utf8_lossy(value));
            assert_eq!(seen(&mut parser, value), seen(&mut strict, value));
        }
    }
}

#[test]
fn members_that_are_not_kept_are_not_on_the_tape() {
    let json = br#"{"a":[{}],"id":1,"b":"c","user":{"id":2,"z":{"id":3}},"place":{"id":4},"text":"t"}"#;
    let (mut buffers, mut nodes, mut places) = (Buffers::default(), Vec::new(), Vec::new());
    fill(json, &mut buffers, Pruned { wanted: Wanted::Tweet, nodes: &mut nodes, places: &mut places })
        .unwrap();
    let keys: Vec<&str> = places.iter().map(|place| KEYS[usize::from(*place)].name).collect();
    assert_eq!(keys, ["id", "user", "text"]);
    assert_eq!(nodes.len(), 9, "{nodes:?}");
}

/// A value with everything that is kept of it, and the same value with additional members.
fn kept(keep: Keep, depth: usize) -> (String, String) {
    let object = |level| {
        let members: Vec<(&str, Keep)> = match level {
            Level::Record => KEYS.iter().map(|key| (key.name, keys::keep(key.field))).collect(),
            _ => level.listed().iter().map(|listed| (listed.name, listed.keep)).collect(),
        };
        let (mut kept_members, mut more_members) = (Vec::new(), vec![r#""x":{"id":1}"#.to_owned()]);
        for (name, keep) in members {
            if keep == Keep::NotHere || (depth == 0 && keep == Keep::Members(Level::Record)) {
                continue;
            }
            let (kept, more) = kept(keep, depth.saturating_sub(1));
            kept_members.push(format!("\"{name}\":{kept}"));
            more_members.push(format!("\"{name}\":{more}"));
            more_members.push(r#""y":[{"text":"t"}]"#.to_owned());
        }
        (format!("{{{}}}", kept_members.join(",")), format!("{{{}}}", more_members.join(",")))
    };
    match keep {
        Keep::Plain => ("7".to_owned(), "7".to_owned()),
        Keep::Whole => (r#"{"x":[1,{"y":2}]}"#.to_owned(), r#"{"x":[1,{"y":2}]}"#.to_owned()),
        Keep::Spelt | Keep::NotHere => unreachable!("in no table, left to simd-json"),
        Keep::Members(level) => object(level),
        Keep::Each(level) => {
            let (kept, more) = object(level);
            (format!("[{kept},\"t\",{kept}]"), format!("[{more},\"t\",{more}]"))
        }
    }
}

/// The tables of keys list all that forms can read, and all of it is kept.
#[test]
fn every_member_of_the_tables_is_on_the_tape_and_no_other() {
    let (kept, more) = kept(Keep::Members(Level::Record), 2);
    let (mut buffers, mut tape, mut places) = (Buffers::default(), Tape::null(), Vec::new());
    let to = Pruned { wanted: Wanted::Tweet, nodes: &mut tape.0, places: &mut places };
    to.nodes.clear();
    fill(more.as_bytes(), &mut buffers, to).unwrap();
    let as_json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(as_json(&tape.as_value().encode()), as_json(&kept));
    // Every key but `tweets`.
    assert_eq!(places.len(), KEYS.len() - 1);
}

/// A whole tweet, in which `"x":0` is a member that is not kept.
pub const TWEET: &str = r#"{"created_at":"Wed Aug 27 13:08:45 +0000 2008","id":1,"x":0,"text":"t","user":{"x":0,"id":2},"entities":{"hashtags":[{"text":"h"}],"x":0},"lang":"en"}"#;

#[test]
fn breaks_that_are_noticed() {
    let mut parser = Parser::new();
    assert!(seen(&mut parser, TWEET.as_bytes()).is_ok());
    // Cut off anywhere.
    for end in 0..TWEET.len() {
        assert_eq!(seen(&mut parser, &TWEET.as_bytes()[..end]), Err(()), "{}", &TWEET[..end]);
    }
    for (whole, broken) in [
        // Brackets that do not balance, bytes after the end.
        ("\"en\"}", "\"en\"}}"),
        ("\"en\"}", "\"en\"}]"),
        ("\"en\"}", "\"en\"} x"),
        ("\"en\"}", "\"en\"]"),
        ("\"id\":2}", "\"id\":2]"),
        ("\"x\":0,\"text\"", "\"x\":[0,\"text\""),
        ("\"x\":0,\"text\"", "\"x\":[0},\"text\""),
        ("\"x\":0,\"text\"", "\"x\":{0},\"y\":},\"text\""),
        // Strings without an end, with control characters, escapes outside strings.
        ("\"x\":0,\"text\"", "\"x\":\"0,\"text\""),
        ("\"x\":0,\"text\"", "\"x\":\"\n\",\"text\""),
        ("\"x\":0,\"text\"", "\"x\":\\,\"text\""),
        // Invalid UTF-8, in a member that is not kept.
        ("\"x\":0,\"text\"", "\"x\":\"\u{0}\",\"text\""),
        // Members that are kept.
        ("\"id\":1", "\"id\":01"),
        ("\"id\":1", "\"id\":1x"),
        ("\"id\":1", "\"id\":"),
        ("\"id\":1,", "\"id\":1 "),
        ("\"id\":1,", "\"id\":1,,"),
        ("\"id\":2", "\"id\":tru"),
        ("\"t\"", "\"\\x\""),
        ("\"t\"", "\"\\u12g4\""),
        ("\"t\"", "t"),
        ("[{\"text\":\"h\"}]", "[{\"text\":\"h\"},]"),
        ("[{\"text\":\"h\"}]", "[{\"text\" \"h\"}]"),
        ("[{\"text\":\"h\"}]", "[{\"text\":\"h\"}}"),
        ("[{\"text\":\"h\"}]", "[,{\"text\":\"h\"}]"),
        ("[{\"text\":\"h\"}]", "[{\"text\":\"h\"} 1]"),
        // Keys, including those of members that are not kept.
        ("\"x\":0,\"text\"", "\"x\":0 \"text\""),
        ("\"x\":0,\"text\"", "x:0,\"text\""),
        ("\"x\":0,\"text\"", "\"x\"y:0,\"text\""),
        ("{\"x\"", "{,\"x\""),
        ("\"x\":0}", "\"x\":0,}"),
    ] {
        let json = TWEET.replacen(whole, broken, 1);
        assert_ne!(json, TWEET);
        assert_eq!(seen(&mut parser, json.as_bytes()), Err(()), "{json}");
        assert_eq!(seen(&mut strict(), json.as_bytes()), Err(()), "{json}");
    }
    let mut not_utf8 = TWEET.replacen("\"x\":0", "\"x\":\"?\"", 1).into_bytes();
    let place = not_utf8.iter().position(|byte| *byte == b'?').unwrap();
    not_utf8[place] = 0xff;
    assert_eq!(seen(&mut parser, &not_utf8), Err(()));
}

#[test]
fn half_a_surrogate_pair_is_no_break_wherever_it_is() {
    let mut parser = Parser::new();
    let beside = TWEET.replacen("\"x\":0", "\"x\":\"\\ud83d\"", 1);
    let inside = TWEET.replacen("\"t\"", "\"\\ud83d\"", 1);
    let replaced = TWEET.replacen("\"t\"", "\"\u{fffd}\"", 1);
    for (json, like) in [(&beside, TWEET), (&inside, replaced.as_str())] {
        let like = seen(&mut parser, like.as_bytes());
        assert!(like.is_ok());
        assert_eq!(seen(&mut parser, json.as_bytes()), like, "{json}");
        assert_eq!(seen(&mut strict(), json.as_bytes()), like, "{json}");
    }
}

#[test]
fn breaks_in_a_value_that_is_not_kept_go_unnoticed() {
    let mut parser = Parser::new();
    let whole = seen(&mut parser, TWEET.as_bytes());
    for value in ["tru", "01", "", "0 0", "0,", "[1 2]", "[,]", "{1}", "[{]]", "\"\\x\"", "{\"y\"}"] {
        let json = TWEET.replacen("\"x\":0", &format!("\"x\":{value}"), 1);
        assert_eq!(seen(&mut parser, json.as_bytes()), whole, "{json}");
        assert_eq!(seen(&mut strict(), json.as_bytes()), Err(()), "{json}");
    }
    let ids = seen(&mut parser, br#"{"text":"t","id":1,"user":{"id":7}}"#);
    for json in [
        r#"{"text":"t","id":1,"user":{"id":7},"stray"}"#,
        r#"{"text":"t","id":1,"stray" tru 7,"user":{"id":7}}"#,
    ] {
        assert_eq!(seen(&mut parser, json.as_bytes()), ids, "{json}");
        assert_eq!(seen(&mut strict(), json.as_bytes()), Err(()), "{json}");
    }
}

#[test]
fn rare_spellings_are_left_to_simd_json() {
    let (mut buffers, mut parser, mut strict) = (Buffers::default(), Parser::new(), strict());
    for json in [
        r#"{"\u0069d":1,"text":"t","user":{"\u0069d":7}}"#,
        r#"{"id":1e3,"text":"t","user":{}}"#,
        r#"{"id":1,"text":"t","user":{"id":99999999999999999999}}"#,
        r#"{"id":1,"text":"t","geo":{"coordinates":[1.23456789012345678,2]}}"#,
        r#"[{"id":1}]"#,
        "17",
    ] {
        assert!(!is_pruned(json.as_bytes(), &mut buffers), "{json}");
        assert_eq!(seen(&mut parser, json.as_bytes()), seen(&mut strict, json.as_bytes()), "{json}");
    }
}

fn name() -> impl Strategy<Value = String> {
    let known: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
    let common =
        ["id", "id_str", "text", "user", "entities", "created_at", "extended_tweet", "coordinates", "geo"];
    let inner =
        ["hashtags", "full_text", "screen_name", "coordinates", "username", "users", "preferredUsername"];
    prop_oneof![
        6 => select(common.to_vec()).prop_map(str::to_owned),
        3 => select(inner.to_vec()).prop_map(str::to_owned),
        3 => select(known).prop_map(str::to_owned),
        2 => "[a-z_]{0,20}",
        1 => any::<String>(),
    ]
}

fn value() -> impl Strategy<Value = String> {
    let quoted = |text: String| serde_json::to_string(&text).unwrap();
    let leaf = prop_oneof![
        2 => select(vec!["null", "true", "false", "0", "-1", "-0", "1.5", "-73.25", "1e5", "12345678901234567890"])
            .prop_map(str::to_owned),
        1 => any::<i64>().prop_map(|number| number.to_string()),
        1 => any::<f64>().prop_map(|number| serde_json::to_string(&number).unwrap()),
        2 => any::<u64>().prop_map(|number| format!("\"{number}\"")),
        2 => any::<String>().prop_map(quoted),
        1 => "[ -~]{0,90}".prop_map(quoted),
        2 => select(vec![r#""\ud83d\ude00\/\u00e9\\""#, r#""Wed Aug 27 13:08:45 +0000 2008""#, r#""\"{}[]:,""#])
            .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        let member = (name(), inner.clone())
            .prop_map(|(name, value)| format!("{}:{value}", serde_json::to_string(&name).unwrap()));
        prop_oneof![
            1 => prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            3 => prop::collection::vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    })
}

pub fn record() -> impl Strategy<Value = String> {
    let member = (name(), value())
        .prop_map(|(name, value)| format!("{}:{value}", serde_json::to_string(&name).unwrap()));
    (prop::collection::vec(member, 0..9), 0u8..4).prop_map(|(members, style)| match style {
        0 => format!("{{ {} }}", members.join(" ,\n  ")),
        1 => format!("{{\n{}\n}}", members.join(",\r\n\t").replace("\":", "\" : ")),
        _ => format!("{{{}}}", members.join(",")),
    })
}

/// What the pass over a file wants to know of a record.
fn place(parser: &mut Parser, json: &[u8]) -> impl PartialEq + std::fmt::Debug + use<> {
    let found = parser.parse(json, |record| match record {
        Ok(Record::Tweet(tweet)) => format!("{:?}", (tweet.shape, tweet.id, tweet.event_time_ms)),
        other => format!("{other:?}"),
    });
    (found, parser.mended(), parser.times().take_clues(), parser.times().take_unread())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    // One parser reads all of them, so that its guesses of the next key are often wrong.
    #[test]
    fn records_mean_the_same_pruned_or_whole(records in prop::collection::vec(record(), 1..8)) {
        let (mut parser, mut strict) = (Parser::new(), strict());
        for record in records.iter().chain(&records) {
            if let Ok(whole) = seen(&mut strict, record.as_bytes()) {
                prop_assert_eq!(seen(&mut parser, record.as_bytes()), Ok(whole), "{}", record);
            }
        }
    }

    #[test]
    fn broken_records_mean_the_same_where_both_are_json(
        record in record(),
        edits in prop::collection::vec((any::<Index>(), any::<u8>(), 0u8..4), 1..4),
        before in record(),
    ) {
        let mut json = record.into_bytes();
        for (at, byte, kind) in edits {
            let at = at.index(json.len());
            match kind {
                0 => json[at] = b"\"\\{}[],: \n"[usize::from(byte) % 10],
                1 => json[at] = byte,
                2 => { json.remove(at); }
                _ => json.truncate(at + 1),
            }
            if json.is_empty() {
                break;
            }
        }
        let mut parser = Parser::new();
        let first = seen(&mut parser, &json);
        if let Ok(whole) = seen(&mut strict(), &json) {
            prop_assert_eq!(&first, &Ok(whole), "{}", String::from_utf8_lossy(&json));
        }
        // What the parser has read before makes no difference, for broken records either.
        let _ = seen(&mut parser, before.as_bytes());
        prop_assert_eq!(seen(&mut parser, &json), first);
    }

    // The pass over a file accepts and rejects what sending does.
    #[test]
    fn places_are_those_of_whole_tweets(records in prop::collection::vec(record(), 1..8), cut: Index) {
        for new in [Parser::new, strict] {
            let (mut parser, mut places) = (new(), new());
            places.only_places();
            for record in &records {
                for json in [record.as_bytes(), &record.as_bytes()[..cut.index(record.len())]] {
                    prop_assert_eq!(
                        place(&mut places, json),
                        place(&mut parser, json),
                        "{}",
                        String::from_utf8_lossy(json)
                    );
                }
            }
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
        is_pruned(&bytes, &mut Buffers::default());
        is_pruned(&[b"{\"id\":", &bytes[..], b"}"].concat(), &mut Buffers::default());
    }
}
