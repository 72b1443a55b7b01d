//! `tweetblast inspect` and `--dry-run`: what is in a file, without sending anything.

use serde_json::{Value, json};

use crate::common::{SAMPLE, generate, real_data, run, tweet, write};

fn inspect(arguments: &[&str]) -> Value {
    let finished = run(&[&["inspect", "--json", "-"][..], arguments].concat());
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    as_its_schema_says(finished.report())
}

fn as_its_schema_says(found: Value) -> Value {
    let schema: Value = serde_json::from_str(include_str!("../../docs/inspect.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = schema.iter_errors(&found).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    found
}

#[test]
fn the_page_and_the_json_say_what_is_in_the_sample_and_how_long_it_takes() {
    let found = inspect(&[SAMPLE, "--speedup", "100x"]);
    let expected = json!({
        "report_version": 2, "format": "lines", "form": "Twitter API v1.1", "frames": 6_024, "records": 6_024,
        "tweets": 6_000, "users": 1_332, "rejects": 24, "unparseable": 0,
        "first": "2024-03-09T18:00:00.050Z", "last": "2024-03-09T18:10:16.723Z", "order": "not in order",
        "longest_gap_s": 1.255, "peak_rate_per_s": 60, "event_hours": 1, "bytes_per_tweet": 964.445,
        "planned_duration_s": 6.16673, "selected": 6_000, "send_hours": 1,
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&found[key], value, "{key}");
    }
    let page = run(&["inspect", SAMPLE, "--speedup", "100x"]).stdout;
    for words in [
        "6,000 tweets + 24 rejects",
        "8 limit, the first at line 628, byte 591,652",
        "not in order",
        "6.17 s at 973/s",
    ] {
        assert!(page.contains(words), "{words:?} is missing:\n{page}");
    }
}

#[test]
fn predictions_follow_the_flags() {
    let dir = tempfile::tempdir().unwrap();
    // Three in the first second, then silence for an hour.
    let lines: Vec<String> =
        [(1, 0), (2, 0), (3, 0), (4, 3_600)].map(|(id, second)| tweet(id, 1, second, "x")).into();
    let file = write(dir.path(), "t.json", lines.join("\n"));
    let predicted =
        |flags: &[&str]| inspect(&[&[file.as_str()][..], flags].concat())["planned_duration_s"].clone();
    let approximately = |value: Value, seconds: f64| {
        assert!((value.as_f64().unwrap() - seconds).abs() < 1e-6, "{value} is not {seconds}");
    };
    // Spread: from 1/6 s into the first second to the middle of the last one.
    approximately(predicted(&[]), 3_600.5 - 1.0 / 6.0);
    approximately(predicted(&["--no-spread"]), 3_600.0);
    approximately(predicted(&["--no-spread", "--speedup", "0.5x", "--loop", "3"]), 21_600.0);
    approximately(predicted(&["--max-gap", "2s"]), 2.0 + 2.0 / 3.0);
    approximately(predicted(&["--rate", "2/s", "--loop", "2"]), 3.5);
    approximately(predicted(&["--fit", "5m"]), 300.0);
    approximately(predicted(&["--fit", "5m", "--loop", "3"]), 900.0);
    approximately(predicted(&["--end", "2020-01-01T00:30:00", "--rate", "1/s"]), 2.0);
    approximately(predicted(&["--duration", "10s"]), 10.0);
    assert_eq!(predicted(&["--speedup", "max"]), Value::Null);
    assert_eq!(predicted(&["--loop", "forever"]), Value::Null);
    // A rate is that of the gaps, and not known if the end comes before the last tweet.
    let rate = |flags: &[&str]| {
        inspect(&[&[file.as_str(), "--no-spread"][..], flags].concat())["planned_rate_per_s"].clone()
    };
    approximately(rate(&[]), 3.0 / 3_600.0);
    approximately(rate(&["--loop", "2"]), 7.0 / 7_200.0);
    approximately(rate(&["--duration", "2h"]), 3.0 / 3_600.0);
    let even = inspect(&[&file, "--duration", "10s", "--rate", "2/s"])["planned_rate_per_s"].clone();
    approximately(even, 2.0);
    assert_eq!(rate(&["--duration", "10s"]), Value::Null);
    let found = inspect(&[&file, "--speedup", "0.5x", "--no-spread"]);
    assert_eq!((&found["event_hours"], &found["send_hours"]), (&json!(2), &json!(3)));
    assert_eq!((&found["peak_rate_per_s"], &found["longest_gap_s"]), (&json!(3), &json!(3_600.0)));
}

#[test]
fn facts_do_not_depend_on_the_order_of_sending() {
    let keys = ["tweets", "first", "last", "order", "longest_gap_s", "peak_rate_per_s", "event_hours"];
    let facts = |flags: &[&str]| {
        let found = inspect(&[&[SAMPLE][..], flags].concat());
        keys.map(|key| found[key].clone())
    };
    let by_time = facts(&[]);
    for order in ["file", "shuffle", "window"] {
        assert_eq!(facts(&["--order", order]), by_time, "{order}");
    }
}

#[test]
fn what_holds_no_tweets_is_named_with_what_is_supported_and_exit_code_1() {
    let dir = tempfile::tempdir().unwrap();
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01";
    let files: [(&str, &[u8], &str); 5] = [
        ("a.tsv", b"1\t2020-01-01\n2\t2020-01-02\n", "a table without a header"),
        ("a.csv", b"id,size\n1,20\n2,30\n", "no tweets in it: 2 records"),
        ("a.png", png, "PNG image"),
        (
            "a.json",
            b"[{\"name\":\"x\",\"size\":1},{\"name\":\"y\",\"size\":2}]",
            "no tweets in it: 2 records",
        ),
        ("b.json", b"{\"type\":\"FeatureCollection\",\"features\":[{\"a\":1}]}", "no tweets in it"),
    ];
    for (name, bytes, words) in files {
        let file = write(dir.path(), name, bytes);
        for arguments in [&["inspect", &file][..], &[&file, "--dry-run"], &["inspect", "--json", "-", &file]]
        {
            let finished = run(arguments);
            assert_eq!(finished.code, 1, "{name}: {}", finished.stdout);
            assert!(finished.stderr.contains(words), "{name}: {words:?} is missing: {}", finished.stderr);
            let says_what_to_do = ["tweetblast reads tweets", "--map text=", "| tweetblast -"]
                .map(|words| finished.stderr.contains(words));
            assert!(says_what_to_do.contains(&true), "{name}: {}", finished.stderr);
        }
    }
}

#[test]
fn a_dry_run_says_the_same_and_touches_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (json, letters) = (dir.path().join("found.json"), dir.path().join("letters.jsonl"));
    let arguments = [SAMPLE, "--dry-run", "--speedup", "100x", "--kafka", "127.0.0.1:1"];
    let letters_flag = ["--dead-letter", letters.to_str().unwrap()];
    let json_flag = ["--json", json.to_str().unwrap()];
    let finished = run(&[&arguments[..], &json_flag, &letters_flag].concat());
    assert_eq!(finished.code, 0, "no Kafka is asked for: {}", finished.stderr);
    let found: Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    assert_eq!(found, inspect(&[SAMPLE, "--speedup", "100x"]));
    assert!(!letters.exists());
}

#[test]
fn a_file_in_order_and_several_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let lines = std::fs::read(generate(dir.path(), "lines", 2_000)).unwrap();
    let found = inspect(&[dir.path().to_str().unwrap(), SAMPLE]);
    assert_eq!((&found["tweets"], &found["files"][0]["tweets"]), (&json!(8_000), &json!(2_000)));
    assert_eq!(found["files"].as_array().unwrap().len(), 2);
    assert!(found["file"].as_str().unwrap().starts_with("2 files from "));

    // Sorted by its own index, through the ids.
    let mut sorted: Vec<(u64, &[u8])> = lines
        .split(|byte| *byte == b'\n')
        .filter_map(|line| {
            let value: Value = serde_json::from_slice(line).ok()?;
            Some((value["id_str"].as_str()?.parse().ok()?, line))
        })
        .collect();
    sorted.sort_unstable();
    let lines: Vec<&[u8]> = sorted.into_iter().map(|(_, line)| line).collect();
    let file = write(dir.path(), "sorted.json", lines.join(&b'\n'));
    let found = inspect(&[&file]);
    assert_eq!((&found["order"], &found["tweets"]), (&json!("oldest first"), &json!(2_000)));
}

#[test]
#[ignore = "needs real tweet files"]
fn real_files_give_what_was_counted_independently() {
    let folder = real_data();
    let expected = std::fs::read(folder.join("expected.json")).unwrap();
    let mut expected: Vec<Value> = serde_json::from_slice(&expected).unwrap();
    expected.retain(|want| want["bytes"] != 0);
    for want in &expected {
        let name = want["file"].as_str().unwrap();
        let finished = run(&["inspect", "--json", "-", folder.join(name).to_str().unwrap()]);
        assert_eq!(finished.code, i32::from(want["tweets"] == 0), "{name}: {}", finished.stderr);
        let found = as_its_schema_says(finished.report());
        for (ours, theirs) in
            [("tweets", "tweets"), ("users", "distinct_users"), ("unparseable", "unparseable")]
        {
            assert_eq!(found[ours], want[theirs], "{name}: {ours}");
        }
        assert_eq!(want["non_tweet_records"], found["rejects"], "{name}: rejects");
        for (ours, theirs, by_id) in
            [("first", "first_utc", "first_by_id_utc"), ("last", "last_utc", "last_by_id_utc")]
        {
            let time = |value: &Value| value.as_str().map(|time| time.parse::<jiff::Timestamp>().unwrap());
            let theirs = time(&want[theirs]).or(time(&want[by_id]));
            assert_eq!(time(&found[ours]).is_some(), theirs.is_some(), "{name}: {ours}");
            // Exact to the second; an id may refine by up to 2 s.
            let apart = time(&found[ours])
                .zip(theirs)
                .map_or(0, |(ours, theirs)| ours.as_millisecond().abs_diff(theirs.as_millisecond()));
            assert!(apart <= 2_000, "{name}: {ours} is {apart} ms off");
        }
        let order = match want["order_in_file"].as_str().unwrap() {
            "asc" => "oldest first",
            "desc" => "newest first",
            // To the second; an id is more precise.
            _ => continue,
        };
        assert_eq!(found["order"], order, "{name}: order");
    }
}

#[test]
fn hand_made_records_are_read_as_the_user_maps_them() {
    let dir = tempfile::tempdir().unwrap();
    let lines = r#"{"nr":"a1","at":{"day":"31/01/2020 18:00:05"},"words":"first","who":[{"key":7}]}
{"nr":"a2","at":{"day":"31/01/2020 18:00:06"},"words":"second","who":[{"key":8}]}"#;
    let file = write(dir.path(), "mine.json", lines);
    let map = ["--map", "time=at.day,text=words,user=who.0.key,id=nr", "--time-format", "%d/%m/%Y %H:%M:%S"];
    let found = inspect(&[&[file.as_str()], &map[..]].concat());
    assert_eq!((found["tweets"].as_u64(), found["users"].as_u64()), (Some(2), Some(2)));
    assert_eq!(
        (&found["first"], &found["last"]),
        (&serde_json::json!("2020-01-31T18:00:05.000Z"), &serde_json::json!("2020-01-31T18:00:06.000Z"),)
    );
    let wrong = run(&["inspect", &file, "--map", "when=at"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.contains("time, text, user or id"), "{}", wrong.stderr);
    // As given: one object after another instead of one per line.
    let told = inspect(&[&[file.as_str(), "--format", "objects"], &map[..]].concat());
    assert_eq!((told["format"].as_str(), told["tweets"].as_u64()), (Some("objects"), Some(2)));
}

#[test]
fn with_an_unusual_text_the_rest_is_found_by_its_usual_names() {
    let dir = tempfile::tempdir().unwrap();
    let lines = r#"{"id":"1","user_id":"7","body2":"a","created_at":"2024-03-09T15:00:00Z"}
{"id":"2","user_id":"7","body2":"b","created_at":"2024-03-09T15:00:10Z"}"#;
    let file = write(dir.path(), "mine.json", lines);
    let found = inspect(&[&file, "--map", "text=body2", "--no-spread"]);
    let expected = json!({
        "tweets": 2, "users": 1, "first": "2024-03-09T15:00:00.000Z", "last": "2024-03-09T15:00:10.000Z",
        "order": "oldest first", "planned_duration_s": 10.0,
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&found[key], value, "{key}");
    }
    let (report, code) = crate::common::replay(&file, &["--map", "text=body2", "--speedup", "10x"]);
    assert_eq!((code, &report["ledger"]["delivered"]), (0, &2.into()));
    assert_eq!(report["pace"]["order"], "oldest first");
}
