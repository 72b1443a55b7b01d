//! Processes that die in the middle: Druid's broker and indexer, and tweetblast with its embedded
//! Kafka.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use tweetblast::druid::Proof;

use crate::common::{Running, SAMPLE, free_port, needed, read_topic};
use crate::stack::{Stack, TWEETS};

/// Kills a process of the stack that `TWEETBLAST_STACK_DIR` names, and starts it again.
fn restart(process: &str) {
    stack_step("kill", process);
    stack_step("up", process);
}

/// One of the two.
pub fn stack_step(step: &str, process: &str) {
    needed("TWEETBLAST_STACK_DIR");
    let stack = concat!(env!("CARGO_MANIFEST_DIR"), "/docker/native/stack");
    let done = Command::new(stack).args([step, process]).stdout(Stdio::null()).status();
    assert!(done.unwrap().success());
}

#[test]
#[ignore = "needs a Druid and its Kafka"]
fn runs_with_the_embedded_kafka_stay_exact_over_deaths_of_the_broker_and_the_indexer() {
    let stack = Stack::alone("deaths");
    let path = |name: &str| stack.state.path().join(name).to_str().unwrap().to_owned();
    let (dir, json) = (path("kafka"), path("report.json"));
    // Another program may have the usual port in one of the runs, and then the supervisor is
    // updated.
    let kafka = format!("127.0.0.1:{}", free_port());
    let what = [SAMPLE, "--speedup", "max", "-t", &stack.name, "--json", &json];
    let own = ["--kafka-dir", &dir, "--kafka-listen", &kafka];
    let to = [&["--mqtt-listen", "127.0.0.1:0", "--druid", &stack.url], &own[..]].concat();
    let mut first = Running::start(&[&what[..], &to].concat());
    first.wait_for("reads every partition");
    restart("broker");
    let first = first.finish();
    for words in ["Druid's broker does not answer at http", "Druid's broker is back after "] {
        assert_eq!(first.stdout.matches(words).count(), 1, "{}", first.stdout);
    }
    let report = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    let first = stack.exact((report, first.code, first.stdout));
    restart("indexer");
    let second = stack.exact(stack.replay(&own));
    assert_eq!(second["druid"]["submitted"], "resumed");
    // The segments of the first run were published, and a historical loads those that the indexer
    // had not handed over before it died.
    let deadline = Instant::now() + Duration::from_secs(180);
    while stack.proof(&first) != Proof::expected(TWEETS) {
        assert!(Instant::now() < deadline, "{:?}", stack.proof(&first));
        std::thread::sleep(Duration::from_millis(500));
    }
}

#[test]
#[ignore = "needs a Druid and its Kafka"]
fn a_killed_replay_can_be_run_again_on_the_same_kafka_dir() {
    let stack = Stack::new("killed");
    let dir = stack.state.path().join("kafka").to_str().unwrap().to_owned();
    let to = ["-t", &stack.name, "--mqtt-listen", "127.0.0.1:0", "--kafka-dir", &dir, "--druid", &stack.url];
    let mut killed = Running::start(&[&[SAMPLE, "--rate", "1000/s"], &to[..]].concat());
    let head = killed.wait_for("tweetblast ");
    let run = head.trim().rsplit(' ').next().unwrap().to_owned();
    let count = || Proof::count(&stack.client(), &stack.name, (&*run).into()).unwrap();
    let deadline = Instant::now() + Duration::from_secs(180);
    while count() == 0 {
        assert!(Instant::now() < deadline, "no row of {run}");
        std::thread::sleep(Duration::from_millis(100));
    }
    killed.signal("KILL");
    killed.finish();

    // The supervisor does not know of it. It continues where it was, with both runs.
    let mut again = Running::start(&[&[SAMPLE, "--speedup", "max", "--hold"], &to[..]].concat());
    let kafka = again.wait_for(" kafka ");
    let kafka = kafka.split_whitespace().nth(1).unwrap().to_owned();
    again.wait_for("holding");
    let records = read_topic(&kafka, &stack.name);
    let sent = records.iter().filter(|record| record.json()["run"] == *run).count() as u64;
    assert!((1..TWEETS).contains(&sent), "killed in the middle: {sent}");
    assert_eq!(records.len() as u64, sent + TWEETS, "each message once");
    let proof = Proof::of_run(&stack.client(), &stack.name, (&*run).into()).unwrap();
    assert_eq!((proof.rows, proof.distinct), (sent, sent));
    again.signal("INT");
    assert_eq!(again.finish().code, 0);

    let third = stack.exact(stack.replay(&["--kafka-dir", &dir, "--druid-after", "drop"]));
    assert_eq!(third["druid"]["after"], json!("drop"));
    let proof = Proof::of_run(&stack.client(), &stack.name, (&*run).into()).unwrap();
    assert_eq!((proof.rows, proof.distinct), (sent, sent));
}
