//! Somebody changes Druid while a run is sending: the cause is said while it waits, with what to type.

use std::time::Duration;

use serde_json::{Value, json};
use tweetblast::druid::Proof;

use crate::common::{Finished, Running, SAMPLE, run};
use crate::restarts::stack_step;
use crate::stack::{Stack, TWEETS, cause, check_schema};

/// A run of twenty seconds into the real Kafka that has begun to send.
struct Slow<'a> {
    stack: &'a Stack,
    running: Running,
    json: String,
}

impl<'a> Slow<'a> {
    fn start(stack: &'a Stack) -> Self {
        let json = stack.state.path().join("report.json").to_str().unwrap().to_owned();
        let to = ["-t", &stack.name, "--kafka", &stack.kafka, "--druid", &stack.url, "--mqtt", "off"];
        let what = [SAMPLE, "--rate", "300/s", "--json", &json];
        let mut running = Running::start(&[&what[..], &to].concat());
        running.wait_for("reads every partition");
        Self { stack, running, json }
    }

    fn step(&self, step: &str) -> Finished {
        run(&["druid", step, &self.stack.name, "--druid", &self.stack.url])
    }

    fn finish(self) -> (Value, i32, String) {
        let finished = self.running.finish();
        let report = serde_json::from_slice(&std::fs::read(&self.json).unwrap()).unwrap();
        check_schema(&report);
        (report, finished.code, finished.stdout)
    }
}

#[test]
#[ignore = "needs a Druid and its Kafka"]
fn a_supervisor_that_is_suspended_in_mid_run_is_said_and_resumed_with_the_command_shown() {
    let stack = Stack::new("suspended");
    let mut slow = Slow::start(&stack);
    assert_eq!(slow.step("suspend").code, 0);
    let line = slow.running.wait_for("the supervisor is suspended");
    assert!(line.contains(&format!("`tweetblast druid resume {}", stack.name)), "{line}");
    assert_eq!(slow.step("resume").code, 0);
    slow.running.wait_for("the supervisor reads again after");
    stack.exact(slow.finish());
}

#[test]
#[ignore = "needs a Druid and its Kafka"]
fn a_supervisor_that_is_terminated_in_mid_run_is_said_and_the_next_run_reads_the_rest() {
    let stack = Stack::new("terminated");
    let mut slow = Slow::start(&stack);
    let terminated = slow.step("terminate");
    assert!(terminated.code == 0 && terminated.stdout.contains("terminated"), "{}", terminated.stderr);
    let again = slow.step("terminate");
    assert_eq!(again.code, 0, "{}", again.stderr);
    slow.running.wait_for("somebody has terminated it");
    assert!(slow.running.ends_within(Duration::from_secs(120)));
    let (report, code, page) = slow.finish();
    assert_eq!((code, cause(&report)), (3, "supervisor gone"), "{page}");
    assert_eq!(report["druid"]["time_to_queryable_tweets"], report["druid"]["rows"]);
    let next = stack.exact(stack.replay_real(&[]));
    assert_eq!(next["druid"]["submitted"], "created");
    assert_eq!(stack.proof(&report), Proof::expected(TWEETS), "what was not read then is read now");
}

#[test]
#[ignore = "needs a Druid and its Kafka"]
fn an_indexer_that_dies_in_mid_run_is_named_and_the_run_is_exact_once_it_is_back() {
    let stack = Stack::alone("indexer");
    let mut slow = Slow::start(&stack);
    stack_step("kill", "indexer");
    slow.running.wait_for("stack up indexer");
    stack_step("up", "indexer");
    let report = stack.exact(slow.finish());
    assert!(
        report["druid"]["notes"].to_string().contains("nothing listens at"),
        "{:#}",
        report["druid"]["notes"]
    );
}

#[test]
#[ignore = "needs a Druid and its Kafka"]
fn changes_by_hand_are_kept_and_a_datasource_with_text_for_seq_is_refused() {
    let stack = Stack::new("altered");
    stack.exact(stack.replay_real(&[]));
    let mut by_hand = stack.supervisor().spec().unwrap().unwrap();
    by_hand["spec"]["dataSchema"]["granularitySpec"]["segmentGranularity"] = "DAY".into();
    stack.client().post("/druid/indexer/v1/supervisor", Some(&by_hand)).unwrap();
    let kept = stack.exact(stack.replay_real(&[]));
    assert_eq!(kept["druid"]["submitted"], "there already");
    let notes = kept["druid"]["notes"].to_string();
    assert!(notes.contains("segmentGranularity is") && !notes.contains("taskCount"), "{notes}");
    assert_eq!(
        stack.supervisor().spec().unwrap().unwrap()["spec"]["dataSchema"]["granularitySpec"]["segmentGranularity"],
        "DAY"
    );
    let updated = stack.exact(stack.replay_real(&["--druid-overwrite"]));
    assert_eq!(updated["druid"]["submitted"], "updated");
    assert!(!updated["druid"]["notes"].to_string().contains("segmentGranularity"));

    let other = format!("{}-text", stack.name);
    let task = json!({"type": "index_parallel", "spec": {
        "dataSchema": {"dataSource": other, "timestampSpec": {"column": "t", "format": "auto", "missingValue": "2000-01-01"},
            "dimensionsSpec": {"dimensions": ["run", "seq"]}, "granularitySpec": {"rollup": false}},
        "ioConfig": {"type": "index_parallel", "inputFormat": {"type": "json"},
            "inputSource": {"type": "inline", "data": "{\"run\":\"r\",\"seq\":\"1\"}"}}}});
    stack.client().post("/druid/indexer/v1/task", Some(&task)).unwrap();
    while stack.client().columns(&other).unwrap().is_empty() {
        std::thread::sleep(Duration::from_millis(200));
    }
    let (_, code, stderr) = stack.replay_real(&["--druid-datasource", &other]);
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains(&format!("column seq of Druid's datasource {other} is VARCHAR")), "{stderr}");
}
