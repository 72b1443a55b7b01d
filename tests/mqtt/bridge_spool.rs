//! The spool of `tweetblast bridge`: what happens while Kafka is away, and when there is no room.

use std::process::Command;
use std::time::Instant;

use crate::bridge::{
    Kafka, PATIENCE, address, answer, bridge, bridge_with_report, ended, is_silent, ledger, publish,
};
use crate::common::{free_port, read_topic};
use crate::raw::Raw;

#[test]
fn with_a_spool_publishers_are_answered_while_kafka_is_away_and_a_kill_loses_nothing() {
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    let kafka = Kafka::start(dir.path(), free_port());
    let spool = dir.path().join("spool");
    let arguments = ["--kafka", &kafka.addr, "--spool", spool.to_str().unwrap()];
    let killed = bridge(port, &arguments);
    let mut raw = Raw::connect(address(port), "a", 5);
    kafka.running.signal("STOP");
    for id in 1..=200 {
        publish(&mut raw, "t", &format!(r#"{{"user_id":1,"number":{id}}}"#), 1, id);
    }
    for id in 1..=200 {
        assert_eq!(answer(&mut raw, id), 0x40, "PUBACK {id}");
    }
    drop(killed); // SIGKILL
    let bridge = bridge_with_report(port, &arguments);
    let mut raw = Raw::connect(address(port), "a", 5);
    publish(&mut raw, "t", r#"{"user_id":1,"number":201}"#, 1, 201);
    assert_eq!(answer(&mut raw, 201), 0x40);
    kafka.running.signal("CONT");
    let numbers = || -> Vec<u64> {
        read_topic(&kafka.addr, "tweets")
            .iter()
            .map(|record| record.json()["number"].as_u64().unwrap())
            .collect()
    };
    let deadline = Instant::now() + PATIENCE;
    while numbers().last() != Some(&201) {
        assert!(Instant::now() < deadline);
    }
    let (report, finished) = ended(bridge);
    // What the killed one had given to librdkafka may be there twice, before the rest.
    let mut numbers = numbers();
    let last: Vec<u64> = numbers.split_off(numbers.len() - 201);
    assert_eq!(last, (1..=201).collect::<Vec<_>>(), "in order, the oldest first");
    assert!(numbers.iter().all(|number| *number <= 200), "{numbers:?}");
    assert_eq!(
        (ledger(&report, "found"), ledger(&report, "received"), ledger(&report, "delivered")),
        (200, 1, 201),
        "{report:#}"
    );
    assert_eq!((finished.code, &report["verdict"]), (0, &"balanced".into()));
    assert!(finished.stderr.contains("no word from Kafka"), "{}", finished.stderr);
}

#[test]
fn a_full_spool_makes_publishers_wait() {
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    let kafka = Kafka::start(dir.path(), free_port());
    let spool = dir.path().join("spool");
    let spool = ["--spool", spool.to_str().unwrap(), "--spool-max", "10000"];
    let bridge = bridge_with_report(port, &[&["--kafka", &kafka.addr][..], &spool].concat());
    let mut raw = Raw::connect(address(port), "a", 4);
    kafka.running.signal("STOP");
    let payload = "x".repeat(1_000);
    for id in 1..=20 {
        publish(&mut raw, "t", &payload, 1, id);
    }
    let mut answered = 0;
    while answered < 5 {
        answered += 1;
        assert_eq!(answer(&mut raw, answered), 0x40);
    }
    while !is_silent(&mut raw) {
        answered += 1;
    }
    assert!(answered < 12, "{answered}");
    kafka.running.signal("CONT");
    let deadline = Instant::now() + PATIENCE;
    while read_topic(&kafka.addr, "tweets").len() < 20 {
        assert!(Instant::now() < deadline);
    }
    let (report, finished) = ended(bridge);
    assert_eq!((ledger(&report, "delivered"), finished.code), (20, 0), "{report:#}");
    assert!(finished.stderr.contains("the spool is full"), "{}", finished.stderr);
}

#[test]
#[ignore = "needs the right to mount"]
fn on_a_full_disk_publishers_wait_and_one_line_says_so() {
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    let kafka = Kafka::start(dir.path(), free_port());
    let disk = tempfile::tempdir().unwrap();
    let small = disk.path().to_str().unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "tmpfs", small]).output();
    assert!(mounted.unwrap().status.success(), "a small file system cannot be mounted here");
    let spool = disk.path().join("spool");
    let bridge = bridge_with_report(port, &["--kafka", &kafka.addr, "--spool", spool.to_str().unwrap()]);
    let mut raw = Raw::connect(address(port), "a", 4);
    kafka.running.signal("STOP");
    let payload = "x".repeat(1_000);
    for id in 1..=200 {
        publish(&mut raw, "t", &payload, 1, id);
    }
    let mut answered = 0;
    while answered < 20 {
        answered += 1;
        assert_eq!(answer(&mut raw, answered), 0x40);
    }
    while !is_silent(&mut raw) {
        answered += 1;
    }
    assert!(answered < 70, "{answered}");
    kafka.running.signal("CONT");
    let deadline = Instant::now() + PATIENCE;
    while read_topic(&kafka.addr, "tweets").len() < 200 {
        assert!(Instant::now() < deadline);
    }
    let (report, finished) = ended(bridge);
    assert!(Command::new("umount").arg(small).status().unwrap().success());
    assert_eq!((ledger(&report, "delivered"), finished.code), (200, 0), "{report:#}");
    let line = "the spool is full (No space left on device): publishers wait";
    assert_eq!(finished.stderr.matches(line).count(), 1, "{}", finished.stderr);
}
