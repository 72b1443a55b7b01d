//! A datasource that is removed with its supervisor.

use std::time::Duration;

use serde_json::json;
use tweetblast::druid::{Access, Client, Supervisor};

use crate::fake::FakeDruid;

const SUPERVISOR: &str = "GET /druid/indexer/v1/supervisor/x";

fn supervisor(druid: &FakeDruid) -> Supervisor {
    Supervisor::new(Client::new(&druid.url(), &Access::default()).unwrap(), "x")
}

#[test]
fn dropping_waits_for_a_supervisor_that_goes_on_for_a_while() {
    let druid = FakeDruid::start();
    druid.says(SUPERVISOR, 200, json!({"type": "kafka"}));
    let dropping = std::thread::spawn({
        let supervisor = supervisor(&druid);
        move || supervisor.drop_datasource("x", Duration::from_secs(120))
    });
    druid.wait_until(|druid| druid.asked(SUPERVISOR) >= 2);
    assert_eq!(druid.asked(r#""kill""#), 0, "the segments are deleted when nothing writes any more");
    druid.recovers(SUPERVISOR);
    dropping.join().unwrap().unwrap();
    assert_eq!((druid.asked("/terminate"), druid.asked(r#""kill""#)), (1, 1));
}

#[test]
fn a_supervisor_is_removed_when_druid_no_longer_has_it() {
    let druid = FakeDruid::start();
    druid.says(SUPERVISOR, 200, json!({"type": "kafka"}));
    let error = supervisor(&druid).remove(Duration::ZERO).unwrap_err().to_string();
    assert!(error.contains("`tweetblast druid terminate x`"), "{error}");
    let asked = druid.asked(SUPERVISOR);
    let removing = std::thread::spawn({
        let supervisor = supervisor(&druid);
        move || supervisor.remove(Duration::from_secs(120))
    });
    druid.wait_until(|druid| druid.asked(SUPERVISOR) >= asked + 2);
    assert!(!removing.is_finished(), "it is still there");
    druid.recovers(SUPERVISOR);
    removing.join().unwrap().unwrap();
}

#[test]
fn an_overlord_that_refuses_for_a_while_is_told_again() {
    let druid = FakeDruid::start();
    druid.says(SUPERVISOR, 200, json!({"type": "kafka"}));
    druid.says("/terminate", 503, json!({"error": "busy"}));
    druid.says("runningTasks", 503, json!({"error": "busy"}));
    let dropping = std::thread::spawn({
        let supervisor = supervisor(&druid);
        move || supervisor.drop_datasource("x", Duration::from_secs(120))
    });
    druid.wait_until_asked("runningTasks");
    for words in ["runningTasks", "/terminate", SUPERVISOR] {
        druid.recovers(words);
    }
    dropping.join().unwrap().unwrap();
    assert!(druid.asked("/terminate") > 1);
}

#[test]
fn a_supervisor_that_stays_is_an_error_with_the_command_after_the_rest_was_done() {
    let druid = FakeDruid::start();
    druid.says(SUPERVISOR, 200, json!({"type": "kafka"}));
    let error = supervisor(&druid).drop_datasource("x", Duration::from_millis(100)).unwrap_err().to_string();
    assert!(error.contains("supervisor x or a task of it is still there"), "{error}");
    assert!(error.contains("`tweetblast druid terminate x`"), "{error}");
    assert_eq!(druid.asked(r#""kill""#), 1);
}
