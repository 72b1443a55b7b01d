//! Tables with a header (CSV, TSV) as input: from files, pipes and folders, packed, in every order.

use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tweetblast::source::{Format, TweetFile};

use crate::common::{FREE_PORTS, Finished, real_data, replay, run, run_piped, tweetblast, write};
use crate::containers::{gzip, zstd};

const TWEETS: u64 = 400;

/// Tweets as a table, whose texts have quotes and line ends in them.
fn table() -> Vec<u8> {
    let arguments = ["generate", "--form", "flat", "--format", "csv", "-n", "400", "-o", "-"];
    let made = tweetblast().args(arguments).output().unwrap();
    assert!(made.status.success() && made.stdout.contains(&b'"'));
    made.stdout
}

fn facts(found: &Value) -> Vec<Value> {
    let keys = ["format", "tweets", "unparseable", "users", "first", "last", "order", "longest_gap_s"];
    keys.map(|key| found[key].clone()).to_vec()
}

#[test]
fn a_table_is_read_alike_plain_packed_piped_and_in_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    let table = table();
    let file = write(dir.path(), "t.csv", &table);
    let inspected = |finished: Finished| facts(&finished.report());
    let expected = inspected(run(&["inspect", &file, "--json", "-"]));
    assert_eq!(expected[..3], [json!("csv"), json!(TWEETS), json!(0)]);
    // Sizes are those of its rows.
    let report = run(&["inspect", &file, "--json", "-"]).report();
    assert_eq!((&report["bytes"], &report["files"][0]["bytes"]), (&json!(table.len()), &json!(table.len())));
    assert_eq!(report["bytes_per_tweet"], json!(table.len() as f64 / TWEETS as f64));
    assert!(run(&["inspect", &file]).stdout.contains(" of input per tweet, in rows of the table"));
    let with_semicolons = {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&table[..]);
        let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer(b"\xEF\xBB\xBF".to_vec());
        reader.byte_records().for_each(|row| writer.write_byte_record(&row.unwrap()).unwrap());
        writer.into_inner().unwrap()
    };
    for bytes in [gzip(&table), zstd(&table), with_semicolons, table.clone()] {
        let file = write(dir.path(), "other", &bytes);
        assert_eq!(inspected(run(&["inspect", &file, "--json", "-"])), expected);
        assert_eq!(inspected(run_piped(&file, &["inspect", "-", "--json", "-"])), expected);
    }
    // Beside tweets in JSON a table is skipped; among tables it is not.
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().to_str().unwrap();
    write(folder.path(), "a.csv", &table);
    write(folder.path(), "notes.txt", "Not a table, not JSON.\n");
    let found = run(&["inspect", name, "--json", "-"]);
    assert!(found.stderr.contains("skipped notes.txt"), "{}", found.stderr);
    assert_eq!(facts(&found.report()), expected);
    write(folder.path(), "b.json", "{\"id\":1,\"text\":\"a\",\"user\":{\"id\":1}}\n");
    let found = run(&["inspect", name, "--json", "-"]);
    assert!(found.stderr.contains("a.csv (a table (CSV))"), "{}", found.stderr);
    assert_eq!(found.report()["tweets"], 1);
}

#[test]
fn a_table_is_replayed_whole_in_every_order_and_is_the_same_input_in_all_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let file = write(dir.path(), "t.csv", table());
    let orders = ["time", "file", "window", "shuffle"].map(|order| {
        let (report, code) = replay(&file, &["--order", order, "--speedup", "max"]);
        assert_eq!((code, &report["ledger"]["delivered"]), (0, &json!(TWEETS)), "{order}");
        (report["environment"]["input_hash"].clone(), report["input"]["bytes"].clone())
    });
    assert!(orders[0].0.as_str().unwrap().starts_with("crc32c:"));
    assert!(orders.iter().all(|order| *order == orders[0]), "{orders:?}");
    let (report, _) = replay(&file, &["--order", "file", "--loop", "3", "--speedup", "max"]);
    assert_eq!(report["ledger"]["delivered"], 3 * TWEETS);
}

/// On line 2 a row over three lines, on 5 one with a cell too many, on 6 one whose quote is not closed, on 7 a good
/// one, on 8 the header of a file that was joined to it, and on 9 one in another encoding.
const BROKEN: &[u8] = b"id,created_at,text\n1,2020-01-01T00:00:00Z,\"three\n\nlines\"\n2,2020-01-01T00:00:01Z,a,b\n\
    3,\"2020-01-01T00:00:02Z,c\n4,2020-01-01T00:00:03Z,\"d\"\nid,created_at,text\n5,2020-01-01T00:00:04Z,caf\xe9\n";

#[test]
fn a_broken_row_costs_itself_and_is_found_on_the_line_where_it_begins() {
    let dir = tempfile::tempdir().unwrap();
    let file = write(dir.path(), "t.csv", BROKEN);
    let letters = dir.path().join("letters.json").to_str().unwrap().to_owned();
    for order in ["time", "file", "window"] {
        let flags = ["--order", order, "--speedup", "max", "--dead-letters", &letters, "--force"];
        let (report, _) = replay(&file, &flags);
        assert_eq!(
            (&report["ledger"]["tweets"], &report["ledger"]["unparseable"]),
            (&json!(2), &json!(3)),
            "{order}"
        );
        assert_eq!(report["unparseable_lines"], json!([5, 6, 9]), "{order}");
        let written = std::fs::read_to_string(&letters).unwrap();
        for why in ["(4 cells, the header has 3)", "(a quote in it is not closed)", "(not in UTF-8)"] {
            assert!(written.contains(why), "{written}");
        }
    }
    let piped = run_piped(&file, &["inspect", "-", "--json", "-"]).report();
    assert_eq!(piped["unparseable_lines"], json!([5, 6, 9]));
    let other = write(dir.path(), "other.csv", "id,size\n1\n3,4\n5,6\n");
    let refused = run(&["inspect", &other]);
    assert!(refused.stderr.contains("line 2, column 1"), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("not a row of the table: 1 cell, the header has 2"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_fifo_with_a_table_is_replayed_as_it_comes() {
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
    std::fs::write(&path, [table(), b"too,short\r\n".to_vec()].concat()).unwrap();
    let report: Value = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(
        (&report["ledger"]["delivered"], &report["ledger"]["unparseable"]),
        (&json!(TWEETS), &json!(1))
    );
    let lines = table().iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(report["unparseable_lines"], json!([lines + 1]));
}

#[test]
fn a_table_without_a_header_is_told_what_to_type_and_that_works() {
    let dir = tempfile::tempdir().unwrap();
    let rows = "1,2020-01-01T00:00:00Z,a b\n2,2020-01-01T00:00:01Z,c d\n";
    write(dir.path(), "t.csv", rows);
    let shell = |line: &str| {
        let mut command = Command::new("sh");
        command.args(["-c", line, env!("CARGO_BIN_EXE_tweetblast")]).current_dir(dir.path());
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    let (code, words) = shell("\"$0\" t.csv");
    assert_eq!(code, Some(1));
    let typed = "(echo 'column_1,time,column_3'; cat t.csv) | ";
    assert!(words.contains("a table without a header") && words.contains(typed), "{words}");
    let map = "--map id=column_1,time=time,text=column_3 --json -";
    let (code, words) = shell(&format!("{typed} \"$0\" inspect - {map}"));
    let found: Value = serde_json::from_str(&words).unwrap();
    assert_eq!((code, &found["tweets"], &found["unparseable"]), (Some(0), &json!(2), &json!(0)));
    // Its first row may be the names after all.
    let (_, words) = shell("\"$0\" inspect t.csv --format csv --map '1=1' --json -");
    assert!(!words.contains("without a header"), "{words}");
}

#[test]
#[ignore = "needs real tweet files"]
fn real_tables_have_the_rows_and_times_that_were_counted_independently() {
    let folder = real_data().join("streams");
    let expected = std::fs::read(folder.join("expected.json")).unwrap();
    let expected: Vec<Value> = serde_json::from_slice(&expected).unwrap();
    let is_table = |want: &&Value| matches!(want["container"].as_str(), Some("csv" | "tsv"));
    let mut seen = 0;
    for want in expected.iter().filter(is_table) {
        seen += 1;
        let name = want["file"].as_str().unwrap();
        let path = folder.join(name);
        let file = TweetFile::open(&path).unwrap();
        assert_eq!(file.framing(), Format::Table, "{name}");
        let rows: Vec<serde_json::Map<String, Value>> =
            file.frames().map(|frame| serde_json::from_slice(frame.bytes).unwrap()).collect();
        let time = want["time_field"].as_str().unwrap();
        assert_eq!(rows.len() as u64, want["records"], "{name}");
        assert!(rows.iter().all(|row| row.contains_key(time)), "{name}");
        if let Some(key) = want["key_field"].as_str() {
            let keys: std::collections::HashSet<String> =
                rows.iter().filter_map(|row| Some(row.get(key)?.to_string())).collect();
            assert_eq!(keys.len() as u64, want["distinct_keys"], "{name}");
        }
        let text = want["key_field"].as_str().filter(|key| rows[0][*key].is_string()).unwrap_or(time);
        let map = format!("time={time},text={text}");
        let path = path.to_str().unwrap();
        for found in [
            run(&["inspect", path, "--json", "-", "--map", &map]),
            run_piped(path, &["inspect", "-", "--json", "-", "--map", &map]),
        ] {
            let found = found.report();
            assert_eq!((&found["tweets"], &found["unparseable"]), (&want["events"], &json!(0)), "{name}");
            for (key, theirs) in [("first", "first_utc"), ("last", "last_utc")] {
                let time = |value: &Value| {
                    value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_millisecond()
                };
                let (ours, theirs) = (time(&found[key]), time(&want[theirs]));
                // The id of a tweet tells the milliseconds.
                let allowed = if name == "vaccination-tweets.csv" { 2_000 } else { 1 };
                assert!(ours.abs_diff(theirs) <= allowed, "{name}: {key} is {}", found[key]);
            }
        }
    }
    assert_eq!(seen, 6);
}

/// The cells as another reader has them: the same but for numbers, which are written as they stood there.
#[test]
#[ignore = "needs real tweet files"]
fn real_tables_lose_no_cell_and_no_digit() {
    for (name, delimiter) in [
        ("vaccination-tweets.csv", b','),
        ("nyc-taxis.csv", b','),
        ("sentiment140-test.csv", b','),
        ("thingspeak-feeds.csv", b','),
        ("nasa-http-1995-07.tsv", b'\t'),
    ] {
        let path = real_data().join("streams").join(name);
        let file = TweetFile::open(&path).unwrap();
        let mut reader =
            csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_path(&path).unwrap();
        let names = reader.headers().unwrap().clone();
        let mut frames = file.frames();
        for row in reader.records() {
            let frame = frames.next().unwrap();
            let found: serde_json::Map<String, Value> = serde_json::from_slice(frame.bytes).unwrap();
            let row = row.unwrap();
            for (name, cell) in names.iter().zip(row.iter()) {
                match found.get(name) {
                    None => assert_eq!(cell, "", "{name}"),
                    Some(Value::String(text)) => assert_eq!(text, cell, "{name}"),
                    Some(number) => {
                        let (ours, theirs) = (number.as_f64().unwrap(), cell.trim().parse::<f64>().unwrap());
                        assert_eq!(ours, theirs, "{name}");
                        let bytes = std::str::from_utf8(frame.bytes).unwrap();
                        assert!(
                            bytes.contains(&format!(":{}", cell.trim())),
                            "{name}: {cell} is not in {bytes}"
                        );
                    }
                }
            }
        }
        assert!(frames.next().is_none());
    }
}
