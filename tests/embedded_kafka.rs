//! The embedded Kafka endpoint as Kafka clients see it, through librdkafka.

mod embedded_kafka_common;

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

use embedded_kafka_common::{Client, endpoint, messages};
use rdkafka::consumer::Consumer;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::{Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tweetblast::kafka::embedded::{Endpoint, EndpointError, EndpointOptions, Limits};

#[test]
fn topics_are_created_once_and_deleted() {
    let endpoint = endpoint();
    let client = Client::new(endpoint.addr());
    assert_eq!(client.create_topic("tweets", 3), Ok(()));
    assert_eq!(client.create_topic("tweets", 3), Err(RDKafkaErrorCode::TopicAlreadyExists));
    assert_eq!(client.create_topic("no/slash", 1), Err(RDKafkaErrorCode::InvalidTopic));
    assert_eq!(client.create_topic("many", 100_000), Err(RDKafkaErrorCode::PolicyViolation));
    assert_eq!(client.partitions("tweets"), Some(3));
    assert_eq!(client.delete_topic("tweets"), Ok(()));
    assert_eq!(client.delete_topic("tweets"), Err(RDKafkaErrorCode::UnknownTopicOrPartition));
    assert_eq!(client.partitions("tweets"), None);
    endpoint.close().unwrap();
}

#[test]
fn every_compression_comes_back_exactly_and_without_a_gap() {
    let endpoint = endpoint();
    let client = Client::new(endpoint.addr());
    for compression in ["none", "gzip", "snappy", "lz4", "zstd"] {
        for idempotence in ["false", "true"] {
            let topic = format!("{compression}-{idempotence}");
            client.create_topic(&topic, 2).unwrap();
            let sent = messages(&topic, 3_000);
            client.produce(
                &topic,
                0,
                &sent,
                &[("compression.type", compression), ("enable.idempotence", idempotence)],
            );
            assert_eq!(client.read(&topic, 0, 0, sent.len()), sent, "{topic}");
            assert_eq!(client.watermarks(&topic, 0), (0, 3_000));
            assert_eq!(client.watermarks(&topic, 1), (0, 0));
        }
    }
}

#[test]
fn reading_starts_in_mid_batch_and_seeks_both_ways() {
    let endpoint = endpoint();
    let client = Client::new(endpoint.addr());
    client.create_topic("tweets", 1).unwrap();
    let sent = messages("m", 10_000);
    // Few, large batches, so that nearly every offset is inside one.
    client.produce("tweets", 0, &sent, &[("linger.ms", "100"), ("compression.type", "lz4")]);
    let consumer = client.assigned("tweets", 0, Offset::Offset(1_319));
    assert_eq!(client.take(&consumer, 10), sent[1_319..1_329]);
    for to in [5_381, 12, 9_999] {
        consumer.seek("tweets", 0, Offset::Offset(to), Duration::from_secs(10)).unwrap();
        let first = client.take(&consumer, 1);
        assert_eq!(first, sent[to as usize..=to as usize]);
    }
}

#[test]
fn beyond_the_end_starts_again_at_the_earliest_or_waits() {
    let endpoint = endpoint();
    let client = Client::new(endpoint.addr());
    client.create_topic("tweets", 1).unwrap();
    let sent = messages("m", 100);
    client.produce("tweets", 0, &sent, &[]);
    // auto.offset.reset is "earliest" in these clients.
    assert_eq!(client.read("tweets", 0, 5_000, 100), sent);
    // At the end a fetch waits, and is woken by the next message.
    let waiting = client.assigned("tweets", 0, Offset::Offset(100));
    assert!(waiting.poll(Duration::from_millis(200)).is_none());
    let more = messages("more", 1);
    client.produce("tweets", 0, &more, &[]);
    assert_eq!(client.take(&waiting, 1), more);
}

#[test]
fn keys_headers_times_and_nulls_come_back() {
    let endpoint = endpoint();
    let client = Client::new(endpoint.addr());
    client.create_topic("tweets", 1).unwrap();
    let producer = client.producer(&[]);
    let headers = OwnedHeaders::new()
        .insert(Header { key: "run", value: Some("r1") })
        .insert(Header::<&str> { key: "none", value: None });
    let record = BaseRecord::<str, str, usize>::with_opaque_to("tweets", 0)
        .key("k")
        .timestamp(1_234_567_890_123)
        .headers(headers);
    producer.send(record).map_err(|(error, _)| error).unwrap();
    producer.flush(Duration::from_secs(20)).unwrap();
    let consumer = client.assigned("tweets", 0, Offset::Beginning);
    let message = loop {
        if let Some(message) = consumer.poll(Duration::from_secs(20)) {
            break message.unwrap();
        }
    };
    assert_eq!((message.key(), message.payload()), (Some(&b"k"[..]), None));
    assert_eq!(message.timestamp().to_millis(), Some(1_234_567_890_123));
    let headers = message.headers().unwrap();
    assert_eq!((headers.get(0).key, headers.get(0).value), ("run", Some(&b"r1"[..])));
    assert_eq!((headers.get(1).key, headers.get(1).value), ("none", None));
}

#[test]
fn large_messages_pass_and_too_large_ones_are_refused() {
    let options = EndpointOptions {
        limits: Limits { fetch_bytes: 100_000, ..Limits::default() },
        ..Default::default()
    };
    let endpoint = Endpoint::start(options).unwrap();
    let client = Client::new(endpoint.addr());
    client.create_topic("tweets", 1).unwrap();
    let sent: Vec<Vec<u8>> = (0..3).map(|i| vec![b'a' + i; 5_000_000]).collect();
    let large = [("message.max.bytes", "60000000"), ("compression.type", "none")];
    client.produce("tweets", 0, &sent, &large);
    assert_eq!(client.read("tweets", 0, 0, 3), sent);
    let over = vec![vec![b'x'; 33 << 20]];
    let results = client.try_produce("tweets", 0, &over, &large);
    assert_eq!(results, [Err(RDKafkaErrorCode::MessageSizeTooLarge)]);
    assert_eq!(client.watermarks("tweets", 0), (0, 3));
}

#[test]
fn transactions_are_refused_for_good() {
    let endpoint = endpoint();
    let client = Client::new(endpoint.addr());
    let producer = client.producer(&[("transactional.id", "t")]);
    let error = producer.init_transactions(Duration::from_secs(20)).unwrap_err();
    assert_eq!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::TransactionalIdAuthorizationFailed));
}

#[test]
fn a_restart_on_the_same_directory_and_port_keeps_everything() {
    let dir = tempfile::tempdir().unwrap();
    let start = |port| {
        let listen = ([127, 0, 0, 1], port).into();
        Endpoint::start(EndpointOptions { listen, dir: Some(dir.path().to_owned()), ..Default::default() })
    };
    let first = start(0).unwrap();
    assert!(!first.is_temporary());
    let addr = first.addr();
    let client = Client::new(addr);
    client.create_topic("tweets", 2).unwrap();
    let sent = messages("m", 1_000);
    client.produce("tweets", 1, &sent, &[("compression.type", "zstd")]);
    let consumer = client.assigned("tweets", 1, Offset::Beginning);
    assert_eq!(client.take(&consumer, 1_000), sent);
    first.close().unwrap();

    let second = start(addr.port()).unwrap();
    assert_eq!(second.addr(), addr);
    assert_eq!(client.partitions("tweets"), Some(2));
    assert_eq!(client.read("tweets", 1, 0, 1_000), sent);
    let more = messages("more", 10);
    client.produce("tweets", 1, &more, &[]);
    // The consumer of the first life goes on where it was.
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
fn hostile_bytes_do_not_disturb_others() {
    let endpoint = endpoint();
    let addr = endpoint.addr();
    let client = Client::new(addr);
    client.create_topic("tweets", 1).unwrap();
    let hostile: &[&[u8]] = &[
        b"GET / HTTP/1.1\r\nHost: kafka\r\n\r\n",
        &[0xff; 64],
        b"\x7f\xff\xff\xff\0\x03\0\x01", // 2 GiB announced
        b"\0\0\0\0",                     // nothing announced
        b"\0\0\0\x0e\0\x03\0\x01\0\0\0\x01\xff\xff\x7f\xff\xff\xff", // 2 billion topics
        b"\0\0\0\x0a\0\x63\0\0\0\0\0\x01\xff\xff", // no such API
    ];
    let sent = messages("m", 20_000);
    std::thread::scope(|scope| {
        let attack = scope.spawn(|| {
            for bytes in hostile.iter().cycle().take(120) {
                let mut stream = TcpStream::connect(addr).unwrap();
                stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
                let _ = stream.write_all(bytes);
                let mut rest = Vec::new();
                // Closed, or reset because there was more than it read.
                let _ = stream.read_to_end(&mut rest);
                assert!(rest.is_empty());
            }
            // A request that never ends leaves no trace either.
            let mut half = TcpStream::connect(addr).unwrap();
            half.write_all(b"\0\0\x10\0\0\x03").unwrap();
            half.shutdown(Shutdown::Write).unwrap();
        });
        client.produce("tweets", 0, &sent, &[]);
        attack.join().unwrap();
    });
    assert_eq!(client.read("tweets", 0, 0, sent.len()), sent);
}

#[test]
fn a_newer_client_is_told_the_versions_in_the_oldest_form() {
    let endpoint = endpoint();
    let mut stream = TcpStream::connect(endpoint.addr()).unwrap();
    stream.write_all(b"\0\0\0\x0a\0\x12\0\x63\0\0\0\x05\xff\xff").unwrap();
    let mut head = [0; 14];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(head[4..8], [0, 0, 0, 5], "the request's number");
    assert_eq!(head[8..10], [0, 35], "UNSUPPORTED_VERSION");
    let count = i32::from_be_bytes([head[10], head[11], head[12], head[13]]);
    let mut versions = vec![0; count as usize * 6];
    stream.read_exact(&mut versions).unwrap();
    assert!(versions.chunks(6).any(|api| api[..2] == [0, 18]));
}

#[test]
fn connections_beyond_the_limit_are_closed_and_the_others_work() {
    let options =
        EndpointOptions { limits: Limits { connections: 8, ..Limits::default() }, ..Default::default() };
    let endpoint = Endpoint::start(options).unwrap();
    let client = Client::new(endpoint.addr());
    client.create_topic("tweets", 1).unwrap();
    let idle: Vec<_> = (0..20).map(|_| TcpStream::connect(endpoint.addr()).unwrap()).collect();
    let refused = idle.iter().filter(|stream| {
        stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        match Read::read(&mut &**stream, &mut [0]) {
            Ok(bytes) => bytes == 0,
            Err(error) => error.kind() == ErrorKind::ConnectionReset, // a time-out: taken in
        }
    });
    assert!(refused.count() >= 12);
    drop(idle);
    client.produce("tweets", 0, &messages("m", 10), &[]);
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
