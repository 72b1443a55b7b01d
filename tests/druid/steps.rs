//! `tweetblast druid` and `doctor` by themselves, without a Druid.

use std::time::Duration;

use serde_json::json;

use crate::common::{Finished, Running, run, write};
use crate::fake::{Away, FakeDruid, ROWS, counted};

fn step(druid: &FakeDruid, arguments: &[&str]) -> Finished {
    run(&[&["druid"][..], arguments, &["--druid", &druid.url()]].concat())
}

fn ours() -> serde_json::Value {
    run(&["druid", "spec", "--druid-kafka", "127.0.0.1:1"]).report()
}

#[test]
fn resume_terminate_and_status_say_what_they_did() {
    let druid = FakeDruid::start();
    druid.says("GET /druid/indexer/v1/supervisor/tweets ", 200, ours());
    let resumed = step(&druid, &["resume"]);
    assert_eq!((resumed.code, resumed.stdout.trim()), (0, "supervisor tweets resumed"));
    assert_eq!(druid.asked("supervisor/tweets/resume"), 1);

    let status = json!({"payload": {"state": "RUNNING", "detailedState": "RUNNING", "offsetsLastUpdated": "2026-11-23T23:43:24.506Z",
        "activeTasks": [{"id": "t", "currentOffsets": {"0": 5}}]}});
    druid.says("supervisor/tweets/status", 200, status);
    let status = step(&druid, &["status"]);
    assert!(status.stdout.contains("old: the tasks may have read more since"), "{}", status.stdout);

    // A task with rows in memory, and its Kafka is gone.
    druid.says("runningTasks", 200, json!([{"id": "t", "dataSource": "tweets"}]));
    // Druid still has it for a while, and it is not said to be gone before.
    let terminated = std::thread::scope(|scope| {
        let terminated = scope.spawn(|| step(&druid, &["terminate"]));
        druid.wait_until_asked("supervisor/tweets/terminate");
        let asked = druid.asked("GET /druid/indexer/v1/supervisor/tweets ");
        druid.wait_until(|druid| druid.asked("GET /druid/indexer/v1/supervisor/tweets ") >= asked + 2);
        assert!(!terminated.is_finished(), "it is still there");
        druid.recovers("GET /druid/indexer/v1/supervisor/tweets ");
        terminated.join().unwrap()
    });
    assert_eq!(terminated.code, 0, "{}", terminated.stderr);
    for words in ["10 rows of 1 task not durable yet", "nothing listens at 127.0.0.1:1"] {
        assert!(terminated.stdout.contains(words), "{}", terminated.stdout);
    }
}

#[test]
fn to_terminate_twice_is_no_error_and_a_wrong_name_is_one() {
    let druid = FakeDruid::start();
    druid.says("supervisor/tweets/history", 200, json!([{"spec": {"type": "noop"}}, {"spec": ours()}]));
    let again = step(&druid, &["terminate"]);
    assert_eq!((again.code, again.stdout.contains("was terminated before")), (0, true), "{}", again.stderr);
    druid.says("supervisor/twets/history", 404, json!("No history for [twets]"));
    let wrong = step(&druid, &["terminate", "twets"]);
    assert!(wrong.code == 1 && wrong.stderr.contains("no supervisor twets"), "{}", wrong.stderr);
}

#[test]
fn the_secrets_of_a_secured_kafka_are_not_in_the_spec() {
    let dir = tempfile::tempdir().unwrap();
    let lines =
        "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.username=ann\nsasl.password=geheim\n";
    let file = format!("@{}", write(dir.path(), "kafka.properties", lines));
    let druid = FakeDruid::start();
    assert_eq!(step(&druid, &["submit", "-X", &file]).code, 0);
    let submitted = druid.requests("POST /druid/indexer/v1/supervisor ").pop().unwrap();
    assert!(submitted.contains("SASL_PLAINTEXT") && submitted.contains("druid.dynamic.config.provider"));
    assert!(
        submitted.contains("TWEETBLAST_KAFKA_SASL_JAAS_CONFIG") && !submitted.contains("geheim"),
        "{submitted}"
    );
    let secrets = run(&["druid", "secrets", "-X", &file]);
    assert!(secrets.stdout.starts_with("export TWEETBLAST_KAFKA_SASL_JAAS_CONFIG='"), "{}", secrets.stdout);
    assert!(secrets.stdout.contains("password=\"geheim\";"));
}

#[test]
fn doctor_names_the_process_that_is_dead_and_shows_no_page() {
    let druid = FakeDruid::start();
    druid.goes_away("/druid/v2", "/druid/v2", Away::Gateway, usize::MAX);
    druid.goes_away("/druid/coordinator", "/druid/coordinator", Away::Gateway, usize::MAX);
    let finished = run(&["doctor", "--mqtt", "off", "--druid", &druid.url()]);
    assert_eq!(finished.code, 1);
    for (service, name) in [("broker", "broker"), ("coordinator", "coordinator")] {
        let words = format!("Druid's {service} does not answer");
        let line = finished.stdout.replace('\n', " ");
        assert!(line.contains(&words) && line.contains(&format!("stack up {name}")), "{}", finished.stdout);
    }
    assert!(
        !finished.stdout.contains("Druid's overlord") && !finished.stdout.contains("<html"),
        "{}",
        finished.stdout
    );
}

#[test]
fn doctor_ends_when_it_is_stopped_and_takes_back_the_supervisor_that_it_made() {
    // While rows are counted, and between the counts of the proof.
    for (words, rows) in [("timeseries", 0), ("MIN(", ROWS)] {
        let druid = FakeDruid::start();
        let modules = json!([{"artifact": "druid-kafka-indexing-service"}]);
        druid.says("GET /status ", 200, json!({"version": "33.0.0", "modules": modules}));
        druid.says("COUNT(*)", 200, json!([{"rows": 0}]));
        druid.says("timeseries", 200, counted(rows));
        let url = druid.url();
        let mut doctor =
            Running::start(&["doctor", "--mqtt", "off", "--kafka-listen", "127.0.0.1:0", "--druid", &url]);
        druid.wait_until_asked(words);
        doctor.signal("INT");
        assert!(doctor.ends_within(Duration::from_secs(20)), "{words}");
        assert_eq!(doctor.finish().code, 130, "{words}");
        assert_eq!(druid.asked("supervisor/tweets/terminate"), 1, "{words}");
    }
}
