//! A Kafka client for tests: librdkafka, with bounded waits.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::ClientContext;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tweetblast::kafka::embedded::{Endpoint, EndpointOptions};

use crate::common::watermarks;

/// No wait is longer; the machine may be very busy.
pub const PATIENCE: Duration = Duration::from_secs(60);

const CONSUMER: [(&str, &str); 2] = [("enable.auto.commit", "false"), ("auto.offset.reset", "earliest")];

pub fn endpoint() -> Endpoint {
    Endpoint::start(EndpointOptions::default()).unwrap()
}

/// Messages that all differ.
pub fn messages(prefix: &str, count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|i| format!("{prefix} {i} {}", "x".repeat(i % 300)).into_bytes()).collect()
}

pub struct Client {
    brokers: String,
}

/// Keeps the result of each message, in the order of the reports.
#[derive(Default)]
pub struct Reports(pub Mutex<Vec<(usize, Result<i64, RDKafkaErrorCode>)>>);

impl ClientContext for Reports {}

impl ProducerContext for Reports {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, number: usize) {
        let result = match result {
            Ok(message) => Ok(message.offset()),
            Err((error, _)) => Err(error.rdkafka_error_code().unwrap()),
        };
        self.0.lock().unwrap().push((number, result));
    }
}

impl Client {
    pub fn new(brokers: impl ToString) -> Self {
        Self { brokers: brokers.to_string() }
    }

    pub fn config(&self, properties: &[(&str, &str)]) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers);
        for (name, value) in properties {
            config.set(*name, *value);
        }
        config
    }

    pub fn admin<T>(
        &self,
        call: impl AsyncFnOnce(&AdminClient<DefaultClientContext>, &AdminOptions) -> Result<T, KafkaError>,
    ) -> T {
        let admin = self.config(&[]).create().unwrap();
        let options = AdminOptions::new().operation_timeout(Some(PATIENCE)).request_timeout(Some(PATIENCE));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(call(&admin, &options)).unwrap()
    }

    pub fn create_topic(&self, name: &str, partitions: i32) -> Result<(), RDKafkaErrorCode> {
        self.create(&NewTopic::new(name, partitions, TopicReplication::Fixed(1)))
    }

    pub fn create(&self, topic: &NewTopic<'_>) -> Result<(), RDKafkaErrorCode> {
        let results = self.admin(async |admin, options| admin.create_topics([topic], options).await);
        results[0].clone().map(|_| ()).map_err(|(_, code)| code)
    }

    pub fn delete_topic(&self, name: &str) -> Result<(), RDKafkaErrorCode> {
        let results = self.admin(async |admin, options| admin.delete_topics(&[name], options).await);
        results[0].clone().map(|_| ()).map_err(|(_, code)| code)
    }

    /// How many partitions a topic has, if it exists.
    pub fn partitions(&self, name: &str) -> Option<usize> {
        let consumer = self.consumer();
        let metadata = consumer.fetch_metadata(None, PATIENCE).unwrap();
        let topic = metadata.topics().iter().find(|topic| topic.name() == name)?;
        Some(topic.partitions().len())
    }

    pub fn producer(&self, properties: &[(&str, &str)]) -> BaseProducer<Reports> {
        self.config(properties).create_with_context(Reports::default()).unwrap()
    }

    /// Sends all, and returns the offset or error of each, in the order sent.
    pub fn try_produce(
        &self,
        topic: &str,
        partition: i32,
        messages: &[Vec<u8>],
        properties: &[(&str, &str)],
    ) -> Vec<Result<i64, RDKafkaErrorCode>> {
        let producer = self.producer(properties);
        for (number, message) in messages.iter().enumerate() {
            let record =
                BaseRecord::<(), _, _>::with_opaque_to(topic, number).partition(partition).payload(message);
            producer.send(record).map_err(|(error, _)| error).unwrap();
        }
        producer.flush(PATIENCE).unwrap();
        let mut reports = std::mem::take(&mut *producer.context().0.lock().unwrap());
        reports.sort_by_key(|(number, _)| *number);
        assert_eq!(reports.len(), messages.len());
        reports.into_iter().map(|(_, result)| result).collect()
    }

    /// Sends all; every one must be accepted, at consecutive offsets.
    pub fn produce(&self, topic: &str, partition: i32, messages: &[Vec<u8>], properties: &[(&str, &str)]) {
        let offsets = self.try_produce(topic, partition, messages, properties);
        let first = offsets[0].unwrap();
        for (offset, expected) in offsets.into_iter().zip(first..) {
            assert_eq!(offset, Ok(expected));
        }
    }

    pub fn consumer(&self) -> BaseConsumer {
        self.member("g")
    }

    /// A consumer of a group, without automatic commits.
    pub fn member(&self, group: &str) -> BaseConsumer {
        self.config(&CONSUMER).set("group.id", group).create().unwrap()
    }

    pub fn assigned(&self, topic: &str, partition: i32, offset: Offset) -> BaseConsumer {
        self.assigned_with(topic, partition, offset, &[])
    }

    pub fn assigned_with(
        &self,
        topic: &str,
        partition: i32,
        offset: Offset,
        properties: &[(&str, &str)],
    ) -> BaseConsumer {
        let mut all = CONSUMER.to_vec();
        all.push(("group.id", "g"));
        all.extend(properties);
        let consumer: BaseConsumer = self.config(&all).create().unwrap();
        let mut assignment = TopicPartitionList::new();
        assignment.add_partition_offset(topic, partition, offset).unwrap();
        consumer.assign(&assignment).unwrap();
        consumer
    }

    /// The next message.
    pub fn next<'a>(&self, consumer: &'a BaseConsumer) -> BorrowedMessage<'a> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            match consumer.poll(Duration::from_millis(100)) {
                Some(Ok(message)) => return message,
                // A broker that is away for a while is not an error here.
                Some(Err(KafkaError::MessageConsumption(_))) | None => {}
                Some(Err(error)) => panic!("{error}"),
            }
        }
        panic!("no message came");
    }

    /// The next payloads; offsets of each partition must be consecutive.
    pub fn take(&self, consumer: &BaseConsumer, count: usize) -> Vec<Vec<u8>> {
        let mut next = HashMap::new();
        let messages = (0..count).map(|_| {
            let message = self.next(consumer);
            let expected = next.insert(message.partition(), message.offset() + 1);
            assert!(expected.is_none_or(|expected| expected == message.offset()));
            message.payload().unwrap().to_vec()
        });
        messages.collect()
    }

    /// The next payloads, whatever their offsets.
    pub fn take_all(&self, consumer: &BaseConsumer, count: usize) -> Vec<Vec<u8>> {
        (0..count).map(|_| self.next(consumer).payload().unwrap().to_vec()).collect()
    }

    /// Waits until a condition holds.
    pub fn wait_for(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds() {
            assert!(Instant::now() < deadline, "gave up waiting for {what}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Reads from an offset on.
    pub fn read(&self, topic: &str, partition: i32, offset: i64, count: usize) -> Vec<Vec<u8>> {
        self.take(&self.assigned(topic, partition, Offset::Offset(offset)), count)
    }

    /// The first offset of a partition, and the one after its last.
    pub fn watermarks(&self, topic: &str, partition: i32) -> (i64, i64) {
        watermarks(&self.consumer(), topic, partition)
    }
}
