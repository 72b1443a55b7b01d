//! Records that are not tweets and have a time: found by themselves, with their time, key and id.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::common::{real_data, run, run_piped, write};

fn data(name: &str) -> String {
    format!("{}/tests/data/events/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn inspect(arguments: &[&str]) -> Value {
    let finished = run(&[&["inspect", "--json", "-"][..], arguments].concat());
    assert_eq!(finished.code, 0, "{arguments:?}: {}", finished.stderr);
    finished.report()
}

/// Form, time, key, id, and what ours are called.
fn words(found: &Value) -> [&str; 7] {
    let field = |name: &str| found["events"][name]["field"].as_str().unwrap_or("-");
    let name = |name: &str| found["events"][name].as_str().unwrap_or("-");
    let form = found["form"].as_str().unwrap_or("-");
    [
        form,
        field("time"),
        field("key"),
        field("id"),
        name("run_name"),
        name("seq_name"),
        name("timestamp_name"),
    ]
}

#[test]
fn each_kind_of_file_is_found_with_its_time_key_and_id() {
    for (name, expected, (tweets, users)) in [
        ("sensors.jsonl", ["events", "time", "id", "-", "run", "seq", "timestamp"], (6, 2)),
        (
            "logs-bulk.ndjson",
            ["events", "@timestamp", "service.name", "-", "_run", "seq", "timestamp"],
            (12, 3),
        ),
        ("quakes.geojson", ["events", "properties.time", "-", "id", "run", "seq", "timestamp"], (5, 0)),
        (
            "changes.json",
            ["events", "ts_ms", "after.id or before.id", "-", "run", "seq", "timestamp"],
            (6, 3),
        ),
        ("logins.jsonl", ["events", "login_time", "user.id", "-", "run", "__seq", "_timestamp"], (6, 2)),
    ] {
        let file = data(name);
        for found in [inspect(&[&file]), run_piped(&file, &["inspect", "--json", "-", "-"]).report()] {
            assert_eq!(words(&found), expected, "{name}");
            assert_eq!((&found["tweets"], &found["users"]), (&json!(tweets), &json!(users)), "{name}");
            assert_eq!(found["without_time"], 0, "{name}");
        }
    }
}

#[test]
fn what_is_no_event_is_counted_by_its_kind() {
    let found = inspect(&[&data("logs-bulk.ndjson")]);
    assert_eq!(found["rejects_by_kind"]["bulk action line"]["count"], 12);
    assert_eq!((&found["rejects"], &found["unparseable"]), (&json!(12), &json!(1)));
    let dir = tempfile::tempdir().unwrap();
    let readings = std::fs::read_to_string(data("sensors.jsonl")).unwrap().repeat(10);
    let statistics =
        "{\"time\":\"2023-07-30 07:41:00\",\"enabled\":211,\"frames\":{\"count\":79}}\n{\"a\":1}\n[1]\n7\n";
    let file = write(dir.path(), "mixed.jsonl", format!("{readings}{statistics}"));
    let found = inspect(&[&file]);
    let count = |kind: &str| found["rejects_by_kind"][kind]["count"].as_u64();
    assert_eq!(found["tweets"], 60);
    assert_eq!(
        (count("without any field of the others"), count("without the field of the time")),
        (Some(1), Some(1))
    );
    assert_eq!(count("not an object"), Some(2));
    // The user who names the time has said what an event is.
    assert_eq!(inspect(&[&file, "--map", "time=time"])["tweets"], 61);
}

#[test]
fn the_user_names_fields_and_a_form() {
    let dir = tempfile::tempdir().unwrap();
    let rows: String = (0..4)
        .map(|n| {
            format!(
                "{{\"Date\":\"03/0{}/2020\",\"Time\":\"10:00:0{n}\",\"nr\":{n},\"by\":{{\"tag\":\"t{}\"}},\"date\":0}}\n",
                n + 1,
                n % 2
            )
        })
        .collect();
    let file = write(dir.path(), "rows.jsonl", &rows);
    let map = ["--map", "time=Date+Time,id=nr", "--key-from", "by.tag", "--time-format", "%m/%d/%Y %H:%M:%S"];
    let found = inspect(&[&[&file[..]], &map[..]].concat());
    assert_eq!(words(&found)[..4], ["events", "Date+Time", "by.tag", "nr"]);
    assert_eq!((&found["tweets"], &found["users"]), (&json!(4), &json!(2)));
    assert_eq!(
        (found["first"].as_str(), found["last"].as_str()),
        (Some("2020-03-01T10:00:00.000Z"), Some("2020-03-04T10:00:03.000Z"))
    );
    for (flags, words) in [
        (&["--map", "time=when"][..], "time=when is in none of the first 4 records"),
        (&["--key-from", "by.who"], "--key-from by.who"),
        (&["--form", "tweets"], "no tweets in it"),
        (&["--map", "text=by.tag", "--key-from", "nr"], "names the key of events"),
    ] {
        let refused = run(&[&["inspect", &file], flags].concat());
        assert!(refused.code == 1 && refused.stderr.contains(words), "{words}: {}", refused.stderr);
    }
    // Tweets are events, too, if the user says so.
    let found = inspect(&[crate::common::SAMPLE, "--form", "events"]);
    assert_eq!(words(&found)[..3], ["events", "timestamp_ms", "user.id"]);
}

#[test]
fn a_log_is_not_taken_for_tweets_and_tweets_are_not_taken_for_a_log() {
    let dir = tempfile::tempdir().unwrap();
    let form = |name: &str, line: &str| {
        let file = write(dir.path(), name, line.repeat(3));
        inspect(&[&file])["form"].as_str().unwrap().to_owned()
    };
    let log =
        "{\"time\":\"2020-03-03T10:00:00Z\",\"level\":\"info\",\"message\":\"hello\",\"error\":\"no\"}\n";
    assert_eq!(form("log.jsonl", log), "events");
    let comment =
        "{\"id\":\"a\",\"author\":\"ann\",\"body\":\"hello\",\"created_utc\":1583229600,\"score\":3}\n";
    assert_eq!(form("comments.jsonl", comment), "events");
    let scraped = "{\"id\":12,\"content\":\"hello\",\"date\":\"2020-03-03\",\"username\":\"ann\"}\n";
    assert_eq!(form("scraped.jsonl", scraped), "flat objects");
    let text = "{\"text\":\"hello\",\"date\":\"2020-03-03\",\"size\":7}\n";
    assert_eq!(form("text.jsonl", text), "flat objects");
}

/// What a person would say of the real streams in `streams`, and where we say something else:
/// - `id` of Jetstream: a content identifier, of which nothing but its own protocol knows that it is one;
/// - the key of earthquakes: a network, in a field that is called so nowhere else.
/// - the key of taxi trips: where they began, in a column that is called so nowhere else.
const NOT_FOUND: [(&str, &str); 3] =
    [("bluesky-jetstream.ndjson", "id"), ("usgs-all-day.geojson", "key"), ("nyc-taxis.csv", "key")];

/// Read with the names of tweets; their rows and times are looked at with those of other tables.
const TWEETS: [&str; 2] = ["sentiment140-test.csv", "vaccination-tweets.csv"];

#[test]
#[ignore = "needs real tweet files"]
fn real_streams_have_what_was_counted_independently_without_a_flag() {
    let folder = real_data().join("streams");
    let expected = std::fs::read(folder.join("expected.json")).unwrap();
    let mut expected: Vec<Value> = serde_json::from_slice(&expected).unwrap();
    assert_eq!(expected.len(), 18);
    // Tables of tweets, which are found as such: their fields are not of events.
    expected.retain(|want| !TWEETS.contains(&want["file"].as_str().unwrap()));
    let mut wrong = Vec::new();
    for want in &expected {
        let name = want["file"].as_str().unwrap();
        let finished = run(&["inspect", "--json", "-", folder.join(name).to_str().unwrap()]);
        let found = match finished.code {
            0 => finished.report(),
            _ => {
                wrong.push(format!("{name}: {}", finished.stderr));
                continue;
            }
        };
        let mut compare = |what: &str, ours: &Value, theirs: &Value| {
            if ours != theirs && !NOT_FOUND.contains(&(name, what)) {
                wrong.push(format!("{name}: {what}: {ours} and not {theirs}"));
            }
        };
        let field = |name: &str| found["events"][name]["field"].clone();
        compare("form", &found["form"], &json!("events"));
        compare("time", &field("time"), &want["time_field"]);
        compare("key", &field("key"), &want["key_field"]);
        compare("id", &field("id"), &want["id_field"]);
        compare("events", &found["tweets"], &want["events"]);
        compare("rejects", &found["rejects"], &want["not_events"]);
        compare("unparseable", &found["unparseable"], &want["unparseable"]);
        compare("without_time", &found["without_time"], &json!(0));
        if field("key") == want["key_field"] {
            compare("keys", &found["users"], &want["distinct_keys"]);
        }
        let orders: BTreeMap<&str, &str> =
            [("ascending", "oldest first"), ("descending", "newest first"), ("mixed", "not in order")].into();
        compare("order", &found["order"], &json!(orders[want["order"].as_str().unwrap()]));
        for (ours, theirs) in [("first", "first_utc"), ("last", "last_utc")] {
            let ms = |time: &Value| {
                time.as_str().map(|time| time.parse::<jiff::Timestamp>().unwrap().as_millisecond())
            };
            let apart = ms(&found[ours]).zip(ms(&want[theirs])).map(|(ours, theirs)| ours.abs_diff(theirs));
            // Theirs are cut to milliseconds, ours are rounded.
            compare(ours, &json!(apart.is_some_and(|apart| apart <= 1)), &json!(true));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
