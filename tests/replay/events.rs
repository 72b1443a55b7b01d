//! Replays of records that are not tweets: each arrives as it is, with ours beside it, in its own time.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::common::{FREE_PORTS, Record, Running, read_topic, replay, run, write};

fn data(name: &str) -> String {
    format!("{}/tests/data/events/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// What Kafka holds after a replay.
fn sent(file: &str, flags: &[&str]) -> Vec<Record> {
    let arguments = [&[file, "--speedup", "max", "--hold"][..], flags, FREE_PORTS].concat();
    let mut held = Running::start(&arguments);
    let line = held.wait_for("holding:");
    let kafka = line.split("Kafka ").nth(1).unwrap().split(' ').next().unwrap();
    let records = read_topic(kafka, "tweets");
    held.signal("INT");
    let finished = held.finish();
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    records
}

/// The objects in a file of lines that have this member.
fn lines_with(file: &str, member: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap();
    let records = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    records.filter(|record| record.get(member).is_some()).collect()
}

#[test]
fn each_record_arrives_as_it_is_with_ours_beside_it_by_names_that_it_does_not_have() {
    let file = data("logs-bulk.ndjson");
    let records = sent(&file, &[]);
    let mut theirs = lines_with(&file, "@timestamp");
    theirs.sort_by_key(|record| record["@timestamp"].as_str().unwrap().to_owned());
    assert_eq!(records.len(), theirs.len());
    for (seq, (record, theirs)) in records.iter().zip(&theirs).enumerate() {
        let mut payload = record.json();
        assert_eq!(record.key, theirs["service.name"].as_str().unwrap());
        let ours =
            ["timestamp", "_run", "seq"].map(|name| payload.as_object_mut().unwrap().remove(name).unwrap());
        assert!(ours[0].as_str().unwrap().ends_with('Z') && ours[1].as_str().unwrap().len() > 8);
        assert_eq!((&ours[2], &payload), (&json!(seq), theirs));
    }
}

#[test]
fn a_run_of_each_file_is_balanced_and_read_back_over_mqtt_and_without_it() {
    for name in ["sensors.jsonl", "logs-bulk.ndjson", "quakes.geojson", "changes.json", "logins.jsonl"] {
        for flags in [&["--speedup", "max"][..], &["--fit", "200ms", "--mqtt", "off"]] {
            let finished = run(&[&[&data(name), "--json", "-"][..], flags, &FREE_PORTS[2..]].concat());
            let report = finished.report();
            assert_eq!(
                (&report["verdict"], finished.code),
                (&json!("balanced"), 0),
                "{name}: {}",
                finished.stderr
            );
            let ledger = &report["ledger"];
            assert_eq!(ledger["read_back"], ledger["tweets"], "{name}");
        }
    }
    let (report, code) = replay(&data("logins.jsonl"), &["--speedup", "max"]);
    assert_eq!((code, &report["input"]["events"]["seq_name"]), (0, &json!("__seq")));
    assert_eq!(report["input"]["events"]["time"]["field"], "login_time");
}

#[test]
fn the_pace_is_that_of_their_own_times() {
    let file = data("logins.jsonl");
    let planned = run(&["inspect", "--json", "-", &file, "--speedup", "1000x", "--no-spread"]).report();
    // Five minutes.
    assert_eq!(planned["planned_duration_s"], json!(0.3));
    let (report, code) = replay(&file, &["--speedup", "1000x"]);
    assert_eq!((code, &report["input"]["first"]), (0, &json!("2020-03-03T10:00:00.000Z")));
    assert_eq!(report["pace"]["order"], "oldest first");
}

#[test]
fn raw_records_are_sent_byte_by_byte_with_headers() {
    let file = data("sensors.jsonl");
    let records = sent(&file, &["--payload", "raw"]);
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let payloads: Vec<&str> =
        records.iter().map(|record| std::str::from_utf8(&record.payload).unwrap()).collect();
    assert_eq!(payloads, lines);
    let seqs: BTreeSet<&str> = records.iter().map(|record| &record.headers["seq"][..]).collect();
    assert_eq!(seqs.len(), lines.len());
    assert_eq!(records[0].key, "17");
}

#[test]
fn kafka_stores_the_time_of_the_event_if_it_is_told_to() {
    let file = data("logins.jsonl");
    const FIRST_MS: i64 = 1_583_229_600_000;
    let event = ["--kafka-timestamp", "event"];
    for flags in [&event[..], &[event[0], event[1], "--payload", "raw"]] {
        let times: Vec<i64> = sent(&file, flags).iter().map(|record| record.time_ms - FIRST_MS).collect();
        assert_eq!(times, [0, 60_000, 120_000, 180_000, 240_000, 300_000], "{flags:?}");
    }
    let now_ms = jiff::Timestamp::now().as_millisecond();
    assert!(sent(&file, &[]).iter().all(|record| record.time_ms >= now_ms), "by itself that of the sending");
}

#[test]
fn a_record_with_one_of_our_names_that_comes_late_in_a_stream_is_a_reject() {
    let dir = tempfile::tempdir().unwrap();
    let line = |n: usize| format!("{{\"time\":{},\"user\":\"u{}\"}}\n", 1_583_229_600 + n, n % 3);
    let text: String = (0..5_000).map(line).collect();
    let late = "{\"time\":1583239600,\"user\":\"u1\",\"r\\u0075n\":7}\n";
    let file = write(dir.path(), "late.jsonl", format!("{text}{late}"));
    // A file is looked through before: ours give way.
    let found = run(&["inspect", "--json", "-", &file]).report();
    assert_eq!((&found["tweets"], &found["events"]["run_name"]), (&json!(5_001), &json!("_run")));
    // What is read as it comes is not.
    let arguments = ["inspect", "--json", "-", &file, "--format", "lines"];
    assert_eq!(run(&arguments).code, 0);
    let written = dir.path().join("report.json").to_str().unwrap().to_owned();
    let piped = crate::common::run_piped(
        &file,
        &[&["-", "--order", "file", "--speedup", "max", "--json", &written][..], FREE_PORTS].concat(),
    );
    let report: Value = serde_json::from_slice(&std::fs::read(&written).unwrap()).unwrap();
    let rejects = &report["rejects_by_kind"]["field named as one of ours, unlike the first records"];
    assert_eq!(
        (piped.code, &report["ledger"]["tweets"], &report["ledger"]["rejects"]),
        (0, &json!(5_000), &json!(1))
    );
    assert_eq!((&rejects["count"], &rejects["first_line"]), (&json!(1), &json!(5_001)));
    let page = piped.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let words = "unlike the first records, the first at line 5,001, byte ";
    assert!(page.contains(words) && page.contains(": --payload raw sends them as they are"), "{page}");
    // With it nothing of ours is in the record.
    let raw = ["-", "--order", "file", "--speedup", "max", "--json", "-", "--payload", "raw"];
    let piped = crate::common::run_piped(&file, &[&raw[..], FREE_PORTS].concat());
    assert_eq!(piped.report()["ledger"]["delivered"], 5_001);
}

#[test]
fn what_people_read_says_events_and_the_keys_say_tweets() {
    let dir = tempfile::tempdir().unwrap();
    let page = dir.path().join("page.html").to_str().unwrap().to_owned();
    let file = data("sensors.jsonl");
    let finished = run(&[&[&file, "--speedup", "max", "--report", &page][..], FREE_PORTS].concat());
    let inspected = run(&["inspect", &file]);
    for (words, text) in
        [("6 events to send", &finished.stdout), ("every event accounted for", &finished.stdout)]
            .into_iter()
            .chain([
                ("6 = 6 events + 0 rejects", &inspected.stdout),
                ("sends 6 events in", &inspected.stdout),
            ])
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(html.contains("Where the events went") && html.contains("CPU per event"));
    for text in [finished.stdout, inspected.stdout] {
        // The topic is called so.
        let mut lines = text.lines().filter(|line| !line.contains("-t tweets"));
        let tweet = |word: &str| ["tweet", "tweets"].contains(&word);
        let says = lines.find(|line| line.split(|sign: char| !sign.is_alphanumeric()).any(tweet));
        assert_eq!(says, None);
    }
}

#[test]
fn flags_that_are_for_tweets_are_refused() {
    let file = data("sensors.jsonl");
    for (flags, words) in [
        (&["--payload", "minimal"][..], "--payload minimal has the fields of a tweet"),
        (&["--enrich", &file], "--enrich joins users to tweets"),
    ] {
        let refused = run(&[&[&file[..]], flags, FREE_PORTS].concat());
        assert!(refused.code == 1 && refused.stderr.contains(words), "{words}: {}", refused.stderr);
    }
}
