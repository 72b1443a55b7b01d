//! Junk in front of a good record on its line costs the junk only, in every layout.

use std::io::Write;
use std::process::Stdio;

use serde_json::Value;

use crate::common::{FREE_PORTS, run, tweet, tweetblast, write};

const JUNK: [(&str, &str, u64); 5] = [
    ("a byte order mark", "\u{feff}", 0),
    ("NULs", "\0\0\0\0", 1),
    ("a zero-width space", "\u{200b}", 1),
    ("a record cut in its text", r#"{"id":900,"text":"cut in the te"#, 1),
    ("a record cut in its user", r#"{"id":900,"id_str":"900","text":"cut","user":{"id":3,"#, 1),
];

const TWEETS: u64 = 6;

/// The tweets, with the junk before the fourth of them.
fn records(junk: &str) -> Vec<String> {
    let mut records: Vec<String> = (0..TWEETS).map(|id| tweet(id + 1, 7, id, "a {b} \"c\"")).collect();
    records[3].insert_str(0, junk);
    records
}

fn pretty(record: &str) -> String {
    let start = record.find("{\"created_at").unwrap_or(0);
    let value: Value = serde_json::from_str(&record[start..]).unwrap();
    format!("{}{}", &record[..start], serde_json::to_string_pretty(&value).unwrap())
}

/// Two tweets per page.
fn pages(records: &[String], junk: &str, end: &str) -> String {
    let page = |(number, two): (usize, &[String])| {
        let before = if number == 1 { junk } else { "" };
        format!("{before}{{\"data\":[{}],\"meta\":{{\"n\":2}}}}{end}", two.join(","))
    };
    records.chunks(2).enumerate().map(page).collect()
}

fn layouts(junk: &str) -> Vec<(&'static str, String)> {
    let (broken, whole) = (records(junk), records(""));
    vec![
        ("lines", broken.join("\n")),
        ("an array with a line per element", format!("[\n{}\n]\n", broken.join(",\n"))),
        ("an array on one line", format!("[{}]", broken.join(","))),
        ("objects without separators", broken.concat()),
        ("pretty-printed objects", broken.iter().map(|record| pretty(record) + "\n").collect()),
        ("pages with junk in a list", pages(&broken, "", "\n")),
        ("pages with junk before one", pages(&whole, junk, "\n")),
        ("pages one after another", pages(&whole, junk, "")),
    ]
}

fn counts(report: &Value) -> (u64, u64) {
    (report["tweets"].as_u64().unwrap(), report["unparseable"].as_u64().unwrap())
}

#[test]
fn a_good_record_behind_junk_on_its_line_is_read_in_every_layout() {
    let dir = tempfile::tempdir().unwrap();
    for (what, junk, unparseable) in JUNK {
        for (layout, text) in layouts(junk) {
            let file = write(dir.path(), "t.json", &text);
            let found = run(&["inspect", "--json", "-", &file]);
            assert_eq!(found.code, 0, "{what}, {layout}: {}", found.stderr);
            let (tweets, junk) = counts(&found.report());
            assert_eq!(tweets, TWEETS, "{what}, {layout}: {junk} unparseable in\n{text}");
            // In a list, a byte order mark is not where files were joined.
            assert!(junk == unparseable || (junk == 1 && unparseable == 0), "{what}, {layout}: {junk}");
        }
    }
}

#[test]
fn a_good_record_behind_junk_is_read_from_a_stream_in_pieces() {
    let (_, junk, unparseable) = JUNK[3];
    for (layout, text) in layouts(junk) {
        let mut child = tweetblast()
            .args(["-", "--order", "file", "--speedup", "max", "--json", "-"])
            .args(FREE_PORTS)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = child.stdin.take().unwrap();
        for piece in text.as_bytes().chunks(97) {
            pipe.write_all(piece).unwrap();
        }
        drop(pipe);
        let output = child.wait_with_output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(counts(&report["ledger"]), (TWEETS, unparseable), "{layout}");
    }
}

#[test]
fn junk_is_named_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let text = records("\0\0").join("\n");
    let found = run(&["inspect", "--json", "-", &write(dir.path(), "t.json", &text)]).report();
    let place = text.find('\0').unwrap() as u64;
    assert_eq!(found["unparseable_at"], serde_json::json!([place]));
    assert_eq!(found["unparseable_lines"], serde_json::json!([4]));
}
