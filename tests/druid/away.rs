//! The run waits for a process of Druid that goes away, and rows that could not be counted are not
//! reported as 0. Needs no Druid: a fake one goes away on command.

use std::time::Duration;

use serde_json::{Value, json};

use crate::common::{Finished, Running, SAMPLE, free_port};
use crate::fake::{Away, FakeDruid, ROWS};
use crate::stack::check_schema;

/// The query that proves a run.
const PROOF: &str = "MIN(";

/// A replay of ten tweets into that Druid.
pub struct Replay {
    pub running: Running,
    dir: tempfile::TempDir,
}

impl Replay {
    pub fn start(url: &str, arguments: &[&str]) -> Self {
        Self::start_at(url, "127.0.0.1:0", arguments)
    }

    /// With the embedded Kafka at that address.
    pub fn start_at(url: &str, kafka: &str, arguments: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("kafka").to_str().unwrap().to_owned();
        Self::into(url, dir, &[&["--kafka-listen", kafka, "--kafka-dir", &log], arguments].concat())
    }

    /// Into a Kafka that runs already.
    pub fn start_into(url: &str, kafka: &str, arguments: &[&str]) -> Self {
        Self::into(url, tempfile::tempdir().unwrap(), &[&["--kafka", kafka], arguments].concat())
    }

    fn into(url: &str, dir: tempfile::TempDir, arguments: &[&str]) -> Self {
        Self::of(SAMPLE, url, dir, arguments)
    }

    /// A replay of ten records of another file.
    pub fn of_file(file: &str, url: &str, arguments: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("kafka").to_str().unwrap().to_owned();
        let own = ["--kafka-listen", "127.0.0.1:0", "--kafka-dir", &log];
        Self::of(file, url, dir, &[&own[..], arguments].concat())
    }

    fn of(file: &str, url: &str, dir: tempfile::TempDir, arguments: &[&str]) -> Self {
        let report = dir.path().join("report.json").to_str().unwrap().to_owned();
        let what = [file, "--limit", "10", "--speedup", "max", "--json", &report];
        let to = ["--druid", url, "--mqtt", "off"];
        Self { running: Running::start(&[&what[..], &to, arguments].concat()), dir }
    }

    /// The report, validated against its schema, and what was printed.
    pub fn finish(self) -> (Value, Finished) {
        let finished = self.running.finish();
        let report = std::fs::read(self.dir.path().join("report.json")).unwrap_or_default();
        let report: Value = serde_json::from_slice(&report)
            .unwrap_or_else(|_| panic!("no report: {}\n{}", finished.stdout, finished.stderr));
        check_schema(&report);
        (report, finished)
    }
}

fn lines(page: &str, words: &str) -> usize {
    page.lines().filter(|line| line.contains(words)).count()
}

#[test]
fn each_process_goes_away_once_and_the_run_is_balanced() {
    let druid = FakeDruid::start();
    druid.goes_away("totalWorkerCapacity", "/druid/indexer", Away::Gateway, 2);
    druid.goes_away(PROOF, "/druid/v2", Away::Gateway, 3);
    druid.goes_away("/suspend", "/suspend", Away::Reset, 1);
    druid.goes_away("/druid/coordinator", "/druid/coordinator", Away::Gateway, 1);
    let (report, finished) = Replay::start(&druid.url(), &[]).finish();
    let page = &finished.stdout;
    assert_eq!((finished.code, &report["verdict"]), (0, &json!("balanced")), "{page}");
    let druid = &report["druid"];
    assert_eq!((&report["ledger"]["queryable"], &druid["rows"]), (&json!(ROWS), &json!(ROWS)));
    assert_eq!(
        (&druid["exact"], &druid["count_error"], &druid["durable"]),
        (&json!(true), &Value::Null, &json!(true))
    );
    for who in ["Druid's overlord", "Druid's broker", "Druid's coordinator", "Druid"] {
        let (away, back) = (format!("  {who} does not answer at http"), format!("  {who} is back after "));
        assert_eq!((lines(page, &away), lines(page, &back)), (1, 1), "{who}: {page}");
    }
    assert_eq!(druid["notes"].as_array().unwrap().len(), 4, "{druid:#}");
}

#[test]
fn rows_that_cannot_be_counted_are_unknown_and_no_0() {
    let druid = FakeDruid::start();
    druid.goes_away(PROOF, "/druid/v2", Away::Gateway, usize::MAX);
    let (report, finished) = Replay::start(&druid.url(), &["--druid-timeout", "1s"]).finish();
    assert_unknown(&report, &finished);
    // When it goes away, as the reason, and for --druid-after.
    assert_eq!(lines(&finished.stdout, "does not answer at http"), 3, "{}", finished.stdout);
}

#[test]
fn ctrl_c_ends_the_wait_for_a_broker_that_is_away() {
    let druid = FakeDruid::start();
    druid.goes_away(PROOF, "/druid/v2", Away::Gateway, usize::MAX);
    let mut replay = Replay::start(&druid.url(), &["--druid-timeout", "5m"]);
    replay.running.wait_for("Druid's broker does not answer");
    replay.running.signal("INT");
    assert!(replay.running.ends_within(Duration::from_secs(60)));
    let (report, finished) = replay.finish();
    assert_unknown(&report, &finished);
}

/// The time that a call without an answer takes is 30 s.
const AT_ONCE: Duration = Duration::from_secs(20);

#[test]
fn a_stop_ends_the_wait_for_a_druid_that_is_silent() {
    for words in ["timeseries", "MIN("] {
        let druid = FakeDruid::start();
        druid.goes_away(words, "/druid/", Away::Silent, usize::MAX);
        let mut replay = Replay::start(&druid.url(), &["--druid-timeout", "5m"]);
        druid.wait_until_asked(words);
        replay.running.signal("TERM");
        assert!(replay.running.ends_within(AT_ONCE), "{words}");
        let (report, finished) = replay.finish();
        assert_eq!((finished.code, &report["verdict"]), (3, &json!("unknown")), "{}", finished.stdout);
        let why = report["druid"]["count_error"].as_str().unwrap();
        assert!(why.contains("no answer after the stop"), "{why}");
    }
}

#[test]
fn a_stop_before_the_first_tweet_ends_the_wait_for_a_druid_that_is_silent() {
    for words in ["SELECT 1", "totalWorkerCapacity"] {
        let druid = FakeDruid::start();
        druid.goes_away(words, "/druid/", Away::Silent, usize::MAX);
        let mut replay = Replay::start(&druid.url(), &["--druid-timeout", "5m"]);
        druid.wait_until_asked(words);
        replay.running.signal("INT");
        assert!(replay.running.ends_within(AT_ONCE), "{words}");
        let finished = replay.running.finish();
        assert_eq!(finished.code, 130, "{}", finished.stderr);
        assert!(finished.stderr.contains("stopped before the first tweet"), "{}", finished.stderr);
    }
}

fn assert_unknown(report: &Value, finished: &Finished) {
    let page = &finished.stdout;
    assert_eq!((finished.code, &report["verdict"]), (3, &json!("unknown")), "{page}");
    assert_eq!(report["ledger"]["queryable"], Value::Null);
    for key in ["rows", "distinct", "min_seq", "sum_seq", "missing", "durable"] {
        assert_eq!(report["druid"][key], Value::Null, "{key}");
    }
    let why = report["druid"]["count_error"].as_str().unwrap();
    assert!(why.starts_with("Druid's broker does not answer at http://") && why.contains("502"), "{why}");
    assert!(page.contains("10 delivered = unknown queryable") && page.contains("\nunknown: "), "{page}");
    assert!(page.contains(&format!("could not be counted: {why}")), "{page}");
    assert!(!page.contains("<html>") && !page.contains("0 queryable"), "{page}");
}

#[test]
fn without_queries_nothing_is_begun() {
    for (how, words) in
        [(Away::Gateway, "Druid's broker does not answer at"), (Away::NotFound, "no router or broker")]
    {
        let druid = FakeDruid::start();
        druid.goes_away("/druid/v2", "/druid/v2", how, usize::MAX);
        let finished = Replay::start(&druid.url(), &["--druid-timeout", "1s"]).running.finish();
        assert_eq!(finished.code, 1);
        assert!(finished.stderr.contains(words), "{}", finished.stderr);
        assert_eq!(druid.asked("POST /druid/indexer"), 0, "no supervisor was made");
    }
}

#[test]
fn a_druid_that_was_never_there_is_an_error_at_once() {
    let mut replay = Replay::start(&format!("http://127.0.0.1:{}", free_port()), &["--druid-timeout", "5m"]);
    assert!(replay.running.ends_within(Duration::from_secs(60)));
    let finished = replay.running.finish();
    assert!(finished.code == 1 && finished.stderr.contains("is it running"), "{}", finished.stderr);
    assert!(!finished.stdout.contains("waiting"), "{}", finished.stdout);
}
