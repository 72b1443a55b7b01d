//! The batched producer: takes events from a queue, passes each to librdkafka, and passes on
//! exactly one delivery for each.
//!
//! librdkafka batches and retries. The producer waits without limit for a Kafka that goes away,
//! unless a [`DrainLimit`] ends the wait: then the remaining events are given up and counted as
//! failed.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError as RdKafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, Message, OwnedHeaders};
use rdkafka::metadata::MetadataTopic;
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer as _, ProducerContext, PurgeConfig};

use super::KafkaError;
use super::batch_producer::{BatchProducer, broker_id, may_be_there};
use super::drain::{Drain, DrainLimit};
use super::outage::Brokers;
use super::partitions::Partitions;
use super::pending::{Pending, PendingEvent};
use super::producer_options::{ProducerOptions, QUEUE_BYTES};
use super::words::{in_words, words_of};
use crate::count::Counters;
use crate::event::{Delivery, Event, Outcome};

/// One producer with its own queue and its own librdkafka instance.
pub struct Producer {
    inner: BatchProducer<Reports>,
    topic: String,
    run_in_headers: Option<String>,
    pending: Pending,
    /// Most bytes pending; a larger message is sent when nothing else is pending.
    queue_bytes: usize,
    /// Places in `pending` of the current events.
    places: Vec<usize>,
    /// What librdkafka has reported, while it is handed on.
    reports: Vec<(usize, Outcome)>,
    /// Offset of the last report of each partition.
    last_offsets: Vec<i64>,
    partitions: Partitions,
    counters: Arc<Counters>,
    deliveries: Sender<Vec<Delivery>>,
    drain: Drain,
    gave_up: bool,
}

/// Collects delivery reports while librdkafka is polled.
struct Reports(Mutex<Reported>);

struct Reported {
    outcomes: Vec<(usize, Outcome)>,
    brokers: Brokers,
}

impl Reports {
    fn new(counters: Arc<Counters>) -> Self {
        Self(Mutex::new(Reported { outcomes: Vec::new(), brokers: Brokers::new(counters) }))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Reported> {
        // A poisoned lock guards nothing here: each report is pushed whole.
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl ClientContext for Reports {
    fn error(&self, error: RdKafkaError, reason: &str) {
        // That all are down follows the reason for each.
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) {
            tracing::info!("librdkafka: {reason}");
            self.lock().brokers.complained(reason, Instant::now());
        }
    }

    /// The same once more, in words for its developers.
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!("librdkafka: {facility} {message}");
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, place: usize) {
        let mut reported = self.lock();
        let outcome = match result {
            Ok(message) => {
                reported.brokers.acknowledged(message.partition(), broker_id(message));
                Outcome::Delivered { partition: message.partition(), offset: message.offset() }
            }
            Err((error, message)) => {
                Outcome::Failed { reason: words_of(error), may_have_arrived: may_be_there(message) }
            }
        };
        reported.outcomes.push((place, outcome));
    }
}

/// Time between two polls for reports while nothing new comes, and so the delay until an ack is
/// noticed. The wait is ours, because rdkafka's `poll` spins through its last millisecond
/// (measured: a whole core).
const POLL: Duration = Duration::from_millis(1);

/// Longest wait for a batch while nothing is in flight, and so for librdkafka's errors to be seen.
const IDLE: Duration = Duration::from_millis(100);

/// Longest wait for each of two answers before the start. librdkafka asks for its producer id when
/// metadata arrives while it is connected, and otherwise half a second later, in which nothing is
/// sent. The first answer may come over the bootstrap connection, which ends with it; the second
/// one does not.
const READY_WAIT: Duration = Duration::from_millis(500);

impl Producer {
    /// A producer that passes deliveries to `deliveries`, ready to send if Kafka answers.
    ///
    /// # Errors
    /// When librdkafka refuses the properties.
    pub fn new(
        options: &ProducerOptions,
        counters: Arc<Counters>,
        deliveries: Sender<Vec<Delivery>>,
        drain: DrainLimit,
    ) -> Result<Self, KafkaError> {
        let inner = options
            .client_config()
            .create_with_context(Reports::new(counters.clone()))
            .and_then(|inner| BatchProducer::new(inner, &options.topic))
            .map_err(|error| KafkaError::Start {
                brokers: options.brokers.clone(),
                reason: words_of(&error),
            })?;
        // Without an answer the first messages wait instead, as they do for a Kafka that goes away.
        let mut partitions = Partitions::default();
        for _ in 0..2 {
            if let Ok(found) = inner.client().fetch_metadata(Some(&options.topic), READY_WAIT) {
                let leaders = found.topics().iter().flat_map(MetadataTopic::partitions);
                let mut leaders: Vec<_> = leaders.map(|found| (found.id(), found.leader())).collect();
                leaders.sort_unstable();
                let leaders: Vec<_> = leaders.into_iter().map(|(_, leader)| leader).collect();
                partitions.before = leaders.len();
                inner.context().lock().brokers.know(found.brokers().len(), leaders);
            }
        }
        Ok(Self {
            inner,
            topic: options.topic.clone(),
            run_in_headers: options.run_in_headers.clone(),
            pending: Pending::default(),
            queue_bytes: QUEUE_BYTES / options.producers.max(1),
            places: Vec::new(),
            reports: Vec::new(),
            last_offsets: Vec::new(),
            partitions,
            counters,
            deliveries,
            drain: Drain::new(drain),
            gave_up: false,
        })
    }

    /// Produces everything that comes through `queue`, until its sender is gone and every event is
    /// reported on, or the drain limit ends the wait.
    pub fn run(mut self, queue: &Receiver<Vec<Event>>) {
        loop {
            match queue.recv_timeout(if self.pending.count() == 0 { IDLE } else { POLL }) {
                Ok(events) => self.produce(&events),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.collect();
            self.check_limit();
        }
        self.drain.end(Instant::now());
        while self.pending.count() > 0 {
            std::thread::sleep(POLL);
            self.collect();
            self.check_limit();
        }
        if !self.gave_up {
            self.inner.context().lock().brokers.finish();
        }
    }

    /// Passes all of these to librdkafka, waiting while its queue is full.
    fn produce(&mut self, events: &[Event]) {
        let (mut left, mut full_since) = (events, None);
        loop {
            let fitting =
                if self.gave_up { left.len() } else { self.pending.fitting(left, self.queue_bytes) };
            let mut places = std::mem::take(&mut self.places);
            places.clear();
            places.extend(left[..fitting].iter().map(|event| self.pending.insert(event)));
            let done = self.offer(&left[..fitting], &places);
            for place in &places[done..] {
                self.pending.take(*place);
            }
            self.places = places;
            left = &left[done..];
            if left.is_empty() {
                break;
            }
            full_since.get_or_insert_with(Instant::now);
            std::thread::sleep(POLL);
            self.collect();
            self.check_limit();
        }
        if let Some(since) = full_since {
            self.counters.kafka_blocked_ns.add_time(since.elapsed());
        }
    }

    /// Passes as many as it accepts to librdkafka; returns their number, including refused ones.
    fn offer(&self, events: &[Event], places: &[usize]) -> usize {
        let refuse = |place, reason| {
            let outcome = Outcome::Failed { reason, may_have_arrived: false };
            self.inner.context().lock().outcomes.push((place, outcome));
        };
        if self.gave_up {
            let reason = in_words(RDKafkaErrorCode::PurgeQueue);
            places.iter().for_each(|place| refuse(*place, reason.clone()));
            return events.len();
        }
        let has_times = events.iter().any(|event| event.trace.kafka_time_ms.is_some());
        if self.run_in_headers.is_none() && !has_times {
            return self.inner.produce(events, places, |place, error| refuse(place, words_of(&error)));
        }
        // Messages of a batch can have neither headers nor times.
        for (number, (event, place)) in events.iter().zip(places).enumerate() {
            let mut record = BaseRecord::with_opaque_to(&self.topic, *place).payload(&event.payload[..]);
            if !event.key.is_empty() {
                record = record.key(&event.key[..]);
            }
            if let Some(time_ms) = event.trace.kafka_time_ms {
                record = record.timestamp(time_ms.get());
            }
            if let (Some(run), Some(seq)) = (&self.run_in_headers, event.trace.seq) {
                let headers = OwnedHeaders::new_with_capacity(2)
                    .insert(Header { key: "run", value: Some(run) })
                    .insert(Header { key: "seq", value: Some(&seq.to_string()) });
                record = record.headers(headers);
            }
            match self.inner.send(record) {
                Ok(()) => {}
                Err((RdKafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => return number,
                Err((error, _)) => refuse(*place, words_of(&error)),
            }
        }
        events.len()
    }

    /// Passes on the deliveries that librdkafka has reported since the last call.
    fn collect(&mut self) {
        self.inner.poll(Duration::ZERO);
        let waits = self.pending.count() > 0 && !self.gave_up;
        let is_silent = {
            let mut reported = self.inner.context().lock();
            std::mem::swap(&mut self.reports, &mut reported.outcomes);
            reported.brokers.look(waits && self.reports.is_empty(), Instant::now())
        };
        if is_silent {
            self.check_partitions();
        }
        if self.reports.is_empty() {
            return;
        }
        self.counters.offsets_fell.add(falls(&mut self.last_offsets, &self.reports));
        let acked = Instant::now();
        let deliveries = self
            .reports
            .drain(..)
            .filter_map(|(place, outcome)| Some(delivery(self.pending.take(place)?, outcome, acked)))
            .collect();
        self.hand_on(deliveries);
    }

    fn hand_on(&self, deliveries: Vec<Delivery>) {
        let (mut delivered, mut failed, mut foreign_delivered, mut foreign_failed) = (0, 0, 0, 0);
        for delivery in &deliveries {
            let count = match (&delivery.outcome, delivery.trace.seq.is_some()) {
                (Outcome::Delivered { .. }, true) => &mut delivered,
                (Outcome::Delivered { .. }, false) => &mut foreign_delivered,
                (Outcome::Failed { .. }, true) => &mut failed,
                (Outcome::Failed { .. }, false) => &mut foreign_failed,
            };
            *count += 1;
        }
        self.counters.delivered.add(delivered);
        self.counters.failed.add(failed);
        self.counters.foreign_delivered.add(foreign_delivered);
        self.counters.foreign_failed.add(foreign_failed);
        // The receiver may be gone if the run ends with an error; the counts are right.
        let _ = self.deliveries.send(deliveries);
    }

    /// Gives up everything unreported when a limit has passed.
    fn check_limit(&mut self) {
        if self.drain.is_over(self.pending.count() > 0, Instant::now()) && !self.gave_up {
            tracing::warn!(unreported = self.pending.count(), "Kafka does not take the rest: giving it up");
            self.give_up();
        }
    }

    /// Gives up everything when messages wait for partitions that are gone: they would wait forever.
    fn check_partitions(&mut self) {
        let (inner, topic) = (&self.inner, &self.topic);
        let count = || {
            let found = inner.client().fetch_metadata(Some(topic), READY_WAIT).ok()?;
            found.topics().first().map(|topic| topic.partitions().len())
        };
        let before = self.partitions.before;
        if let Some(now) = self.partitions.gone(Instant::now(), count) {
            tracing::warn!(
                before,
                now,
                "the topic was created again with fewer partitions: giving up what waits"
            );
            self.give_up();
        }
    }

    fn give_up(&mut self) {
        self.gave_up = true;
        self.inner.purge(PurgeConfig::default().queue().inflight());
    }
}

/// How many of these reports have an offset that is not above the last one of their partition: what a producer has
/// acknowledged later is later in the log.
fn falls(last_offsets: &mut Vec<i64>, reports: &[(usize, Outcome)]) -> u64 {
    let mut falls = 0;
    for (_, outcome) in reports {
        let Outcome::Delivered { partition, offset } = *outcome else { continue };
        // An offset may be unknown.
        let (Ok(number), 0..) = (usize::try_from(partition), offset) else { continue };
        if number >= last_offsets.len() {
            last_offsets.resize(number + 1, -1);
        }
        let before = std::mem::replace(&mut last_offsets[number], offset);
        falls += u64::from(offset <= before);
    }
    falls
}

fn delivery(waiting: PendingEvent, outcome: Outcome, acked: Instant) -> Delivery {
    Delivery { trace: waiting.trace, acked, outcome }
}

#[cfg(test)]
#[path = "producer_tests.rs"]
mod tests;
