//! `--dead-letter`: what was not delivered, with its reason and place, in a file that can be
//! replayed.

use serde_json::{Value, json};

use crate::common::{FREE_PORTS, SAMPLE, replay, run, tweet, write};

fn letters(path: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn counts(report: &Value) -> [u64; 4] {
    ["frames", "unparseable", "tweets", "rejects"].map(|key| report["ledger"][key].as_u64().unwrap())
}

/// Two tweets, one of them newer, a notice over several lines, a line of text, bytes that are not
/// UTF-8, and a tweet that is cut off.
fn mixed() -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in [
        tweet(1, 7, 5, "a").as_bytes(),
        b"HTTP/1.1 420 Enhance \"Your\" Calm",
        br#"{"delete":{"status":{"id":1}}}"#,
        b"\xff\xfe\"id\":1",
        tweet(2, 7, 0, "b").as_bytes(),
        br#"{"id":3,"te"#,
    ] {
        bytes.extend_from_slice(line);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

#[test]
fn rejects_are_written_with_reason_and_offset_in_every_order() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = mixed();
    let input = write(dir.path(), "mixed.json", &bytes);
    let at = |words: &[u8]| bytes.windows(words.len()).position(|window| window == words).unwrap();
    let offsets = [at(b"HTTP"), at(b"{\"delete"), at(b"\xff"), at(b"{\"id\":3")];
    for order in ["time", "file", "window", "shuffle"] {
        let path = dir.path().join(format!("{order}.jsonl")).to_str().unwrap().to_owned();
        let flags = ["--speedup", "max", "--order", order, "--dead-letter", &path, "--loop", "2"];
        let (report, code) = replay(&input, &flags);
        assert_eq!((code, &report["verdict"]), (0, &json!("balanced")), "{order}");
        assert_eq!(counts(&report), [6, 3, 2, 1], "{order}");
        let written = json!({"file": path, "rejects": 1, "unparseable": 3, "failed": 0});
        assert_eq!(report["dead_letters"], written, "{order}: once, not in each loop");

        let letters = letters(&path);
        let header =
            |key: &str| letters.iter().map(|letter| letter["dead_letter"][key].clone()).collect::<Vec<_>>();
        assert_eq!(header("offset"), offsets.map(Value::from), "{order}");
        assert_eq!(header("line"), [2, 3, 4, 6].map(Value::from), "{order}");
        assert_eq!(header("kind"), ["unparseable", "reject", "unparseable", "unparseable"], "{order}");
        assert_eq!(header("reason")[1], "delete");
        assert!(header("file").iter().all(|file| *file == input.as_str()));
        assert_eq!(letters[0]["text"], "HTTP/1.1 420 Enhance \"Your\" Calm");
        assert_eq!(letters[1]["record"], json!({"delete": {"status": {"id": 1}}}));
    }
}

#[test]
fn letters_can_be_replayed_and_are_what_they_were() {
    let dir = tempfile::tempdir().unwrap();
    let input = write(dir.path(), "mixed.json", mixed());
    let first = dir.path().join("first.jsonl").to_str().unwrap().to_owned();
    replay(&input, &["--speedup", "max", "--dead-letter", &first]);
    // Nothing in them is a tweet, and the same is found again.
    let found = run(&["inspect", "--json", "-", &first]);
    assert_eq!(found.code, 1);
    let found = found.report();
    assert_eq!((&found["frames"], &found["unparseable"]), (&json!(4), &json!(3)));
    assert_eq!((&found["rejects"], &found["rejects_by_kind"]["delete"]["count"]), (&json!(1), &json!(1)));
    // Together with tweets they are rejects once more, and letters of letters are no deeper.
    let second = dir.path().join("second.jsonl").to_str().unwrap().to_owned();
    let (report, _) = replay(&input, &[&first, "--speedup", "max", "--dead-letter", &second]);
    assert_eq!(counts(&report), [10, 6, 2, 2]);
    let letters = letters(&second);
    assert_eq!(letters.len(), 8);
    let records: Vec<&Value> = letters.iter().filter_map(|letter| letter.get("record")).collect();
    assert_eq!(records, [&json!({"delete": {"status": {"id": 1}}}); 2]);
}

#[test]
fn tweets_that_kafka_does_not_take_are_written_and_can_be_sent_again() {
    let dir = tempfile::tempdir().unwrap();
    let long = "long ".repeat(1_000);
    let lines: Vec<String> =
        (0..600).map(|id| tweet(id + 1, id % 5, id / 2, if id % 3 == 0 { &long } else { "short" })).collect();
    let pretty: Value = serde_json::from_str(&tweet(601, 1, 0, &long)).unwrap();
    let input = write(dir.path(), "lines.json", lines.join("\n"));
    let array = write(dir.path(), "array.json", serde_json::to_string_pretty(&[pretty]).unwrap());
    let grouped = json!([{"id": 5, "tweets": ["short", long, 17]}, {"id": "x", "tweets": [long]}]);
    let grouped = write(dir.path(), "grouped.json", grouped.to_string());
    // librdkafka refuses longer ones, one by one.
    let strict = ["-X", "message.max.bytes=2000", "--speedup", "max"];
    for (inputs, order, failed, rejects) in [
        (vec![&input, &array], "time", 201, 0),
        (vec![&input], "file", 200, 0),
        (vec![&grouped], "shuffle", 2, 1),
    ] {
        let path = dir.path().join(format!("{order}.jsonl")).to_str().unwrap().to_owned();
        let flags = ["--order", order, "--dead-letter", &path];
        let inputs: Vec<&str> = inputs.into_iter().map(String::as_str).collect();
        let (report, code) = replay(inputs[0], &[&inputs[1..], &strict, &flags].concat());
        assert_eq!((code, &report["verdict"]), (3, &json!("unbalanced")), "{order}");
        assert_eq!(report["ledger"]["failed"], failed, "{order}");
        assert_eq!(report["dead_letters"]["failed"], failed, "{order}");
        let written = letters(&path);
        assert_eq!(written.len() as u64, failed + rejects, "{order}");
        for letter in written.iter().filter(|letter| letter["dead_letter"]["kind"] == "failed") {
            let header = &letter["dead_letter"];
            assert!(header["reason"].as_str().unwrap().contains("size"), "{header}");
            assert!(header["seq"].is_u64() && header["offset"].is_u64());
        }
        // What failed is sent now.
        let (report, code) = replay(&path, &["--speedup", "max"]);
        assert_eq!((code, &report["verdict"]), (0, &json!("balanced")), "{order}");
        assert_eq!(counts(&report), [failed + rejects, 0, failed, rejects], "{order}");
        assert_eq!(report["ledger"]["delivered"], failed, "{order}");
        let records: Vec<u64> = written.iter().filter_map(|letter| letter["record"]["id"].as_u64()).collect();
        if order == "file" {
            assert_eq!(records, (0..600).step_by(3).map(|id| id + 1).collect::<Vec<u64>>());
        }
    }
}

#[test]
fn a_value_that_is_too_large_is_kept_whole() {
    let dir = tempfile::tempdir().unwrap();
    let input =
        write(dir.path(), "t.json", [tweet(1, 1, 0, "a"), tweet(2, 1, 1, &"b".repeat(5_000))].join("\n"));
    let path = dir.path().join("letters.jsonl").to_str().unwrap().to_owned();
    let (report, _) = replay(&input, &["--max-record", "1KiB", "--speedup", "max", "--dead-letter", &path]);
    assert_eq!(counts(&report), [2, 0, 1, 1]);
    assert_eq!(letters(&path)[0]["dead_letter"]["reason"], "too large");
    let (report, code) = replay(&path, &["--speedup", "max"]);
    assert_eq!((code, counts(&report)), (0, [1, 0, 1, 0]));
}

#[test]
fn nothing_is_written_over_the_input_or_a_file_that_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let input = write(dir.path(), "tweets.json", std::fs::read(SAMPLE).unwrap());
    let mine = write(dir.path(), "mine.jsonl", "mine");
    let refused = |arguments: &[&str], code: i32, words: &str| {
        let finished = run(&[arguments, &["--speedup", "max"], FREE_PORTS].concat());
        assert_eq!(finished.code, code, "{}", finished.stderr);
        assert!(finished.stderr.contains(words), "{}", finished.stderr);
    };
    for force in [&[][..], &["--force"]] {
        refused(&[&[&input, "--dead-letter", &input][..], force].concat(), 2, "is the input");
        let folder = dir.path().to_str().unwrap();
        let inside = dir.path().join("new.jsonl").to_str().unwrap().to_owned();
        refused(&[&[folder, "--dead-letter", &inside][..], force].concat(), 2, "in its folder");
    }
    refused(&[&input, "--dead-letter", &mine], 1, "--force");
    assert_eq!(std::fs::read_to_string(&mine).unwrap(), "mine");
    assert_eq!(std::fs::read(&input).unwrap(), std::fs::read(SAMPLE).unwrap());

    // A run that cannot start leaves no empty file; one that had nothing to write does.
    let letters = dir.path().join("letters.jsonl");
    let path = letters.to_str().unwrap();
    refused(&["no-such-file.json", "--dead-letter", path], 1, "no-such-file.json");
    assert!(!letters.exists());
    let clean = write(dir.path(), "clean.json", tweet(1, 1, 0, "a"));
    let (report, _) = replay(&clean, &["--speedup", "max", "--dead-letter", path]);
    assert_eq!(report["dead_letters"]["rejects"], 0);
    assert_eq!(letters.metadata().unwrap().len(), 0);
    let (report, _) = replay(&input, &["--speedup", "max", "--dead-letter", path, "--force"]);
    assert_eq!(report["dead_letters"]["rejects"], 24);
    assert_eq!(std::fs::read_to_string(path).unwrap().lines().count(), 24);
}

#[test]
fn a_full_disk_is_an_error_and_the_replay_is_accounted_for() {
    let dir = tempfile::tempdir().unwrap();
    let input = write(dir.path(), "mixed.json", mixed());
    // Writing to it fails with "no space left".
    let finished = run(&[
        &[input.as_str(), "--speedup", "max", "--json", "-", "--force"][..],
        &["--dead-letter", "/dev/full"],
        FREE_PORTS,
    ]
    .concat());
    assert_eq!(finished.code, 1, "{}", finished.stderr);
    assert!(finished.stderr.contains("cannot write dead letters to /dev/full"), "{}", finished.stderr);
    let report = finished.report();
    assert_eq!((&report["ledger"]["delivered"], &report["verdict"]), (&json!(2), &json!("incomplete")));
    let error = report["error"].as_str().unwrap();
    assert!(error.contains("No space left on device"), "{error}");
    let last = finished.stderr.lines().last().unwrap();
    assert!(
        last.starts_with("incomplete: ended by an error after 2 of 2 tweets") && last.contains(error),
        "{last}"
    );
}
