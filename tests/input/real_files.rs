//! Real tweet files, counted by other programs: the same tweets, rejects, users and times. They are
//! not part of the repository: the folder is `TWEETBLAST_REAL_DATA`, or `../shared/data`.

use std::collections::HashSet;
use std::path::Path;

use tweetblast::source::{SourceError, TweetFile};
use tweetblast::tweet::{Id, Parser, Record, Tweet};

use crate::common::real_data;

#[derive(Debug, Default, PartialEq)]
struct Counts {
    tweets: u64,
    rejects: u64,
    unparseable: u64,
    /// By id, otherwise by name.
    users: HashSet<String>,
    /// Id, time and text of each tweet, in file order.
    seen: Vec<(Option<String>, Option<i64>, String)>,
    names: Vec<Option<String>>,
    authors: Vec<Option<i64>>,
}

impl Counts {
    fn take(&mut self, tweet: &Tweet<'_>) {
        self.tweets += 1;
        let by_id = tweet.user_id.map(|id| id.to_string());
        self.users.extend(by_id.or_else(|| tweet.screen_name.map(str::to_owned)));
        let id = tweet.id.map(|id| match id {
            Id::Text(id) => id.to_owned(),
            Id::Number(id) => id.to_string(),
        });
        self.seen.push((id, tweet.event_time_ms, tweet.text.to_owned()));
        self.names.push(tweet.screen_name.map(str::to_owned));
        self.authors.push(tweet.user_id);
    }

    fn times(&self) -> impl Iterator<Item = i64> {
        self.seen.iter().filter_map(|(_, time, _)| *time)
    }
}

fn count(path: &Path) -> Counts {
    let (mut parser, mut counts) = (Parser::new(), Counts::default());
    let file = match TweetFile::open(path) {
        Err(SourceError::Empty { .. }) => return counts,
        other => other.unwrap(),
    };
    for frame in file.frames() {
        parser.parse_frame(frame, |record| match record {
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

#[test]
#[ignore = "needs real tweet files"]
fn every_file_gives_what_was_counted_independently() {
    let folder = real_data();
    let expected = std::fs::read(folder.join("expected.json")).unwrap();
    let expected: serde_json::Value = serde_json::from_slice(&expected).unwrap();
    let (mut seen, mut wrong) = (0, Vec::new());
    for want in expected.as_array().unwrap() {
        let name = want["file"].as_str().unwrap();
        seen += 1;
        let counts = count(&folder.join(name));
        let mut same = |what: &str, ours: u64, theirs: &serde_json::Value| {
            if theirs.as_u64() != Some(ours) {
                wrong.push(format!("{name}: {what} is {ours}, not {theirs}"));
            }
        };
        same("tweets", counts.tweets, &want["tweets"]);
        same("rejects", counts.rejects, &want["non_tweet_records"]);
        same("unparseable", counts.unparseable, &want["unparseable"]);
        same("users", counts.users.len() as u64, &want["distinct_users"]);
        for (key, by_id, ours) in [
            ("first_utc", "first_by_id_utc", counts.times().min()),
            ("last_utc", "last_by_id_utc", counts.times().max()),
        ] {
            // Exact to the second, where an id refines by up to 2 s; by the id alone, exact.
            let (theirs, allowed) = match want[key].as_str() {
                Some(time) => (Some(time), 2_000),
                None => (want.get(by_id).and_then(|time| time.as_str()), 0),
            };
            let theirs = theirs.map(|time| time.parse::<jiff::Timestamp>().unwrap().as_millisecond());
            let apart = theirs.zip(ours).map_or(0, |(theirs, ours)| theirs.abs_diff(ours));
            if theirs.is_some() != ours.is_some() || apart > allowed {
                wrong.push(format!("{name}: {key} is {ours:?}, not {theirs:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen >= 37, "only {seen} files were there");
}

#[test]
#[ignore = "needs real tweet files"]
fn two_spellings_of_the_same_tweets_are_equal() {
    let folder = real_data();
    let count = |name: &str| count(&folder.join(name));
    for (one, other, tweets) in [
        ("grouped/tweets1-form-indented-escaped.json", "grouped/tweets1-form-one-line-utf8.json", 4_102),
        ("v11-search/statuses-japanese-escaped.json", "v11-search/statuses-japanese.json", 100),
    ] {
        let (one, other) = (count(one), count(other));
        assert!(one == other);
        assert_eq!(one.tweets, tweets);
    }
}

#[test]
#[ignore = "needs real tweet files"]
fn two_forms_of_the_same_tweets_agree() {
    let folder = real_data();
    let count = |name: &str| count(&folder.join(name));
    let (flattened, page) = (count("v2-flat/flattened.jsonl"), count("v2-flat/twin-as-one-page.json"));
    assert_eq!(flattened.seen, page.seen);
    assert_eq!(flattened.authors, page.authors);
    assert_eq!(flattened.names, page.names);
    assert!(page.names.iter().all(Option::is_some));

    let original = count("v11-ndjson/vendor-original-format.ndjson");
    let activities = count("activity-streams/vendor-activity-streams.ndjson");
    assert_eq!(original.tweets, 25);
    for (one, other) in original.seen.iter().zip(&activities.seen) {
        assert_eq!(one.0, other.0);
        // Only one of the forms has milliseconds; the other takes them from the id.
        assert!(one.1.unwrap().abs_diff(other.1.unwrap()) <= 1, "{one:?} {other:?}");
    }
    assert_eq!((original.authors, original.names), (activities.authors, activities.names));
}
