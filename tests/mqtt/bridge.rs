//! `tweetblast bridge`: what is published over MQTT is in Kafka, and a publisher is answered when it is safe.

use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::{Finished, Record, Running, free_port, read_topic, run};
use crate::raw::{Raw, packet, text};

pub const PATIENCE: Duration = Duration::from_secs(60);

/// A Kafka in a process of its own, which can be stopped and killed.
pub struct Kafka {
    pub running: Running,
    pub addr: String,
}

impl Kafka {
    pub fn start(dir: &Path, port: u16) -> Self {
        let addr = format!("127.0.0.1:{port}");
        let dir = dir.to_str().unwrap();
        let mut running =
            Running::start(&["serve", "--mqtt", "off", "--kafka-listen", &addr, "--kafka-dir", dir]);
        running.wait_for("serving");
        Self { running, addr }
    }
}

/// A bridge that listens on this port.
pub fn bridge(port: u16, arguments: &[&str]) -> Running {
    let mut bridge = begin(port, arguments);
    bridge.wait_for("bridging until");
    bridge
}

/// The same, and it may not come up.
pub fn begin(port: u16, arguments: &[&str]) -> Running {
    let listen = format!("127.0.0.1:{port}");
    Running::start(&[&["bridge", "--mqtt-listen", &listen][..], arguments].concat())
}

pub fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// A message with a packet id.
pub fn publish(raw: &mut Raw, topic: &str, payload: &str, qos: u8, id: u16) {
    let mut body = text(topic);
    if qos > 0 {
        body.extend(id.to_be_bytes());
    }
    if raw.level == 5 {
        body.push(0);
    }
    body.extend(payload.as_bytes());
    raw.send(&packet(0x30 | qos << 1, &body));
}

/// Waits for the answer to this packet id, and returns its first byte.
pub fn answer(raw: &mut Raw, id: u16) -> u8 {
    let (first, body) = raw.receive().expect("an answer");
    assert_eq!(body[..2], id.to_be_bytes());
    first
}

/// Whether nothing comes for a while.
pub fn is_silent(raw: &mut Raw) -> bool {
    raw.stream.set_read_timeout(Some(Duration::from_millis(400))).unwrap();
    let is_silent = raw.receive().is_none();
    raw.stream.set_read_timeout(Some(PATIENCE)).unwrap();
    is_silent
}

pub fn ended(bridge: Running) -> (Value, Finished) {
    bridge.signal("TERM");
    let finished = bridge.finish();
    let report = finished.report();
    let schema: Value = serde_json::from_str(include_str!("../../docs/bridge.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = schema.iter_errors(&report).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    (report, finished)
}

/// A bridge whose standard output is the report: it is up when its port is.
pub fn bridge_with_report(port: u16, arguments: &[&str]) -> Running {
    let bridge = begin(port, &[&["--json", "-"][..], arguments].concat());
    let deadline = Instant::now() + PATIENCE;
    while std::net::TcpStream::connect(address(port)).is_err() {
        assert!(Instant::now() < deadline, "the bridge is not up");
        std::thread::sleep(Duration::from_millis(20));
    }
    bridge
}

fn find<'a>(records: &'a [Record], payload: &str) -> &'a Record {
    records.iter().find(|record| record.payload == payload.as_bytes()).expect(payload)
}

pub fn ledger(report: &Value, key: &str) -> u64 {
    report["ledger"][key].as_u64().unwrap()
}

#[test]
fn messages_of_every_qos_are_in_kafka_with_their_key_and_topic() {
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    let kafka = Kafka::start(dir.path(), free_port());
    let bridge = bridge_with_report(port, &["--kafka", &kafka.addr]);
    for level in [4, 5] {
        let mut raw = Raw::connect(address(port), &format!("sensor-{level}"), level);
        publish(&mut raw, "a/b", &format!(r#"{{"user_id":17,"level":{level}}}"#), 0, 0);
        publish(&mut raw, "a/c", &format!("not JSON {level}"), 1, 7);
        assert_eq!(answer(&mut raw, 7), 0x40, "PUBACK");
        publish(&mut raw, "d", &format!(r#"{{"user_id":"x{level}"}}"#), 2, 8);
        assert_eq!(answer(&mut raw, 8), 0x50, "PUBREC");
        // Sent again before PUBREL, it is the same message.
        publish(&mut raw, "d", &format!(r#"{{"user_id":"x{level}"}}"#), 2, 8);
        assert_eq!(answer(&mut raw, 8), 0x50, "PUBREC");
        raw.send(&[0x62, 2, 0, 8]);
        assert_eq!(answer(&mut raw, 8), 0x70, "PUBCOMP");
    }
    let (report, finished) = ended(bridge);
    let records = read_topic(&kafka.addr, "tweets");
    assert_eq!((records.len(), finished.code), (6, 0), "{report:#}");
    for level in [4, 5] {
        let number = find(&records, &format!(r#"{{"user_id":17,"level":{level}}}"#));
        assert_eq!((&*number.key, &*number.headers["mqtt.topic"]), ("17", "a/b"));
        let text = find(&records, &format!("not JSON {level}"));
        assert_eq!((&*text.key, &*text.headers["mqtt.topic"]), (&*format!("sensor-{level}"), "a/c"));
        assert_eq!(find(&records, &format!(r#"{{"user_id":"x{level}"}}"#)).key, format!("x{level}"));
    }
    assert_eq!((&report["verdict"], ledger(&report, "received")), (&"balanced".into(), 6));
    assert_eq!((ledger(&report, "delivered"), ledger(&report, "in_flight")), (6, 0));
    assert!(finished.stderr.contains("every message accounted for: 6 delivered"), "{}", finished.stderr);
}

#[test]
fn nobody_is_answered_before_kafka_has_the_message() {
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    let kafka = Kafka::start(dir.path(), free_port());
    let bridge = bridge_with_report(port, &["--kafka", &kafka.addr]);
    let mut raw = Raw::connect(address(port), "a", 4);
    publish(&mut raw, "t", "first", 1, 1);
    assert_eq!(answer(&mut raw, 1), 0x40);
    kafka.running.signal("STOP");
    publish(&mut raw, "t", "second", 1, 2);
    publish(&mut raw, "t", "third", 2, 3);
    assert!(is_silent(&mut raw), "no answer while Kafka has none");
    assert_eq!(raw.ping(), [], "and it is still served");
    kafka.running.signal("CONT");
    assert_eq!((answer(&mut raw, 2), answer(&mut raw, 3)), (0x40, 0x50));
    let (report, _) = ended(bridge);
    assert_eq!((ledger(&report, "received"), ledger(&report, "delivered")), (3, 3), "{report:#}");
}

#[test]
fn without_room_publishers_wait_at_qos_0_too_and_nothing_is_lost() {
    const MESSAGES: usize = 20_000;
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    let kafka = Kafka::start(dir.path(), free_port());
    let bridge = bridge_with_report(port, &["--kafka", &kafka.addr, "--memory", "1MiB"]);
    let raw = Raw::connect(address(port), "a", 4);
    kafka.running.signal("STOP");
    let mut bytes = Vec::new();
    for number in 0..MESSAGES {
        let payload = format!(r#"{{"user_id":1,"number":{number},"text":"{}"}}"#, "x".repeat(400));
        bytes.extend(packet(0x30, &[&text("t")[..], payload.as_bytes()].concat()));
    }
    let mut stream = raw.stream.try_clone().unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
    let mut written = 0;
    let blocked = loop {
        match stream.write(&bytes[written..]) {
            Ok(count) => written += count,
            Err(error) => break error,
        }
    };
    assert!(matches!(blocked.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{blocked}");
    assert!(written < bytes.len());
    kafka.running.signal("CONT");
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&bytes[written..]).unwrap();
    stream.write_all(&[0xE0, 0]).unwrap();
    let deadline = Instant::now() + PATIENCE;
    while read_topic(&kafka.addr, "tweets").len() < MESSAGES {
        assert!(Instant::now() < deadline);
    }
    let (report, finished) = ended(bridge);
    let sum = |key| ledger(&report, key) as usize;
    assert_eq!((sum("received"), sum("delivered"), finished.code), (MESSAGES, MESSAGES, 0), "{report:#}");
    for (expected, record) in read_topic(&kafka.addr, "tweets").iter().enumerate() {
        assert_eq!(record.json()["number"], expected, "in order");
    }
}

#[test]
fn topics_go_where_the_map_says_and_others_are_counted() {
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    let kafka = Kafka::start(dir.path(), free_port());
    let map =
        ["--topic-map", "sensors/+/tweets=tweets", "--topic-map", "logs/#=logs", "--key-from", "user.id"];
    let bridge = bridge_with_report(port, &[&["--kafka", &kafka.addr][..], &map].concat());
    let mut raw = Raw::connect(address(port), "a", 4);
    for (id, topic) in ["sensors/1/tweets", "logs/a/b", "other", "sensors/1/2/tweets"].iter().enumerate() {
        publish(&mut raw, topic, r#"{"user":{"id":5}}"#, 1, id as u16 + 1);
        assert_eq!(answer(&mut raw, id as u16 + 1), 0x40);
    }
    let (report, _) = ended(bridge);
    let only = |topic| {
        let records = read_topic(&kafka.addr, topic);
        assert_eq!((records.len(), &*records[0].key), (1, "5"));
        records[0].headers["mqtt.topic"].clone()
    };
    assert_eq!((&*only("tweets"), &*only("logs")), ("sensors/1/tweets", "logs/a/b"));
    assert_eq!((ledger(&report, "unmapped"), ledger(&report, "delivered")), (2, 2), "{report:#}");
}

#[test]
fn a_message_that_kafka_refuses_is_never_acknowledged() {
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    let kafka = Kafka::start(dir.path(), free_port());
    let small = ["--kafka", &kafka.addr, "-X", "message.max.bytes=2000"];
    let bridge = bridge_with_report(port, &small);
    let large = "x".repeat(5_000);
    let mut new = Raw::connect(address(port), "new", 5);
    publish(&mut new, "t", &large, 1, 1);
    let (first, body) = new.receive().unwrap();
    assert_eq!((first, &body[..]), (0x40, &[0, 1, 0x83][..]), "MQTT 5 can say it");
    publish(&mut new, "t", &large, 2, 2);
    assert_eq!(new.receive().unwrap(), (0x50, vec![0, 2, 0x83]));
    // The id is free again.
    publish(&mut new, "t", "small", 2, 2);
    assert_eq!(new.receive().unwrap(), (0x50, vec![0, 2]));
    let mut old = Raw::connect(address(port), "old", 4);
    publish(&mut old, "t", &large, 1, 1);
    assert_eq!(old.receive(), None, "3.1.1 cannot: its connection ends");
    let (report, finished) = ended(bridge);
    assert_eq!(
        (ledger(&report, "failed"), ledger(&report, "delivered"), finished.code),
        (3, 1, 3),
        "{report:#}"
    );
    assert_eq!(report["verdict"], "unbalanced");
    assert_eq!(report["failures"][0]["messages"], 3);
}

#[test]
fn the_ledger_is_shown_on_request_and_a_stop_is_quick() {
    let port = free_port();
    let mut bridge = bridge(port, &["--kafka-listen", "127.0.0.1:0"]);
    let mut raw = Raw::connect(address(port), "a", 4);
    publish(&mut raw, "t", "x", 1, 1);
    assert_eq!(answer(&mut raw, 1), 0x40);
    bridge.signal("USR1");
    let line = bridge.wait_for("ledger");
    assert!(line.contains("1 received = 1 delivered + 0 spooled + 0 in flight + 0 failed"), "{line}");
    bridge.signal("TERM");
    assert!(bridge.ends_within(PATIENCE));
    let finished = bridge.finish();
    assert_eq!(finished.code, 0);
    assert!(
        finished.stdout.contains("balanced: every message accounted for: 1 delivered"),
        "{}",
        finished.stdout
    );
}

#[test]
fn an_outside_broker_is_read_and_acknowledged_after_kafka() {
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    let kafka = Kafka::start(dir.path(), free_port());
    let listen = format!("127.0.0.1:{port}");
    let mut broker = Running::start(&["serve", "--mqtt-listen", &listen, "--kafka-listen", "127.0.0.1:0"]);
    broker.wait_for("serving");
    let mut bridge = Running::start(&["bridge", "--mqtt", &listen, "--kafka", &kafka.addr]);
    bridge.wait_for("bridging until");
    let mut raw = Raw::connect(address(port), "a", 4);
    for id in 1..=300 {
        publish(&mut raw, "a/b", &format!(r#"{{"user_id":{id}}}"#), 1, id);
    }
    for id in 1..=300 {
        assert_eq!(answer(&mut raw, id), 0x40);
    }
    let deadline = Instant::now() + PATIENCE;
    while read_topic(&kafka.addr, "tweets").len() < 300 {
        assert!(Instant::now() < deadline);
    }
    bridge.signal("TERM");
    let finished = bridge.finish();
    assert!(finished.stdout.contains("300 received = 300 delivered"), "{}", finished.stdout);
    let records = read_topic(&kafka.addr, "tweets");
    assert!(records.iter().all(|record| record.headers["mqtt.topic"] == "a/b"));
}

#[test]
fn what_cannot_be_is_refused() {
    for (arguments, words) in [
        (&["--mqtt", "off"][..], "a bridge needs MQTT"),
        (&["--memory", "1k"], "at least 1MiB"),
        (&["--spool-max", "1GiB"], "without --spool"),
        (&["--druid-time", "sent"], "without --druid HOST:8888"),
        (&["--druid", "h:1", "--druid-set", "a=1"], "/ioConfig/taskCount=4"),
        (&["--druid", "h:1", "--druid-datasource", "d", "--topic-map", "a=b"], "cannot be used with"),
        (&["--topic-map", "a/#/b=t"], "topic filter"),
        (&["--topic-map", "a=t", "--topic", "t"], "cannot be used with"),
        (&["-X", "enable.idempotence=false"], "may be there twice"),
    ] {
        let finished = run(&[&["bridge"][..], arguments].concat());
        assert!(finished.code != 0 && finished.stderr.contains(words), "{arguments:?}: {}", finished.stderr);
    }
    let finished = run(&["bridge", "--kafka", "127.0.0.1:1", "--mqtt-listen", "127.0.0.1:0"]);
    assert_eq!(finished.code, 1);
    assert!(finished.stderr.contains("no Kafka at 127.0.0.1:1"), "{}", finished.stderr);
}
