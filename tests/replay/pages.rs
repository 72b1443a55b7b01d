//! What is on the screen of a terminal: lines that fit, the verdict last, and how much `-q` leaves of it.

use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use crate::common::{FREE_PORTS, SAMPLE, run, tweetblast};

/// What a command prints on a terminal of so many columns, line by line; `script` makes the terminal.
fn on_terminal(columns: usize, environment: &str, arguments: &[&str]) -> Vec<String> {
    let command = [&[env!("CARGO_BIN_EXE_tweetblast")], arguments].concat().join(" ");
    let unset = "env -u CI -u NO_COLOR -u CLICOLOR -u CLICOLOR_FORCE";
    let line = format!("stty cols {columns}; {unset} {environment} {command} 2>/dev/null");
    let made =
        Command::new("script").args(["-qec", &line, "/dev/null"]).env("TERM", "xterm").output().unwrap();
    let screen = String::from_utf8(made.stdout).unwrap();
    screen.lines().map(|line| line.trim_end_matches('\r').to_owned()).collect()
}

#[test]
fn every_line_fits() {
    let replay = [&[SAMPLE, "--speedup", "max", "--delay", "1ms"][..], FREE_PORTS].concat();
    for (arguments, widths) in
        [(&replay[..], &[60, 80, 200][..]), (&["inspect", SAMPLE], &[60, 80, 200]), (&["doctor"], &[60])]
    {
        for columns in widths.iter().copied() {
            let lines = on_terminal(columns, "NO_COLOR=1", arguments);
            // A path may be longer than the line.
            let widest =
                lines.iter().filter(|line| !line.contains(SAMPLE)).map(|line| line.chars().count()).max();
            assert!(widest.unwrap() <= columns, "{columns}: {lines:#?}");
        }
    }
}

#[test]
fn the_verdict_comes_last_in_colour_on_a_terminal_alone() {
    let replay = [&[SAMPLE, "--speedup", "max"][..], FREE_PORTS].concat();
    let balanced =
        "balanced: every tweet accounted for: 6,000 read = 6,000 delivered, all read back from Kafka";
    assert_eq!(run(&replay).stdout.lines().last(), Some(balanced));
    let last = |environment| on_terminal(200, environment, &replay).pop().unwrap();
    assert_eq!(last("NO_COLOR=1"), balanced);
    assert_eq!(last("CI=1 TERM=dumb"), balanced);
    for environment in ["", "CI=1"] {
        assert_eq!(last(environment), balanced.replace("balanced", "\u{1b}[32mbalanced\u{1b}[0m"));
    }
}

#[test]
fn quiet_leaves_the_verdict_and_twice_quiet_nothing() {
    let replay = |more: &[&str]| run(&[&[SAMPLE, "--speedup", "max"][..], FREE_PORTS, more].concat());
    let quiet = replay(&["-q"]);
    assert_eq!((quiet.code, quiet.stdout.lines().count(), &*quiet.stderr), (0, 1, ""));
    assert!(quiet.stdout.starts_with("balanced: "), "{}", quiet.stdout);
    let silent = replay(&["-qq"]);
    assert_eq!((silent.code, &*silent.stdout, &*silent.stderr), (0, "", ""));
    let crossed = replay(&["-qq", "--fail-if", "delivered>1"]);
    assert_eq!((crossed.code, &*crossed.stdout), (4, ""));
    assert!(crossed.stderr.contains("--fail-if delivered>1: it was 6,000"), "{}", crossed.stderr);
    let dry = replay(&["--dry-run", "-q"]);
    assert_eq!((dry.code, dry.stdout.lines().count()), (0, 1), "{}", dry.stdout);
    assert_eq!(replay(&["--dry-run", "-qq"]).stdout, "");
    // A report that cannot be written takes nothing from the screen.
    let full = replay(&["--json", "/dev/full", "--force"]);
    assert_eq!(full.code, 1);
    assert!(full.stdout.contains("\nbalanced: ") && full.stderr.contains("No space left"), "{}", full.stderr);
}

#[test]
fn a_dumb_terminal_gets_plain_lines() {
    let replay = [&[SAMPLE, "--speedup", "100x"][..], FREE_PORTS].concat();
    let command = [&[env!("CARGO_BIN_EXE_tweetblast")], &replay[..]].concat().join(" ");
    let made = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .envs([("TERM", "dumb"), ("CI", "1")])
        .output()
        .unwrap();
    let screen = String::from_utf8(made.stdout).unwrap();
    assert!(screen.contains("     5 s: ") && screen.contains(" of 6,000 sent, "), "{screen}");
    assert!(!screen.contains('\u{1b}'), "{screen:?}");
}

#[test]
fn a_port_that_is_taken_is_named_in_the_plan() {
    // Who has it does not matter, but for another test that has it for a moment.
    let _mine = (0..100).find_map(|_| {
        std::thread::sleep(Duration::from_millis(50));
        TcpListener::bind("127.0.0.1:9092").ok()
    });
    let replayed =
        tweetblast().args([SAMPLE, "--speedup", "max", "--limit", "1", "--mqtt", "off"]).output().unwrap();
    let page = String::from_utf8(replayed.stdout).unwrap();
    assert!(
        page.contains("9092 is taken by another program: the embedded Kafka listens at 127.0.0.1:"),
        "{page}"
    );
    assert!(
        page.contains("1 tweet to send (5,999 skipped)")
            && page.contains("\n  tweets     6,000 = 1 published + 5,999 skipped (5,999 by --limit)\n"),
        "{page}"
    );
}
