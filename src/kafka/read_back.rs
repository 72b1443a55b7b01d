//! Reads a topic as any consumer would: one message among the last ones, or all that came since a run began.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError as RdKafkaError;
use rdkafka::message::{BorrowedMessage, Headers};
use rdkafka::{Message, Offset, TopicPartitionList};

use super::quiet::QuietContext;
use super::words::words_of;
use super::{KafkaError, ProducerOptions, end_offsets};

/// Messages from the end of each partition that are checked.
const REACH: i64 = 1_000;

/// Longest search.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Longest wait for a message while a run is read back.
pub const READ_PATIENCE: Duration = Duration::from_secs(30);

/// Shows `take` the value and the headers of every message from `starts` on, up to the end of each partition as it is
/// then. False: `go_on` said no before that.
///
/// # Errors
/// When Kafka does not answer, or gives no message for 30 s.
pub fn read_since(
    options: &ProducerOptions,
    starts: &BTreeMap<i32, i64>,
    go_on: impl Fn() -> bool,
    mut take: impl FnMut(&[u8], &mut dyn Iterator<Item = (&[u8], &[u8])>),
) -> Result<bool, KafkaError> {
    let failed = |error| KafkaError::Read { brokers: options.brokers.clone(), reason: words_of(&error) };
    let mut config = options.client_config();
    config
        .set("group.id", "tweetblast")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        // A topic that is gone is said to be, well within the patience.
        .set("topic.metadata.propagation.max.ms", "5000")
        // Of a topic that was made again, all is read.
        .set("auto.offset.reset", "earliest");
    let consumer: BaseConsumer<QuietContext> =
        config.create_with_context(QuietContext).map_err(|error| KafkaError::of_properties(&error))?;
    let mut from = TopicPartitionList::new();
    for (partition, start) in starts {
        from.add_partition_offset(&options.topic, *partition, Offset::Offset(*start)).map_err(failed)?;
    }
    consumer.assign(&from).map_err(failed)?;
    let mut open: Vec<i32> = starts.keys().copied().collect();
    let (mut heard, mut last_error) = (Instant::now(), RdKafkaError::NoMessageReceived);
    while !open.is_empty() {
        if !go_on() {
            return Ok(false);
        }
        match consumer.poll(Duration::from_millis(100)) {
            None if heard.elapsed() > READ_PATIENCE => return Err(failed(last_error)),
            None => continue,
            Some(Ok(message)) => show(&message, &mut take),
            Some(Err(RdKafkaError::PartitionEOF(partition))) => open.retain(|other| *other != partition),
            // librdkafka tries again by itself, unless the topic is gone.
            Some(Err(error)) => {
                if heard.elapsed() > READ_PATIENCE {
                    return Err(failed(error));
                }
                last_error = error;
                continue;
            }
        }
        heard = Instant::now();
    }
    Ok(true)
}

/// Messages per second that Kafka gives a consumer: of the last ones of the topic, `most` at most, read for `longest` at most and
/// only while `go_on` says so.
///
/// # Errors
/// When Kafka does not answer.
pub fn read_rate(
    options: &ProducerOptions,
    partitions: usize,
    most: u64,
    longest: Duration,
    go_on: impl Fn() -> bool,
) -> Result<f64, KafkaError> {
    let mut starts = end_offsets(options, partitions)?;
    let of_each = most as i64 / partitions.max(1) as i64;
    starts.values_mut().for_each(|start| *start = (*start - of_each).max(0));
    let (count, began) = (Cell::new(0), Instant::now());
    let wants_more = || count.get() < most && began.elapsed() < longest && go_on();
    read_since(options, &starts, wants_more, |_, _| count.set(count.get() + 1))?;
    Ok(count.get() as f64 / began.elapsed().as_secs_f64())
}

fn show(
    message: &BorrowedMessage<'_>,
    take: &mut impl FnMut(&[u8], &mut dyn Iterator<Item = (&[u8], &[u8])>),
) {
    let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
    let mut headers = headers.map(|header| (header.key.as_bytes(), header.value.unwrap_or_default()));
    take(message.payload().unwrap_or_default(), &mut headers);
}

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
    // What it meets is in the error.
    config.set_log_level(RDKafkaLogLevel::Emerg);
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
