//! Real tweet files through the whole pipeline, read back from Kafka: the ledger, the times and the
//! users are those counted by other programs, and two forms of the same tweets arrive as the same
//! records. The files are those of `tests/input/real_files.rs`.

use std::collections::HashSet;
use std::path::Path;

use serde_json::{Value, json};

use crate::common::{Record, Running, read_topic, real_data, run};

/// A Kafka endpoint that outlives the replays.
fn serve() -> (Running, String) {
    let mut serving = Running::start(&["serve", "--no-mqtt", "--kafka-listen", "127.0.0.1:0"]);
    let line = serving.wait_for("Kafka ");
    (serving, line.split_whitespace().nth(1).unwrap().to_owned())
}

/// Replays in file order, and returns the report and the payloads in the order of sending.
fn replay_into(kafka: &str, file: &Path, topic: &str) -> (Value, Vec<Value>) {
    let arguments = [file.to_str().unwrap(), "--speedup", "max", "--order", "file", "--kafka", kafka];
    let arguments = [&arguments[..], &["--mqtt-listen", "127.0.0.1:0", "-t", topic, "--json", "-"]].concat();
    let finished = run(&arguments);
    assert_eq!(finished.code, 0, "{}: {}", file.display(), finished.stderr);
    (finished.report(), read_topic(kafka, topic).iter().map(Record::json).collect())
}

#[test]
#[ignore = "needs real tweet files"]
fn every_file_arrives_as_it_was_counted_independently() {
    let folder = real_data();
    let expected: Value =
        serde_json::from_slice(&std::fs::read(folder.join("expected.json")).unwrap()).unwrap();
    let (_serving, kafka) = serve();
    let mut replayed = 0;
    for (number, want) in expected.as_array().unwrap().iter().enumerate() {
        let name = want["file"].as_str().unwrap();
        if want["tweets"] == 0 {
            let refused = run(&[folder.join(name).to_str().unwrap(), "--kafka", &kafka, "--mqtt", "off"]);
            assert_eq!(refused.code, 1, "{name} holds no tweets");
            continue;
        }
        let (report, payloads) = replay_into(&kafka, &folder.join(name), &format!("file-{number}"));
        let ledger = &report["ledger"];
        let found = [&ledger["tweets"], &ledger["delivered"], &ledger["rejects"], &ledger["unparseable"]];
        let counted = [&want["tweets"], &want["tweets"], &want["non_tweet_records"], &want["unparseable"]];
        assert_eq!(found, counted, "{name}");
        assert_eq!(payloads.len() as u64, want["tweets"].as_u64().unwrap(), "{name}");

        let users: HashSet<String> = payloads
            .iter()
            .filter_map(|payload| match (&payload["user_id"], &payload["screen_name"]) {
                (Value::Null, Value::Null) => None,
                (Value::Null, name) => Some(name.to_string()),
                (id, _) => Some(id.to_string()),
            })
            .collect();
        assert_eq!(users.len() as u64, want["distinct_users"].as_u64().unwrap(), "{name}");

        let times = payloads.iter().filter_map(|payload| payload["created_at"].as_str());
        for (key, by_id, ours) in [
            ("first_utc", "first_by_id_utc", times.clone().min()),
            ("last_utc", "last_by_id_utc", times.clone().max()),
        ] {
            let ms = |time: &str| time.parse::<jiff::Timestamp>().unwrap().as_millisecond();
            let theirs = want[key].as_str().or(want.get(by_id).and_then(|time| time.as_str())).map(ms);
            let apart = theirs.zip(ours.map(ms)).map(|(theirs, ours)| theirs.abs_diff(ours));
            assert_eq!(theirs.is_some(), ours.is_some(), "{name}: {key}");
            // An id refines a whole second by up to 2 s.
            assert!(apart.is_none_or(|apart| apart <= 2_000), "{name}: {key} is {apart:?} ms off");
        }
        replayed += 1;
    }
    assert!(replayed >= 33, "only {replayed} files were replayed");
}

#[test]
#[ignore = "needs real tweet files"]
fn two_forms_of_the_same_tweets_arrive_as_the_same_records() {
    let folder = real_data();
    let (_serving, kafka) = serve();
    // The fields that both forms have.
    let pairs: [(&str, &str, &[&str]); 4] = [
        (
            "grouped/tweets1-form-indented-escaped.json",
            "grouped/tweets1-form-one-line-utf8.json",
            &["user_id", "tweet"],
        ),
        (
            "v11-search/statuses-japanese.json",
            "v11-search/statuses-japanese-escaped.json",
            &["user_id", "tweet", "id", "created_at", "lang", "screen_name", "hashtags", "retweet_count"],
        ),
        (
            "v2-flat/flattened.jsonl",
            "v2-flat/twin-as-one-page.json",
            &["user_id", "tweet", "id", "created_at", "lang", "screen_name", "hashtags", "retweet_count"],
        ),
        (
            "v11-ndjson/vendor-original-format.ndjson",
            "activity-streams/vendor-activity-streams.ndjson",
            &["user_id", "id", "screen_name"],
        ),
    ];
    for (number, (one, other, fields)) in pairs.into_iter().enumerate() {
        let records = |name: &str, side: &str| -> Vec<Value> {
            let (_, payloads) = replay_into(&kafka, &folder.join(name), &format!("pair-{number}-{side}"));
            let only =
                |payload: &Value| json!(fields.iter().map(|field| &payload[*field]).collect::<Vec<_>>());
            payloads.iter().map(only).collect()
        };
        let (one_side, other_side) = (records(one, "a"), records(other, "b"));
        assert!(one_side == other_side, "{one} and {other} differ");
        assert!(!one_side.is_empty());
    }
}
