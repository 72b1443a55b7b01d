//! Bridge and Kafka are killed at random moments under publishers that send again what has no answer: all that they were
//! told to be safe is in Kafka. What may happen is that something is there twice.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::bridge::{Kafka, address, begin, publish};
use crate::common::{Running, free_port, read_topic};
use crate::raw::{Raw, connect_packet};

const PATIENCE: Duration = Duration::from_secs(60);

/// Publishers, and messages of each that have no answer at a time.
const PUBLISHERS: u64 = 4;
const WINDOW: usize = 20;

/// Numbers of the messages of all publishers, and whether the trial has failed.
#[derive(Default)]
struct Acknowledged(Mutex<HashSet<u64>>, AtomicBool);

impl Acknowledged {
    fn is_given_up(&self) -> bool {
        self.1.load(Ordering::Relaxed)
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// Ends the publishers when the trial is over or has failed.
struct End<'a>(&'a Acknowledged, &'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.1.store(std::thread::panicking(), Ordering::Relaxed);
        self.1.store(true, Ordering::Relaxed);
    }
}

/// Publishes at QoS 1, over one connection after another, until it is stopped and all is answered.
fn send(port: u16, publisher: u64, acknowledged: &Acknowledged, stop: &AtomicBool) {
    let mut unanswered = BTreeMap::new();
    let mut next = publisher * 10_000_000;
    while !stop.load(Ordering::Relaxed) || (!unanswered.is_empty() && !acknowledged.is_given_up()) {
        if over_one_connection(port, publisher, (&mut unanswered, &mut next), acknowledged, stop).is_err() {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn over_one_connection(
    port: u16,
    publisher: u64,
    (unanswered, next): (&mut BTreeMap<u64, ()>, &mut u64),
    acknowledged: &Acknowledged,
    stop: &AtomicBool,
) -> io::Result<()> {
    use std::io::Write;
    let stream = std::net::TcpStream::connect(address(port))?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let mut raw = Raw { stream, level: 4 };
    raw.stream.write_all(&connect_packet(&format!("publisher-{publisher}"), 4, None, &[]))?;
    let gone = || io::Error::from(io::ErrorKind::UnexpectedEof);
    raw.receive().filter(|(first, body)| (*first, body[1]) == (0x20, 0)).ok_or_else(gone)?;
    let (mut ids, mut id) = (HashMap::new(), 0_u16);
    let mut again: Vec<u64> = unanswered.keys().rev().copied().collect();
    loop {
        while ids.len() < WINDOW {
            let number = match again.pop() {
                Some(number) => number,
                None if stop.load(Ordering::Relaxed) => break,
                None => {
                    *next += 1;
                    *next
                }
            };
            unanswered.insert(number, ());
            id = id.checked_add(1).unwrap_or(1);
            ids.insert(id, number);
            let payload = format!(r#"{{"user_id":{},"number":{number}}}"#, number % 50);
            let sent = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                publish(&mut raw, "kill/test", &payload, 1, id);
            }));
            sent.map_err(|_| gone())?;
        }
        if ids.is_empty() {
            return Ok(());
        }
        let (first, body) = raw.receive().ok_or_else(gone)?;
        assert_eq!(first, 0x40, "PUBACK");
        let number = ids.remove(&u16::from_be_bytes([body[0], body[1]])).expect("an id that is in use");
        unanswered.remove(&number);
        acknowledged.0.lock().unwrap().insert(number);
    }
}

/// Starts a bridge as often as it takes: without a spool it needs a Kafka that answers.
fn start_bridge(port: u16, arguments: &[&str]) -> Running {
    let deadline = Instant::now() + PATIENCE;
    loop {
        assert!(Instant::now() < deadline, "the bridge does not come up");
        let mut bridge = begin(port, &[&["-qq"][..], arguments].concat());
        while !bridge.ends_within(Duration::ZERO) {
            assert!(Instant::now() < deadline, "the bridge is not up");
            if std::net::TcpStream::connect(address(port)).is_ok() {
                return bridge;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// What was killed, and what was acknowledged and is there.
#[derive(Debug, Default)]
struct Trial {
    bridges: usize,
    kafkas: usize,
    acknowledged: usize,
    lost: usize,
    distinct: usize,
    twice: usize,
}

/// Kills at random `kills` times, in all three ways, then counts.
fn trial(dir: &Path, seed: u64, kills: usize, spool: Option<&Path>) -> Trial {
    let (port, kafka_port) = (free_port(), free_port());
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut kafka = Some(Kafka::start(dir, kafka_port));
    let addr = format!("127.0.0.1:{kafka_port}");
    let spool = spool.map_or(Vec::new(), |dir| vec!["--spool", dir.to_str().unwrap()]);
    let arguments = [&["--kafka", &addr][..], &spool].concat();
    // Options, so that the closure below borrows them: what it owned would end before the publishers do.
    let mut bridge = Some(start_bridge(port, &arguments));
    let (acknowledged, stop) = (Acknowledged::default(), AtomicBool::new(false));
    let mut trial = Trial::default();
    std::thread::scope(|scope| {
        let end = End(&acknowledged, &stop);
        for publisher in 1..=PUBLISHERS {
            let (acknowledged, stop) = (&acknowledged, &stop);
            scope.spawn(move || send(port, publisher, acknowledged, stop));
        }
        for _ in 0..kills {
            std::thread::sleep(Duration::from_millis(rng.random_range(30..700)));
            let way = rng.random_range(0..3);
            if way != 0 {
                // SIGKILL.
                kafka = None;
                trial.kafkas += 1;
            }
            if way != 1 {
                drop(bridge.take());
                trial.bridges += 1;
                if spool.is_empty() && kafka.is_none() {
                    kafka = Some(Kafka::start(dir, kafka_port));
                }
                bridge = Some(start_bridge(port, &arguments));
            }
            if kafka.is_none() {
                std::thread::sleep(Duration::from_millis(rng.random_range(0..2_500)));
                kafka = Some(Kafka::start(dir, kafka_port));
            }
            let before = acknowledged.count();
            let deadline = Instant::now() + PATIENCE;
            while acknowledged.count() == before {
                assert!(Instant::now() < deadline, "nothing is acknowledged any more");
                let has_ended = bridge.as_mut().is_some_and(|bridge| bridge.ends_within(Duration::ZERO));
                assert!(!has_ended, "the bridge has ended by itself");
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        drop(end);
    });
    // What is in the spool is still on its way.
    let acknowledged = acknowledged.0.into_inner().unwrap();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let records = read_topic(&addr, "tweets");
        let numbers: Vec<u64> =
            records.iter().map(|record| record.json()["number"].as_u64().unwrap()).collect();
        let distinct: HashSet<u64> = numbers.iter().copied().collect();
        trial.lost = acknowledged.difference(&distinct).count();
        (trial.distinct, trial.twice) = (distinct.len(), numbers.len() - distinct.len());
        if trial.lost == 0 || Instant::now() > deadline {
            break;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    trial.acknowledged = acknowledged.len();
    trial
}

/// As many as `TWEETBLAST_BRIDGE_KILLS` says.
fn kills() -> usize {
    std::env::var("TWEETBLAST_BRIDGE_KILLS").map_or(5, |kills| kills.parse().unwrap())
}

#[test]
fn what_was_acknowledged_is_in_kafka_after_kills_of_bridge_and_kafka() {
    let dir = tempfile::tempdir().unwrap();
    let trial = trial(&dir.path().join("kafka"), 28, kills(), None);
    println!("without a spool: {trial:?}");
    assert!(trial.lost == 0 && trial.acknowledged > 100, "{trial:?}");
}

#[test]
fn the_same_with_a_spool() {
    let dir = tempfile::tempdir().unwrap();
    let trial = trial(&dir.path().join("kafka"), 29, kills(), Some(&dir.path().join("spool")));
    println!("with a spool: {trial:?}");
    assert!(trial.lost == 0 && trial.acknowledged > 100, "{trial:?}");
}
