//! Records that the pass before the start takes for tweets, because it skims them, and that turn out to be broken when
//! they are sent: each is counted as what it is, with its place, and nothing else changes.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::{replay, run, tweet, write};

/// A tweet whose user is broken.
fn broken(id: u64, second: u64) -> String {
    tweet(id, 7, second, "t").replace("\"user\":{\"id\":7", "\"user\":{\"id\":07")
}

/// A tweet whose text was cut within an emoji.
fn cut(id: u64, second: u64) -> String {
    tweet(id, 7, second, "t").replace("\"t\"", "\"t\\ud83d\"")
}

/// A file with seven tweets of ten records, its times from oldest to newest or mixed.
fn records(is_in_order: bool) -> Vec<String> {
    let mut records = vec![
        broken(1, 0),
        tweet(2, 7, 1, "a"),
        cut(3, 1),
        tweet(4, 7, 2, "b").replace("\"b\"", "\"\\x\""),
        tweet(5, 7, 2, "c"),
        tweet(6, 7, 3, "d"),
        r#"{"delete":{"status":{"id":1}}}"#.to_owned(),
        tweet(7, 7, 3, "e"),
        cut(8, 4),
        tweet(9, 7, 5, "f"),
        broken(10, 6),
    ];
    if !is_in_order {
        records.swap(1, 9);
        records.swap(4, 7);
    }
    records
}

/// What must not depend on whether there was a pass.
fn seen(report: &Value) -> Value {
    let keys = [
        "frames",
        "records",
        "unparseable",
        "items",
        "rejects",
        "tweets",
        "loops",
        "skipped",
        "published",
        "delivered",
        "read_back",
    ];
    let ledger: Vec<&Value> = keys.iter().map(|key| &report["ledger"][key]).collect();
    let input = &report["input"];
    json!([
        report["verdict"],
        ledger,
        report["unparseable_at"],
        report["unparseable_lines"],
        report["rejects_by_kind"],
        input["mended_by_kind"],
        input["files"][0]["unparseable_at"],
        report["dead_letters"]["unparseable"],
        report["dead_letters"]["rejects"],
    ])
}

#[test]
fn they_are_counted_as_without_a_pass_in_every_order() {
    let dir = tempfile::tempdir().unwrap();
    for is_in_order in [true, false] {
        let records = records(is_in_order);
        let input = write(dir.path(), "records.json", records.join("\n"));
        for more in [&["--loop", "1"][..], &["--loop", "3"], &["--no-spread"]] {
            let path = dir.path().join("letters.jsonl").to_str().unwrap().to_owned();
            let run = |order: &str| {
                let flags = ["--order", order, "--speedup", "1000", "--dead-letter", &path, "--force"];
                let (report, code) = replay(&input, &[&flags[..], more].concat());
                let letters = std::fs::read_to_string(&path).unwrap();
                let mut letters: Vec<Value> =
                    letters.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
                letters.sort_by_key(|letter| letter["dead_letter"]["offset"].as_u64());
                (report, code, letters)
            };
            let (report, code, letters) = run("file");
            assert_eq!((code, &report["verdict"]), (0, &json!("balanced")), "{report:#}");
            let places: Vec<Value> =
                letters.iter().map(|letter| letter["dead_letter"]["line"].clone()).collect();
            assert_eq!(places, [1, 4, 7, 11].map(Value::from));
            for order in ["time", "shuffle", "window"] {
                let (other, code, others) = run(order);
                assert_eq!((code, seen(&other)), (0, seen(&report)), "{order} {more:?} {is_in_order}");
                assert_eq!(others, letters, "{order} {more:?}");
            }
        }
    }
}

#[test]
fn they_are_counted_when_the_run_ends_before_the_last_tweet() {
    let dir = tempfile::tempdir().unwrap();
    let records = records(true);
    let input = write(dir.path(), "records.json", records.join("\n"));
    for order in ["time", "shuffle"] {
        let (report, code) = replay(&input, &["--order", order, "--rate", "10/s", "--duration", "250ms"]);
        assert_eq!((code, &report["verdict"]), (0, &json!("balanced")), "{report:#}");
        let count = |key: &str| report["ledger"][key].as_u64().unwrap();
        assert_eq!((count("frames"), count("published")), (11, 3), "{report:#}");
        assert_eq!(count("tweets"), count("published") + count("skipped"));
    }
}

#[test]
fn where_there_is_a_choice_the_pass_looks_at_whole_records() {
    let dir = tempfile::tempdir().unwrap();
    let twice = [broken(1, 0), tweet(1, 7, 1, "a"), tweet(2, 7, 0, "b"), tweet(3, 7, 2, "c")];
    let input = write(dir.path(), "twice.json", twice.join("\n"));
    for (flags, published) in [
        (&["--dedup"][..], 3),
        (&["--limit", "1"], 1),
        (&["--limit", "3"], 3),
        (&["--end", "2020-01-01T00:00:02Z"], 2),
    ] {
        let (report, code) = replay(&input, &[&["--speedup", "max"], flags].concat());
        let ledger = &report["ledger"];
        assert_eq!((code, &ledger["published"]), (0, &json!(published)), "{flags:?} {report:#}");
        assert_eq!((&ledger["tweets"], &ledger["unparseable"]), (&json!(3), &json!(1)), "{flags:?}");
    }
    for command in [&["inspect"][..], &["--dry-run"]] {
        let found = run(&[command, &["--json", "-", &input]].concat()).report();
        assert_eq!((&found["tweets"], &found["unparseable"]), (&json!(3), &json!(1)), "{command:?}");
    }
}

#[test]
fn the_schedule_starts_with_the_first_tweet_that_is_sent() {
    let dir = tempfile::tempdir().unwrap();
    let records = [tweet(2, 7, 7_201, "b"), broken(1, 0), tweet(3, 7, 7_200, "a")];
    let input = write(dir.path(), "first.json", records.join("\n"));
    let start = Instant::now();
    let (report, code) = replay(&input, &["--order", "time"]);
    assert_eq!((code, &report["ledger"]["published"]), (0, &json!(2)), "{report:#}");
    assert!(start.elapsed() < Duration::from_secs(120), "it waited for a tweet that was not sent");
}

#[test]
fn an_input_in_which_all_are_broken_has_no_tweets() {
    let dir = tempfile::tempdir().unwrap();
    for (name, seconds) in [("in-order", [0, 1]), ("mixed", [1, 0])] {
        let [first, second] = seconds.map(|second| broken(second, second));
        let notice = r#"{"delete":{"status":{"id":1}}}"#;
        let input = write(dir.path(), name, [notice, &first, &second].join("\n"));
        let (report, code) = replay(&input, &["--order", "time", "--speedup", "max"]);
        assert_eq!((code, &report["verdict"]), (1, &json!("incomplete")), "{report:#}");
        assert!(report["error"].as_str().unwrap().contains("2 unparseable"), "{report:#}");
    }
}
