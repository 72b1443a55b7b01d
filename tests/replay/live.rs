//! Standard input and pipes, read as they come.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::{FREE_PORTS, read_topic, tweet, tweetblast, write};

/// How long something may take that takes a moment.
const PATIENCE: Duration = Duration::from_secs(20);

/// A replay of what is written to its standard input.
struct Piped {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Piped {
    fn start(arguments: &[&str]) -> Self {
        let mut child = tweetblast()
            .args([&["-"], FREE_PORTS, arguments].concat())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdin, stdout) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, stdin, stdout }
    }

    fn write(&mut self, text: &str) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(text.as_bytes()).unwrap();
        stdin.flush().unwrap();
    }

    /// The address of its Kafka, from the plan.
    fn kafka(&mut self) -> String {
        let mut line = String::new();
        while !line.trim_start().starts_with("kafka ") {
            line.clear();
            assert!(self.stdout.read_line(&mut line).unwrap() > 0, "no plan");
        }
        line.split_whitespace().nth(1).unwrap().to_owned()
    }

    /// Closes standard input and waits for the end.
    fn code(mut self) -> i32 {
        drop(self.stdin.take());
        self.stdout.read_to_string(&mut String::new()).unwrap();
        self.child.wait().unwrap().code().unwrap()
    }

    /// Closes standard input and waits for the report.
    fn report(mut self) -> (Value, i32) {
        drop(self.stdin.take());
        let mut text = String::new();
        self.stdout.read_to_string(&mut text).unwrap();
        (serde_json::from_str(&text).unwrap(), self.child.wait().unwrap().code().unwrap())
    }
}

impl Drop for Piped {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn tweets(ids: std::ops::Range<u64>) -> String {
    ids.map(|id| tweet(id, 1, id, "x") + "\n").collect()
}

/// Waits until so many messages are in Kafka.
fn wait_for_messages(kafka: &str, count: usize) -> Vec<Value> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let records = read_topic(kafka, "tweets");
        if records.len() >= count {
            return records.iter().map(crate::common::Record::json).collect();
        }
        assert!(Instant::now() < deadline, "{} of {count} are in Kafka", records.len());
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn what_comes_through_a_pipe_is_in_kafka_while_the_pipe_is_open() {
    for order in [&[][..], &["--order", "file"], &["--window", "3"]] {
        let mut replay = Piped::start(&[&["--speedup", "max"], order].concat());
        replay.write(&tweets(0..100));
        let kafka = replay.kafka();
        wait_for_messages(&kafka, 100);
        replay.write(&tweets(100..105));
        let sent = wait_for_messages(&kafka, 105);
        assert_eq!(sent[104]["id"], "104");
    }
}

#[test]
fn a_trickle_that_never_fills_the_window_is_sent_as_well() {
    let mut replay = Piped::start(&["--speedup", "max"]);
    replay.write(&tweets(0..10));
    let kafka = replay.kafka();
    wait_for_messages(&kafka, 10);
    let mut stdin = replay.stdin.take().unwrap();
    std::thread::scope(|scope| {
        // Without a lull, which would let them go as well.
        let (done, is_done) = channel::<()>();
        scope.spawn(move || {
            for id in 10.. {
                stdin.write_all((tweet(id, 1, id, "x") + "\n").as_bytes()).unwrap();
                if is_done.recv_timeout(Duration::from_millis(100)) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
            }
        });
        wait_for_messages(&kafka, 30);
        done.send(()).unwrap();
    });
}

#[test]
fn an_array_and_a_gzip_file_are_streams_as_well() {
    let array = format!("[{}", tweets(0..50).trim_end().replace('\n', ",\n"));
    let mut replay = Piped::start(&["--speedup", "max"]);
    replay.write(&array);
    // The last one may go on.
    wait_for_messages(&replay.kafka(), 49);

    let dir = tempfile::tempdir().unwrap();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(tweets(0..50).as_bytes()).unwrap();
    let file = write(dir.path(), "tweets.gz", encoder.finish().unwrap());
    for order in ["file", "window", "time"] {
        let (report, code) = crate::common::replay(&file, &["--speedup", "max", "--order", order]);
        assert_eq!((code, &report["ledger"]["delivered"]), (0, &json!(50)), "{order}");
        assert_eq!(report["input"]["bytes"], tweets(0..50).len(), "{order}");
    }
}

#[test]
fn a_stream_counts_what_is_in_it_and_keeps_what_was_not_delivered() {
    let dir = tempfile::tempdir().unwrap();
    let letters = dir.path().join("letters.jsonl");
    let arguments = ["--speedup", "max", "--json", "-", "--dead-letter", letters.to_str().unwrap()];
    for order in ["file", "window"] {
        let mut replay = Piped::start(&[&arguments[..], &["--order", order, "--force"]].concat());
        replay.write(&tweets(0..3));
        replay.write("{\"delete\":{\"status\":{\"id\":1}}}\nnot JSON\n");
        replay.write(&tweets(3..5));
        let (report, code) = replay.report();
        assert_eq!((code, &report["verdict"]), (0, &json!("balanced")));
        let ledger = &report["ledger"];
        let counts =
            ["frames", "unparseable", "rejects", "tweets", "delivered"].map(|key| ledger[key].clone());
        assert_eq!(counts, [7, 1, 1, 5, 5].map(Value::from), "{order}");
        let letters = std::fs::read_to_string(&letters).unwrap();
        assert!(
            letters.contains("\"text\":\"not JSON\"") && letters.contains("\"record\":{\"delete\""),
            "{letters}"
        );
        assert!(report["environment"]["input_hash"].is_string());
    }
}

#[test]
fn a_dead_letter_of_a_stream_has_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let letters = dir.path().join("letters.jsonl");
    let arguments = ["--speedup", "max", "--force", "--dead-letter", letters.to_str().unwrap()];
    let mut replay = Piped::start(&arguments);
    // More than is looked at before the first tweet is sent.
    let text = "x".repeat(1_000);
    replay.write(&(0..2_000).map(|id| tweet(id, 1, id, &text) + "\n").collect::<String>());
    replay.write("not JSON\n\n{\"delete\":{\"status\":{\"id\":1}}}\n");
    assert_eq!(replay.code(), 0);
    let letters = std::fs::read_to_string(&letters).unwrap();
    let lines: Vec<Value> = letters.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let lines: Vec<&Value> = lines.iter().map(|letter| &letter["dead_letter"]["line"]).collect();
    assert_eq!(lines, [&json!(2_001), &json!(2_003)]);
}

#[test]
fn what_the_input_brings_late_is_no_lag_of_ours() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("report.json");
    let mut replay = Piped::start(&["--rate", "1000/s", "--order", "file", "--json", file.to_str().unwrap()]);
    replay.write(&tweets(0..2));
    wait_for_messages(&replay.kafka(), 2);
    // Due 2 ms after the first.
    std::thread::sleep(Duration::from_millis(1_500));
    replay.write(&tweets(2..3));
    assert_eq!(replay.code(), 0);
    let report: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!((&report["verdict"], &report["pace"]["late_input"]), (&json!("balanced"), &json!(1)));
    assert!(report["pace"]["lag_ms"]["max"].as_f64().unwrap() < 1_400.0, "{}", report["pace"]);
}

#[test]
fn a_limit_and_a_duration_end_a_stream_that_goes_on() {
    for flags in [&["--limit", "3", "--order", "file"][..], &["--limit", "3"], &["--duration", "1s"]] {
        let mut replay = Piped::start(&[&["--speedup", "max", "--json", "-"], flags].concat());
        replay.write(&tweets(0..10));
        let mut text = String::new();
        // Standard input stays open.
        replay.stdout.read_to_string(&mut text).unwrap();
        let report: Value = serde_json::from_str(&text).unwrap();
        let sent = if flags[0] == "--limit" { 3 } else { 10 };
        assert_eq!((&report["verdict"], &report["ledger"]["delivered"]), (&json!("balanced"), &json!(sent)));
    }
}

#[test]
fn a_copy_is_no_larger_than_the_limit_and_is_looked_at_first() {
    let mut replay = Piped::start(&["--order", "time", "--spool-limit", "1KiB"]);
    replay.write(&tweets(0..100));
    let mut stderr = String::new();
    replay.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert!(stderr.contains("--spool-limit") && stderr.contains("TMPDIR"), "{stderr}");
    assert_eq!(replay.child.wait().unwrap().code(), Some(1));

    // 64 MiB without a tweet, in a few kilobytes.
    let dir = tempfile::tempdir().unwrap();
    let file = write(dir.path(), "zeros.zst", zstd::encode_all(&vec![b'x'; 64 << 20][..], 3).unwrap());
    for order in ["time", "file"] {
        let arguments = [&file, "--order", order, "--spool-limit", "2MiB"];
        let finished = crate::common::run(&[&arguments[..], FREE_PORTS].concat());
        assert!(finished.code == 1 && finished.stderr.contains("looks like text"), "{}", finished.stderr);
    }
}

#[test]
fn a_page_longer_than_its_pieces_keeps_its_authors() {
    let tweets: Vec<Value> = (0..2_000)
        .map(|id| {
            json!({"id": id.to_string(), "text": "a".repeat(200), "author_id": "7",
            "created_at": "2020-01-01T00:00:00.000Z"})
        })
        .collect();
    let page = json!({"data": tweets, "includes": {"users": [{"id": "7", "username": "seven"}]}});
    for order in ["file", "window"] {
        let mut replay = Piped::start(&["--speedup", "max", "--order", order]);
        replay.write(&serde_json::to_string_pretty(&page).unwrap());
        drop(replay.stdin.take());
        let mut stdout = String::new();
        replay.stdout.read_to_string(&mut stdout).unwrap();
        assert!(stdout.contains("2,000 received = 2,000 delivered"), "{stdout}");
    }
}

#[test]
fn a_line_that_does_not_end_is_one_reject_and_is_not_kept() {
    let mut replay =
        Piped::start(&["--speedup", "max", "--json", "-", "--order", "file", "--max-record", "1MiB"]);
    replay.write(&tweets(0..1));
    let long = "x".repeat(1 << 20);
    (0..80).for_each(|_| replay.write(&long));
    replay.write("\n");
    replay.write(&tweets(1..2));
    let (report, code) = replay.report();
    let counts = ["frames", "rejects", "delivered"].map(|key| report["ledger"][key].clone());
    assert_eq!((code, counts), (0, [3, 1, 2].map(Value::from)));
}

#[test]
fn a_pipe_without_a_name_is_read_if_something_comes_soon() {
    let replays = |silent: bool| {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("tweets.json"), tweets(0..2)).unwrap();
        let mut child = tweetblast()
            .args([&["--speedup", "max", "--json", "-"], FREE_PORTS].concat())
            .current_dir(dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // Dropped at the end, when the program has: it stays open.
        let _open = match silent {
            true => Some(stdin),
            false => {
                stdin.write_all(tweets(0..3).as_bytes()).unwrap();
                drop(stdin);
                None
            }
        };
        let mut text = String::new();
        child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        child.wait().unwrap();
        let report: Value = serde_json::from_str(&text).unwrap();
        (report["input"]["file"].clone(), report["ledger"]["delivered"].clone())
    };
    assert_eq!(replays(false), (json!("-"), json!(3)));
    assert_eq!(replays(true), (json!("tweets.json"), json!(2)));
}
