//! The embedded Kafka endpoint from start to close: what it keeps, and what it removes. What
//! clients see in between is in `conformance`.

use std::net::TcpListener;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tweetblast::kafka::embedded::{Endpoint, EndpointError, EndpointOptions, Fsync, RemovedMessages};

use crate::client::{Client, endpoint, messages};

fn start(dir: &std::path::Path, port: u16) -> Result<Endpoint, EndpointError> {
    let listen = ([127, 0, 0, 1], port).into();
    Endpoint::start(EndpointOptions { listen, dir: Some(dir.to_owned()), ..Default::default() })
}

#[test]
fn a_restart_on_the_same_directory_and_port_keeps_everything() {
    let dir = tempfile::tempdir().unwrap();
    let first = start(dir.path(), 0).unwrap();
    assert!(!first.is_temporary());
    let addr = first.addr();
    let client = Client::new(addr);
    client.create_topic("tweets", 2).unwrap();
    let sent = messages("m", 1_000);
    client.produce("tweets", 1, &sent, &[("compression.type", "zstd")]);
    let consumer = client.assigned("tweets", 1, Offset::Beginning);
    assert_eq!(client.take(&consumer, 1_000), sent);
    let mut offsets = TopicPartitionList::new();
    offsets.add_partition_offset("tweets", 1, Offset::Offset(700)).unwrap();
    client.member("readers").commit(&offsets, CommitMode::Sync).unwrap();
    first.close().unwrap();

    let second = start(dir.path(), addr.port()).unwrap();
    assert_eq!(second.addr(), addr);
    assert_eq!(client.partitions("tweets"), Some(2));
    assert_eq!(client.read("tweets", 1, 0, 1_000), sent);
    let committed = client.member("readers").committed_offsets(offsets, Duration::from_secs(60)).unwrap();
    assert_eq!(committed.elements()[0].offset(), Offset::Offset(700));
    let more = messages("more", 10);
    client.produce("tweets", 1, &more, &[]);
    // The consumer of the first start continues where it was.
    assert_eq!(client.take(&consumer, 10), more);
    assert_eq!(client.watermarks("tweets", 1), (0, 1_010));
    drop(second);
    assert!(dir.path().join("topics/tweets/1").is_dir());
}

#[test]
fn a_temporary_directory_goes_with_the_endpoint() {
    let endpoint = endpoint();
    let dir = endpoint.dir().to_owned();
    assert!(endpoint.is_temporary() && dir.is_dir());
    endpoint.close().unwrap();
    assert!(!dir.exists());
}

#[test]
fn a_taken_port_is_an_error_that_names_it() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = holder.local_addr().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let refused = Endpoint::start(EndpointOptions { listen, dir: Some(path.clone()), ..Default::default() });
    assert!(matches!(refused, Err(EndpointError::AddressInUse { addr, .. }) if addr == listen));
    assert!(!path.exists(), "nothing is made when the port cannot be had");
}

#[test]
fn many_partitions_are_read_at_once() {
    let endpoint = endpoint();
    let client = Client::new(endpoint.addr());
    client.create_topic("tweets", 20).unwrap();
    for partition in 0..20 {
        client.produce("tweets", partition, &messages(&partition.to_string(), 50), &[]);
    }
    let consumer = client.consumer();
    let mut all = TopicPartitionList::new();
    for partition in 0..20 {
        all.add_partition_offset("tweets", partition, Offset::Beginning).unwrap();
    }
    consumer.assign(&all).unwrap();
    let mut got = client.take(&consumer, 1_000);
    got.sort();
    let mut sent: Vec<_> = (0..20).flat_map(|partition: i32| messages(&partition.to_string(), 50)).collect();
    sent.sort();
    assert_eq!(got, sent);
}

#[test]
fn a_directory_serves_one_endpoint_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let first = start(dir.path(), 0).unwrap();
    assert!(matches!(start(dir.path(), 0), Err(EndpointError::DirInUse { .. })));
    first.close().unwrap();
    start(dir.path(), 0).unwrap();
}

#[test]
fn an_endpoint_closes_while_clients_wait_for_messages() {
    let endpoint = endpoint();
    let client = Client::new(endpoint.addr());
    client.create_topic("tweets", 3).unwrap();
    let waiting: Vec<_> = (0..3).map(|p| client.assigned("tweets", p, Offset::End)).collect();
    for consumer in &waiting {
        assert!(consumer.poll(Duration::from_millis(200)).is_none());
    }
    let dir = endpoint.dir().to_owned();
    endpoint.close().unwrap();
    assert!(!dir.exists());
}

#[test]
fn retention_counts_what_nobody_has_read() {
    let options = EndpointOptions { retention_bytes: Some(640 << 10), ..Default::default() };
    let endpoint = Endpoint::start(options).unwrap();
    let client = Client::new(endpoint.addr());
    client.create_topic("tweets", 1).unwrap();
    let plain = [("compression.type", "none"), ("batch.size", "10000")];
    client.produce("tweets", 0, &messages("m", 2_000), &plain);
    assert_eq!(endpoint.removed(), RemovedMessages::default());
    client.read("tweets", 0, 0, 2_000);
    client.produce("tweets", 0, &messages("n", 10_000), &plain);
    let (start, end) = client.watermarks("tweets", 0);
    assert!(start > 2_000 && end == 12_000);
    let removed = endpoint.removed();
    // Messages fetched ahead of the application count as read.
    assert!(removed.messages == start as u64 && removed.unread <= start as u64 - 2_000 && removed.unread > 0);
    // A consumer that was too slow starts again at what is left.
    assert_eq!(client.read("tweets", 0, 0, 100), messages("n", 10_000)[start as usize - 2_000..][..100]);
}

#[test]
fn every_fsync_policy_serves() {
    for fsync in [Fsync::Never, Fsync::Every(Duration::from_millis(20)), Fsync::Always] {
        let dir = tempfile::tempdir().unwrap();
        let options = EndpointOptions { fsync, dir: Some(dir.path().to_owned()), ..Default::default() };
        let endpoint = Endpoint::start(options).unwrap();
        let client = Client::new(endpoint.addr());
        client.create_topic("tweets", 2).unwrap();
        let sent = messages("m", 500);
        client.produce("tweets", 1, &sent, &[]);
        endpoint.close().unwrap();
        let again = start(dir.path(), 0).unwrap();
        assert_eq!(Client::new(again.addr()).read("tweets", 1, 0, 500), sent, "{fsync:?}");
    }
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let refused =
        |options: EndpointOptions| matches!(Endpoint::start(options), Err(EndpointError::Options(_)));
    assert!(refused(EndpointOptions { default_partitions: 0, ..Default::default() }));
    assert!(refused(EndpointOptions { retention_bytes: Some(0), ..Default::default() }));
    assert!(refused(EndpointOptions { fsync: Fsync::Every(Duration::ZERO), ..Default::default() }));
    assert!(refused(EndpointOptions { advertise: Some((String::new(), 9092)), ..Default::default() }));
}

#[test]
fn clients_are_told_the_address_they_came_to_or_the_advertised_one() {
    let told = |endpoint: &Endpoint| {
        let consumer = Client::new(endpoint.addr()).consumer();
        let metadata = consumer.fetch_metadata(None, Duration::from_secs(60)).unwrap();
        (metadata.brokers()[0].host().to_owned(), metadata.brokers()[0].port() as u16)
    };
    let everywhere = EndpointOptions { listen: ([0, 0, 0, 0], 0).into(), ..Default::default() };
    let everywhere = Endpoint::start(everywhere).unwrap();
    assert_eq!(told(&everywhere), ("127.0.0.1".to_owned(), everywhere.addr().port()));
    let advertise = Some(("kafka.example".to_owned(), 19_092));
    let advertised = Endpoint::start(EndpointOptions { advertise, ..Default::default() }).unwrap();
    assert_eq!(told(&advertised), ("kafka.example".to_owned(), 19_092));
}

#[test]
fn many_topics_of_one_partition_are_all_listed() {
    let endpoint = endpoint();
    let client = Client::new(endpoint.addr());
    for number in 0..40 {
        client.create_topic(&format!("t{number}"), 1).unwrap();
    }
    let consumer: BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", endpoint.addr().to_string()).create().unwrap();
    let metadata = consumer.fetch_metadata(None, Duration::from_secs(20)).unwrap();
    assert_eq!(metadata.topics().len(), 40);
}

/// Two topics with messages in a directory, as an endpoint that was closed leaves them.
fn filled() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let endpoint = start(dir.path(), 0).unwrap();
    let client = Client::new(endpoint.addr());
    for topic in ["tweets", "other"] {
        client.create_topic(topic, 2).unwrap();
        client.produce(topic, 0, &messages("m", 100), &[]);
    }
    client.create_topic("deleted", 1).unwrap();
    client.delete_topic("deleted").unwrap();
    endpoint.close().unwrap();
    dir
}

fn repair(dir: &std::path::Path) -> Endpoint {
    Endpoint::start(EndpointOptions { dir: Some(dir.to_owned()), repair: true, ..Default::default() })
        .unwrap()
}

#[test]
fn what_is_missing_at_a_start_is_refused_unless_it_is_to_go_on_without_it() {
    const LOG: &str = "topics/tweets/0/00000000000000000000.log";
    type Spoil = fn(&std::path::Path);
    let spoils: [(&str, Spoil); 7] = [
        ("a file", |dir| std::fs::remove_file(dir.join(LOG)).unwrap()),
        ("a file of no messages", |dir| {
            std::fs::remove_file(dir.join("topics/tweets/1/00000000000000000000.log")).unwrap();
        }),
        ("what was in a file", |dir| std::fs::write(dir.join(LOG), "").unwrap()),
        ("a partition", |dir| std::fs::remove_dir_all(dir.join("topics/tweets/0")).unwrap()),
        ("the last partition", |dir| std::fs::remove_dir_all(dir.join("topics/tweets/1")).unwrap()),
        ("a topic", |dir| std::fs::remove_dir_all(dir.join("topics/tweets")).unwrap()),
        ("the manifest", |dir| std::fs::remove_file(dir.join("manifest")).unwrap()),
    ];
    for (what, spoil) in spoils {
        let dir = filled();
        spoil(dir.path());
        for _ in 0..2 {
            let refused = start(dir.path(), 0).err().unwrap_or_else(|| panic!("starts without {what}"));
            assert!(matches!(refused, EndpointError::LostMessages { .. }), "{what}: {refused}");
            assert!(refused.to_string().contains("--kafka-repair"), "{refused}");
        }
        let endpoint = repair(dir.path());
        let client = Client::new(endpoint.addr());
        assert_eq!(client.watermarks("other", 0), (0, 100), "{what}");
        // Offsets continue from where they were.
        let (_, end) = client.watermarks("tweets", 0);
        assert!([0, 100].contains(&end) && client.partitions("tweets") == Some(2), "{what}");
        client.produce("tweets", 0, &messages("m", 1), &[]);
        endpoint.close().unwrap();
        start(dir.path(), 0).unwrap_or_else(|error| panic!("after the repair of {what}: {error}"));
    }
    start(filled().path(), 0).unwrap();
}

#[test]
fn tools_are_told_how_large_each_partition_is() {
    let endpoint = endpoint();
    let client = Client::new(endpoint.addr());
    client.create_topic("tweets", 2).unwrap();
    client.produce("tweets", 1, &messages("m", 100), &[]);
    let mut raw = crate::raw::Raw::connect(endpoint.addr());
    let bytes =
        std::fs::metadata(endpoint.dir().join("topics/tweets/1/00000000000000000000.log")).unwrap().len();
    let partition = |index: u32, bytes: u64| {
        [&index.to_be_bytes()[..], &bytes.to_be_bytes(), &[0; 9]].concat() // no lag, no future one
    };
    let one = [b"\0\x06tweets\0\0\0\x01", &partition(1, bytes)[..]].concat();
    let both = [b"\0\x06tweets\0\0\0\x02", &partition(0, 0)[..], &partition(1, bytes)].concat();
    // All there are, one of them, and one that is not there.
    let asked: [(&[u8], &[u8]); 3] = [
        (b"\xff\xff\xff\xff", &both),
        (b"\0\0\0\x01\0\x06tweets\0\0\0\x01\0\0\0\x01", &one),
        (b"\0\0\0\x01\0\x01x\0\0\0\x01\0\0\0\0", b""),
    ];
    for (topics, found) in asked {
        let answer = raw.call(35, 1, topics);
        assert!(answer.ends_with(found), "{answer:?}");
        let dir = endpoint.dir().to_str().unwrap();
        let head = 4 + 4 + 4 + 2 + 2 + dir.len() + 4; // number, throttle time, one result, error, directory, topics
        assert_eq!(answer.len(), head + found.len());
    }
}
