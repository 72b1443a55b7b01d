//! Records that are not tweets, into Druid: its spec has their columns, and its rows are counted by our names. Needs no
//! Druid.

use serde_json::{Value, json};

use crate::away::Replay;
use crate::common::{Running, free_port};
use crate::fake::FakeDruid;

const SUBMIT: &str = "POST /druid/indexer/v1/supervisor {";

fn submitted(druid: &FakeDruid) -> Value {
    let asked = druid.requests(SUBMIT);
    serde_json::from_str(asked[0].strip_prefix("POST /druid/indexer/v1/supervisor ").unwrap()).unwrap()
}

#[test]
fn the_spec_has_the_columns_of_the_records_and_rows_are_counted_by_names_that_these_do_not_have() {
    let file = format!("{}/tests/data/events/logs-bulk.ndjson", env!("CARGO_MANIFEST_DIR"));
    let druid = FakeDruid::start();
    let (report, finished) = Replay::of_file(&file, &druid.url(), &["--query-load", "50/s"]).finish();
    assert_eq!((finished.code, &report["druid"]["exact"]), (0, &json!(true)), "{}", finished.stderr);
    let schema = submitted(&druid)["spec"]["dataSchema"].clone();
    assert_eq!(schema["timestampSpec"]["column"], "timestamp");
    let kinds: Vec<String> = schema["dimensionsSpec"]["dimensions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{} {}", one["name"].as_str().unwrap(), one["type"].as_str().unwrap()))
        .collect();
    let expected = [
        "@timestamp string",
        "service.name string",
        "message string",
        "took_ms long",
        "run string",
        "process json",
        "_run string",
        "seq long",
    ];
    assert_eq!(kinds, expected);
    // Theirs is never asked for.
    assert!(druid.asked("WHERE \\\"_run\\\" = ?") > 1);
    assert_eq!(druid.asked("WHERE \\\"run\\\" = ?"), 0);
}

#[test]
fn druid_finds_the_columns_itself_if_it_is_told_to() {
    let file = format!("{}/tests/data/events/logs-bulk.ndjson", env!("CARGO_MANIFEST_DIR"));
    let druid = FakeDruid::start();
    let (report, finished) = Replay::of_file(&file, &druid.url(), &["--druid-discover"]).finish();
    assert_eq!((finished.code, &report["druid"]["exact"]), (0, &json!(true)), "{}", finished.stderr);
    let dimensions = submitted(&druid)["spec"]["dataSchema"]["dimensionsSpec"].clone();
    let ours = json!([{"name": "_run", "type": "string"}, {"name": "seq", "type": "long"}]);
    assert_eq!((&dimensions["useSchemaDiscovery"], &dimensions["dimensions"]), (&json!(true), &ours));
}

#[test]
fn find_max_submits_the_columns_of_the_records_too() {
    let file = format!("{}/tests/data/events/logs-bulk.ndjson", env!("CARGO_MANIFEST_DIR"));
    let (dir, druid) = (tempfile::tempdir().unwrap(), FakeDruid::start());
    let kafka = format!("127.0.0.1:{}", free_port());
    let log = dir.path().to_str().unwrap();
    let mut served =
        Running::start(&["serve", "--mqtt", "off", "--kafka-listen", &kafka, "--kafka-dir", log]);
    served.wait_for("serving");
    let searching =
        Running::start(&["find-max", &file, "--kafka", &kafka, "--druid", &druid.url(), "--quick"]);
    druid.wait_until_asked(SUBMIT);
    drop(searching);
    let schema = submitted(&druid)["spec"]["dataSchema"].clone();
    let dimensions = schema["dimensionsSpec"]["dimensions"].as_array().unwrap();
    let names: Vec<&str> = dimensions.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["@timestamp", "service.name", "message", "took_ms", "run", "process", "_run", "seq"]);
}
