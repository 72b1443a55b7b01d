//! `tweetblast serve`: both ends without a replay.

use crate::common::{FREE_PORTS, Running, SAMPLE, read_topic, replay, run};

/// The address in a line such as `Kafka  127.0.0.1:9092  log in …`.
fn address(line: &str) -> String {
    line.split_whitespace().nth(1).unwrap().to_owned()
}

#[test]
fn a_replay_into_a_served_endpoint_is_there_for_later_clients() {
    let dir = tempfile::tempdir().unwrap();
    let kept = dir.path().join("kafka").to_str().unwrap().to_owned();
    let serve = |kafka: &str| {
        let mut serving =
            Running::start(&["serve", "--mqtt", "off", "--kafka-dir", &kept, "--kafka-listen", kafka]);
        let kafka = address(&serving.wait_for("Kafka "));
        (serving, kafka)
    };
    let (serving, kafka) = serve("127.0.0.1:0");
    let (report, code) = {
        let finished = run(&[SAMPLE, "--speedup", "max", "--mqtt", "off", "--kafka", &kafka, "--json", "-"]);
        (finished.report(), finished.code)
    };
    assert_eq!((code, report["ledger"]["delivered"].as_u64()), (0, Some(6_000)));
    serving.signal("INT");
    let finished = serving.finish();
    assert_eq!((finished.code, finished.stderr.as_str()), (0, ""));
    assert!(!finished.stdout.contains("MQTT"), "{}", finished.stdout);

    let (_serving, again) = serve(&kafka);
    assert_eq!(again, kafka);
    assert_eq!(read_topic(&kafka, "tweets").len(), 6_000);
    // The directory is in use.
    let refused = run(&["serve", "--no-mqtt", "--kafka-dir", &kept, "--kafka-listen", "127.0.0.1:0"]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("another process is using the directory"), "{}", refused.stderr);
}

#[test]
fn without_a_directory_the_log_goes_with_the_process_and_both_ends_are_named() {
    let mut serving = Running::start(&[&["serve"], FREE_PORTS].concat());
    let mqtt = address(&serving.wait_for("MQTT "));
    let line = serving.wait_for("Kafka ");
    assert!(std::net::TcpStream::connect(&mqtt).is_ok());
    let dir = line.split("log in ").nth(1).unwrap().split(',').next().unwrap().to_owned();
    assert!(std::path::Path::new(&dir).exists());
    serving.signal("TERM");
    assert_eq!(serving.finish().code, 0);
    assert!(!std::path::Path::new(&dir).exists(), "{dir} is left behind");
}

#[test]
fn an_fsync_policy_can_be_asked_for() {
    let (report, code) = replay(SAMPLE, &["--speedup", "max", "--kafka-fsync", "always"]);
    assert_eq!((code, report["ledger"]["delivered"].as_u64()), (0, Some(6_000)));
    assert_eq!(run(&["serve", "--kafka-fsync", "often"]).code, 2);
}
