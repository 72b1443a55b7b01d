//! FIFOs by name, and streams whose places are named to the end.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::common::{FREE_PORTS, run, tweet, tweetblast};

#[test]
fn a_fifo_by_name_is_read_as_it_comes_and_its_lines_are_counted_to_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let child = tweetblast()
        .arg(&path)
        .args(["--speedup", "max", "--json", "-"])
        .args(FREE_PORTS)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Far behind the bytes that are kept.
    const TWEETS: u64 = 5_000;
    let mut pipe = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    for id in 0..TWEETS {
        writeln!(pipe, "{}", tweet(id, 1, id / 10, "a")).unwrap();
    }
    writeln!(pipe, "broken\n\n{{\"delete\":{{\"status\":{{\"id\":1}}}}}}\n{}", tweet(TWEETS, 1, TWEETS, "b"))
        .unwrap();
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["ledger"]["delivered"], TWEETS + 1);
    assert!(report["pace"]["order"].to_string().contains("window"), "{}", report["pace"]["order"]);
    assert_eq!(report["unparseable_lines"], json!([TWEETS + 1]));
    assert_eq!(report["rejects_by_kind"]["delete"]["first_line"], TWEETS + 3);
}

#[test]
fn a_search_that_repeats_its_input_refuses_a_fifo_and_waits_for_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let path = path.to_str().unwrap();
    let nowhere = ["--kafka", "127.0.0.1:9", "--druid", "http://127.0.0.1:9"];
    let refused = run(&[&["find-max", path][..], &nowhere].concat());
    let words = format!("{path}: find-max repeats its input");
    assert!(refused.code == 2 && refused.stderr.contains(&words), "{}", refused.stderr);
}
