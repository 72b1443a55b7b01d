//! Messages: there and back.

use std::time::Duration;

use rdkafka::admin::{NewTopic, TopicReplication};
use rdkafka::consumer::Consumer;
use rdkafka::message::{Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::client::{Client, PATIENCE, messages};
use crate::common::watermarks;

pub const ROUND_TRIP: &str = "3000 equal; 0..3000, 0..0";

pub fn round_trip(client: &Client, name: &str, compression: &str, idempotence: &str) -> String {
    client.create_topic(name, 2).unwrap();
    let sent = messages(name, 3_000);
    client.produce(name, 0, &sent, &[("compression.type", compression), ("enable.idempotence", idempotence)]);
    // `produce` has checked that offsets are consecutive, `read` does so again.
    let mut ends = Vec::new();
    for isolation in ["read_committed", "read_uncommitted"] {
        let consumer = client.assigned_with(name, 0, Offset::Beginning, &[("isolation.level", isolation)]);
        assert!(client.take(&consumer, 3_000) == sent, "{isolation}");
        ends = [0, 1].map(|p| watermarks(&consumer, name, p)).to_vec();
    }
    format!("3000 equal; {}..{}, {}..{}", ends[0].0, ends[0].1, ends[1].0, ends[1].1)
}

pub fn acks(client: &Client, name: &str) -> String {
    client.create_topic(name, 2).unwrap();
    let sent = messages("m", 100);
    let arrived = [(0, "0"), (1, "1")].map(|(partition, acks)| {
        client.try_produce(name, partition, &sent, &[("acks", acks)]);
        client.wait_for("the messages", || client.watermarks(name, partition).1 >= 100);
        let equal = client.read(name, partition, 0, 100) == sent;
        format!("{} of 100", if equal { client.watermarks(name, partition).1 } else { -1 })
    });
    arrived.join(", ")
}

pub fn no_such_partition(client: &Client, name: &str) -> String {
    client.create_topic(name, 2).unwrap();
    let results = client.try_produce(name, 9, &messages("m", 1), &[]);
    format!("{:?}", results[0].unwrap_err())
}

pub fn nine_hundred_kb(client: &Client, name: &str) -> String {
    client.create_topic(name, 1).unwrap();
    let sent: Vec<Vec<u8>> = (0..5).map(|i| vec![b'a' + i; 900_000]).collect();
    client.produce(name, 0, &sent, &[]);
    let equal = client.read(name, 0, 0, 5) == sent;
    format!("5 of 900000 bytes {}", if equal { "equal" } else { "differ" })
}

pub const EVERYTHING: &str =
    r#"key Some("k"), payload None, CreateTime(1234567890123), run=Some("r1"), none=None"#;

pub fn everything(client: &Client, name: &str) -> String {
    client.create_topic(name, 1).unwrap();
    let producer = client.producer(&[]);
    let headers = OwnedHeaders::new()
        .insert(Header { key: "run", value: Some("r1") })
        .insert(Header::<&str> { key: "none", value: None });
    let record = BaseRecord::<str, str, usize>::with_opaque_to(name, 0);
    let record = record.key("k").timestamp(1_234_567_890_123).headers(headers);
    producer.send(record).map_err(|(error, _)| error).unwrap();
    producer.flush(PATIENCE).unwrap();
    let consumer = client.assigned(name, 0, Offset::Beginning);
    let message = client.next(&consumer);
    let word = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let headers = message.headers().unwrap();
    let headers = headers.iter().map(|header| format!("{}={:?}", header.key, word(header.value)));
    format!(
        "key {:?}, payload {:?}, {:?}, {}",
        word(message.key()),
        message.payload(),
        message.timestamp(),
        headers.collect::<Vec<_>>().join(", ")
    )
}

pub fn mid_batch(client: &Client, name: &str) -> String {
    client.create_topic(name, 1).unwrap();
    let sent = messages("m", 10_000);
    // Few, large batches, so that nearly every offset is inside one.
    client.produce(name, 0, &sent, &[("linger.ms", "100"), ("compression.type", "lz4")]);
    let consumer = client.assigned(name, 0, Offset::Offset(100));
    assert!(client.take(&consumer, 10) == sent[100..110]);
    let mut words = vec!["from 100: 100..110".to_owned()];
    for to in [5_000, 12, 9_999] {
        consumer.seek(name, 0, Offset::Offset(to), PATIENCE).unwrap();
        let got = client.take(&consumer, 1);
        let at = sent.iter().position(|message| *message == got[0]).unwrap();
        words.push(format!("to {to}: {at}"));
    }
    words.join("; ")
}

pub fn beyond_the_end(client: &Client, name: &str) -> String {
    client.create_topic(name, 1).unwrap();
    let sent = messages("m", 101);
    client.produce(name, 0, &sent[..100], &[]);
    // auto.offset.reset is "earliest" in these clients.
    let equal = client.read(name, 0, 5_000, 100) == sent[..100];
    let waiting = client.assigned(name, 0, Offset::Offset(100));
    let early = waiting.poll(Duration::from_millis(500)).is_some();
    client.produce(name, 0, &sent[100..], &[]);
    let woken = client.take(&waiting, 1) == sent[100..];
    let start = if equal { "100 from 0" } else { "something else" };
    format!(
        "{start}; then {}, and got {}",
        if early { "did not wait" } else { "waited" },
        if woken { 100 } else { -1 }
    )
}

/// The first offset at or after each of these times.
pub const BY_TIME: &str = "500: 0, 1000: 0, 1001: 1, 1500: 500, 1999: 999, 2000: 1501, 2500: 1501, 2501: End";

pub fn by_time(client: &Client, name: &str, compression: &str) -> String {
    // A Kafka that is looking for old messages at this moment would find these.
    let keeping = NewTopic::new(name, 1, TopicReplication::Fixed(1)).set("retention.ms", "-1");
    client.create(&keeping).unwrap();
    // 1,000 messages whose times rise from 1000 to 1999, 501 at 1100, and one at 2500: at least two
    // batches of each kind.
    let times = (1_000..2_000).chain(std::iter::repeat_n(1_100, 501)).chain([2_500]);
    let producer = client.producer(&[("compression.type", compression), ("linger.ms", "50")]);
    for (number, ms) in times.enumerate() {
        let record = BaseRecord::<(), str, usize>::with_opaque_to(name, number);
        producer
            .send(record.payload("some text to compress").timestamp(ms))
            .map_err(|(error, _)| error)
            .unwrap();
    }
    producer.flush(PATIENCE).unwrap();
    let consumer = client.consumer();
    let found = [500, 1_000, 1_001, 1_500, 1_999, 2_000, 2_500, 2_501].map(|ms| {
        let mut asked = TopicPartitionList::new();
        asked.add_partition_offset(name, 0, Offset::Offset(ms)).unwrap();
        let found = consumer.offsets_for_times(asked, PATIENCE).unwrap();
        match found.elements()[0].offset() {
            Offset::Offset(offset) => format!("{ms}: {offset}"),
            other => format!("{ms}: {other:?}"),
        }
    });
    found.join(", ")
}
