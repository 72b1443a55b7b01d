//! Clients that write in the name of others, and clients that write what nobody can read.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::client::{Client, endpoint};
use crate::common::{Running, read_topic, tweet, write};
use crate::raw::{NO_STATE, Raw, batch, next_state, records};

const OUT_OF_ORDER_SEQUENCE: i16 = 45;
const CLUSTER_AUTHORIZATION_FAILED: i16 = 31;
const INVALID_RECORD: i16 = 87;

#[test]
fn a_batch_counts_as_sent_again_only_if_it_is_the_one_that_is_stored() {
    let endpoint = endpoint();
    let client = Client::new(endpoint.addr());
    client.create_topic("tweets", 1).unwrap();
    let mut raw = Raw::connect(endpoint.addr());
    let id = raw.producer_id();
    let with = |value: &[u8], sequence| batch(1, &records(&[value]), 0, (id, 0, sequence));
    // Somebody guessed the numbers of a producer, and was first.
    assert_eq!(raw.produce("tweets", &with(b"forged", 0)), (0, 0));
    assert_eq!(raw.produce("tweets", &with(b"true", 0)), (OUT_OF_ORDER_SEQUENCE, -1));
    assert_eq!(raw.produce("tweets", &with(b"forged", 0)), (0, 0), "a true repeat");
    assert_eq!(raw.produce("tweets", &with(b"next", 1)), (0, 1));
    assert_eq!(raw.produce("tweets", &with(b"other", 0)), (OUT_OF_ORDER_SEQUENCE, -1));
    assert_eq!(client.read("tweets", 0, 0, 2), [b"forged".to_vec(), b"next".to_vec()]);
    assert_eq!((client.watermarks("tweets", 0), endpoint.forged()), ((0, 2), 2));
}

#[test]
fn nobody_writes_under_the_producer_id_of_a_replay() {
    const TWEETS: u64 = 300;
    let dir = tempfile::tempdir().unwrap();
    let lines: Vec<String> = (0..TWEETS).map(|id| tweet(id, id % 7, id, "text")).collect();
    let file = write(dir.path(), "tweets.json", lines.join("\n"));
    let log = dir.path().join("kafka/topics/tweets/0/00000000000000000000.log");
    let (kafka, json) = (dir.path().join("kafka"), dir.path().join("report.json"));
    let (kafka, json) = (kafka.to_str().unwrap(), json.to_str().unwrap());
    let port = crate::common::free_port();
    let listen = format!("127.0.0.1:{port}");
    let mut replay = Running::start(&[
        &file,
        "--mqtt",
        "off",
        "--kafka-dir",
        kafka,
        "--kafka-listen",
        &listen,
        "--rate",
        "100/s",
        "--hold",
        "--json",
        json,
    ]);
    let over = AtomicBool::new(false);
    let codes = std::thread::scope(|scope| {
        // Reads the numbers out of the log, and writes the next ones first.
        let forging = scope.spawn(|| {
            let mut codes = Vec::new();
            while !over.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(1));
                let Some(next) = std::fs::read(&log).ok().and_then(|log| next_state(&log)) else { continue };
                let mut raw = Raw::connect(([127, 0, 0, 1], port).into());
                codes.push(raw.produce("tweets", &batch(1, &records(&[b"forged"]), 0, next)).0);
            }
            codes
        });
        replay.wait_for("holding:");
        over.store(true, Ordering::Relaxed);
        forging.join().unwrap()
    });
    assert!(codes.len() > 10 && codes.iter().all(|code| *code == CLUSTER_AUTHORIZATION_FAILED), "{codes:?}");
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    assert_eq!(report["verdict"], "balanced", "{report:#}");
    assert_eq!(report["ledger"]["read_back"], TWEETS);
    // Some may have come after the report.
    let refused = report["forged_batches_refused"].as_u64().unwrap();
    assert!((1..=codes.len() as u64).contains(&refused), "{refused} of {codes:?}");
    let records = read_topic(&listen, "tweets");
    let mut seqs: Vec<u64> = records.iter().map(|record| record.json()["seq"].as_u64().unwrap()).collect();
    seqs.sort_unstable();
    assert!(seqs.into_iter().eq(0..TWEETS));
}

#[test]
fn records_that_nobody_can_read_are_refused_and_do_not_stand_in_front_of_others() {
    let endpoint = endpoint();
    let client = Client::new(endpoint.addr());
    client.create_topic("tweets", 1).unwrap();
    let mut raw = Raw::connect(endpoint.addr());
    let good = records(&[b"one", b"two"]);
    assert_eq!(raw.produce("tweets", &batch(2, &good, 0, NO_STATE)), (0, 0));
    let gzip = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut encoder, &good).unwrap();
        encoder.finish().unwrap()
    };
    let mut cut = gzip.clone();
    cut.truncate(gzip.len() - 12);
    for (what, count, records, compression) in [
        ("none at all", i32::MAX, &b""[..], 0),
        ("garbage", 5, &[0xff; 40], 0),
        ("one too few", 3, &good, 0),
        ("one too many", 1, &good, 0),
        ("no gzip", 3, b"no gzip", 1),
        ("gzip that is cut off", 2, &cut, 1),
        ("one too few in gzip", 3, &gzip, 1),
        ("no snappy", 3, b"\xff\xff\xff\xff\xff", 2),
        ("no lz4", 3, b"no lz4", 3),
        ("no zstd", 3, b"no zstd", 4),
    ] {
        let (code, _) = raw.produce("tweets", &batch(count, records, compression, NO_STATE));
        assert_eq!(code, INVALID_RECORD, "{what}");
    }
    assert_eq!(raw.produce("tweets", &batch(2, &gzip, 1, NO_STATE)), (0, 2));
    let read = client.read("tweets", 0, 0, 4);
    assert_eq!(read, [&b"one"[..], b"two", b"one", b"two"]);
}
