//! Keys on a terminal, which `script` (util-linux) makes for us.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use crate::common;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use common::{FREE_PORTS, SAMPLE, run};
use serde_json::Value;

/// A replay on a terminal of its own.
struct OnTerminal {
    child: Child,
    keys: ChildStdin,
    screen: Receiver<Vec<u8>>,
}

impl OnTerminal {
    /// `None` where there is no `script`.
    fn start(arguments: &[&str]) -> Option<Self> {
        let line = [&[env!("CARGO_BIN_EXE_tweetblast")][..], arguments, FREE_PORTS].concat().join(" ");
        let mut child = Command::new("script")
            .args(["-qefc", &line, "/dev/null"])
            // Nothing moves on a terminal of no kind.
            .env("TERM", "xterm")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| println!("skipped: no terminal can be had here: {error}"))
            .ok()?;
        let (keys, mut stdout) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let (parts, screen) = channel();
        std::thread::spawn(move || {
            let mut part = Vec::new();
            while stdout.read_until(b'\r', &mut part).is_ok_and(|read| read > 0)
                && parts.send(std::mem::take(&mut part)).is_ok()
            {}
        });
        Some(Self { child, keys, screen })
    }

    /// Reads the screen up to a line, or a move of the progress line, that holds `words`.
    fn wait_for(&mut self, words: &str) {
        let (mut seen, deadline) = (String::new(), Instant::now() + Duration::from_secs(60));
        while !seen.contains(words) {
            let part = self.screen.recv_timeout(deadline.saturating_duration_since(Instant::now()));
            let part = part.unwrap_or_else(|error| panic!("{error}: no {words:?} in {seen}"));
            seen.push_str(&String::from_utf8_lossy(&part));
        }
    }

    fn press(&mut self, key: &str) {
        self.keys.write_all(key.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    fn finish(mut self) -> (i32, String) {
        let rest: Vec<u8> = self.screen.iter().flatten().collect();
        (self.child.wait().unwrap().code().unwrap(), String::from_utf8_lossy(&rest).into_owned())
    }
}

impl Drop for OnTerminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn report(path: &std::path::Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_replay_that_starts_paused_waits_for_the_space_key_and_changes_are_in_the_report() {
    let dir = tempfile::tempdir().unwrap();
    let json = dir.path().join("report.json");
    let flags = [SAMPLE, "--start-paused", "--speedup", "50x", "--json", json.to_str().unwrap()];
    let Some(mut replay) = OnTerminal::start(&flags) else { return };
    replay.wait_for("paused");
    replay.press("+");
    replay.press(" ");
    replay.wait_for("speed × 2");
    replay.press(" ");
    replay.wait_for("paused");
    replay.press(" ");
    replay.press("++++");
    let (code, screen) = replay.finish();
    assert_eq!(code, 0, "{screen}");
    let report = report(&json);
    assert_eq!((&report["verdict"], &report["ledger"]["delivered"]), (&"balanced".into(), &6_000.into()));
    let changes = report["pace"]["changes"].as_array().unwrap();
    assert!(changes[0]["paused_s"].as_f64().unwrap() > 0.0 && changes[0]["at_s"] == 0.0, "{changes:?}");
    assert_eq!(changes[1]["speed_times"], 2.0, "{changes:?}");
    assert!(changes[2]["paused_s"].as_f64().unwrap() > 0.0, "{changes:?}");
    assert_eq!(changes.last().unwrap()["speed_times"], 32.0, "{changes:?}");
    assert!(screen.contains("paused for"), "{screen}");
}

#[test]
fn q_stops_and_what_was_sent_is_accounted_for() {
    let dir = tempfile::tempdir().unwrap();
    let json = dir.path().join("report.json");
    let flags = [SAMPLE, "--speedup", "5x", "--json", json.to_str().unwrap()];
    let Some(mut replay) = OnTerminal::start(&flags) else { return };
    replay.wait_for("delivered");
    replay.press("q");
    let (code, screen) = replay.finish();
    assert_eq!(code, 130, "{screen}");
    let report = report(&json);
    assert_eq!((&report["verdict"], &report["interrupted"]), (&"balanced".into(), &true.into()));
}

#[test]
fn without_a_terminal_nobody_could_press_the_key() {
    let refused = run(&[&[SAMPLE, "--start-paused"][..], FREE_PORTS].concat());
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("no terminal"), "{}", refused.stderr);
}
