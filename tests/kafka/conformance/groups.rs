//! Consumer groups.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::client::{Client, PATIENCE, messages};

/// Polls both, counting messages, until they have as many partitions as wanted.
fn settle(
    consumers: &[&BaseConsumer],
    wanted: &[usize],
    seen: &mut BTreeMap<(i32, i64), usize>,
) -> Vec<usize> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        for consumer in consumers {
            if let Some(Ok(message)) = consumer.poll(Duration::from_millis(1)) {
                *seen.entry((message.partition(), message.offset())).or_default() += 1;
            }
        }
        let mut has: Vec<usize> = consumers.iter().map(|c| c.assignment().unwrap().count()).collect();
        has.sort_unstable();
        if has == wanted || Instant::now() > deadline {
            return has;
        }
    }
}

pub fn two_on_three(client: &Client, name: &str) -> String {
    client.create_topic(name, 3).unwrap();
    let (a, b) = (client.member(name), client.member(name));
    let mut seen = BTreeMap::new();
    a.subscribe(&[name]).unwrap();
    b.subscribe(&[name]).unwrap();
    let split = settle(&[&a, &b], &[1, 2], &mut seen);
    for partition in 0..3 {
        client.produce(name, partition, &messages("m", 1_000), &[]);
    }
    let deadline = Instant::now() + PATIENCE;
    while seen.len() < 3_000 && Instant::now() < deadline {
        settle(&[&a, &b], &split, &mut seen);
    }
    let once = seen.values().filter(|&&times| times == 1).count();
    drop(b); // leaves
    let left = settle(&[&a], &[3], &mut BTreeMap::new());
    format!("{once} once each, split {}+{}; after one left: {}", split[0], split[1], left[0])
}

pub fn commit_and_continue(client: &Client, name: &str) -> String {
    client.create_topic(name, 1).unwrap();
    let sent = messages("m", 100);
    client.produce(name, 0, &sent, &[]);
    let first = client.member(name);
    first.subscribe(&[name]).unwrap();
    assert!(client.take(&first, 40) == sent[..40]);
    let mut offsets = TopicPartitionList::new();
    offsets.add_partition_offset(name, 0, Offset::Offset(40)).unwrap();
    first.commit(&offsets, CommitMode::Sync).unwrap();
    let committed = first.committed(PATIENCE).unwrap().elements()[0].offset().to_raw().unwrap();
    drop(first);
    let second = client.member(name);
    second.subscribe(&[name]).unwrap();
    let got = client.take(&second, 1);
    format!("committed {committed}, continued at {}", sent.iter().position(|m| *m == got[0]).unwrap())
}

pub fn commits_outlive(client: &Client, name: &str) -> String {
    client.create_topic(name, 2).unwrap();
    let outside = client.member(name);
    let mut offsets = TopicPartitionList::new();
    offsets.add_partition_offset(name, 0, Offset::Offset(40)).unwrap();
    offsets.find_partition(name, 0).unwrap().set_metadata("n");
    outside.commit(&offsets, CommitMode::Sync).unwrap();
    drop(outside);
    let mut asked = TopicPartitionList::new();
    asked.add_partition_range(name, 0, 1);
    let committed = client.member(name).committed_offsets(asked, PATIENCE).unwrap();
    let [zero, one] = &committed.elements()[..] else { panic!("two partitions") };
    format!("{:?} note '{}', {:?}", zero.offset(), zero.metadata(), one.offset())
}

/// A member that has read the one message of a new topic, and the offset that it may commit.
fn one_message_read(client: &Client, name: &str) -> (BaseConsumer, TopicPartitionList) {
    client.create_topic(name, 1).unwrap();
    client.produce(name, 0, &messages("m", 1), &[]);
    let member = client.member(name);
    member.subscribe(&[name]).unwrap();
    client.take(&member, 1);
    let mut offsets = TopicPartitionList::new();
    offsets.add_partition_offset(name, 0, Offset::Offset(1)).unwrap();
    (member, offsets)
}

pub fn keeps_its_type(client: &Client, name: &str) -> String {
    let (member, offsets) = one_message_read(client, name);
    member.commit(&offsets, CommitMode::Sync).unwrap();
    drop(member);
    let consumer = client.consumer();
    let group = || consumer.fetch_group_list(Some(name), PATIENCE).unwrap();
    client.wait_for("the group to be empty", || group().groups()[0].members().is_empty());
    let list = group();
    let group = &list.groups()[0];
    format!("{} {}", group.state(), group.protocol_type())
}

pub fn foreign_commit(client: &Client, name: &str) -> String {
    let (_member, offsets) = one_message_read(client, name);
    let outside = client.member(name);
    match outside.commit(&offsets, CommitMode::Sync) {
        Err(KafkaError::ConsumerCommit(code)) => format!("{code:?}"),
        other => format!("{other:?}"),
    }
}

pub fn administer(client: &Client, name: &str) -> String {
    client.create_topic(name, 1).unwrap();
    client.produce(name, 0, &messages("m", 1), &[]);
    let member = client.member(name);
    member.subscribe(&[name]).unwrap();
    client.take(&member, 1);
    member.commit_consumer_state(CommitMode::Sync).unwrap();
    let state = || {
        let list = client.consumer().fetch_group_list(Some(name), PATIENCE).unwrap();
        let group = list.groups().iter().find(|group| group.name() == name);
        group.map(|group| (group.state().to_owned(), group.protocol_type().to_owned(), group.members().len()))
    };
    let delete = || {
        let results = client.admin(async |admin, options| admin.delete_groups(&[name], options).await);
        results[0].as_ref().map_or_else(|(_, code)| format!("{code:?}"), |_| "Ok".to_owned())
    };
    let (first, protocol_type, members) = state().unwrap();
    let refused = delete();
    drop(member);
    client.wait_for("the member to leave", || state().is_some_and(|(_, _, members)| members == 0));
    let (after, _, _) = state().unwrap();
    let deleted = delete();
    let last = state().map_or("none".to_owned(), |(state, _, _)| state);
    format!("{first} {protocol_type} {members}; {refused}; {after}; {deleted}; {last}")
}

pub fn static_member(client: &Client, name: &str) -> String {
    client.create_topic(name, 3).unwrap();
    let properties = [("group.id", name), ("group.instance.id", "i")];
    let member: BaseConsumer = client.config(&properties).create().unwrap();
    member.subscribe(&[name]).unwrap();
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(Err(error)) = member.poll(Duration::from_millis(50)) {
            return format!("{:?}", error.rdkafka_error_code().unwrap());
        }
        let count = member.assignment().unwrap().count();
        if count > 0 {
            return format!("{count} partitions");
        }
    }
    "nothing".to_owned()
}
