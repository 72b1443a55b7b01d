//! Who may come in: users with passwords, and what listens on other addresses than loopback.

use std::io::Write;
use std::process::Stdio;

use crate::bridge::{address, bridge};
use crate::common::{free_port, run, tweetblast, write};
use crate::raw::{Raw, packet, text};

/// A line for --mqtt-users, with the password through a pipe.
pub fn passwd(user: &str, password: &str) -> String {
    let mut made =
        tweetblast().args(["passwd", user]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    made.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).unwrap();
    String::from_utf8(made.wait_with_output().unwrap().stdout).unwrap()
}

/// The code of CONNACK.
fn connect(port: u16, level: u8, login: Option<(&str, &str)>) -> u8 {
    let mut body = text("MQTT");
    body.extend([level, if login.is_some() { 0xC2 } else { 2 }, 0, 0]);
    if level == 5 {
        body.push(0);
    }
    body.extend(text("x"));
    if let Some((user, password)) = login {
        body.extend(text(user));
        body.extend(text(password));
    }
    let mut raw = Raw::open(address(port), level);
    raw.send(&packet(0x10, &body));
    raw.receive().unwrap().1[1]
}

#[test]
fn only_users_with_their_password_come_in_and_a_refusal_is_said_once() {
    let dir = tempfile::tempdir().unwrap();
    let line = passwd("sensor", "s3cret");
    assert!(line.starts_with("sensor:$argon2id$") && !line.contains("s3cret"), "{line}");
    let (users, port) = (write(dir.path(), "users", line), free_port());
    let bridge = bridge(port, &["--kafka-listen", "127.0.0.1:0", "--mqtt-users", &users, "-vv"]);
    assert_eq!(connect(port, 4, Some(("sensor", "s3cret"))), 0);
    assert_eq!(connect(port, 5, Some(("sensor", "s3cret"))), 0);
    assert_eq!((connect(port, 4, None), connect(port, 5, None)), (5, 0x87));
    assert_eq!(connect(port, 4, Some(("sensor", "wr0ng"))), 4);
    assert_eq!(connect(port, 5, Some(("nobody", "s3cret"))), 0x86);
    bridge.signal("TERM");
    let said = bridge.finish();
    let said = [said.stdout, said.stderr].concat();
    assert_eq!(said.matches("an MQTT client was refused").count(), 1, "{said}");
    assert!(!said.contains("s3cret") && !said.contains("wr0ng"), "{said}");
}

#[test]
fn what_listens_to_the_network_asks_for_a_password_or_says_that_it_is_insecure() {
    for command in [&["bridge"][..], &["serve"], &["data/tweets.json"]] {
        for listen in ["--mqtt-listen", "--kafka-listen"] {
            let finished = run(&[command, &[listen, "0.0.0.0:0"]].concat());
            assert_eq!(finished.code, 2, "{command:?}: {}", finished.stderr);
            assert!(finished.stderr.contains("--insecure"), "{command:?}: {}", finished.stderr);
        }
    }
    let finished = run(&["bridge", "--mqtt-users", "/no/such/file"]);
    assert!(
        finished.code == 2 && finished.stderr.contains("cannot read /no/such/file"),
        "{}",
        finished.stderr
    );
}
