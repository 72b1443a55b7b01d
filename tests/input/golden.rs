//! Small made-up files of every form in `tests/data/`, and the expected result for each: next to
//! `NAME` is `NAME.expected` with one JSON value per line, a payload for each tweet, and the kind
//! and byte offset of everything else.
//!
//! After an intended change: `TWEETBLAST_WRITE_EXPECTED=1 cargo test --test input golden`, then
//! review the difference.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::BytesMut;
use tweetblast::event::PayloadForm;
use tweetblast::source::TweetFile;
use tweetblast::tweet::{Parser, ParserOptions, Record, Reject, Tweet, encode};

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension != "expected"));
    paths.sort();
    paths
}

/// The result for a file, one JSON value per line.
fn outcome(path: &Path) -> String {
    outcome_by(Parser::new(), path)
}

fn outcome_by(mut parser: Parser, path: &Path) -> String {
    let file = TweetFile::open(path).unwrap();
    let (mut lines, mut seq) = (String::new(), 0);
    for frame in file.frames() {
        let mut tweet = |lines: &mut String, tweet: &Tweet<'_>| {
            let mut payload = BytesMut::new();
            encode(tweet, PayloadForm::Tweet, None, "golden", seq, &mut payload);
            seq += 1;
            let payload = String::from_utf8(payload.to_vec()).unwrap();
            serde_json::from_str::<serde_json::Value>(&payload).unwrap();
            lines.push_str(&payload);
            lines.push('\n');
        };
        let reject = |lines: &mut String, reject: Reject| {
            writeln!(lines, r#"{{"reject":"{}","offset":{}}}"#, reject.name(), frame.offset).unwrap();
        };
        parser.parse_frame(frame, |record| match record {
            Ok(Record::Tweet(one)) => tweet(&mut lines, &one),
            Ok(Record::Group(group)) => group.items().for_each(|item| match item {
                Ok(one) => tweet(&mut lines, &one),
                Err(why) => reject(&mut lines, why),
            }),
            Ok(Record::Reject(why)) => reject(&mut lines, why),
            Err(_) => writeln!(lines, r#"{{"unparseable":true,"offset":{}}}"#, frame.offset).unwrap(),
        });
    }
    lines
}

#[test]
fn every_form_gives_what_stands_beside_it() {
    let fixtures = fixtures();
    assert!(fixtures.len() >= 20);
    for path in fixtures {
        let name = format!("{}.expected", path.display());
        let outcome = outcome(&path);
        if std::env::var_os("TWEETBLAST_WRITE_EXPECTED").is_some() {
            fs::write(&name, &outcome).unwrap();
        }
        let expected = fs::read_to_string(&name).unwrap_or_default();
        assert!(outcome == expected, "{name} does not hold what came out:\n{outcome}");
    }
}

/// A reader of the whole record has no member that the parser dropped.
#[test]
fn every_form_gives_the_same_when_records_are_read_whole() {
    for path in fixtures() {
        let whole = Parser::with_options(ParserOptions { strict: true, ..ParserOptions::default() });
        assert_eq!(outcome_by(whole, &path), outcome(&path), "{}", path.display());
    }
}

#[test]
fn both_spellings_of_the_grouped_file_give_the_same_payloads() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let escaped = outcome(&data.join("grouped-escaped.json"));
    assert_eq!(escaped, outcome(&data.join("grouped-utf8.json")));
    assert_eq!(escaped.lines().count(), 5);
}
