//! Times in other spellings than the API's: read as the file as a whole decides it, or said to be unread.

use serde_json::{Value, json};

use crate::common::{run, write};

const OFF: [&str; 4] = ["--mqtt", "off", "--speedup", "max"];

/// A file of flat records with these values, as JSON, for times.
fn file_of(dir: &tempfile::TempDir, name: &str, times: &[&str]) -> String {
    let line = |(id, time): (usize, &&str)| {
        format!("{{\"id_str\":\"{id}\",\"text\":\"x\",\"user_id\":5,\"created_at\":{time}}}\n")
    };
    write(dir.path(), name, times.iter().enumerate().map(line).collect::<String>())
}

fn inspect(file: &str, flags: &[&str]) -> Value {
    let finished = run(&[&["inspect", "--json", "-", file][..], flags].concat());
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    let schema: Value = serde_json::from_str(include_str!("../../docs/inspect.schema.json")).unwrap();
    let found = finished.report();
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&found), "{found}");
    found
}

#[track_caller]
fn covers(times: &[&str], flags: &[&str], first: &str, last: &str) {
    let dir = tempfile::tempdir().unwrap();
    let found = inspect(&file_of(&dir, "t.jsonl", times), flags);
    assert_eq!((&found["first"], &found["last"]), (&json!(first), &json!(last)), "{times:?}");
    assert_eq!(found["unread_times"], Value::Null, "{times:?}");
}

#[test]
fn the_file_as_a_whole_decides_whether_the_day_comes_first() {
    let (first, last) = ("2020-04-03T10:00:00.000Z", "2020-04-13T10:00:00.000Z");
    covers(&[r#""03/04/2020 10:00:00""#, r#""13/04/2020 10:00:00""#], &[], first, last);
    covers(&[r#""04/03/2020 10:00:00""#, r#""04/13/2020 10:00:00""#], &[], first, last);
    // One whose id tells decides it for the others: 2020-04-03 10:00:00 UTC.
    let dir = tempfile::tempdir().unwrap();
    let id = ((1_585_908_000_000u64 - 1_288_834_974_657) << 22).to_string();
    let lines = [
        format!("{{\"id_str\":\"{id}\",\"text\":\"x\",\"created_at\":\"04/03/2020 10:00:00\"}}"),
        r#"{"id_str":"1","text":"x","created_at":"04/05/2020 10:00:00"}"#.to_owned(),
    ];
    let found = inspect(&write(dir.path(), "t.jsonl", lines.join("\n")), &[]);
    assert_eq!(found["last"], "2020-04-05T10:00:00.000Z");
}

#[test]
fn the_file_as_a_whole_decides_what_numbers_count() {
    covers(&["31536000000", "1583229600000"], &[], "1971-01-01T00:00:00.000Z", "2020-03-03T10:00:00.000Z");
    covers(&["0", "-86400", "1583229600"], &[], "1969-12-31T00:00:00.000Z", "2020-03-03T10:00:00.000Z");
    covers(&["31536000000", "31536000001"], &[], "1971-01-01T00:00:00.000Z", "1971-01-01T00:00:00.001Z");
    covers(&["-61178300000000"], &[], "0031-05-03T19:46:40.000Z", "0031-05-03T19:46:40.000Z");
    covers(
        &["20200303100058", "\"20200303100100\""],
        &[],
        "2020-03-03T10:00:58.000Z",
        "2020-03-03T10:01:00.000Z",
    );
    covers(&["86400"], &["--time-format", "s"], "1970-01-02T00:00:00.000Z", "1970-01-02T00:00:00.000Z");
    covers(
        &["20200303100058"],
        &["--time-format", "%Y%m%d%H%M%S"],
        "2020-03-03T10:00:58.000Z",
        "2020-03-03T10:00:58.000Z",
    );
}

#[test]
fn mongodb_and_dotnet_wrap_times() {
    for time in [
        r#"{"$date":"2020-03-03T10:00:00Z"}"#,
        r#"{"$date":1583229600000}"#,
        r#"{ "$date" : {"$numberLong":"1583229600000"}}"#,
        r#"{"$numberLong":"1583229600"}"#,
        r#""/Date(1583229600000+0100)/""#,
        r#""\/Date(1583229600000)\/""#,
    ] {
        covers(&[time], &[], "2020-03-03T10:00:00.000Z", "2020-03-03T10:00:00.000Z");
    }
}

#[test]
fn local_times_are_those_of_the_given_zone() {
    let zone = ["--time-zone", "Europe/Madrid"];
    covers(&[r#""2020-07-03 10:00:00""#], &zone, "2020-07-03T08:00:00.000Z", "2020-07-03T08:00:00.000Z");
    covers(&[r#""2020-07-03 10:00:00 CEST""#], &zone, "2020-07-03T08:00:00.000Z", "2020-07-03T08:00:00.000Z");
    let zone = ["--time-zone", "Asia/Kolkata"];
    covers(&[r#""2020-07-03 10:00:00 IST""#], &zone, "2020-07-03T04:30:00.000Z", "2020-07-03T04:30:00.000Z");
    let zone = ["--time-zone", "Europe/Istanbul"];
    let windows = r#""2020-07-03 10:00:00 Turkey Standard Time""#;
    covers(&[windows], &zone, "2020-07-03T07:00:00.000Z", "2020-07-03T07:00:00.000Z");
    let pattern = ["--time-zone", "Europe/Madrid", "--time-format", "%d/%m/%Y %H:%M"];
    covers(&[r#""03/07/2020 10:00""#], &pattern, "2020-07-03T08:00:00.000Z", "2020-07-03T08:00:00.000Z");
}

#[test]
fn where_most_times_cannot_be_read_a_replay_says_what_to_type_and_does_not_shuffle() {
    let dir = tempfile::tempdir().unwrap();
    let american = file_of(&dir, "us.jsonl", &[r#""03/04/2020 10:00:00""#, r#""03/04/2020 10:00:01""#]);
    let failed = run(&[&[american.as_str()][..], &OFF].concat());
    assert_eq!(failed.code, 1, "{}", failed.stdout);
    for words in [
        r#"of 2 of 2 tweets cannot be read; the first is created_at: "03/04/2020 10:00:00" (line 1, byte 0)"#,
        "--time-format '%d/%m/%Y %H:%M:%S' or --time-format '%m/%d/%Y %H:%M:%S'",
    ] {
        assert!(failed.stderr.contains(words), "{words:?} is missing:\n{}", failed.stderr);
    }
    for (times, advice) in [
        (["\"2020-03-03 10:00 IST\""; 2], "--time-zone"),
        (["12"; 2], "--time-format s, ms, us or ns"),
        (["\"soon\""; 2], "--time-format says"),
        (["[1]"; 2], "--time-format says"),
    ] {
        let failed = run(&[&[file_of(&dir, "t.jsonl", &times).as_str()][..], &OFF].concat());
        assert_eq!(failed.code, 1, "{times:?} {}", failed.stdout);
        assert!(failed.stderr.contains(advice), "{times:?}: {}", failed.stderr);
    }
    // Who says that times do not matter gets the tweets.
    let sent = run(&[&[american.as_str(), "--order", "shuffle"][..], &OFF].concat());
    assert_eq!(sent.code, 0, "{}", sent.stderr);
    assert!(sent.stderr.contains("cannot be read"), "{}", sent.stderr);
}

#[test]
fn one_unread_time_among_others_is_named_on_the_page_and_in_the_json() {
    let dir = tempfile::tempdir().unwrap();
    let times = ["\"2020-03-03T10:00:00Z\"", "\"2020-03-03T24:00:00Z\"", "null", "\"\"", "\"garbage\""];
    let file = file_of(&dir, "t.jsonl", &times);
    let unread = &inspect(&file, &[])["unread_times"];
    for (key, value) in [
        ("tweets", json!(1)),
        ("field", json!("created_at")),
        ("example", json!("\"garbage\"")),
        ("line", json!(5)),
        ("reason", json!("spelling")),
    ] {
        assert_eq!(unread[key], value, "{key}");
    }
    let page = run(&["inspect", &file]).stdout;
    let words = "the time of 1 tweet cannot be read, the first created_at \"garbage\" (line 5";
    assert!(page.contains(words), "{page}");
    let sent = run(&[&[file.as_str()][..], &OFF].concat());
    assert_eq!(sent.code, 0, "{}", sent.stderr);
    assert!(
        sent.stdout.contains("created_at \"garbage\"") && sent.stderr.contains("garbage"),
        "{}",
        sent.stdout
    );
    let (report, _) = crate::common::replay(&file, &["--speedup", "max"]);
    assert_eq!(report["input"]["unread_times"]["tweets"], 1);
}

#[test]
fn in_a_stream_the_first_tweets_decide_and_what_contradicts_them_is_a_reject() {
    let dir = tempfile::tempdir().unwrap();
    let times = [r#""13/04/2020 10:00:00""#, r#""03/04/2020 10:00:00""#, r#""04/13/2020 10:00:00""#];
    let file = file_of(&dir, "t.jsonl", &times);
    let sent = run(&[&[file.as_str(), "--order", "file"][..], &OFF].concat());
    assert!(
        sent.stdout.contains("the day comes before the month, as in the first tweets"),
        "{}",
        sent.stdout
    );
    let (report, _) = crate::common::replay(&file, &["--order", "file", "--speedup", "max"]);
    let rejects = &report["rejects_by_kind"]["time not written as the first ones"];
    assert_eq!((&report["ledger"]["tweets"], &rejects["count"]), (&json!(2), &json!(1)), "{report:#}");
    let epochs = file_of(&dir, "e.jsonl", &["1583229600", "1583229601", "1583229602000"]);
    let (report, _) = crate::common::replay(&epochs, &["--order", "window", "--speedup", "max"]);
    assert_eq!(report["rejects_by_kind"]["time not written as the first ones"]["count"], 1, "{report:#}");
    // What the first tweets leave open, the rest of a file may decide.
    let late = file_of(&dir, "l.jsonl", &[r#""03/04/2020 10:00:00""#, r#""13/04/2020 10:00:00""#]);
    let sent = run(&[&[late.as_str(), "--order", "file"][..], &OFF].concat());
    assert_eq!(sent.code, 0, "{}", sent.stderr);
    assert!(sent.stdout.contains("from 2020-04-03 10:00:00 UTC"), "{}", sent.stdout);
}
