//! One suite for the embedded endpoint and for real Kafka: what a client sees, check by check.
//!
//! Runs against the endpoint and against a real cluster of one broker. The table says what Kafka
//! does; a row with a different result for the endpoint is a refusal that `docs/embedded-kafka.md`
//! lists.

mod groups;
mod messages;
mod refusals;
mod topics;

use std::panic::catch_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::client::{self, Client};
use crate::outside::RealKafka;

/// What to do, with a unique name for topics and groups; and the result.
struct Check {
    name: &'static str,
    run: fn(&Client, &str) -> String,
    kafka: &'static str,
    /// A request that Kafka serves and the endpoint refuses.
    refused: Option<&'static str>,
}

const fn same(name: &'static str, run: fn(&Client, &str) -> String, kafka: &'static str) -> Check {
    Check { name, run, kafka, refused: None }
}

const fn refused(
    name: &'static str,
    run: fn(&Client, &str) -> String,
    kafka: &'static str,
    refusal: &'static str,
) -> Check {
    Check { name, run, kafka, refused: Some(refusal) }
}

const CHECKS: &[Check] = &[
    same(
        "create topics",
        topics::create,
        "Ok, TopicAlreadyExists, InvalidTopic, InvalidReplicationFactor; 3",
    ),
    same("delete topics", topics::delete, "Ok, UnknownTopicOrPartition; gone"),
    same("a topic of the same name starts empty", topics::again, "0..10, then 0..0, committed Invalid"),
    same("create for a large message", topics::large_messages, "Ok; 2 of 5000000 bytes equal"),
    same("a topic appears when it is asked for", topics::by_itself, "4 partitions"),
    same("describe configs", topics::configs, "delete, producer, CreateTime; no topic: 0"),
    same("create with the layout of files", topics::layout, "Ok; 10 of 10"),
    refused("a compacted topic", topics::compacted, "Ok", "InvalidConfig"),
    same("plain messages", |c, n| messages::round_trip(c, n, "none", "false"), messages::ROUND_TRIP),
    same("gzip", |c, n| messages::round_trip(c, n, "gzip", "false"), messages::ROUND_TRIP),
    same("snappy", |c, n| messages::round_trip(c, n, "snappy", "false"), messages::ROUND_TRIP),
    same("lz4", |c, n| messages::round_trip(c, n, "lz4", "false"), messages::ROUND_TRIP),
    same("zstd", |c, n| messages::round_trip(c, n, "zstd", "false"), messages::ROUND_TRIP),
    same("idempotent", |c, n| messages::round_trip(c, n, "none", "true"), messages::ROUND_TRIP),
    same("idempotent, lz4", |c, n| messages::round_trip(c, n, "lz4", "true"), messages::ROUND_TRIP),
    same("acks 0 and 1", messages::acks, "100 of 100, 100 of 100"),
    same("no such partition", messages::no_such_partition, "UnknownPartition"),
    same("5 messages of 900 kB", messages::nine_hundred_kb, "5 of 900000 bytes equal"),
    same("key, headers, time, null", messages::everything, messages::EVERYTHING),
    same(
        "start in mid-batch, then seek",
        messages::mid_batch,
        "from 100: 100..110; to 5000: 5000; to 12: 12; to 9999: 9999",
    ),
    same("beyond the end", messages::beyond_the_end, "100 from 0; then waited, and got 100"),
    same("before the time, at it, after it", |c, n| messages::by_time(c, n, "none"), messages::BY_TIME),
    same("times in gzip batches", |c, n| messages::by_time(c, n, "gzip"), messages::BY_TIME),
    same("times in snappy batches", |c, n| messages::by_time(c, n, "snappy"), messages::BY_TIME),
    same("times in lz4 batches", |c, n| messages::by_time(c, n, "lz4"), messages::BY_TIME),
    same("times in zstd batches", |c, n| messages::by_time(c, n, "zstd"), messages::BY_TIME),
    same(
        "two consumers share three partitions",
        groups::two_on_three,
        "3000 once each, split 1+2; after one left: 3",
    ),
    same("commit and continue", groups::commit_and_continue, "committed 40, continued at 40"),
    same("a group without members keeps its type", groups::keeps_its_type, "Empty consumer"),
    same("commits outlive the group", groups::commits_outlive, "Offset(40) note 'n', Invalid"),
    same("no commit from outside while members are in", groups::foreign_commit, "UnknownMemberId"),
    same(
        "list, describe and delete groups",
        groups::administer,
        "Stable consumer 1; NonEmptyGroup; Empty; Ok; none",
    ),
    same("a member with group.instance.id", groups::static_member, "3 partitions"),
    refused(
        "transactions",
        refusals::transactions,
        "100 of 200 committed",
        "TransactionalIdAuthorizationFailed",
    ),
];

/// Runs every check, a few at a time, and returns the failures.
fn run(brokers: &str, expected: fn(&Check) -> &'static str) -> Vec<String> {
    let next = AtomicUsize::new(0);
    // A real cluster may have seen this suite before.
    let life = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    std::thread::scope(|scope| {
        let work = || {
            let mut failures = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(check) = CHECKS.get(number) else { return failures };
                let name = format!("c{life}-{number}");
                let started = Instant::now();
                let came = catch_unwind(|| (check.run)(&Client::new(brokers), &name));
                let came = came.unwrap_or_else(|_| "a panic".to_owned());
                let expected = expected(check);
                let verdict = if came == expected { "ok" } else { "NOT AS EXPECTED" };
                println!("{:6} ms  {:45} {verdict}", started.elapsed().as_millis(), check.name);
                if came != expected {
                    failures.push(format!("{}: expected '{expected}', came '{came}'", check.name));
                }
            }
        };
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    })
}

#[test]
fn the_embedded_endpoint_does_what_kafka_does() {
    let endpoint = client::endpoint();
    let failures = run(&endpoint.addr().to_string(), |check| check.refused.unwrap_or(check.kafka));
    assert!(failures.is_empty(), "{failures:#?}");
    endpoint.close().unwrap();
}

#[test]
#[ignore = "needs a real Kafka"]
fn real_kafka_does_what_the_table_says() {
    let kafka = RealKafka::shared();
    let failures = run(&kafka.address, |check| check.kafka);
    assert!(failures.is_empty(), "{failures:#?}");
}
