//! What keeps rows from coming is said while the run waits, with what to type. Needs no Druid.

use std::net::TcpListener;
use std::time::Duration;

use serde_json::{Value, json};

use crate::away::Replay;
use crate::common::free_port;
use crate::fake::{Away, FakeDruid, ROWS, counted};
use crate::stack::cause;

/// The query that counts while tweets are sent.
const COUNT: &str = "timeseries";

/// The supervisor's status.
const STATUS: &str = "GET /druid/indexer/v1/supervisor/tweets/status";

/// What its tasks have read.
const STATS: &str = "GET /druid/indexer/v1/supervisor/tweets/stats";

/// Longer than a cause takes to be found, and shorter than the default --druid-timeout.
const SOON: Duration = Duration::from_secs(90);

/// A Druid that has half of the rows.
fn half() -> FakeDruid {
    let druid = FakeDruid::start();
    druid.says("COUNT(*)", 200, json!([{"rows": ROWS / 2, "min": 0, "max": 4, "sum": 10}]));
    druid.says("COUNT(DISTINCT", 200, json!([{"distinct": ROWS / 2}]));
    druid.says(COUNT, 200, counted(ROWS / 2));
    druid
}

fn status(change: &[(&str, Value)]) -> Value {
    let mut payload = json!({
        "state": "RUNNING", "detailedState": "RUNNING", "healthy": true, "partitions": 1, "latestOffsets": {"0": 0},
        "activeTasks": [{"id": "t", "startingOffsets": {"0": 0}, "currentOffsets": {"0": 0}}],
    });
    for (key, value) in change {
        payload[*key] = value.clone();
    }
    json!({ "payload": payload })
}

#[test]
fn a_supervisor_that_is_suspended_is_said_with_the_command_and_the_run_ends_whole_after_it() {
    let druid = half();
    let mut replay = Replay::start(&druid.url(), &[]);
    replay.running.wait_for("reads every partition");
    druid.says(STATUS, 200, status(&[("suspended", json!(true)), ("detailedState", json!("SUSPENDED"))]));
    let line = replay.running.wait_for("the supervisor is suspended");
    assert!(line.contains(&format!("`tweetblast druid resume tweets --druid {}`", druid.url())), "{line}");
    for words in [STATUS, COUNT, "COUNT(*)", "COUNT(DISTINCT"] {
        druid.recovers(words);
    }
    let (report, finished) = replay.finish();
    assert_eq!((finished.code, &report["verdict"]), (0, &json!("balanced")), "{}", finished.stdout);
    let notes = report["druid"]["notes"].to_string();
    assert!(notes.contains("is suspended"), "{notes}");
}

#[test]
fn a_supervisor_that_is_terminated_is_said_and_no_row_of_it_is_expected_any_more() {
    let druid = half();
    let mut replay = Replay::start(&druid.url(), &[]);
    replay.running.wait_for("reads every partition");
    druid.says(STATUS, 404, json!({"error": "Cannot find any supervisor with id: [tweets]"}));
    replay.running.wait_for("somebody has terminated it");
    assert!(replay.running.ends_within(SOON));
    let (report, finished) = replay.finish();
    assert_eq!((finished.code, cause(&report)), (3, "supervisor gone"), "{}", finished.stdout);
    // The times are those of the rows that came.
    assert_eq!(report["druid"]["time_to_queryable_tweets"], ROWS / 2);
    assert!(finished.stdout.contains("of 5 of 10 tweets"), "{}", finished.stdout);
    for key in ["time_to_queryable_error_ms", "acked_to_queryable_error_ms"] {
        assert!(report["druid"][key]["p50"].is_number(), "{key}");
    }
}

#[test]
fn a_supervisor_is_said_to_be_suspended_though_its_tasks_do_not_answer() {
    let druid = half();
    let mut replay = Replay::start(&druid.url(), &["--druid-timeout", "15s"]);
    replay.running.wait_for("reads every partition");
    // As tasks do that are to stop.
    druid.goes_away(STATUS, "/stats", Away::Silent, usize::MAX);
    druid.says(STATUS, 200, status(&[("suspended", json!(true)), ("detailedState", json!("SUSPENDED"))]));
    let asked = druid.asked(STATS);
    replay.running.wait_for("the supervisor is suspended");
    // One look may have been under way.
    assert!(druid.asked(STATS) <= asked + 1, "the tasks were asked");
    druid.is_back("/stats");
    assert_eq!(replay.finish().1.code, 3, "the rows did not come");
}

#[test]
fn a_supervisor_with_a_tombstone_is_said_to_be_terminated_at_the_first_look() {
    let druid = half();
    let mut replay = Replay::start(&druid.url(), &[]);
    replay.running.wait_for("reads every partition");
    druid.says(
        "/supervisor/tweets/history",
        200,
        json!([{"spec": {"type": "NoopSupervisorSpec"}, "version": "v"}]),
    );
    let asked = druid.asked("/supervisor/tweets/history");
    druid.says(STATUS, 404, json!({"error": "Cannot find any supervisor with id: [tweets]"}));
    replay.running.wait_for("somebody has terminated it");
    assert_eq!(druid.asked("/supervisor/tweets/history"), asked + 1);
    assert!(replay.running.ends_within(SOON));
    assert_eq!(replay.finish().1.code, 3);
}

#[test]
fn a_worker_that_died_is_named_with_its_address() {
    let druid = half();
    let worker = format!("127.0.0.1:{}", free_port());
    let mut replay = Replay::start(&druid.url(), &["--druid-timeout", "15s"]);
    replay.running.wait_for("reads every partition");
    druid.says("/indexer/v1/workers", 200, json!([{"worker": {"host": worker}, "runningTasks": ["t"]}]));
    let line = replay.running.wait_for("nothing listens at");
    assert!(line.contains(&worker) && line.contains("stack up indexer"), "{line}");
    let back = json!([{"worker": {"host": druid.address.to_string()}, "runningTasks": ["t"]}]);
    druid.says("/indexer/v1/workers", 200, back);
    replay.running.wait_for("the supervisor reads again after");
    assert_eq!(replay.finish().1.code, 3, "the rows did not come");
}

#[test]
fn a_worker_that_druid_has_forgotten_is_named_while_its_tasks_do_not_answer() {
    let druid = half();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let worker = listener.local_addr().unwrap().to_string();
    druid.says("/indexer/v1/workers", 200, json!([{"worker": {"host": worker}, "runningTasks": ["t"]}]));
    let mut replay = Replay::start(&druid.url(), &[]);
    replay.running.wait_for("reads every partition");
    let looks = druid.asked(STATS);
    while druid.asked(STATS) < looks + 2 {
        std::thread::sleep(Duration::from_millis(10));
    }
    // As a real Druid does: the worker is on no list, its task is still to read, and the overlord waits for it.
    druid.goes_away("/indexer/v1/workers", "/stats", Away::Silent, usize::MAX);
    druid.says("/indexer/v1/workers", 200, json!([]));
    drop(listener);
    let line = replay.running.wait_for("nothing listens at");
    assert!(line.contains(&worker) && line.contains("stack up indexer"), "{line}");
    druid.says(STATUS, 200, status(&[("activeTasks", json!([]))]));
    replay.running.wait_for("the supervisor reads again after");
    druid.is_back("/stats");
    for words in [STATUS, COUNT, "COUNT(*)", "COUNT(DISTINCT"] {
        druid.recovers(words);
    }
    let (report, finished) = replay.finish();
    assert_eq!((finished.code, &report["verdict"]), (0, &json!("balanced")), "{}", finished.stdout);
    assert!(!finished.stdout.contains("overlord does not answer"), "{}", finished.stdout);
}

#[test]
fn nothing_is_counted_after_the_last_row() {
    let druid = FakeDruid::start();
    druid.says("MIN(", 200, json!([{"rows": ROWS, "min": 0, "max": 9, "sum": 44}]));
    let (report, finished) = Replay::start(&druid.url(), &[]).finish();
    assert_eq!(finished.code, 3, "one row is another: {}", finished.stdout);
    let asked = druid.requests("/druid/v2");
    let first_proof = asked.iter().position(|asked| asked.contains("MIN(")).unwrap();
    // Two are under way at a time.
    let after = asked[first_proof..].iter().filter(|asked| asked.contains(COUNT)).count();
    assert!(after <= 2, "{after}");
    let backlog = report["druid"]["backlog"].as_array().unwrap();
    assert_eq!(backlog.last().unwrap()["queryable"], ROWS);
}

#[test]
fn the_report_has_each_task_its_rows_and_when_one_took_over_from_another() {
    let druid = half();
    let worker = json!([{"worker": {"host": druid.address.to_string()}, "runningTasks": ["t", "u"]}]);
    druid.says("/indexer/v1/workers", 200, worker);
    druid.says("GET /status", 200, json!({"memory": {"usedMemory": 3 << 20}}));
    let mut replay = Replay::start(&druid.url(), &[]);
    replay.running.wait_for("reads every partition");
    let looks = || druid.asked(STATS);
    let after_looks = |more: usize| {
        let wanted = looks() + more;
        while looks() < wanted {
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    after_looks(2);
    let task = |id: &str| json!({"id": id, "startingOffsets": {"0": 0}, "currentOffsets": {"0": 0}});
    druid.says(
        STATUS,
        200,
        status(&[("activeTasks", json!([task("u")])), ("publishingTasks", json!([task("t")]))]),
    );
    let rows = |processed: u64| json!({"totals": {"buildSegments": {"processed": processed}}});
    druid.says(STATS, 200, json!({"0": {"t": rows(ROWS), "u": rows(2)}}));
    after_looks(2);
    druid.says(STATUS, 200, status(&[("activeTasks", json!([task("u")]))]));
    druid.says("/task/t/status", 200, json!({"status": {"statusCode": "FAILED", "errorMsg": "no"}}));
    after_looks(2);
    for words in [COUNT, "COUNT(*)", "COUNT(DISTINCT"] {
        druid.recovers(words);
    }
    let (report, finished) = replay.finish();
    assert_eq!(finished.code, 0, "{}", finished.stdout);
    let seen = &report["druid"]["ingestion"];
    let [first, second] = &seen["tasks"].as_array().unwrap()[..] else { panic!("{seen:#}") };
    assert_eq!((&first["id"], &first["failed"], &second["id"]), (&json!("t"), &json!(true), &json!("u")));
    assert!(first["publishing_from_s"].as_f64() < first["gone_s"].as_f64(), "{seen:#}");
    assert_eq!((first["rows"][0].as_u64(), second["rows"][0].as_u64()), (Some(ROWS), Some(2)), "{seen:#}");
    assert_eq!(seen["rollovers_s"], json!([second["from_s"]]));
    assert!(seen["handoff_max_s"].is_number() && seen["segments"]["count"] == 0, "{seen:#}");
    assert_eq!(seen["heap_mib"][0], 3.0);
}
