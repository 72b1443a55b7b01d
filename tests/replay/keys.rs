//! Keys on a terminal, which `script` (util-linux) provides.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use crate::common;

use std::io::{Read, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use common::{FREE_PORTS, SAMPLE, run};
use serde_json::Value;

/// Rows and columns of the terminal: enough for the page at the end.
const SIZE: (NonZero<u16>, NonZero<u16>) = (NonZero::new(60).unwrap(), NonZero::new(100).unwrap());

/// A replay on its own terminal.
struct OnTerminal {
    child: Child,
    keys: ChildStdin,
    /// What a terminal makes of what was written to it.
    screen: Arc<Mutex<vt100::Parser>>,
    reader: Option<JoinHandle<()>>,
}

impl OnTerminal {
    /// `None` if there is no `script`.
    fn start(arguments: &[&str]) -> Option<Self> {
        Self::run(&command(arguments))
    }

    /// Runs a shell command line.
    fn run(line: &str) -> Option<Self> {
        let (rows, columns) = SIZE;
        let line = format!("stty rows {rows} cols {columns}; {line}");
        let mut child = Command::new("script")
            .args(["-qefc", &line, "/dev/null"])
            // A terminal of an unknown kind shows no view.
            .env("TERM", "xterm")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| println!("skipped: no terminal can be had here: {error}"))
            .ok()?;
        let (keys, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let screen = Arc::new(Mutex::new(vt100::Parser::new(rows, columns, 0)));
        let parser = screen.clone();
        let reader = std::thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(read @ 1..) = stdout.read(&mut part) {
                parser.lock().unwrap().process(&part[..read]);
            }
        });
        Some(Self { child, keys, screen, reader: Some(reader) })
    }

    /// What stands on the screen now.
    fn seen(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    /// Waits until the screen shows `words`.
    fn wait_for(&self, words: &str) {
        self.wait_until(words, |screen| screen.contains(words));
    }

    /// Waits until something is delivered: the replay has begun.
    fn wait_for_delivery(&self) {
        let is_one = |screen: &str| screen.contains(" delivered") && !screen.contains(" 0 delivered");
        self.wait_until("a delivery", is_one);
    }

    fn wait_until(&self, what: &str, is_it: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !is_it(&self.seen()) {
            assert!(Instant::now() < deadline, "no {what} in\n{}", self.seen());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn press(&mut self, key: &str) {
        self.keys.write_all(key.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// The exit code, and what stands on the screen at the end.
    fn finish(mut self) -> (i32, String) {
        let code = self.child.wait().unwrap().code().unwrap();
        self.reader.take().unwrap().join().unwrap();
        (code, self.seen())
    }
}

impl Drop for OnTerminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A replay with typical options.
fn command(arguments: &[&str]) -> String {
    [&[env!("CARGO_BIN_EXE_tweetblast")][..], arguments, FREE_PORTS].concat().join(" ")
}

/// A replay of two minutes on its own terminal, the report that it writes, and the file with the
/// shell's output about `what`.
fn long_replay(dir: &Path, what: &str) -> Option<(OnTerminal, PathBuf, PathBuf)> {
    let (json, said) = (dir.join("report.json"), dir.join("said"));
    let replay = command(&[SAMPLE, "--speedup", "5x", "--json", json.to_str().unwrap()]);
    let replay = OnTerminal::run(&format!("{what} > {}; exec {replay}", said.to_str().unwrap()))?;
    replay.wait_for_delivery();
    Some((replay, json, said))
}

/// How long the process was stopped, according to the report.
fn stopped_s(report: &Value) -> Vec<f64> {
    let changes = report["pace"]["changes"].as_array().unwrap();
    changes.iter().filter_map(|change| change["stopped_s"].as_f64()).collect()
}

/// Long enough that only what the test is about can end the wait.
const STOP_TIME: Duration = Duration::from_secs(1);

fn report(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_replay_that_starts_paused_waits_for_the_space_key_and_changes_are_in_the_report() {
    let dir = tempfile::tempdir().unwrap();
    let json = dir.path().join("report.json");
    let flags = [SAMPLE, "--start-paused", "--speedup", "50x", "--json", json.to_str().unwrap()];
    let Some(mut replay) = OnTerminal::start(&flags) else { return };
    replay.wait_for("paused: press space to start");
    replay.press("+");
    replay.wait_for("paused, speed × 2");
    replay.press(" ");
    replay.wait_for_delivery();
    replay.press(" ");
    replay.wait_for("paused, speed × 2");
    replay.press(" ");
    replay.press("++++");
    let (code, screen) = replay.finish();
    assert_eq!(code, 0, "{screen}");
    let report = report(&json);
    assert_eq!((&report["verdict"], &report["ledger"]["delivered"]), (&"balanced".into(), &6_000.into()));
    let changes = report["pace"]["changes"].as_array().unwrap();
    assert!(changes[0]["paused_s"].as_f64().unwrap() > 0.0 && changes[0]["at_s"] == 0.0, "{changes:?}");
    assert_eq!(changes[1]["speed_factor"], 2.0, "{changes:?}");
    assert!(changes[2]["paused_s"].as_f64().unwrap() > 0.0, "{changes:?}");
    assert_eq!(changes.last().unwrap()["speed_factor"], 32.0, "{changes:?}");
    assert!(screen.contains("  paused     for "), "{screen}");
    assert!(screen.contains("tweetblast 2"), "the plan is still there: {screen}");
}

#[test]
fn a_question_mark_explains_the_view_and_the_next_one_closes_that() {
    let Some(mut replay) = OnTerminal::start(&[SAMPLE, "--speedup", "5x"]) else { return };
    replay.wait_for_delivery();
    replay.press("?");
    replay.wait_for("closes this help");
    replay.press("?");
    replay.wait_until("end of the help", |screen| !screen.contains("closes this help"));
    replay.press("++++++++++++q");
    assert_eq!(replay.finish().0, 130);
}

#[test]
fn without_the_view_there_are_plain_lines_and_keys() {
    let Some(mut replay) = OnTerminal::start(&[SAMPLE, "--speedup", "100x", "--no-tui"]) else { return };
    replay.press("?");
    replay.wait_for("space pauses and goes on, + and - double and halve the speed");
    let (code, screen) = replay.finish();
    assert!(code == 0 && screen.contains("     5 s: ") && screen.contains(" of 6,000 sent, "), "{screen}");
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
    assert_eq!((&report["verdict"], &report["interrupted"]), (&"incomplete".into(), &true.into()));
}

#[test]
fn beside_a_pipe_keys_come_from_the_terminal_and_q_ends_the_hold() {
    let dir = tempfile::tempdir().unwrap();
    let json = dir.path().join("report.json");
    let flags = ["--rate", "500/s", "--hold", "--json", json.to_str().unwrap()];
    // Without a FILE: the pipe is read.
    let line = format!("cat {SAMPLE} | {}", command(&flags));
    let Some(mut replay) = OnTerminal::run(&line) else { return };
    replay.wait_for_delivery();
    replay.press("+++");
    replay.wait_for("speed × 8");
    replay.wait_for("stay up until Ctrl-C or q");
    replay.press("q");
    let (code, screen) = replay.finish();
    assert_eq!(code, 0, "{screen}");
    let report = report(&json);
    assert_eq!((&report["input"]["file"], &report["ledger"]["delivered"]), (&"-".into(), &6_000.into()));
}

#[test]
fn after_ctrl_z_and_fg_the_keys_work_and_the_stop_is_in_the_report() {
    let dir = tempfile::tempdir().unwrap();
    let json = dir.path().join("report.json");
    let Some(mut shell) = OnTerminal::run("bash --norc --noprofile -i") else { return };
    shell.press(&command(&[SAMPLE, "--speedup", "5x", "--json", json.to_str().unwrap()]));
    shell.press("\r");
    shell.wait_for_delivery();
    shell.press("\x1a");
    shell.wait_for("Stopped");
    assert!(!shell.seen().contains("space pause  "), "the view has gone: {}", shell.seen());
    std::thread::sleep(STOP_TIME);
    shell.press("fg\r");
    shell.wait_for("space pause  ");
    shell.press("+");
    shell.wait_for("speed × 2");
    shell.press("q");
    shell.wait_for("(Ctrl-Z or SIGSTOP)");
    shell.wait_for(": stopped after");
    shell.press("exit\r");
    let (code, screen) = shell.finish();
    assert_eq!(code, 130, "{screen}");
    let report = report(&json);
    assert_eq!(report["verdict"], "incomplete");
    let stops = stopped_s(&report);
    assert!(stops.len() == 1 && stops[0] >= STOP_TIME.as_secs_f64(), "{stops:?}");
}

#[test]
fn a_stop_that_nobody_could_see_coming_is_in_the_report_too() {
    let dir = tempfile::tempdir().unwrap();
    let Some((mut replay, json, pid)) = long_replay(dir.path(), "echo $$") else { return };
    let pid = std::fs::read_to_string(pid).unwrap();
    let signal = |name, pid: &str| {
        assert!(Command::new("kill").args([name, pid.trim()]).status().unwrap().success());
    };
    signal("-STOP", &pid);
    std::thread::sleep(STOP_TIME);
    signal("-CONT", &pid);
    // It stops itself when its child has stopped.
    signal("-CONT", &replay.child.id().to_string());
    replay.press("+");
    replay.wait_for("speed × 2");
    replay.press("q");
    assert_eq!(replay.finish().0, 130);
    let stops = stopped_s(&report(&json));
    assert!(stops.len() == 1 && stops[0] >= STOP_TIME.as_secs_f64(), "{stops:?}");
}

#[test]
fn a_terminal_that_is_reset_from_elsewhere_is_taken_again() {
    let dir = tempfile::tempdir().unwrap();
    let Some((mut replay, _, terminal)) = long_replay(dir.path(), "tty") else { return };
    let terminal = std::fs::read_to_string(terminal).unwrap();
    for reset in [&["icanon", "echo"][..], &["sane"]] {
        let stty = Command::new("stty").args(["-F", terminal.trim()]).args(reset).status().unwrap();
        assert!(stty.success());
        replay.press("+");
        replay.wait_for("speed × 2");
        replay.press("-");
    }
    replay.press("q");
    assert_eq!(replay.finish().0, 130);
}

#[test]
fn the_end_comes_by_itself_on_a_terminal_that_was_reset() {
    let dir = tempfile::tempdir().unwrap();
    let terminal = dir.path().join("tty");
    let replay = command(&[SAMPLE, "--speedup", "200x"]);
    let line = format!("tty > {}; exec {replay}", terminal.to_str().unwrap());
    let Some(replay) = OnTerminal::run(&line) else { return };
    replay.wait_for("delivered");
    let terminal = std::fs::read_to_string(terminal).unwrap();
    let stty = Command::new("stty").args(["-F", terminal.trim(), "sane"]).status().unwrap();
    assert!(stty.success());
    replay.wait_for("every tweet accounted for");
    assert_eq!(replay.finish().0, 0);
}

#[test]
fn ctrl_z_does_not_stop_a_replay_that_no_shell_could_have_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let Some((mut replay, json, _)) = long_replay(dir.path(), "echo") else { return };
    replay.press("\x1a+");
    replay.wait_for("speed × 2");
    replay.press("q");
    assert_eq!(replay.finish().0, 130);
    assert_eq!(stopped_s(&report(&json)), [0.0; 0]);
}

#[test]
fn without_a_terminal_nobody_could_press_the_key() {
    let refused = run(&[&[SAMPLE, "--start-paused"][..], FREE_PORTS].concat());
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("no terminal"), "{}", refused.stderr);
}
