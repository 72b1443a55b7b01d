//! Real tweet files, counted by others: the same tweets, rejects, users and times. They are not
//! part of the repository; the test runs where `../shared/data` (or `TWEETBLAST_REAL_DATA`) is.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use tweetblast::source::TweetFile;
use tweetblast::tweet::{Parser, Record, Tweet};

#[derive(Debug, Default, PartialEq)]
struct Counts {
    tweets: u64,
    rejects: u64,
    unparseable: u64,
    users: HashSet<i64>,
    first_ms: Option<i64>,
    last_ms: Option<i64>,
    texts: Vec<String>,
}

impl Counts {
    fn take(&mut self, tweet: &Tweet<'_>) {
        self.tweets += 1;
        self.users.extend(tweet.user_id);
        self.texts.push(tweet.text.to_owned());
        if let Some(time) = tweet.event_time_ms {
            self.first_ms = Some(self.first_ms.map_or(time, |first| first.min(time)));
            self.last_ms = Some(self.last_ms.map_or(time, |last| last.max(time)));
        }
    }
}

fn count(path: &Path) -> Counts {
    let (file, mut parser, mut counts) = (TweetFile::open(path).unwrap(), Parser::new(), Counts::default());
    for frame in file.frames() {
        parser.parse(frame.bytes, |record| match record {
            Ok(Record::Tweet(tweet)) => counts.take(&tweet),
            Ok(Record::Group(group)) => {
                for item in group.items() {
                    match item {
                        Ok(tweet) => counts.take(&tweet),
                        Err(_) => counts.rejects += 1,
                    }
                }
            }
            Ok(Record::Reject(_)) => counts.rejects += 1,
            Err(_) => counts.unparseable += 1,
        });
    }
    counts
}

fn real_data() -> Option<PathBuf> {
    let folder = std::env::var_os("TWEETBLAST_REAL_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let there = folder.join("expected.json").exists();
    if !there {
        println!("skipped: no real tweet files at {}", folder.display());
    }
    there.then_some(folder)
}

#[test]
fn files_of_the_three_forms_give_what_was_counted_independently() {
    let Some(folder) = real_data() else { return };
    let expected = std::fs::read(folder.join("expected.json")).unwrap();
    let expected: serde_json::Value = serde_json::from_slice(&expected).unwrap();
    let mut seen = 0;
    for want in expected.as_array().unwrap() {
        let name = want["file"].as_str().unwrap();
        let ours = ["v11-ndjson/", "v11-array/", "grouped/"].iter().any(|form| name.starts_with(form));
        if !ours || name.ends_with(".gz") {
            continue;
        }
        seen += 1;
        let counts = count(&folder.join(name));
        let number = |key: &str| want[key].as_u64().unwrap();
        assert_eq!(counts.tweets, number("tweets"), "{name}: tweets");
        assert_eq!(counts.rejects, number("non_tweet_records"), "{name}: rejects");
        assert_eq!(counts.unparseable, number("unparseable"), "{name}: unparseable");
        assert_eq!(counts.users.len() as u64, number("distinct_users"), "{name}: users");
        for (key, ours) in [("first_utc", counts.first_ms), ("last_utc", counts.last_ms)] {
            let theirs = want[key].as_str().map(|time| time.parse::<jiff::Timestamp>().unwrap());
            assert_eq!(theirs.is_some(), ours.is_some(), "{name}: {key}");
            // Exact to the second; an id may refine by up to 2 s.
            let apart = theirs.zip(ours).map_or(0, |(theirs, ours)| theirs.as_millisecond().abs_diff(ours));
            assert!(apart <= 2_000, "{name}: {key} is {apart} ms off");
        }
    }
    assert!(seen >= 12, "only {seen} files were there");
}

#[test]
fn the_two_spellings_of_the_grouped_file_are_equal() {
    let Some(folder) = real_data() else { return };
    let escaped = count(&folder.join("grouped/tweets1-form-indented-escaped.json"));
    assert!(escaped == count(&folder.join("grouped/tweets1-form-one-line-utf8.json")));
    assert_eq!(escaped.tweets, 4_102);
}
