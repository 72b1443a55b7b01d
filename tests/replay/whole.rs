//! Whole replays through the binary: every tweet arrives, and the report is correct.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};
use tweetblast::count::HistogramText;

use crate::common::{FREE_PORTS, Running, SAMPLE, generate, read_topic, replay, run, tweet, write};

fn counts(report: &Value, keys: &[&str]) -> Vec<Value> {
    keys.iter().map(|key| report["ledger"][key].clone()).collect()
}

#[test]
fn the_sample_ends_balanced_and_the_report_is_as_its_schema_says() {
    let schema: Value = serde_json::from_str(include_str!("../../docs/report.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    for arguments in [&["--speedup", "max"][..], &["--fit", "300ms"], &["--speedup", "max", "--mqtt", "off"]]
    {
        let arguments = if arguments.contains(&"off") {
            [arguments, &FREE_PORTS[2..]].concat()
        } else {
            [arguments, FREE_PORTS].concat()
        };
        let finished = run(&[&[SAMPLE, "--json", "-"][..], &arguments].concat());
        let report = finished.report();
        assert_eq!((finished.code, &report["verdict"]), (0, &json!("balanced")), "{}", finished.stderr);
        let errors: Vec<String> = schema.iter_errors(&report).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        assert_eq!(
            counts(&report, &["frames", "tweets", "published", "delivered", "failed"]),
            [6_024, 6_000, 6_000, 6_000, 0].map(Value::from)
        );
        assert!(finished.stderr.contains("every tweet accounted for: 6,000 read = 6,000 delivered"));
        the_series_adds_up(&report);
    }
}

/// Sums of the series are counts of the ledger, and the histograms hold each tweet.
fn the_series_adds_up(report: &Value) {
    let sum = |list: &Value| list.as_array().map(|list| list.iter().filter_map(Value::as_u64).sum::<u64>());
    let series = &report["series"];
    let sums = ["published", "delivered", "failed"].map(|key| sum(&series[key]));
    assert_eq!(sums, [Some(6_000), Some(6_000), Some(0)]);
    let has_schedule = !report["pace"]["lag_ms"].is_null();
    assert_eq!(sum(&series["intended"]), has_schedule.then_some(6_000));
    assert_eq!(series["in_flight"].as_array().unwrap().last(), Some(&json!(0)));
    assert_eq!(sum(&series["partitions"]["delivered"][0]), Some(6_000));
    let recorded = |text: &Value| HistogramText::read(text.as_str().unwrap()).unwrap().len();
    assert_eq!(recorded(&report["hops"]["kafka"]["acked_histogram"]), 6_000);
    if has_schedule {
        assert_eq!(recorded(&report["pace"]["lag_histogram"]), 6_000);
    }
}

#[test]
fn what_kafka_holds_is_what_was_counted_in_order_for_each_user() {
    let mut held = Running::start(
        &[&[SAMPLE, "--speedup", "max", "--hold", "--partitions", "3"][..], FREE_PORTS].concat(),
    );
    let line = held.wait_for("holding:");
    let kafka = line.split("Kafka ").nth(1).unwrap().split(' ').next().unwrap();
    let records = read_topic(kafka, "tweets");
    assert_eq!(records.len(), 6_000);
    let mut last_of_user: HashMap<String, u64> = HashMap::new();
    let mut seqs = Vec::new();
    for record in &records {
        let payload = record.json();
        let fields: Vec<&String> = payload.as_object().unwrap().keys().collect();
        for field in ["timestamp", "user_id", "tweet", "id", "created_at", "run", "seq"] {
            assert!(payload.get(field).is_some(), "{field} is missing: {fields:?}");
        }
        assert_eq!(payload["timestamp"].as_str().unwrap().len(), 24);
        assert_eq!(payload["user_id"].as_i64().unwrap().to_string(), record.key);
        let seq = payload["seq"].as_u64().unwrap();
        assert!(last_of_user.insert(record.key.clone(), seq).is_none_or(|last| last < seq));
        seqs.push(seq);
    }
    seqs.sort_unstable();
    assert_eq!(seqs, (0..6_000).collect::<Vec<u64>>());

    held.signal("INT");
    let finished = held.finish();
    assert_eq!(finished.code, 0, "Ctrl-C ends the hold with the code of the run: {}", finished.stderr);
}

#[test]
fn the_kafka_directory_is_kept_when_named_and_removed_when_not() {
    let dir = tempfile::tempdir().unwrap();
    let kafka_dir = dir.path().join("kafka");
    let arguments = ["--speedup", "max", "--kafka-dir", kafka_dir.to_str().unwrap()];
    let first = replay(SAMPLE, &arguments).0;
    let second = replay(SAMPLE, &arguments).0;
    assert_eq!(first["verdict"], "balanced");
    assert_eq!(second["verdict"], "balanced");
    let log = kafka_dir.join("topics/tweets/0/00000000000000000000.log");
    assert!(log.metadata().unwrap().len() > 100_000);

    let temporary = replay(SAMPLE, &["--speedup", "max"]).0;
    let gone = temporary["endpoints"]["kafka_dir"].as_str().unwrap();
    assert!(!std::path::Path::new(gone).exists(), "{gone} is left behind");
}

#[test]
fn rejects_and_broken_lines_are_counted_with_their_offsets_and_do_not_stop_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let first = tweet(1, 7, 0, "a \"quoted\" text\nof two lines é 😀");
    let lines = format!(
        "{first}\r\n\r\nHTTP/1.1 420 Enhance Your Calm\r\n{{\"delete\":{{\"status\":{{\"id\":1}}}}}}\r\n{}\r\n{{\"id\":3,\"te",
        tweet(2, 7, 1, "b")
    );
    let file = write(dir.path(), "lines.json", &lines);
    let (report, code) = replay(&file, &["--speedup", "max"]);
    assert_eq!((code, &report["verdict"]), (0, &json!("balanced")));
    assert_eq!(
        counts(&report, &["frames", "records", "unparseable", "items", "tweets", "rejects", "delivered"]),
        [5, 3, 2, 3, 2, 1, 2].map(Value::from)
    );
    assert_eq!(report["rejects_by_kind"]["delete"]["count"], 1);
    assert_eq!(report["unparseable_at"], json!([first.len() + 4, lines.rfind("{\"id\":3").unwrap()]));
}

#[test]
fn the_order_is_by_time_or_the_files_or_shuffled_by_a_seed() {
    let dir = tempfile::tempdir().unwrap();
    // Newest first; two tweets of one second keep their order, reversed like the rest.
    let lines: Vec<String> =
        [(5, 50), (4, 40), (3, 40), (2, 20)].map(|(id, second)| tweet(id, 1, second, "x")).into();
    let file = write(dir.path(), "newest-first.json", lines.join("\n"));
    let sent = |arguments: &[&str]| -> Vec<String> {
        let kafka_dir = tempfile::tempdir().unwrap();
        let name = kafka_dir.path().to_str().unwrap();
        let mut held =
            Running::start(&[&[&file, "--hold", "--kafka-dir", name][..], FREE_PORTS, arguments].concat());
        let line = held.wait_for("holding:");
        let kafka = line.split("Kafka ").nth(1).unwrap().split(' ').next().unwrap();
        let ids =
            read_topic(kafka, "tweets").iter().map(|r| r.json()["id"].as_str().unwrap().to_owned()).collect();
        held.signal("TERM");
        assert_eq!(held.finish().code, 0);
        ids
    };
    assert_eq!(sent(&["--speedup", "100x"]), ["2", "3", "4", "5"]);
    assert_eq!(sent(&["--speedup", "max", "--order", "file"]), ["5", "4", "3", "2"]);
    assert_eq!(sent(&["--speedup", "max", "--limit", "2"]), ["2", "3"]);
    let shuffled = sent(&["--speedup", "max", "--order", "shuffle", "--seed", "3"]);
    assert_eq!(shuffled, sent(&["--speedup", "max", "--order", "shuffle", "--seed", "3"]));
}

#[test]
fn in_file_order_nothing_is_looked_up_first_and_the_ledger_is_the_same() {
    let stream = replay(SAMPLE, &["--speedup", "max", "--order", "file"]).0;
    let indexed = replay(SAMPLE, &["--speedup", "max"]).0;
    let keys = ["frames", "records", "items", "tweets", "rejects", "published", "received", "delivered"];
    assert_eq!(counts(&stream, &keys), counts(&indexed, &keys));
    assert_eq!(stream["verdict"], "balanced");
    assert_eq!(stream["rejects_by_kind"], indexed["rejects_by_kind"]);
}

#[test]
fn a_limit_leaves_the_rest_out_and_says_so() {
    for order in ["time", "file"] {
        let (report, code) = replay(SAMPLE, &["--speedup", "max", "--limit", "100", "--order", order]);
        assert_eq!(code, 0);
        assert_eq!(counts(&report, &["published", "delivered"]), [100, 100].map(Value::from), "{order}");
    }
    let (report, _) = replay(SAMPLE, &["--speedup", "max", "--limit", "100"]);
    assert_eq!(
        report["ledger"]["skipped_by"],
        json!({"limit": 5_900, "range": 0, "duplicate_id": 0, "duration": 0, "stop": 0})
    );
}

#[test]
fn user_grouped_files_are_shuffled_and_spaced_evenly() {
    let dir = tempfile::tempdir().unwrap();
    let file = write(
        dir.path(),
        "grouped.json",
        r#"[{"id": 1176567558868103168, "tweets": ["a", "b\n", 17]}, {"id": 5, "tweets": ["\u00e9\ud83d\ude00"]}]"#,
    );
    // 4 s between two tweets, divided by 100.
    let (report, code) = replay(&file, &["--speedup", "100x", "--partitions", "2"]);
    assert_eq!((code, &report["verdict"]), (0, &json!("balanced")));
    assert_eq!(counts(&report, &["records", "items", "tweets", "rejects"]), [2, 4, 3, 1].map(Value::from));
    assert_eq!(report["pace"]["order"], "shuffled");
    assert_eq!(report["pace"]["planned_duration_s"], 0.08);
    assert_eq!(report["rejects_by_kind"]["not a text"]["count"], 1);
}

#[test]
fn generated_files_of_all_forms_are_balanced_at_full_speed() {
    let dir = tempfile::tempdir().unwrap();
    const FORMS: [&str; 11] = [
        "lines",
        "array",
        "grouped",
        "objects",
        "search",
        "v2-pages",
        "v2-stream",
        "v2-flat",
        "archive",
        "activity-streams",
        "flat",
    ];
    for form in FORMS {
        let (report, code) = replay(&generate(dir.path(), form, 5_000), &["--speedup", "max"]);
        assert_eq!((code, &report["ledger"]["delivered"]), (0, &json!(5_000)), "{form}");
        assert_eq!(report["pace"]["lag_ms"], Value::Null, "full speed has no schedule");
    }
}

#[test]
fn payloads_without_run_and_seq_carry_them_as_headers() {
    for (payload, fields) in [("minimal", Some(vec!["timestamp", "tweet", "user_id"])), ("raw", None)] {
        let mut held = Running::start(
            &[&[SAMPLE, "--speedup", "max", "--limit", "50", "--hold", "--payload", payload][..], FREE_PORTS]
                .concat(),
        );
        let line = held.wait_for("holding:");
        let kafka = line.split("Kafka ").nth(1).unwrap().split(' ').next().unwrap();
        let records = read_topic(kafka, "tweets");
        assert_eq!(records.len(), 50);
        for (seq, record) in records.iter().enumerate() {
            assert_eq!(record.headers["seq"], seq.to_string());
            assert_eq!(record.headers["run"].len(), 20);
            let payload = record.json();
            let mut keys: Vec<&str> = payload.as_object().unwrap().keys().map(String::as_str).collect();
            keys.sort_unstable();
            match &fields {
                Some(fields) => assert_eq!(&keys, fields),
                None => assert!(keys.contains(&"user") && !keys.contains(&"run")),
            }
        }
    }
}

#[test]
fn ctrl_c_drains_accounts_for_what_was_sent_and_says_so() {
    let json = tempfile::tempdir().unwrap();
    let json = json.path().join("report.json");
    let mut running = Running::start(
        &[&[SAMPLE, "--speedup", "5x", "--json", json.to_str().unwrap()][..], FREE_PORTS].concat(),
    );
    running.wait_for("kafka ");
    std::thread::sleep(Duration::from_millis(1_000));
    running.signal("INT");
    let finished = running.finish();
    assert_eq!(finished.code, 130, "{}\n{}", finished.stdout, finished.stderr);
    let report: Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    assert_eq!((&report["verdict"], &report["interrupted"]), (&json!("incomplete"), &json!(true)));
    let last = finished.stdout.lines().last().unwrap();
    assert!(
        last.starts_with("incomplete: stopped after ") && last.contains(" of 6,000 tweets; all "),
        "{last}"
    );
    let ledger = &report["ledger"];
    let (published, skipped) = (ledger["published"].as_u64().unwrap(), ledger["skipped"].as_u64().unwrap());
    assert_eq!(published + skipped, 6_000);
    assert!(skipped > 0 && ledger["skipped_by"]["stop"] == skipped, "{ledger}");
    assert_eq!(ledger["delivered"], published);
}
