//! An input that another program changes while it is replayed: the verdict says so, and nothing ends without a
//! ledger.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use crate::common::{FREE_PORTS, Running, SAMPLE};

/// Replays a copy of the sample in 3 s, has `change` do its work when something was sent, and gives the report, what was
/// said and the exit code.
fn changed(order: &str, change: impl FnOnce(&Path)) -> (Value, String, i32) {
    let dir = tempfile::tempdir().unwrap();
    let (path, json) = (dir.path().join("tweets.json"), dir.path().join("report.json"));
    fs::copy(SAMPLE, &path).unwrap();
    let (name, report) = (path.to_str().unwrap(), json.to_str().unwrap());
    let kafka = dir.path().join("kafka");
    let fixed = [name, "--order", order, "--rate", "2000/s", "--json", report];
    let running = Running::start(&[&fixed, FREE_PORTS, &["--kafka-dir", kafka.to_str().unwrap()]].concat());
    let log = kafka.join("topics/tweets/0/00000000000000000000.log");
    let deadline = Instant::now() + Duration::from_secs(60);
    while !fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        assert!(Instant::now() < deadline, "nothing was sent");
        std::thread::sleep(Duration::from_millis(5));
    }
    change(&path);
    let finished = running.finish();
    let report = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    (report, format!("{}\n{}", finished.stdout, finished.stderr), finished.code)
}

fn open(path: &Path) -> File {
    OpenOptions::new().write(true).open(path).unwrap()
}

#[test]
fn an_input_whose_size_or_time_of_change_moves_is_unproven() {
    type Change = fn(&Path);
    let changes: [(&str, &str, Change); 4] = [
        ("file", "changed during the run, from", |path| {
            OpenOptions::new().append(true).open(path).unwrap().write_all(b"\n{}\n").unwrap();
        }),
        ("time", "was written to during the run", |path| {
            let mut file = open(path);
            file.seek(SeekFrom::Start(0)).unwrap();
            file.write_all(b"{").unwrap();
        }),
        ("shuffle", "was written to during the run", |path| {
            open(path).set_modified(SystemTime::now() + Duration::from_secs(5)).unwrap();
        }),
        ("file", "was replaced or removed during the run", |path| {
            fs::remove_file(path).unwrap();
            fs::copy(SAMPLE, path).unwrap();
        }),
    ];
    for (order, words, change) in changes {
        let (report, said, code) = changed(order, change);
        assert_eq!((&report["verdict"], code), (&"unproven".into(), 3), "{words}: {report:#}");
        assert!(report["reasons"][0].as_str().unwrap().contains(words), "{words}: {report:#}");
        assert_eq!(report["input"]["changed"].as_array().unwrap().len(), 1, "{words}");
        assert!(said.contains(words), "{words}: {said}");
        assert_eq!(report["ledger"]["read_back"], 6_000, "{words}");
    }
}

#[test]
fn an_input_that_is_only_looked_at_is_the_same() {
    let (report, _, code) = changed("file", |path| {
        fs::read(path).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::hard_link(path, path.with_extension("link")).unwrap();
    });
    assert_eq!((&report["verdict"], code), (&"balanced".into(), 0), "{report:#}");
    assert_eq!(report["input"]["changed"], Value::Array(Vec::new()));
}

#[test]
fn an_input_that_is_shortened_ends_the_run_with_a_ledger_and_a_report() {
    for order in ["file", "time", "shuffle", "window"] {
        for left in [0, 1_000_000] {
            let (report, said, code) = changed(order, |path| open(path).set_len(left).unwrap());
            let (verdict, ledger) = (&report["verdict"], &report["ledger"]);
            assert_eq!((verdict, code), (&"unproven".into(), 1), "{order}, {left}: {report:#}");
            let error = report["error"].as_str().unwrap_or_default();
            assert!(error.contains("tweets.json was shortened by another program"), "{order}: {error}");
            assert!(said.contains("delivered"), "{order}, {left}: {said}");
            let count = |key: &str| ledger[key].as_u64().unwrap();
            assert!((1..6_000).contains(&count("published")), "{order}, {left}: {ledger:#}");
            assert_eq!(count("read_back"), count("published"), "{order}, {left}: {ledger:#}");
            assert_eq!(count("tweets"), count("published") + count("skipped"), "{order}, {left}: {ledger:#}");
        }
    }
}
