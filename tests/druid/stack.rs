//! A separate datasource, topic and supervisor for each test, and the replays into them.

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use serde_json::{Value, json};
use tweetblast::druid::{Access, Client, Proof, Supervisor};

use crate::common::{SAMPLE, free_port, needed, tweetblast};

/// Tweets of the sample.
pub const TWEETS: u64 = 6_000;

/// Tests run in parallel, each with its own datasource; a test that breaks Druid runs alone.
static DRUID: RwLock<()> = RwLock::new(());

enum Share {
    Shared { _guard: RwLockReadGuard<'static, ()> },
    Alone { _guard: RwLockWriteGuard<'static, ()> },
}

/// A datasource, topic and supervisor of one name; the supervisor is removed on drop.
pub struct Stack {
    pub url: String,
    pub kafka: String,
    pub name: String,
    pub state: tempfile::TempDir,
    _share: Share,
}

impl Stack {
    pub fn new(test: &str) -> Self {
        let _guard = DRUID.read().unwrap_or_else(PoisonError::into_inner);
        Self::with(test, Share::Shared { _guard })
    }

    /// While no other test runs.
    pub fn alone(test: &str) -> Self {
        let _guard = DRUID.write().unwrap_or_else(PoisonError::into_inner);
        Self::with(test, Share::Alone { _guard })
    }

    /// In another Druid than that of the other tests, which reads from `kafka`.
    pub fn of(url: &str, kafka: &str, test: &str) -> Self {
        let _guard = DRUID.read().unwrap_or_else(PoisonError::into_inner);
        Self::made(url.to_owned(), kafka.to_owned(), test, Share::Shared { _guard })
    }

    fn with(test: &str, share: Share) -> Self {
        Self::made(needed("TWEETBLAST_DRUID"), needed("TWEETBLAST_REAL_KAFKA"), test, share)
    }

    fn made(url: String, kafka: String, test: &str, share: Share) -> Self {
        let name = format!("druid-test-{test}-{}", std::process::id());
        let state = tempfile::tempdir().unwrap();
        // Tests beside each other must not take the default port from a run that comes again.
        let kept = state.path().join("tweetblast");
        std::fs::create_dir(&kept).unwrap();
        std::fs::write(kept.join("kafka.port"), free_port().to_string()).unwrap();
        Self { url, kafka, name, state, _share: share }
    }

    pub fn client(&self) -> Client {
        Client::new(&self.url, &Access::default()).unwrap()
    }

    pub fn supervisor(&self) -> Supervisor {
        Supervisor::new(self.client(), &self.name)
    }

    /// Replays the sample at full speed with `arguments` and `--druid`; returns report, exit code
    /// and standard error.
    pub fn replay(&self, arguments: &[&str]) -> (Value, i32, String) {
        let mut command = tweetblast();
        command.env("XDG_STATE_HOME", self.state.path());
        command.args([SAMPLE, "--json", "-", "-q", "--speedup", "max", "-t", &self.name]);
        command.args(["--druid", &self.url, "--mqtt-listen", "127.0.0.1:0"]).args(arguments);
        let output = command.output().unwrap();
        let report = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        (report, output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }

    /// The same into the real Kafka.
    pub fn replay_real(&self, arguments: &[&str]) -> (Value, i32, String) {
        self.replay(&[&["--kafka", &self.kafka], arguments].concat())
    }

    /// What `tweetblast doctor` prints about this topic and Druid with `arguments`, and its exit code.
    pub fn doctor(&self, arguments: &[&str]) -> (String, i32) {
        let mut command = tweetblast();
        command.args(["doctor", "-t", &self.name, "--mqtt", "off", "--druid", &self.url]).args(arguments);
        let output = command.output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), output.status.code().unwrap())
    }

    /// Replays with success, and checks the proof in the report and against Druid.
    pub fn exact(&self, (report, code, stderr): (Value, i32, String)) -> Value {
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

    pub fn proof(&self, report: &Value) -> Proof {
        Proof::of_run(&self.client(), &self.name, report["run"].as_str().unwrap().into()).unwrap()
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if self.supervisor().spec().ok().flatten().is_some() {
            let _ = self.supervisor().terminate();
        }
        // A task waits up to a minute for a historical to load what it has published: too long
        // here.
        for task in self.supervisor().unfinished_tasks(&self.name).unwrap_or_default() {
            let _ = self.client().post(&format!("/druid/indexer/v1/task/{task}/shutdown"), None);
        }
    }
}

pub fn check_schema(report: &Value) {
    let schema: Value = serde_json::from_str(include_str!("../../docs/report.schema.json")).unwrap();
    let errors: Vec<_> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(report)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
}

/// The one cause that a report names.
pub fn cause(report: &Value) -> &str {
    report["druid"]["causes"][0]["name"].as_str().unwrap_or_else(|| panic!("no cause: {report:#}"))
}
