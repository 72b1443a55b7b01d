//! `tweetblast serve` killed with SIGKILL under full load, and started again on the same directory
//! and port: what it acknowledged is there, once.

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, PurgeConfig};

use crate::client::{Client, Reports, messages};
use crate::common::{Running, SAMPLE, free_port};

fn start(dir: &Path, port: u16) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tweetblast"))
        .args(["serve", "--no-mqtt", "--kafka-listen", &port.to_string(), "--kafka-dir"])
        .arg(dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready = lines.map_while(Result::ok).any(|line| line.starts_with("serving"));
    assert!(ready, "the endpoint did not start");
    child
}

fn kill(child: &mut Child) {
    child.kill().unwrap(); // SIGKILL
    child.wait().unwrap();
}

fn producer(client: &Client) -> BaseProducer<Reports> {
    client.producer(&[
        ("enable.idempotence", "true"),
        ("message.timeout.ms", "0"),
        ("linger.ms", "2"),
        ("batch.size", "50000"),
        ("reconnect.backoff.max.ms", "100"),
    ])
}

/// Sends numbered messages until it is stopped.
fn send(producer: &BaseProducer<Reports>, numbers: std::ops::Range<usize>, stop: &AtomicBool) {
    for number in numbers {
        let text = format!("{number} {}", "x".repeat(200));
        let mut record = BaseRecord::<(), str, usize>::with_opaque_to("tweets", number).payload(&text);
        loop {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            match producer.send(record) {
                Ok(()) => break,
                Err((error, same)) => {
                    assert_eq!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::QueueFull));
                    record = same;
                    producer.poll(Duration::from_millis(5));
                }
            }
        }
        if number % 100 == 0 {
            producer.poll(Duration::ZERO);
        }
    }
}

/// The numbers in the topic; `take` and `read` check that offsets have no gap.
fn numbers(client: &Client) -> Vec<usize> {
    let mut numbers = Vec::new();
    for partition in 0..4 {
        let (start, end) = client.watermarks("tweets", partition);
        let messages = client.read("tweets", partition, start, (end - start) as usize);
        let number = |message: Vec<u8>| {
            String::from_utf8(message).unwrap().split(' ').next().unwrap().parse::<usize>().unwrap()
        };
        numbers.extend(messages.into_iter().map(number));
    }
    numbers
}

#[test]
fn a_producer_that_goes_on_retrying_has_each_message_stored_once() {
    const MESSAGES: usize = 1_000_000;
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    let mut endpoint = start(dir.path(), port);
    let client = Client::new(format!("127.0.0.1:{port}"));
    client.create_topic("tweets", 4).unwrap();
    let producer = producer(&client);
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    std::thread::scope(|scope| {
        let sending = scope.spawn(|| {
            send(&producer, 0..MESSAGES, &AtomicBool::new(false));
            producer.flush(Duration::from_secs(120)).unwrap();
        });
        for _ in 0..10 {
            std::thread::sleep(Duration::from_millis(rng.random_range(50..300)));
            assert!(!sending.is_finished(), "killed while messages come in");
            kill(&mut endpoint);
            endpoint = start(dir.path(), port);
        }
        sending.join().unwrap();
    });
    assert!(producer.context().0.lock().unwrap().iter().all(|(_, result)| result.is_ok()));
    let mut stored = numbers(&client);
    stored.sort_unstable();
    assert!(stored == (0..MESSAGES).collect::<Vec<_>>(), "{} of {MESSAGES}", stored.len());
    kill(&mut endpoint);
}

#[test]
fn a_producer_that_goes_too_finds_all_it_had_acknowledged_and_nothing_twice() {
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    let client = Client::new(format!("127.0.0.1:{port}"));
    let mut endpoint = start(dir.path(), port);
    client.create_topic("tweets", 4).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let mut acknowledged = HashSet::new();
    for life in 0..4 {
        let (producer, stop) = (producer(&client), AtomicBool::new(false));
        let numbers_sent = life * 1_000_000..(life + 1) * 1_000_000;
        std::thread::scope(|scope| {
            scope.spawn(|| send(&producer, numbers_sent.clone(), &stop));
            client.wait_for("an acknowledgement", || !producer.context().0.lock().unwrap().is_empty());
            std::thread::sleep(Duration::from_millis(rng.random_range(0..300)));
            kill(&mut endpoint);
            stop.store(true, Ordering::Relaxed);
        });
        producer.purge(PurgeConfig::default().queue().inflight());
        producer.flush(Duration::from_secs(60)).unwrap();
        let reports = std::mem::take(&mut *producer.context().0.lock().unwrap());
        acknowledged.extend(reports.iter().filter(|(_, result)| result.is_ok()).map(|(number, _)| *number));
        endpoint = start(dir.path(), port);
        let stored = numbers(&client);
        let distinct: HashSet<usize> = stored.iter().copied().collect();
        assert_eq!(distinct.len(), stored.len(), "nothing twice");
        assert!(!acknowledged.is_empty() && acknowledged.is_subset(&distinct));
    }
    kill(&mut endpoint);
}

#[test]
fn after_a_kill_the_next_start_says_what_is_not_known() {
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port().to_string());
    let serve = || {
        let dir = dir.path().to_str().unwrap();
        let mut serving =
            Running::start(&["serve", "--no-mqtt", "--kafka-listen", &port, "--kafka-dir", dir]);
        serving.wait_for("serving");
        serving
    };
    let ended = |serving: Running| {
        serving.signal("TERM");
        serving.finish().stderr
    };
    let killed = serve();
    let client = Client::new(format!("127.0.0.1:{port}"));
    client.create_topic("tweets", 1).unwrap();
    client.produce("tweets", 0, &messages("m", 10), &[]);
    drop(killed); // SIGKILL
    let words = "the one before was killed";
    let said = ended(serve());
    assert!(said.contains(words), "{said}");
    let said = ended(serve());
    assert!(!said.contains(words), "{said}");
}

#[test]
fn a_kafka_that_is_killed_and_comes_back_is_one_line_and_one_when_it_is_back() {
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    let mut endpoint = start(dir.path(), port);
    let (kafka, json) = (format!("127.0.0.1:{port}"), dir.path().join("report.json"));
    let to = ["--mqtt", "off", "--kafka", &kafka, "--verify", "--json", json.to_str().unwrap()];
    let replay = Running::start(&[&[SAMPLE, "--rate", "1500/s"][..], &to].concat());
    let client = Client::new(&kafka);
    client.wait_for("the topic", || client.partitions("tweets").is_some());
    client.wait_for("messages", || client.watermarks("tweets", 0).1 > 500);
    kill(&mut endpoint);
    std::thread::sleep(Duration::from_millis(1_500));
    endpoint = start(dir.path(), port);
    let finished = replay.finish();
    kill(&mut endpoint);
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    assert_eq!((finished.code, &report["verdict"]), (0, &"balanced".into()), "{report:#}");
    assert_eq!(report["ledger"]["read_back"], 6_000);
    let outages = report["outages"].as_array().unwrap();
    assert_eq!((outages.len(), &report["outages_total"]), (1, &1.into()), "{outages:#?}");
    let outage = &outages[0];
    assert_eq!((&outage["hop"], &outage["what"]), (&"kafka".into(), &"Kafka".into()), "{outage:#}");
    assert_eq!(outage["ended"], "back", "{outage:#}");
    assert!(
        outage["at_s"].as_f64().unwrap() > 0.0 && outage["duration_s"].as_f64().unwrap() > 1.0,
        "{outage:#}"
    );
    assert_eq!(report["bottleneck"], "kafka away");
    let said = &finished.stderr;
    let lines = |words: &str| said.lines().filter(|line| line.contains(words)).count();
    assert_eq!((lines("no word from Kafka ("), lines("Kafka is back after ")), (1, 1), "{said}");
    assert_eq!((lines("WARN"), lines("ERROR"), lines("librdkafka")), (0, 0, 0), "{said}");
    assert!(finished.stdout.contains("outage     Kafka, for "), "{}", finished.stdout);
}
