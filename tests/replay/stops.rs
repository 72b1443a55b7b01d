//! One Ctrl-C or SIGTERM ends every wait, a second one exits at once.
#![allow(clippy::unwrap_used)]

use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::{FREE_PORTS, Running, SAMPLE, free_port, tweet, tweetblast, write};

const SIGNALS: [&str; 2] = ["INT", "TERM"];

/// A program with a standard input that stays open and silent.
struct Silent(Child);

impl Silent {
    fn start(arguments: &[&str]) -> Self {
        let child = tweetblast()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self(child)
    }

    fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Its exit code, if it ends soon, and what it wrote on standard error.
    fn end(&mut self) -> (Option<i32>, String) {
        let deadline = Instant::now() + Duration::from_secs(5);
        while self.0.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "it continues");
            std::thread::sleep(Duration::from_millis(20));
        }
        let mut stderr = String::new();
        self.0.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        (self.0.wait().unwrap().code(), stderr)
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Stops a program that waits with each signal.
fn stops(arguments: &[&str]) {
    stops_after(Duration::from_millis(1_500), arguments);
}

fn stops_after(time: Duration, arguments: &[&str]) {
    for signal in SIGNALS {
        let mut waiting = Silent::start(arguments);
        std::thread::sleep(time);
        assert!(waiting.0.try_wait().unwrap().is_none(), "{arguments:?} does not wait: {:?}", waiting.end());
        waiting.signal(signal);
        let (code, stderr) = waiting.end();
        assert_eq!(code, Some(130), "{arguments:?} {signal}: {stderr}");
        assert!(stderr.lines().count() <= 4, "{stderr}");
    }
}

fn replays(arguments: &[&str]) {
    stops(&[arguments, FREE_PORTS].concat());
}

fn fifo(dir: &Path) -> String {
    let path = dir.join("fifo").to_str().unwrap().to_owned();
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

#[test]
fn a_wait_for_standard_input_ends() {
    replays(&["-"]);
    replays(&["-", "--order", "time"]);
    stops(&["inspect", "-"]);
}

#[test]
fn a_wait_for_a_fifo_that_nobody_writes_to_ends() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = fifo(dir.path());
    replays(&[&fifo]);
    replays(&[&fifo, "--order", "file"]);
    replays(&[dir.path().to_str().unwrap()]);
    replays(&[SAMPLE, "--enrich", &fifo]);
    stops(&["inspect", &fifo]);
}

#[test]
fn a_wait_for_a_kafka_or_a_broker_that_does_not_answer_ends() {
    // It accepts connections, and answers nothing.
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = deaf.local_addr().unwrap().to_string();
    let mqtt = format!("mqtt://{address}");
    stops(&[SAMPLE, "--kafka", &address, "--mqtt-listen", "127.0.0.1:0"]);
    stops(&["doctor", "--kafka", &address]);
    stops(&[SAMPLE, "--mqtt", &mqtt, "--kafka-listen", "127.0.0.1:0"]);
    stops(&["doctor", "--mqtt", &mqtt, "--kafka-listen", "127.0.0.1:0"]);
    let superset = format!("http://{address}");
    stops(&[&["doctor", "--superset", &superset][..], FREE_PORTS].concat());
}

#[test]
fn the_pass_over_the_file_ends() {
    let dir = tempfile::tempdir().unwrap();
    // Not in order, so that all of it is looked through.
    let file = write(dir.path(), "large.json", std::fs::read(SAMPLE).unwrap().repeat(40));
    replays(&[&file, "--delay", "1h"]);
    stops_after(Duration::from_millis(500), &["inspect", &file]);
}

#[test]
fn before_the_first_tweet_a_stop_has_its_own_code() {
    replays(&[SAMPLE, "--delay", "1h"]);
}

#[test]
fn a_stop_in_the_middle_of_a_stream_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let report = dir.path().join("report.json");
    let arguments = ["-", "--order", "file", "--speedup", "max", "--json", report.to_str().unwrap()];
    let mut replay = Silent::start(&[&arguments[..], FREE_PORTS].concat());
    let mut stdin = replay.0.stdin.take().unwrap();
    let tweets: String = (0..10).map(|id| tweet(id, 1, id, "x") + "\n").collect();
    std::io::Write::write_all(&mut stdin, tweets.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_secs(3));
    replay.signal("TERM");
    assert_eq!(replay.end().0, Some(130));
    let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    assert_eq!((&report["ledger"]["delivered"], &report["interrupted"]), (&10.into(), &true.into()));
    drop(stdin);
}

#[test]
fn a_second_signal_leaves_at_once_and_says_what_it_leaves() {
    let dir = tempfile::tempdir().unwrap();
    let report = dir.path().join("report.json");
    let address = format!("127.0.0.1:{}", free_port());
    let mut kafka = Running::start(&["serve", "--no-mqtt", "--kafka-listen", &address]);
    kafka.wait_for("serving");
    for signal in SIGNALS {
        let arguments = [SAMPLE, "--rate", "500/s", "--mqtt", "off", "--kafka", &address];
        let mut replay = Silent::start(&[&arguments[..], &["--json", report.to_str().unwrap()]].concat());
        std::thread::sleep(Duration::from_secs(3));
        kafka.signal("STOP");
        std::thread::sleep(Duration::from_secs(1));
        replay.signal(signal);
        std::thread::sleep(Duration::from_secs(1));
        // It waits for what was sent.
        assert!(replay.0.try_wait().unwrap().is_none());
        assert!(report.exists());
        replay.signal(signal);
        let (code, stderr) = replay.end();
        kafka.signal("CONT");
        assert_eq!(code, Some(130), "{stderr}");
        assert!(
            stderr.contains("tweets not acknowledged by Kafka") && !stderr.contains("at once: 0 "),
            "{stderr}"
        );
        assert!(!report.exists(), "an empty report is left behind");
    }
}
