//! Topics: creating, deleting, describing.

use rdkafka::admin::{NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::client::{Client, PATIENCE, messages};

pub fn create(client: &Client, name: &str) -> String {
    let first = client.create_topic(name, 3);
    let again = client.create_topic(name, 3);
    let bad = client.create_topic("no/slash", 1);
    let replicated = client.create(&NewTopic::new(&format!("{name}-r"), 1, TopicReplication::Fixed(2)));
    let words = [first, again, bad, replicated].map(word).join(", ");
    format!("{words}; {}", client.partitions(name).unwrap())
}

pub fn delete(client: &Client, name: &str) -> String {
    client.create_topic(name, 3).unwrap();
    let (first, again) = (client.delete_topic(name), client.delete_topic(name));
    let left = if client.partitions(name).is_none() { "gone" } else { "still there" };
    format!("{}, {}; {left}", word(first), word(again))
}

pub fn again(client: &Client, name: &str) -> String {
    client.create_topic(name, 1).unwrap();
    client.produce(name, 0, &messages("m", 10), &[]);
    let consumer = client.member(name);
    let mut offsets = TopicPartitionList::new();
    offsets.add_partition_offset(name, 0, Offset::Offset(10)).unwrap();
    consumer.commit(&offsets, CommitMode::Sync).unwrap();
    let before = client.watermarks(name, 0);
    client.delete_topic(name).unwrap();
    client.wait_for("the topic to go", || client.partitions(name).is_none());
    client.create_topic(name, 1).unwrap();
    client.wait_for("the topic to come", || client.partitions(name) == Some(1));
    let after = client.watermarks(name, 0);
    let mut asked = TopicPartitionList::new();
    asked.add_partition(name, 0);
    let committed = client.member(name).committed_offsets(asked, PATIENCE).unwrap();
    let committed = committed.elements()[0].offset();
    format!("{}..{}, then {}..{}, committed {committed:?}", before.0, before.1, after.0, after.1)
}

pub fn large_messages(client: &Client, name: &str) -> String {
    let topic = NewTopic::new(name, 1, TopicReplication::Fixed(1)).set("max.message.bytes", "6000000");
    let created = client.create(&topic);
    let sent: Vec<Vec<u8>> = (0..2).map(|i| vec![b'a' + i; 5_000_000]).collect();
    client.produce(name, 0, &sent, &[("message.max.bytes", "6000000")]);
    let equal = client.read(name, 0, 0, 2) == sent;
    format!("{}; 2 of 5000000 bytes {}", word(created), if equal { "equal" } else { "differ" })
}

pub fn by_itself(client: &Client, name: &str) -> String {
    let producer = client.producer(&[]);
    let count = || {
        let metadata = rdkafka::producer::Producer::client(&producer).fetch_metadata(Some(name), PATIENCE);
        metadata.unwrap().topics()[0].partitions().len()
    };
    client.wait_for("the topic to come", || count() > 0);
    format!("{} partitions", count())
}

pub fn configs(client: &Client, name: &str) -> String {
    client.create_topic(name, 1).unwrap();
    let missing = format!("{name}-missing");
    let asked = [ResourceSpecifier::Topic(name), ResourceSpecifier::Topic(&missing)];
    let ask = || client.admin(async |admin, options| admin.describe_configs(&asked, options).await);
    // A broker that is busy gets to know a new topic a little later than who created it.
    client.wait_for("the new topic's settings", || {
        ask()[0].as_ref().is_ok_and(|found| !found.entries.is_empty())
    });
    let results = ask();
    let found = results[0].as_ref().unwrap();
    let value = |key| found.get(key).and_then(|entry| entry.value.clone()).unwrap_or_default();
    let words = ["cleanup.policy", "compression.type", "message.timestamp.type"].map(value).join(", ");
    let missing = results[1].as_ref().map_or(0, |resource| resource.entries.len());
    format!("{words}; no topic: {missing}")
}

/// As Kafka Streams makes its internal topics.
pub fn layout(client: &Client, name: &str) -> String {
    let topic = NewTopic::new(name, 1, TopicReplication::Fixed(1))
        .set("segment.bytes", "52428800")
        .set("cleanup.policy", "delete")
        .set("retention.ms", "-1")
        .set("message.timestamp.type", "CreateTime");
    let created = client.create(&topic);
    let sent = messages("m", 10);
    client.produce(name, 0, &sent, &[]);
    format!("{}; {} of 10", word(created), client.read(name, 0, 0, 10).len())
}

pub fn compacted(client: &Client, name: &str) -> String {
    let topic = NewTopic::new(name, 1, TopicReplication::Fixed(1)).set("cleanup.policy", "compact");
    word(client.create(&topic))
}

fn word(result: Result<(), rdkafka::error::RDKafkaErrorCode>) -> String {
    result.map_or_else(|error| format!("{error:?}"), |()| "Ok".to_owned())
}
