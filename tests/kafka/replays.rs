//! Replays whose Kafka somebody tampers with: the ledger says so.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};

use rdkafka::error::RDKafkaErrorCode;
use serde_json::Value;
use tweetblast::kafka::embedded::{Endpoint, EndpointOptions};
use tweetblast::kafka::{ProducerOptions, read_since};

use crate::client::{Client, endpoint, messages};
use crate::common::{Running, SAMPLE, free_port, generate, replay, run};
use crate::outside::RealKafka;

/// Replays the sample in 4 s, has `tamper` do its work in the middle, and gives the report and the exit code.
fn tampered(arguments: &[&str], tamper: impl FnOnce(&Client)) -> (Value, i32) {
    let listen = format!("127.0.0.1:{}", free_port());
    let fixed = ["--rate", "1500/s", "--mqtt", "off", "--kafka-listen", &listen, "--json", "-"];
    let running = Running::start(&[&[SAMPLE][..], &fixed, arguments].concat());
    let client = Client::new(&listen);
    client.wait_for("the endpoint", || TcpStream::connect(&listen).is_ok());
    client.wait_for("the topic", || client.partitions("tweets").is_some());
    client.wait_for("messages", || client.watermarks("tweets", 0).1 > 500);
    tamper(&client);
    let finished = running.finish();
    (finished.report(), finished.code)
}

fn reasons(report: &Value) -> String {
    report["reasons"].to_string()
}

#[test]
fn a_topic_that_is_deleted_in_the_middle_is_noticed_also_when_it_is_made_again() {
    let tampers: [fn(&Client); 2] = [
        // It appears again when the producer asks for it.
        |client| client.delete_topic("tweets").unwrap(),
        |client| {
            client.delete_topic("tweets").unwrap();
            // The producer may have been quicker.
            let _ = client.create_topic("tweets", 1);
        },
    ];
    for tamper in tampers {
        let (report, code) = tampered(&[], tamper);
        assert_eq!((&report["verdict"], code), (&"unbalanced".into(), 3), "{report:#}");
        let words = reasons(&report);
        assert!(words.contains("the topic was deleted or made again"), "{words}");
        assert!(words.contains("not in Kafka when read back, the first of them seq 0"), "{words}");
        let found = report["ledger"]["read_back"].as_u64().unwrap();
        assert!((1..6_000).contains(&found), "{found}");
    }
}

#[test]
fn other_topics_may_come_and_go() {
    let (report, code) = tampered(&[], |client| {
        client.create_topic("other", 2).unwrap();
        client.produce("other", 1, &messages("m", 100), &[]);
        client.delete_topic("other").unwrap();
    });
    assert_eq!((&report["verdict"], code), (&"balanced".into(), 0), "{report:#}");
    assert_eq!(report["ledger"]["read_back"], 6_000);
}

#[test]
fn messages_of_others_on_the_topic_are_no_tweets_of_the_run_but_copies_are_told() {
    let (report, code) = tampered(&[], |client| client.produce("tweets", 0, &messages("m", 100), &[]));
    assert_eq!((&report["verdict"], code), (&"balanced".into(), 0), "{report:#}");
    let (report, code) = tampered(&[], |client| {
        let copies = client.read("tweets", 0, 0, 3);
        client.produce("tweets", 0, &copies, &[]);
    });
    assert_eq!((&report["verdict"], code), (&"unbalanced".into(), 3), "{report:#}");
    assert!(reasons(&report).contains("more than once"), "{report:#}");
}

#[test]
fn every_form_of_payload_is_read_back_from_every_partition() {
    for payload in ["tweet", "minimal", "raw"] {
        let (report, code) = replay(SAMPLE, &["--speedup", "max", "--payload", payload, "--partitions", "3"]);
        assert_eq!(code, 0, "{payload}: {report:#}");
        assert_eq!(report["ledger"]["read_back"], 6_000, "{payload}");
    }
}

#[test]
fn what_retention_removed_unread_is_not_accounted_for() {
    let dir = tempfile::tempdir().unwrap();
    let file = generate(dir.path(), "lines", 20_000);
    let retaining = ["--speedup", "max", "-X", "compression.type=none", "--kafka-retention", "1MiB"];
    let (report, code) = replay(&file, &retaining);
    assert_eq!((&report["verdict"], code), (&"unbalanced".into(), 3), "{report:#}");
    assert!(reasons(&report).contains("retention removed"), "{report:#}");
    assert_eq!(report["ledger"]["read_back"], 20_000, "read back before it was removed");
}

#[test]
fn another_kafka_is_read_back_where_that_is_asked_for() {
    let endpoint = endpoint();
    let kafka = endpoint.addr().to_string();
    let client = Client::new(&kafka);
    client.create_topic("tweets", 3).unwrap();
    client.produce("tweets", 1, &messages("before", 100), &[]);
    for payload in ["tweet", "minimal"] {
        let to =
            ["--speedup", "max", "--mqtt", "off", "--kafka", &kafka, "--payload", payload, "--json", "-"];
        let finished = run(&[&[SAMPLE, "--verify"][..], &to].concat());
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        assert_eq!(finished.report()["ledger"]["read_back"], 6_000, "{payload}");
        let finished = run(&[&[SAMPLE][..], &to].concat());
        assert_eq!((finished.code, &finished.report()["ledger"]["read_back"]), (0, &Value::Null));
    }
    // Its offsets are looked at in any case.
    let listen = ["--kafka", &kafka];
    let running = Running::start(
        &[&[SAMPLE, "--rate", "1500/s", "--json", "-", "--mqtt", "off"][..], &listen].concat(),
    );
    let (_, end) = client.watermarks("tweets", 0);
    client.wait_for("messages", || client.watermarks("tweets", 0).1 > end + 100);
    client.delete_topic("tweets").unwrap();
    let finished = running.finish();
    assert_eq!(finished.code, 3, "{}", finished.stdout);
    assert!(reasons(&finished.report()).contains("made again"), "{}", finished.stdout);
}

/// An embedded Kafka, and the address of somebody in between who can keep things to himself.
struct Between {
    endpoint: Endpoint,
    address: String,
    /// Whether new connections are answered.
    is_open: &'static AtomicBool,
    /// Whether what Kafka answers is passed on.
    is_answered: &'static AtomicBool,
}

impl Between {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let advertise = Some((address.ip().to_string(), address.port()));
        let endpoint = Endpoint::start(EndpointOptions { advertise, ..Default::default() }).unwrap();
        let switch = || -> &'static AtomicBool { Box::leak(Box::new(AtomicBool::new(true))) };
        let (is_open, is_answered) = (switch(), switch());
        let kafka = endpoint.addr();
        std::thread::spawn(move || {
            let mut silent = Vec::new();
            for client in listener.incoming().map_while(Result::ok) {
                if !is_open.load(Ordering::Relaxed) {
                    silent.push(client);
                    continue;
                }
                let Ok(kafka) = TcpStream::connect(kafka) else { return };
                let (mut asks, mut asked) = (client.try_clone().unwrap(), kafka.try_clone().unwrap());
                std::thread::spawn(move || std::io::copy(&mut asks, &mut asked));
                std::thread::spawn(move || pass_on_answers(kafka, client, is_answered));
            }
        });
        Self { endpoint, address: address.to_string(), is_open, is_answered }
    }
}

fn pass_on_answers(mut kafka: TcpStream, mut client: TcpStream, is_answered: &AtomicBool) {
    let mut bytes = [0; 64 << 10];
    while let Ok(read @ 1..) = kafka.read(&mut bytes) {
        if is_answered.load(Ordering::Relaxed) && client.write_all(&bytes[..read]).is_err() {
            return;
        }
    }
}

#[test]
fn what_was_given_up_and_is_there_all_the_same_is_counted_as_what_may_have_arrived() {
    let between = Between::start();
    let client = Client::new(between.endpoint.addr());
    let settings =
        ["--rate", "3000/s", "--mqtt", "off", "-X", "message.timeout.ms=2000", "--unsafe", "--json", "-"];
    let running = Running::start(&[&[SAMPLE, "--kafka", &between.address][..], &settings].concat());
    client.wait_for("the topic", || client.partitions("tweets").is_some());
    client.wait_for("messages", || client.watermarks("tweets", 0).1 > 500);
    between.is_answered.store(false, Ordering::Relaxed);
    let finished = running.finish();
    let report = finished.report();
    let count = |place: &str| report.pointer(place).and_then(Value::as_u64).unwrap();
    between.is_answered.store(true, Ordering::Relaxed);
    let there = client.watermarks("tweets", 0).1 as u64;
    let (delivered, failed) = (count("/ledger/delivered"), count("/ledger/failed"));
    let maybe = count("/failed_maybe_delivered");
    assert!(delivered < there, "{delivered} {there}: some came without an answer");
    assert!((1..=failed).contains(&maybe) && there <= delivered + maybe, "{there} {report:#}");
    assert_eq!((delivered + failed, finished.code), (6_000, 3), "{report:#}");
    assert_eq!(report["verdict"], "unbalanced");
}

#[test]
fn ctrl_c_while_the_run_is_read_back_leaves_it_unproven() {
    let between = Between::start();
    let direct = Client::new(between.endpoint.addr());
    let dir = tempfile::tempdir().unwrap();
    let json = dir.path().join("report.json");
    let to = ["--mqtt", "off", "--kafka", &between.address, "--verify", "--json", json.to_str().unwrap()];
    let mut running = Running::start(&[&[SAMPLE, "--rate", "3000/s"][..], &to].concat());
    let log = between.endpoint.dir().join("topics/tweets/0/00000000000000000000.log");
    direct.wait_for("messages", || std::fs::metadata(&log).is_ok_and(|log| log.len() > 0));
    // To read back, it connects once more.
    between.is_open.store(false, Ordering::Relaxed);
    running.wait_for("reading ");
    running.signal("INT");
    let finished = running.finish();
    let report: Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    assert_eq!((&report["verdict"], finished.code), (&"unproven".into(), 3), "{report:#}");
    assert!(reasons(&report).contains("could be read back from Kafka: it was stopped"), "{report:#}");
    let ledger = &report["ledger"];
    assert_eq!((&ledger["delivered"], &ledger["read_back"]), (&6_000.into(), &Value::Null));
    assert!(finished.stdout.contains("\nunproven: "), "{}", finished.stdout);
}

#[test]
fn reading_back_ends_when_it_is_told_to() {
    let endpoint = endpoint();
    let client = Client::new(endpoint.addr());
    client.create_topic("tweets", 1).unwrap();
    client.produce("tweets", 0, &messages("m", 100), &[]);
    let options = ProducerOptions {
        brokers: endpoint.addr().to_string(),
        topic: "tweets".into(),
        ..Default::default()
    };
    let (starts, mut seen) = ([(0, 90)].into(), Vec::new());
    let read = read_since(&options, &starts, || true, |value, _| seen.push(value.to_vec()));
    assert!(read.unwrap());
    assert_eq!(seen, messages("m", 100)[90..]);
    assert!(!read_since(&options, &starts, || false, |_, _| {}).unwrap());
}

#[test]
fn unsafe_settings_are_refused_unless_they_are_allowed_and_then_nothing_is_proven() {
    let with = |setting: &str, more: &[&str]| {
        run(&[&[SAMPLE, "--speedup", "max", "--json", "-", "-X", setting][..], more].concat())
    };
    for setting in ["acks=1", "enable.idempotence=false", "delivery.timeout.ms=5000"] {
        let refused = with(setting, &[]);
        assert_eq!(refused.code, 2, "{setting}: {}", refused.stderr);
        assert!(refused.stderr.contains("--unsafe"), "{setting}: {}", refused.stderr);
    }
    for allowed in [&[][..], &["--unsafe"]] {
        let refused = with("delivery.report.only.error=true", allowed);
        assert_eq!(refused.code, 2, "{}", refused.stderr);
    }
    let ports = [crate::common::FREE_PORTS, &["--unsafe"]].concat();
    let finished = with("enable.idempotence=false", &ports);
    assert_eq!(
        (finished.code, &finished.report()["verdict"]),
        (3, &"unproven".into()),
        "{}",
        finished.stdout
    );
    assert!(reasons(&finished.report()).contains("enable.idempotence=false"), "{}", finished.stdout);
    // Nothing unsafe in it: nothing changes.
    assert_eq!(with("linger.ms=1", &ports).code, 0);
}

#[test]
fn a_log_that_is_removed_in_the_middle_ends_the_replay() {
    let dir = tempfile::tempdir().unwrap();
    for (number, gone) in ["topics/tweets/0/00000000000000000000.log", "topics/tweets", ""].iter().enumerate()
    {
        let kafka = dir.path().join(number.to_string());
        let (report, code) =
            tampered(&["--kafka-dir", kafka.to_str().unwrap(), "--drain-timeout", "1s"], |_| {
                let gone = kafka.join(gone);
                match gone.is_dir() {
                    true => std::fs::remove_dir_all(gone).unwrap(),
                    false => std::fs::remove_file(gone).unwrap(),
                }
            });
        assert_eq!((&report["verdict"], code), (&"unbalanced".into(), 1), "{gone}: {report:#}");
        assert!(reasons(&report).contains("was removed"), "{report:#}");
        assert!(report["ledger"]["published"].as_u64().unwrap() < 6_000, "{gone}: it was sent on");
    }
}

#[test]
#[ignore = "needs a real Kafka"]
fn on_a_real_kafka_the_run_is_read_back_and_a_topic_that_is_made_again_is_noticed() {
    let shared = RealKafka::shared();
    let kafka = &shared.address;
    let topic = format!("replays-{}", std::process::id());
    let client = Client::new(kafka);
    let to = ["--mqtt", "off", "--kafka", kafka, "-t", &topic, "--verify", "--json", "-"];
    for payload in ["tweet", "raw"] {
        let finished = run(&[&[SAMPLE, "--speedup", "max", "--payload", payload][..], &to].concat());
        let report = finished.report();
        assert_eq!(
            (finished.code, &report["ledger"]["read_back"]),
            (0, &6_000.into()),
            "{}",
            finished.stderr
        );
        assert!(!finished.stderr.contains("ERROR"), "{}", finished.stderr);
    }
    let (_, end) = client.watermarks(&topic, 0);
    let running =
        Running::start(&[&[SAMPLE, "--rate", "1500/s", "--drain-timeout", "10s"][..], &to].concat());
    client.wait_for("messages", || client.watermarks(&topic, 0).1 > end + 500);
    client.delete_topic(&topic).unwrap();
    // Where topics come when they are asked for, the producer may have been quicker.
    let is_there = |made| matches!(made, Ok(()) | Err(RDKafkaErrorCode::TopicAlreadyExists));
    client.wait_for("the topic to come", || is_there(client.create_topic(&topic, 1)));
    let finished = running.finish();
    let report = finished.report();
    assert_eq!((finished.code, &report["verdict"]), (3, &"unbalanced".into()), "{report:#}");
    assert!(reasons(&report).contains("made again"), "{report:#}");
    assert!(reasons(&report).contains("not in Kafka when read back"), "{report:#}");
}
