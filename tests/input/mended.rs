//! Records that are not JSON by its rules, ids in other spellings, and the small inputs that were found to fail.

use serde_json::{Value, json};

use crate::common::{real_data, replay, run, write};

#[test]
fn nan_and_half_a_character_cost_no_tweet_and_are_reported() {
    let dir = tempfile::tempdir().unwrap();
    let lines = [
        r#"{"created_at":"2020-03-03T10:00:00Z","id":1,"text":"a","user_id":5}"#,
        r#"{"created_at":"2020-03-03T10:00:01Z","id":2,"text":"b","user_id":5,"lang":NaN}"#,
        r#"{"created_at":"2020-03-03T10:00:02Z","id":3,"text":"cut here \ud83d","user_id":5}"#,
        r#"{"created_at":"2020-03-03T10:00:03Z","id":18446744073709551616,"text":"d","user_id":5}"#,
    ];
    let file = write(dir.path(), "t.jsonl", lines.join("\n"));
    for flags in [&["--speedup", "max"][..], &["--speedup", "max", "--payload", "raw"]] {
        let (report, code) = replay(&file, flags);
        assert_eq!((code, &report["ledger"]["delivered"]), (0, &json!(4)), "{flags:?}");
        let mended = &report["input"]["mended_by_kind"];
        assert_eq!(mended["NaN or Infinity, read as null"]["first_line"], 2, "{mended}");
        assert_eq!(mended["half a surrogate pair, read as U+FFFD"]["count"], 1, "{mended}");
        assert_eq!(mended["whole number above 2^64, read as a text"]["count"], 1, "{mended}");
    }
    let page = run(&["inspect", &file]).stdout;
    assert!(page.contains("1 record with NaN or Infinity, read as null (first at line 2"), "{page}");
}

#[test]
#[ignore = "needs real tweet files"]
fn real_what_was_found_to_fail_is_read_as_its_readme_says() {
    let folder = real_data().join("found");
    let inspected = |name: &str| -> Value {
        let finished = run(&["inspect", "--json", "-", folder.join(name).to_str().unwrap()]);
        assert_eq!(finished.code, 0, "{name}: {}", finished.stderr);
        finished.report()
    };
    for (name, tweets, first) in [
        ("mongo-numberLong.jsonl", 3, "2020-03-03T10:00:00.000Z"),
        ("nan-in-seen-field.jsonl", 3, "2020-03-03T10:00:00.000Z"),
        ("surrogate-lone-at-end.jsonl", 2, "2020-03-03T10:00:00.000Z"),
        ("time-compact.jsonl", 3, "2020-03-03T10:00:58.000Z"),
        ("time-mixed-one-bad.jsonl", 5, "2020-03-03T10:00:00.000Z"),
    ] {
        let found = inspected(name);
        assert_eq!((&found["tweets"], &found["first"]), (&json!(tweets), &json!(first)), "{name}");
    }
    assert_eq!(inspected("mongo-numberLong.jsonl")["users"], 1);
    assert_eq!(inspected("time-mixed-one-bad.jsonl")["unread_times"]["example"], "\"garbage\"");
    let american = folder.join("time-us.jsonl");
    let failed = run(&[american.to_str().unwrap(), "--mqtt", "off", "--speedup", "max"]);
    assert_eq!(failed.code, 1, "{}", failed.stdout);
    assert!(failed.stderr.contains("--time-format '%m/%d/%Y %H:%M:%S'"), "{}", failed.stderr);
}
