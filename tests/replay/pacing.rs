//! Loops, gaps, ranges, orders and several files, through the binary. Nothing here looks at a
//! clock: a message's `timestamp` is the intended time, whenever it was sent.
#![allow(clippy::unwrap_used)]

use crate::common;

use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use common::{FREE_PORTS, Running, SAMPLE, generate, read_topic, replay, run, tweet, tweetblast, write};
use serde_json::{Value, json};

fn ledger(report: &Value, keys: &[&str]) -> Vec<u64> {
    keys.iter().map(|key| report["ledger"][key].as_u64().unwrap()).collect()
}

/// Replays and reads back the payloads, in Kafka's order.
fn sent(arguments: &[&str]) -> Vec<Value> {
    let mut held = Running::start(&[arguments, &["--hold"], FREE_PORTS].concat());
    let line = held.wait_for("holding:");
    let kafka = line.split("Kafka ").nth(1).unwrap().split(' ').next().unwrap();
    let payloads = read_topic(kafka, "tweets").iter().map(|record| record.json()).collect();
    held.signal("TERM");
    assert_eq!(held.finish().code, 0);
    payloads
}

fn ids(payloads: &[Value]) -> Vec<&str> {
    payloads.iter().map(|payload| payload["id"].as_str().unwrap()).collect()
}

/// Milliseconds from the first intended time.
fn intended_ms(payloads: &[Value]) -> Vec<i64> {
    let time = |payload: &Value| payload["timestamp"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let start = time(&payloads[0]).as_millisecond();
    payloads.iter().map(|payload| time(payload).as_millisecond() - start).collect()
}

/// Tweets at these seconds, with ids from 1 on.
fn lines(dir: &Path, name: &str, seconds: &[u64]) -> String {
    let lines: Vec<String> = (1..).zip(seconds).map(|(id, second)| tweet(id, 1, *second, "x")).collect();
    write(dir, name, lines.join("\n"))
}

#[test]
fn loops_go_on_counting_and_each_lasts_as_long() {
    let dir = tempfile::tempdir().unwrap();
    // In order, newest first, and neither: streamed again, and from an index.
    for (name, seconds) in [("up", [0, 1, 2, 10]), ("down", [10, 2, 1, 0]), ("mixed", [0, 2, 1, 10])] {
        let file = lines(dir.path(), name, &seconds);
        let payloads = sent(&[&file, "--speedup", "100x", "--loop", "3"]);
        let mut expected = vec![0, 10, 20, 100];
        expected.extend([100, 110, 120, 200, 200, 210, 220, 300]);
        let apart: Vec<i64> =
            intended_ms(&payloads).iter().zip(&expected).map(|(ms, want)| (ms - want).abs()).collect();
        assert!(apart.iter().all(|ms| *ms <= 1), "{name}: {payloads:#?}");
        let seqs: Vec<u64> = payloads.iter().map(|payload| payload["seq"].as_u64().unwrap()).collect();
        assert_eq!(seqs, (0..12).collect::<Vec<u64>>(), "{name}");
        assert_eq!(ids(&payloads)[..4], ids(&payloads)[8..], "{name}");
    }
}

/// tcpreplay #749 counted wrong with loops.
#[test]
fn counts_with_loops_are_loops_times_n_in_every_order_and_at_full_speed() {
    let keys = ["tweets", "loops", "published", "received", "delivered", "skipped"];
    for flags in [
        &["--speedup", "max"][..],
        &["--speedup", "5000x"],
        &["--speedup", "max", "--order", "file"],
        &["--speedup", "max", "--order", "window"],
        &["--rate", "50000/s", "--order", "shuffle"],
    ] {
        let (report, code) = replay(SAMPLE, &[&["--loop", "3"], flags].concat());
        assert_eq!((code, &report["verdict"]), (0, &json!("balanced")), "{flags:?}");
        assert_eq!(ledger(&report, &keys), [6_000, 3, 18_000, 18_000, 18_000, 0], "{flags:?}");
    }
    let planned = |loops| {
        replay(SAMPLE, &["--speedup", "2000x", "--loop", loops]).0["pace"]["planned_duration_s"].clone()
    };
    let (once, thrice) = (planned("1").as_f64().unwrap(), planned("3").as_f64().unwrap());
    assert!((thrice - 3.0 * once).abs() < 1e-6, "{once} {thrice}");
}

#[test]
fn a_limit_is_one_of_each_loop() {
    for order in ["time", "file", "window"] {
        let flags = ["--speedup", "max", "--limit", "100", "--loop", "2", "--order", order];
        let (report, code) = replay(SAMPLE, &flags);
        assert_eq!((code, &report["verdict"]), (0, &json!("balanced")), "{order}");
        assert_eq!(ledger(&report, &["loops", "published"]), [2, 200], "{order}");
    }
}

#[test]
fn a_duration_ends_it_and_skipped_tweets_are_counted() {
    for order in ["time", "file", "window", "shuffle"] {
        let flags = ["--loop", "forever", "--duration", "500ms", "--rate", "20000/s", "--order", order];
        let (report, code) = replay(SAMPLE, &flags);
        assert_eq!((code, &report["verdict"]), (0, &json!("balanced")), "{order}: {report:#}");
        let counts = ledger(&report, &["tweets", "loops", "published", "skipped"]);
        assert_eq!(counts[2], 10_000, "{order}: half a second at 20,000/s");
        assert_eq!(counts[0] * counts[1], counts[2] + counts[3], "{order}");
        assert_eq!(report["ledger"]["skipped_by"]["duration"], counts[3], "{order}");
    }
    let (report, code) = replay(SAMPLE, &["--speedup", "100x", "--duration", "1s"]);
    assert_eq!((code, &report["interrupted"]), (0, &json!(false)));
    assert_eq!(report["pace"]["planned_duration_s"], 1.0);
    assert!(ledger(&report, &["published"])[0] > 500);
}

/// A stall that begins before the end and lasts longer than the requested duration.
#[test]
fn a_duration_hides_no_stall_of_kafka() {
    let dir = tempfile::tempdir().unwrap();
    let json = dir.path().join("report.json").to_str().unwrap().to_owned();
    let mut kafka = Running::start(&["serve", "--no-mqtt", "--kafka-listen", "127.0.0.1:0"]);
    let address = kafka.wait_for("Kafka ").split_whitespace().nth(1).unwrap().to_owned();
    let pace = ["--loop", "forever", "--rate", "40000/s", "--duration", "1s", "--delay", "2s"];
    let ends = ["--kafka", &address, "--mqtt-listen", "127.0.0.1:0"];
    let flags = [&[SAMPLE, "--json", &json, "--fail-if", "lag.max>1s"][..], &pace, &ends].concat();
    let mut replay = Running::start(&flags);
    replay.wait_for("kafka ");
    std::thread::sleep(Duration::from_secs(1));
    kafka.signal("STOP");
    std::thread::sleep(Duration::from_secs(5));
    kafka.signal("CONT");
    assert!(replay.ends_within(Duration::from_secs(60)));
    let finished = replay.finish();
    let report: Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    assert_eq!((finished.code, &report["verdict"]), (4, &json!("balanced")), "{report:#}");
    assert_eq!(ledger(&report, &["published", "delivered"]), [40_000, 40_000]);
    assert_ne!(report["bottleneck"], "none");
}

/// gatling #1909: it reported what was only read ahead.
#[test]
fn loops_are_those_of_which_something_was_sent() {
    let dir = tempfile::tempdir().unwrap();
    // Six tweets, of which a loop sends four: one id is there twice, and one is beyond the limit.
    let ids = [(1, 0), (2, 1), (2, 2), (3, 3), (4, 4), (5, 5)];
    let lines: Vec<String> = ids.map(|(id, second)| tweet(id, 1, second, "x")).into();
    let file = write(dir.path(), "six.json", lines.join("\n"));
    for order in ["time", "file", "window"] {
        for (duration, sent, loops, after_it) in [("200ms", 10, 3, 2), ("160ms", 8, 2, 0), ("20ms", 1, 1, 3)]
        {
            let pace = ["--loop", "forever", "--rate", "50/s", "--duration", duration, "--order", order];
            let (report, code) = replay(&file, &[&pace[..], &["--dedup", "--limit", "4"]].concat());
            assert_eq!((code, &report["verdict"]), (0, &json!("balanced")), "{order} {duration}: {report:#}");
            assert_eq!(ledger(&report, &["published", "loops"]), [sent, loops], "{order} {duration}");
            let skipped = &report["ledger"]["skipped_by"];
            // In file order, what is beyond the limit is not read.
            let limit = if order == "file" { 0 } else { loops };
            let expected = json!({
                "limit": limit, "range": 0, "duplicate_id": loops, "duration": after_it, "stop": 0
            });
            assert_eq!(skipped, &expected, "{order} {duration}");
        }
    }
}

#[test]
fn a_rate_is_one_of_the_gaps_between_tweets() {
    let flags = ["--limit", "2", "--rate", "20/s", "--fail-if", "rate>20/s"];
    let (report, code) = replay(SAMPLE, &flags);
    assert_eq!((code, &report["thresholds"][0]["failed"]), (0, &json!(false)), "{:#}", report["pace"]);
    assert!(report["pace"]["rate_per_s"].as_f64().unwrap() > 0.0);
    for threshold in ["rate<50/s", "rate>0"] {
        let flags = ["--limit", "1", "--rate", "100/s", "--fail-if", threshold];
        let (report, code) = replay(SAMPLE, &flags);
        assert_eq!((code, &report["pace"]["rate_per_s"]), (4, &Value::Null), "{threshold}");
        assert_eq!(report["thresholds"][0]["not_measured"], "one tweet, or none, has no rate");
    }
}

#[test]
fn loops_without_an_end_are_drained_and_accounted_for_after_a_stop() {
    let dir = tempfile::tempdir().unwrap();
    for order in ["time", "file"] {
        let json = dir.path().join(order).to_str().unwrap().to_owned();
        let flags = [SAMPLE, "--rate", "20000/s", "--loop", "forever", "--json", &json, "--order", order];
        let mut running = Running::start(&[&flags[..], FREE_PORTS].concat());
        running.wait_for("kafka ");
        std::thread::sleep(Duration::from_millis(700));
        running.signal("INT");
        let finished = running.finish();
        assert_eq!(finished.code, 130, "{}", finished.stderr);
        let report: Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
        assert_eq!(report["verdict"], "incomplete", "{report:#}");
        let counts = ledger(&report, &["tweets", "loops", "published", "skipped"]);
        assert_eq!(counts[0] * counts[1], counts[2] + counts[3], "{order}");
        assert_eq!(report["ledger"]["skipped_by"]["stop"], counts[3], "{order}");
    }
}

#[test]
fn tweets_of_one_second_are_spread_over_it_unless_an_id_knows_better() {
    let dir = tempfile::tempdir().unwrap();
    let file = lines(dir.path(), "seconds.json", &[0, 0, 0, 0, 1, 3, 3]);
    // (k + ½) / n of a second, ten times faster, from the first one on.
    assert_eq!(intended_ms(&sent(&[&file, "--speedup", "10x"])), [0, 25, 50, 75, 137, 312, 362]);
    assert_eq!(intended_ms(&sent(&[&file, "--speedup", "10x", "--no-spread"])), [0, 0, 0, 0, 100, 300, 300]);
    let streamed = sent(&[&file, "--speedup", "10x", "--order", "window"]);
    assert_eq!(intended_ms(&streamed), [0, 25, 50, 75, 137, 312, 362]);
    let report = replay(&file, &["--speedup", "100x"]).0;
    assert_eq!(report["pace"]["spread"], true);
    assert_eq!(replay(SAMPLE, &["--speedup", "max"]).0["pace"]["spread"], false);

    // An id of 2020-01-01 00:00:00.700.
    let id = (1_577_836_800_700u64 - 1_288_834_974_657) << 22;
    let exact = write(
        dir.path(),
        "ids.json",
        [tweet(id, 1, 0, "a"), tweet(2, 1, 1, "b"), tweet(3, 1, 1, "c")].join("\n"),
    );
    assert_eq!(intended_ms(&sent(&[&exact, "--speedup", "10x"])), [0, 30, 30]);
}

#[test]
fn silences_are_cut_in_wall_time() {
    let dir = tempfile::tempdir().unwrap();
    let file = lines(dir.path(), "silent.json", &[0, 10, 86_000, 86_001]);
    let payloads = sent(&[&file, "--speedup", "100x", "--max-gap", "200ms", "--no-spread"]);
    assert_eq!(intended_ms(&payloads), [0, 100, 300, 310]);
}

#[test]
fn only_what_was_written_in_the_range_is_sent() {
    let dir = tempfile::tempdir().unwrap();
    let file = lines(dir.path(), "hours.json", &[0, 3_600, 3_599, 7_200, 7_199]);
    for order in ["time", "file", "window", "shuffle"] {
        let range = ["--start", "2020-01-01T01:00:00Z", "--end", "2020-01-01 02:00"];
        let (report, code) =
            replay(&file, &[&["--speedup", "max", "--loop", "2", "--order", order], &range[..]].concat());
        assert_eq!((code, &report["verdict"]), (0, &json!("balanced")), "{order}");
        assert_eq!(ledger(&report, &["tweets", "published", "skipped"]), [5, 4, 6], "{order}");
        assert_eq!(report["ledger"]["skipped_by"]["range"], 6, "{order}");
    }
    let none = run(&[&[file.as_str(), "--start", "2021-01-01"][..], FREE_PORTS].concat());
    assert_eq!(none.code, 1);
    assert!(none.stderr.contains("--start 2021-01-01 excludes all 5 tweets"), "{}", none.stderr);
    let wrong = run(&[&file, "--start", "2021-01-02", "--end", "2021-01-01"]);
    assert!(wrong.code == 2 && wrong.stderr.contains("not before"), "{}", wrong.stderr);
    let untimed = generate(dir.path(), "grouped", 10);
    let no_times = run(&[&[untimed.as_str(), "--start", "2021-01-01"][..], FREE_PORTS].concat());
    assert!(no_times.code == 1 && no_times.stderr.contains("no times"), "{}", no_times.stderr);
}

#[test]
fn of_several_tweets_with_one_id_the_first_is_sent() {
    let dir = tempfile::tempdir().unwrap();
    let first = [tweet(5, 1, 9, "a"), tweet(6, 1, 8, "b"), tweet(5, 2, 1, "c")].join("\n");
    let second = [tweet(6, 3, 0, "d"), tweet(7, 3, 2, "e")].join("\n");
    let files = [write(dir.path(), "1.json", first), write(dir.path(), "2.json", second)];
    for order in ["time", "file", "window"] {
        let flags = [&files[0], &files[1], "--speedup", "max", "--dedup", "--order", order];
        let texts: Vec<String> =
            sent(&flags).iter().map(|payload| payload["tweet"].as_str().unwrap().to_owned()).collect();
        let expected = if order == "file" { ["a", "b", "e"] } else { ["e", "b", "a"] };
        assert_eq!(texts, expected, "{order}");
    }
    let report = replay(&files[0], &["--speedup", "max", "--dedup", "--loop", "2"]).0;
    assert_eq!(report["ledger"]["skipped_by"]["duplicate_id"], 2);
    assert_eq!(ledger(&report, &["tweets", "published"]), [3, 4]);
}

#[test]
fn several_files_and_folders_are_merged_by_time_into_one_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("folder");
    std::fs::create_dir(&folder).unwrap();
    let one = write(dir.path(), "one.json", [tweet(1, 1, 0, "a"), tweet(4, 1, 30, "d")].join("\n"));
    write(
        &folder,
        "b.json",
        format!("[{},{{\"delete\":{{}}}},{}]", tweet(2, 2, 10, "b"), tweet(6, 2, 50, "f")),
    );
    // Newest first, with a tie that ids decide across the files.
    write(&folder, "c.json", [tweet(5, 3, 50, "e"), tweet(3, 3, 20, "c")].join("\n"));
    std::fs::write(folder.join(".hidden"), "no tweets").unwrap();
    let folder = folder.to_str().unwrap();
    assert_eq!(ids(&sent(&[&one, folder, "--speedup", "max"])), ["1", "2", "3", "4", "5", "6"]);

    let report = replay(&one, &[folder, "--speedup", "max"]).0;
    assert_eq!(report["verdict"], "balanced");
    assert_eq!(ledger(&report, &["frames", "tweets", "rejects", "delivered"]), [7, 6, 1, 6]);
    let files = report["input"]["files"].as_array().unwrap();
    let notes: Vec<(&Value, &Value)> = files.iter().map(|file| (&file["tweets"], &file["order"])).collect();
    let (up, down) = (json!("oldest first"), json!("newest first"));
    assert_eq!(notes, [(&json!(2), &up), (&json!(2), &up), (&json!(2), &down)]);
    assert_eq!(files[1]["rejects_by_kind"]["delete"]["count"], 1);

    write(Path::new(folder), "z.csv", "id,text\n1,a\n2,b\n");
    let replayed = run(&[&[one.as_str(), folder, "--speedup", "max"][..], FREE_PORTS].concat());
    assert!(replayed.code == 0 && replayed.stderr.contains("z.csv"), "it is skipped: {}", replayed.stderr);
}

#[test]
fn a_file_in_order_is_streamed_and_gives_what_its_index_would() {
    let dir = tempfile::tempdir().unwrap();
    // Ties in the order of their ids, with a notice and a line of text among them.
    let mut in_order: Vec<String> =
        (0..3_000).map(|id| tweet(id + 1, id % 7, id / 3, &format!("text {id}"))).collect();
    in_order.insert(1_500, r#"{"delete":{"status":{"id":1}}}"#.into());
    in_order.insert(700, "HTTP/1.1 420".into());
    let streamed = write(dir.path(), "in-order.json", in_order.join("\n"));
    let mut turned: Vec<String> = in_order.clone();
    turned.reverse();
    let indexed = write(dir.path(), "turned.json", turned.join("\n"));
    let flags = ["--speedup", "5000x", "--start", "2020-01-01T00:01:00Z", "--limit", "2000"];
    let payloads = |file: &str| {
        let payloads = sent(&[&[file][..], &flags].concat());
        let times = intended_ms(&payloads);
        payloads.into_iter().zip(times).map(|(payload, ms)| (payload["id"].clone(), ms)).collect::<Vec<_>>()
    };
    let (one, other) = (payloads(&streamed), payloads(&indexed));
    assert_eq!((one.len(), &one), (2_000, &other));
    let (one, other) = (replay(&streamed, &flags).0, replay(&indexed, &flags).0);
    assert_eq!(one["ledger"], other["ledger"]);
    assert_eq!(
        (&one["input"]["order"], &other["input"]["order"]),
        (&json!("oldest first"), &json!("newest first"))
    );
    assert_eq!(one["pace"]["planned_duration_s"], other["pace"]["planned_duration_s"]);
}

#[test]
fn authors_named_beside_the_list_of_a_page_are_found_in_every_order() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/v2-page.json");
    let [file, others @ ..] = ["file", "time", "window", "shuffle"].map(|order| {
        let payloads = sent(&[page, "--speedup", "max", "--order", order]);
        let mut names: Vec<(String, String)> = payloads
            .iter()
            .map(|payload| (payload["id"].to_string(), payload["screen_name"].to_string()))
            .collect();
        names.sort();
        names
    });
    assert!(file.iter().any(|(_, name)| name != "null"), "{file:?}");
    assert!(others.iter().all(|names| *names == file), "{others:?}");
}

#[test]
fn standard_input_is_put_in_order_as_far_as_the_window_reaches() {
    let lines: Vec<String> =
        (1..).zip([0, 3, 1, 2, 9, 8, 4]).map(|(id, second)| tweet(id, 1, second, "x")).collect();
    let piped = |flags: &[&str]| {
        let arguments = [&["-", "--speedup", "max", "--json", "-"][..], FREE_PORTS, flags].concat();
        let mut child = tweetblast()
            .args(&arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(lines.join("\n").as_bytes()).unwrap();
        let report: Value = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
        assert_eq!((&report["verdict"], ledger(&report, &["published"])[0]), (&json!("balanced"), 7));
        (report["pace"]["order"].clone(), report["input"]["out_of_order"].clone())
    };
    let window = json!("in the file's order, sorted in a window");
    assert_eq!(piped(&[]), (window.clone(), json!(0)));
    assert_eq!(piped(&["--window", "1"]), (window, json!(1)));
    assert_eq!(piped(&["--order", "file"]), (json!("in the file's order"), json!(4)));
    assert_eq!(piped(&["--order", "time"]), (json!("oldest first"), Value::Null));
}

#[test]
fn a_delay_is_no_part_of_the_replay() {
    let dir = tempfile::tempdir().unwrap();
    let file = lines(dir.path(), "two.json", &[0, 10]);
    let report = replay(&file, &["--speedup", "100x", "--delay", "300ms", "--no-spread"]).0;
    assert_eq!(
        (&report["verdict"], &report["pace"]["planned_duration_s"]),
        (&json!("balanced"), &json!(0.1))
    );
}
