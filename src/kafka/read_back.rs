//! Looks for one message among the last ones of a topic, as any consumer would read it.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Message, Offset, TopicPartitionList};

use super::words::words_of;
use super::{KafkaError, ProducerOptions, end_offsets};

/// Messages from the end of each partition that are checked.
const REACH: i64 = 1_000;

/// Longest search.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Partition and offset of a message among the last 1,000 of each partition whose value holds
/// `needle`. `None`: there is none.
///
/// # Errors
/// When Kafka does not answer, or what it answers is an error for 10 s.
pub fn find_last(
    options: &ProducerOptions,
    partitions: usize,
    needle: &[u8],
) -> Result<Option<(i32, i64)>, KafkaError> {
    let failed = |error| KafkaError::Read { brokers: options.brokers.clone(), reason: words_of(&error) };
    let mut config = options.client_config();
    // Partitions are assigned and nothing is committed, but librdkafka wants the name of a group.
    config.set("group.id", "tweetblast").set("enable.auto.commit", "false");
    let consumer: BaseConsumer = config.create().map_err(|error| KafkaError::of_properties(&error))?;
    let mut open = end_offsets(options, partitions)?;
    open.retain(|_, end| *end > 0);
    let mut from = TopicPartitionList::new();
    for (partition, end) in &open {
        from.add_partition_offset(&options.topic, *partition, Offset::Offset((end - REACH).max(0)))
            .map_err(failed)?;
    }
    consumer.assign(&from).map_err(failed)?;
    let (deadline, mut last_error) = (Instant::now() + TIMEOUT, None);
    while !open.is_empty() && Instant::now() < deadline {
        let message = match consumer.poll(Duration::from_millis(100)) {
            None => continue,
            Some(Ok(message)) => message,
            // librdkafka tries again by itself.
            Some(Err(error)) => {
                last_error = Some(error);
                continue;
            }
        };
        if message.payload().is_some_and(|value| memchr::memmem::find(value, needle).is_some()) {
            return Ok(Some((message.partition(), message.offset())));
        }
        if open.get(&message.partition()).is_some_and(|end| message.offset() + 1 >= *end) {
            open.remove(&message.partition());
        }
    }
    match last_error.filter(|_| !open.is_empty()) {
        Some(error) => Err(failed(error)),
        None => Ok(None),
    }
}
