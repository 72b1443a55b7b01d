//! Against a real Druid: every row proven, strangers' supervisors left alone, failures named.
//!
//! Druid is the one at `TWEETBLAST_DRUID` (the router's URL), which reads from the Kafka at
//! `TWEETBLAST_REAL_KAFKA` (host:port) and from ports of this machine. Without them the tests are left
//! out, with a line that says so; with `TWEETBLAST_REQUIRE_ALL=1` that is a failure.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use std::sync::{Mutex, MutexGuard, PoisonError};

use common::{SAMPLE, tweetblast};
use serde_json::{Value, json};
use tweetblast::druid::{Access, Client, Proof, SpecOptions, Supervisor, make_spec};
use tweetblast::druid::{Granularity, MessageForm};

/// Tweets of the sample.
const TWEETS: u64 = 6_000;

/// One test at a time: each takes worker slots, and Druid has few.
static SLOTS: Mutex<()> = Mutex::new(());

/// A datasource, topic and supervisor of one name; the supervisor goes with it.
struct Stack {
    url: String,
    kafka: String,
    name: String,
    state: tempfile::TempDir,
    _slots: MutexGuard<'static, ()>,
}

impl Stack {
    /// `None` where there is no Druid.
    fn new(test: &str) -> Option<Self> {
        let variable = |name: &str| {
            let value = std::env::var(name).ok();
            if value.is_none() {
                assert!(std::env::var_os("TWEETBLAST_REQUIRE_ALL").is_none(), "{name} is missing");
                println!("skipped: {name} is missing");
            }
            value
        };
        let (url, kafka) = (variable("TWEETBLAST_DRUID")?, variable("TWEETBLAST_REAL_KAFKA")?);
        let slots = SLOTS.lock().unwrap_or_else(PoisonError::into_inner);
        let name = format!("druid-test-{test}-{}", std::process::id());
        Some(Self { url, kafka, name, state: tempfile::tempdir().unwrap(), _slots: slots })
    }

    fn client(&self) -> Client {
        Client::new(&self.url, &Access::default()).unwrap()
    }

    fn supervisor(&self) -> Supervisor {
        Supervisor::new(self.client(), &self.name)
    }

    /// Replays the sample at full speed with `arguments` and `--druid`; gives report, exit code and
    /// standard error.
    fn replay(&self, arguments: &[&str]) -> (Value, i32, String) {
        let mut command = tweetblast();
        command.env("XDG_STATE_HOME", self.state.path());
        command.args([SAMPLE, "--json", "-", "-q", "--speedup", "max", "-t", &self.name]);
        command.args(["--druid", &self.url, "--mqtt-listen", "127.0.0.1:0"]).args(arguments);
        let output = command.output().unwrap();
        let report = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        (report, output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }

    /// The same into the real Kafka.
    fn replay_real(&self, arguments: &[&str]) -> (Value, i32, String) {
        self.replay(&[&["--kafka", &self.kafka], arguments].concat())
    }

    /// Replays with success, and checks the proof in the report and against Druid.
    fn exact(&self, (report, code, stderr): (Value, i32, String)) -> Value {
        assert_eq!(code, 0, "{stderr}\n{}", report["reasons"]);
        let druid = &report["druid"];
        assert_eq!(report["ledger"]["queryable"], TWEETS);
        let found =
            ["rows", "distinct", "min_seq", "max_seq", "sum_seq"].map(|key| druid[key].as_u64().unwrap());
        assert_eq!(found, [TWEETS, TWEETS, 0, TWEETS - 1, TWEETS * (TWEETS - 1) / 2]);
        assert_eq!((&druid["exact"], &druid["unparseable"]), (&json!(true), &json!(0)));
        assert!(druid["time_to_queryable_ms"]["p99"].as_f64().unwrap() > 0.0);
        let backlog = druid["backlog"].as_array().unwrap();
        assert!((1..=200).contains(&backlog.len()), "{}", backlog.len());
        assert_eq!(report["endpoints"]["datasource"], self.name);
        assert_eq!(self.proof(&report), Proof::expected(TWEETS));
        check_schema(&report);
        report
    }

    fn proof(&self, report: &Value) -> Proof {
        Proof::of_run(&self.client(), &self.name, report["run"].as_str().unwrap()).unwrap()
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if self.supervisor().spec().ok().flatten().is_some() {
            let _ = self.supervisor().terminate();
        }
        // A task waits up to a minute for a historical to load what it has published: too long here.
        for task in self.supervisor().unfinished_tasks(&self.name).unwrap_or_default() {
            let _ = self.client().post(&format!("/druid/indexer/v1/task/{task}/shutdown"), None);
        }
    }
}

fn check_schema(report: &Value) {
    let schema: Value = serde_json::from_str(include_str!("../docs/report.schema.json")).unwrap();
    let errors: Vec<_> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(report)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
}

/// The one cause that a report names.
fn cause(report: &Value) -> &str {
    report["druid"]["causes"][0]["name"].as_str().unwrap_or_else(|| panic!("no cause: {report:#}"))
}

#[test]
fn two_replays_share_a_datasource_and_each_is_exact() {
    let Some(stack) = Stack::new("twice") else { return };
    let first = stack.exact(stack.replay_real(&[]));
    let second = stack.exact(stack.replay_real(&[]));
    assert_ne!(first["run"], second["run"]);
    assert_eq!(first["druid"]["submitted"], "created");
    assert_eq!(second["druid"]["submitted"], "there already");
    assert_eq!(stack.proof(&first), Proof::expected(TWEETS), "the first one is still whole");

    // The steps alone.
    let step = |step: &str| {
        let output = tweetblast().args(["druid", step, &stack.name, "--druid", &stack.url]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let status = step("status");
    assert!(status.contains("RUNNING") && status.contains(&format!("topic {}", stack.name)), "{status}");
    assert!(step("suspend").contains("suspended"));
    assert_eq!(stack.supervisor().spec().unwrap().unwrap()["suspended"], true);
    step("suspend");
    assert!(step("terminate").contains("terminated"));
}

#[test]
fn several_partitions_and_dropping_it_all() {
    let Some(stack) = Stack::new("three") else { return };
    let report = stack.exact_before_drop(stack.replay_real(&["--partitions", "3", "--druid-after", "drop"]));
    assert_eq!(report["druid"]["ranked_by"], "run");
    assert_eq!(report["druid"]["durable"], true);
    assert!(stack.supervisor().spec().unwrap().is_none());
}

impl Stack {
    /// As [`exact`](Self::exact), for rows that are gone by now.
    fn exact_before_drop(&self, (report, code, stderr): (Value, i32, String)) -> Value {
        assert_eq!(code, 0, "{stderr}\n{}", report["reasons"]);
        assert_eq!(
            (&report["druid"]["exact"], &report["ledger"]["queryable"]),
            (&json!(true), &json!(TWEETS))
        );
        report
    }
}

#[test]
fn a_strangers_supervisor_stays_untouched_and_can_be_used_as_it_is() {
    let Some(stack) = Stack::new("stranger") else { return };
    let mut spec = make_spec(&SpecOptions {
        datasource: stack.name.clone(),
        topic: stack.name.clone(),
        kafka: stack.kafka.clone(),
        form: MessageForm::Tweet,
        tasks: 1,
        granularity: Granularity::Day,
    });
    spec["context"] = json!({"owner": "somebody else"});
    stack.client().post("/druid/indexer/v1/supervisor", Some(&spec)).unwrap();
    let there = stack.supervisor().spec().unwrap().unwrap();

    let (_, code, stderr) = stack.replay_real(&[]);
    assert_eq!(code, 1, "{stderr}");
    for flag in ["--druid-supervisor", "--druid-datasource", "--druid-overwrite"] {
        assert!(stderr.contains(flag), "{stderr}");
    }
    let refused =
        tweetblast().args(["druid", "terminate", &stack.name, "--druid", &stack.url]).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(stack.supervisor().spec().unwrap().unwrap(), there);

    let used = stack.exact(stack.replay_real(&["--druid-supervisor", &stack.name]));
    assert_eq!(
        (&used["druid"]["submitted"], &used["druid"]["after"]),
        (&json!("used as it is"), &json!("keep"))
    );
    assert_eq!(stack.supervisor().spec().unwrap().unwrap(), there);

    let (_, code, stderr) = stack.replay_real(&["--druid-supervisor", "nobody"]);
    assert!(code == 1 && stderr.contains(&stack.name), "names those that are there: {stderr}");

    let replaced = stack.exact(stack.replay_real(&["--druid-overwrite"]));
    assert_eq!(replaced["druid"]["submitted"], "updated");
}

#[test]
fn two_plain_runs_with_the_embedded_kafka_are_exact_and_durable() {
    let Some(stack) = Stack::new("embedded") else { return };
    let first = stack.exact(stack.replay(&[]));
    let second = stack.exact(stack.replay(&[]));
    for report in [&first, &second] {
        assert_eq!(
            (&report["druid"]["after"], &report["druid"]["durable"]),
            (&json!("suspend"), &json!(true))
        );
    }
    assert_eq!(second["druid"]["submitted"], "resumed");
    assert_eq!(first["endpoints"]["kafka"], second["endpoints"]["kafka"], "the port is remembered");
    let dir = first["endpoints"]["kafka_dir"].as_str().unwrap();
    assert!(dir.starts_with(stack.state.path().to_str().unwrap()), "{dir}");
    assert_eq!(stack.proof(&first), Proof::expected(TWEETS));
    // While Kafka is still there: a supervisor that looks for one in vain takes minutes to end.
    stack.exact_before_drop(stack.replay(&["--druid-after", "drop"]));
    assert!(stack.supervisor().spec().unwrap().is_none());
}

#[test]
fn a_wrong_port_and_a_missing_topic_are_named_before_anything_is_sent() {
    let Some(stack) = Stack::new("wrong") else { return };
    let (_, code, stderr) = stack.replay_real(&["--druid-kafka", "127.0.0.1:1", "--druid-timeout", "10s"]);
    assert_eq!(code, 1);
    assert!(
        stderr.contains("nothing listens at 127.0.0.1:1") && stderr.contains("--druid-kafka"),
        "{stderr}"
    );

    let elsewhere = format!("/ioConfig/topic={}-nix", stack.name);
    let other = format!("{}-topic", stack.name);
    let arguments = ["--druid-datasource", &other, "--druid-set", &elsewhere, "--druid-timeout", "20s"];
    let (_, code, stderr) = stack.replay_real(&arguments);
    let _ = Supervisor::new(stack.client(), &other).terminate();
    assert_eq!(code, 1);
    assert!(stderr.contains(&format!("has no topic {}-nix", stack.name)), "{stderr}");
}

#[test]
fn rows_that_druid_does_not_take_are_counted_missing_and_the_cause_is_named() {
    let Some(stack) = Stack::new("lost") else { return };
    let (report, code, stderr) = stack.replay_real(&["--druid-set", "/dataSchema/timestampSpec/column=nix"]);
    assert_eq!((code, report["verdict"].as_str()), (3, Some("unbalanced")), "{stderr}");
    assert_eq!(cause(&report), "unparseable");
    assert_eq!(report["druid"]["unparseable"], TWEETS);
    assert_eq!(report["druid"]["missing"], json!({"count": TWEETS, "ranges": [[0, TWEETS - 1]]}));
    assert!(
        report["druid"]["causes"][0]["cause"].as_str().unwrap().contains("Timestamp[null]"),
        "{report:#}"
    );
    check_schema(&report);

    // The same supervisor, set right, with times that are too old for it.
    let late = ["--druid-set", "/ioConfig/lateMessageRejectionPeriod=PT1H", "--timestamp", "event"];
    let (report, code, stderr) = stack.replay_real(&late);
    assert_eq!(code, 3, "{stderr}");
    assert_eq!((cause(&report), &report["druid"]["thrown_away"]), ("thrown away", &json!(TWEETS)));

    // And right altogether, with the times of the tweets.
    stack.exact(stack.replay_real(&["--timestamp", "event"]));
}

#[test]
fn messages_with_run_and_seq_in_their_headers_are_proven_too() {
    let Some(stack) = Stack::new("minimal") else { return };
    stack.exact(stack.replay_real(&["--payload", "minimal"]));
}
