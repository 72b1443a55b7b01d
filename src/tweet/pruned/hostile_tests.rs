//! Records that are made to mislead the walk from member to member. Read after others of the same order, by a parser that
//! guesses their keys, and shifted so that every byte of them lies at every place of a block, they are the same as for
//! simd-json, which reads all of each.

use super::tests::{seen, strict};
use crate::tweet::Parser;

/// Records from which the order of keys is learned, in each of the usual styles.
const LEARNED: [&str; 3] = [
    r#"{"id":1,"id_str":"1","text":"t","x06ff_something":0,"user":{"id":2,"x":0,"screen_name":"s"},"lang":"en"}"#,
    r#"{"id": 1, "id_str": "1", "text": "t", "x": 0, "user": {"id": 2, "x": 0, "screen_name": "s"}, "lang": "en"}"#,
    "{\n  \"id\" : 1,\n  \"text\" : \"t\",\n  \"x\" : [ ],\n  \"user\" : {\n    \"id\" : 2\n  }\n}",
];

/// Whole records.
const WHOLE: [&str; 24] = [
    // Signs in strings.
    r#"{"x":"\"id\":2,{[\\","id":1,"text":"}]\"","user":{"x":"}","id":3}}"#,
    r#"{"x":"\\\\\"","id":1,"text":"\\","user":{"x":"\\\"}","id":3}}"#,
    r#"{"x":"id","text":"id","y":"\"text","id":1,"user":{}}"#,
    r#"{"x":":","text":",\"id\":5","y":",","id":1,"user":{},"z":"{"}"#,
    // The same names deeper down.
    r#"{"x":[{"id":2,"text":"n"},[[{"text":"m"}]]],"id":1,"text":"t","user":{"x":{"id":3},"id":4,"y":[{"id":5}]}}"#,
    r#"{"retweeted_status":{"id":9,"text":"n","user":{"id":8}},"id":1,"text":"t","user":{"id":4}}"#,
    // A key twice: the last one counts.
    r#"{"id":1,"text":"a","user":{},"text":"b","id":2}"#,
    r#"{"id":1,"text":"a","user":{"id":1,"x":0,"id":2},"lang":"en","lang":null}"#,
    r#"{"id":1,"text":"t","x":0,"user":{"id":2},"user":{"screen_name":"s"}}"#,
    // Keys with escapes, also where another key had the same bytes at its end.
    r#"{"id":1,"text":"a","\u0074ext":"b","user":{}}"#,
    r#"{"\u0069d":1,"text":"t","user":{"\u0069d":7}}"#,
    r#"{"id":1,"id\u005fstr":"7","text":"t","user":{"id":2,"screen\u005fname":"s"}}"#,
    r#"{"id":1,"text":"t","\"x06ff_something":0,"user":{"\\id":2,"id":3}}"#,
    // Keys that are longer or shorter than those that were learned, and empty ones.
    r#"{"id":1,"xid_str":"1","tex":"t","text":"u","user":{"xid":2,"i":0,"id":3,"screen_names":"s"},"":"en"}"#,
    r#"{"id":1,"text":"t","user":{"":2,"id":3},"profile_background_image_url_https_and_more_of_it":"id"}"#,
    // Numbers.
    r#"{"id":18446744073709551615,"text":"t","user":{"id":9223372036854775807}}"#,
    r#"{"id":18446744073709551616,"text":"t","user":{"id":9223372036854775808}}"#,
    r#"{"id":9999999999999999999,"text":"t","user":{"id":-9223372036854775808},"retweet_count":10000000000000000000}"#,
    r#"{"id":12345678,"text":"t","user":{"id":1234567812345678},"retweet_count":-0,"favorite_count":0.0}"#,
    r#"{"id":1e3,"text":"t","user":{"id":1E+2},"retweet_count":1.5,"favorite_count":123456781.25}"#,
    // Texts.
    r#"{"id":1,"text":"\ud83d\ude00\u00e9\u20ac\/\b\f\n\r\t\"\\","user":{"screen_name":"\u0073"}}"#,
    "{\"id\":1,\"text\":\"é€😀\u{7f}\u{80}\u{ffff}\",\"user\":{\"screen_name\":\"é\"}}",
    r#"{"id":1,"text":"\ud83d","user":{"screen_name":"\ude00x"}}"#,
    "{\t\"id\"\r\n:\t1 , \"text\" :\"t\"\n,\"user\":{ } }",
];

/// Broken records, none of which may pass.
const BROKEN: [&str; 24] = [
    // Between members.
    r#"{"id":1 "text":"t","user":{}}"#,
    r#"{"id":1;"text":"t","user":{}}"#,
    r#"{"id":1,"user":{},"x":"b""text":"t"}"#,
    r#"{"id":1,"text":"t""user":{}}"#,
    r#"{"id":1,,"text":"t","user":{}}"#,
    r#"{"id":1,"text":"t","user":{},}"#,
    r#"{,"id":1,"text":"t","user":{}}"#,
    r#"{"id":1,"text":"t","user":{"id":2 "x":0}}"#,
    r#"{"id"::1,"text":"t","user":{}}"#,
    r#"{"id":1,"text":"t",user":{}}"#,
    r#"{"id":1,"text":"t",x"user":{}}"#,
    // Brackets.
    r#"{"id":1,"text":"t","user":{]}"#,
    r#"{"id":1,"text":"t","user":{}]"#,
    r#"{"id":1,"text":"t","user":{}}}"#,
    r#"{"id":1,"text":"t","x":[{},"user":{}}"#,
    r#"{"id":1,"text":"t","user":{"id":2}"#,
    // Strings and escapes.
    r#"{"id":1,"text":"t\","user":{}}"#,
    r#"{"id":1,"text":"t\x","user":{}}"#,
    r#"{"id":1,"text":"\u12","user":{}}"#,
    "{\"id\":1,\"text\":\"t\",\"x\":\"\u{1}\",\"user\":{}}",
    "{\"id\":1,\"text\":\"a\nb\",\"user\":{}}",
    // Values.
    r#"{"id":01,"text":"t","user":{}}"#,
    r#"{"id":1,"text":"t","user":{"id":-}}"#,
    r#"{"id":1,"text":"t","user":{"id":1.}}"#,
];

/// The record with so many bytes more at its start: in a text that is kept, as what is around a member that is not kept
/// may be broken; or in blanks.
fn shifted(record: &str, by: usize) -> [String; 2] {
    let inside = &record[1..];
    let comma = if inside.trim_start().starts_with('"') { "," } else { "" };
    [
        format!("{{\"lang\":\"{}\"{comma}{inside}", "\\".repeat(by / 2 * 2)),
        format!("{{{}{inside}", " ".repeat(by)),
    ]
}

fn after_the_learned(check: impl Fn(&mut Parser, &str)) {
    let mut knowing = Parser::new();
    for record in LEARNED {
        assert!(seen(&mut knowing, record.as_bytes()).is_ok());
    }
    for record in WHOLE.into_iter().chain(BROKEN) {
        for by in 0..130 {
            for shifted in shifted(record, by) {
                check(&mut knowing, &shifted);
                check(&mut Parser::new(), &shifted);
            }
        }
    }
}

#[test]
fn whole_ones_are_the_same_and_broken_ones_are_refused() {
    let whole = |record: &str| seen(&mut strict(), record.as_bytes());
    assert!(WHOLE.iter().all(|record| whole(record).is_ok()));
    assert!(BROKEN.iter().all(|record| whole(record).is_err()));
    after_the_learned(|parser, record| {
        assert_eq!(seen(parser, record.as_bytes()), whole(record), "{record}");
    });
}

#[test]
fn bytes_that_are_not_utf_8_are_refused_wherever_they_are() {
    let mut parser = Parser::new();
    let record = br#"{"id":1,"text":"t?","x":"?","user":{"id":2,"x":"?","screen_name":"s?"}}"#;
    let places = (0..record.len()).filter(|at| record[*at] == b'?');
    let wrong: [&[u8]; 6] =
        [b"\xff", b"\x80", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"];
    for at in places {
        for bytes in wrong {
            let json = [&record[..at], bytes, &record[at + 1..]].concat();
            assert_eq!(seen(&mut parser, &json), Err(()), "{at} {bytes:?}");
        }
    }
}

#[test]
fn brackets_of_any_depth_are_counted() {
    let mut parser = Parser::new();
    let record = |depth: usize| {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        format!("{{\"id\":1,\"x\":{open}{close},\"text\":\"t\",\"user\":{{\"x\":{open}{close},\"id\":2}}}}")
    };
    let flat = seen(&mut strict(), record(1).as_bytes());
    for depth in [2, 63, 64, 65, 1_000, 100_000] {
        assert_eq!(seen(&mut parser, record(depth).as_bytes()), flat, "{depth}");
        let cut = record(depth).replacen(']', "", 1);
        assert_eq!(seen(&mut parser, cut.as_bytes()), Err(()), "{depth}");
    }
}
