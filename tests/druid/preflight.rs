//! What is known before the first tweet is said then, and nothing is sent. Needs no Druid.

use std::time::Duration;

use serde_json::{Value, json};

use crate::away::Replay;
use crate::common::{Finished, Running, SAMPLE, free_port, run};
use crate::fake::{Away, FakeDruid};

/// A new supervisor, or an update of one.
const SUBMIT: &str = "POST /druid/indexer/v1/supervisor {";

fn refused(druid: &FakeDruid, arguments: &[&str]) -> Finished {
    let finished = Replay::start(&druid.url(), arguments).running.finish();
    assert_eq!(finished.code, 1, "{}", finished.stdout);
    finished
}

#[test]
fn another_process_than_the_router_is_named() {
    for (process, answer) in [("coordinator", 404), ("broker", 200)] {
        let druid = FakeDruid::start();
        druid.says("/druid/v2/sql", answer, json!([{"EXPR$0": 1}]));
        druid.says("/status/properties", 200, json!({"druid.service": format!("druid/{process}")}));
        let finished = refused(&druid, &[]);
        let words = format!("{} is Druid's {process}, not its router", druid.url());
        assert!(finished.stderr.contains(&words), "{}", finished.stderr);
        assert_eq!(druid.asked("POST /druid/indexer"), 0);
    }
}

#[test]
fn a_datasource_whose_seq_is_text_is_refused_and_other_columns_are_remarked_on() {
    let druid = FakeDruid::start();
    druid.says("INFORMATION_SCHEMA", 200, json!([{"name": "seq", "type": "VARCHAR"}]));
    let finished = refused(&druid, &[]);
    assert!(
        finished.stderr.contains("column seq of Druid's datasource tweets is VARCHAR, and must be BIGINT"),
        "{}",
        finished.stderr
    );
    assert_eq!(druid.asked("POST /druid/indexer"), 0);
    druid.says("INFORMATION_SCHEMA", 200, json!([{"name": "lat", "type": "VARCHAR"}]));
    let (report, finished) = Replay::start(&druid.url(), &[]).finish();
    assert_eq!(finished.code, 0, "{}", finished.stdout);
    assert!(report["druid"]["notes"].to_string().contains("column lat is VARCHAR, and this run's is DOUBLE"));
}

#[test]
fn who_has_the_worker_slots_is_named_and_tasks_that_hand_over_are_given_time() {
    let druid = FakeDruid::start();
    druid.says("totalWorkerCapacity", 200, json!({"usedClusterCapacity": 3, "currentClusterCapacity": 3}));
    druid.says("pendingTasks", 200, json!([{"id": "t", "dataSource": "tweets"}]));
    let task = |id: &str| json!({"id": id, "type": "index_kafka", "dataSource": "alt"});
    let tasks = ["index_kafka_alt_1", "index_kafka_alt_2", "index_kafka_gone_1"];
    druid.says("runningTasks", 200, json!(tasks.map(task)));
    druid.says("GET /druid/indexer/v1/supervisor ", 200, json!(["alt"]));
    let active = json!([{"id": "index_kafka_alt_1"}, {"id": "index_kafka_alt_2"}]);
    druid.says("supervisor/alt/status", 200, json!({"payload": {"activeTasks": active}}));
    let mut replay = Replay::start(&druid.url(), &[]);
    let line = replay.running.wait_for("waiting for worker slots");
    assert!(line.contains("1 task waits, all 3 are taken (alt 2, handing over 1)"), "{line}");
    for words in ["totalWorkerCapacity", "pendingTasks", "runningTasks"] {
        druid.recovers(words);
    }
    assert_eq!(replay.finish().1.code, 0);
}

#[test]
fn tasks_that_fail_one_after_another_are_named_with_druids_reason() {
    let druid = FakeDruid::start();
    druid.says(
        "supervisor/tweets/status",
        200,
        json!({"payload": {"state": "RUNNING", "detailedState": "RUNNING",
        "healthy": true, "partitions": 1, "activeTasks": []}}),
    );
    let ended = |id: &str, code: &str| {
        json!({"id": id, "type": "index_kafka", "dataSource": "tweets", "statusCode": code,
            "errorMsg": "Failed with exception [null]. See indexer logs for details."})
    };
    let earlier = json!([ended("a", "FAILED"), ended("b", "FAILED"), ended("c", "FAILED")]);
    druid.says("tasks?state=complete", 200, earlier.clone());
    let replay = Replay::start(&druid.url(), &["--druid-timeout", "5m"]);
    druid.wait_until_asked("tasks?state=complete");
    let now =
        json!([ended("f", "FAILED"), ended("e", "FAILED"), ended("d", "FAILED"), ended("s", "SUCCESS")]);
    let all: Vec<Value> = [now, earlier].iter().flat_map(|tasks| tasks.as_array().unwrap().clone()).collect();
    druid.says("tasks?state=complete", 200, json!(all));
    let finished = replay.running.finish();
    assert_eq!(finished.code, 1, "{}", finished.stdout);
    assert!(finished.stderr.contains("task f failed: Failed with exception [null]"), "{}", finished.stderr);
}

#[test]
fn a_wrong_kafka_is_named_long_before_the_time_out_and_the_supervisor_is_removed() {
    let druid = FakeDruid::start();
    let connecting = json!({"payload": {"state": "RUNNING", "detailedState": "CONNECTING_TO_STREAM", "healthy": true,
        "partitions": 0, "activeTasks": []}});
    druid.says("supervisor/tweets/status", 200, connecting);
    // A real overlord answers once its supervisor has given up on Kafka, after half a minute.
    druid.goes_away("/terminate", "/terminate", Away::Silent, usize::MAX);
    let nowhere = format!("127.0.0.1:{}", free_port());
    let arguments = ["--druid-kafka", &nowhere, "--druid-timeout", "5m"];
    let mut replay = Replay::start(&druid.url(), &arguments);
    assert!(replay.running.ends_within(Duration::from_secs(60)));
    let finished = replay.running.finish();
    assert_eq!(finished.code, 1, "{}", finished.stdout);
    let words = format!("nothing listens at {nowhere}, where Druid looks for Kafka");
    assert!(
        finished.stderr.contains(&words) && finished.stderr.contains("--druid-kafka"),
        "{}",
        finished.stderr
    );
    assert_eq!(druid.asked("supervisor/tweets/terminate"), 1);
}

/// A supervisor of ours as `tweetblast druid spec` makes it.
fn spec(kafka: &str, arguments: &[&str]) -> Value {
    run(&[&["druid", "spec", "--druid-kafka", kafka], arguments].concat()).report()
}

#[test]
fn a_supervisor_that_was_changed_by_hand_is_said_and_kept() {
    let kafka = format!("127.0.0.1:{}", free_port());
    let ours = spec(&kafka, &[]);
    let mut there = ours.clone();
    there["spec"]["ioConfig"]["taskCount"] = 2.into();
    let history = json!([{"spec": there, "version": "2"}, {"spec": ours, "version": "1"}]);
    let druid = FakeDruid::start();
    druid.says("GET /druid/indexer/v1/supervisor/tweets ", 200, there);
    druid.says("supervisor/tweets/history", 200, history);
    let (report, finished) = Replay::start_at(&druid.url(), &kafka, &[]).finish();
    assert_eq!(finished.code, 0, "{}", finished.stdout);
    assert_eq!(report["druid"]["submitted"], "there already");
    let notes = report["druid"]["notes"].to_string();
    assert!(
        notes.contains("/ioConfig/taskCount is 2, not 1") && notes.contains("--druid-overwrite"),
        "{notes}"
    );
    assert_eq!(druid.asked(SUBMIT), 0);

    // What this run changes itself is submitted, with the rest of the changes.
    let (report, _) =
        Replay::start_at(&druid.url(), &kafka, &["--druid-set", "/tuningConfig/maxRowsInMemory=7"]).finish();
    assert_eq!(report["druid"]["submitted"], "updated");
    let submitted = druid.requests(SUBMIT).pop().unwrap();
    assert!(
        submitted.contains(r#""taskCount":2"#) && submitted.contains(r#""maxRowsInMemory":7"#),
        "{submitted}"
    );

    let (report, _) = Replay::start_at(&druid.url(), &kafka, &["--druid-overwrite"]).finish();
    assert_eq!(report["druid"]["submitted"], "updated");
    assert!(druid.requests(SUBMIT).pop().unwrap().contains(r#""taskCount":1"#));
}

#[test]
fn a_supervisor_that_another_run_uses_is_kept_from_under_it() {
    let mut serve = Running::start(&["serve", "--no-mqtt", "--kafka-listen", "127.0.0.1:0"]);
    let kafka = serve.wait_for("Kafka").split_whitespace().nth(1).unwrap().to_owned();
    let other = ["--kafka", &kafka, "--mqtt", "off", "--rate", "100/s", "--loop", "forever"];
    let mut other = Running::start(&[&[SAMPLE][..], &other].concat());
    other.wait_for("topic");
    let druid = FakeDruid::start();
    const THERE: &str = "GET /druid/indexer/v1/supervisor/tweets ";
    druid.says(THERE, 200, spec(&kafka, &["--payload", "minimal"]));
    let finished = Replay::start_into(&druid.url(), &kafka, &[]).running.finish();
    assert_eq!(finished.code, 1, "{}", finished.stdout);
    for words in ["reads for another run now", "inputFormat", "--druid-datasource NAME"] {
        assert!(finished.stderr.contains(words), "{}", finished.stderr);
    }
    assert_eq!(druid.asked(SUBMIT), 0);

    // Another number of tasks is no reason to stop anybody.
    druid.says(THERE, 200, spec(&kafka, &["--tasks", "3"]));
    let (report, finished) = Replay::start_into(&druid.url(), &kafka, &[]).finish();
    assert_eq!(
        (finished.code, &report["druid"]["submitted"]),
        (0, &json!("used as it is")),
        "{}",
        finished.stdout
    );
    assert_eq!(druid.asked(SUBMIT), 0);
}
