//! A producer for a stream without an end: to several topics, with a header and the time at which each message came. It
//! never waits: what there is no room for is not taken.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError as RdKafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{
    BaseProducer, BaseRecord, DeliveryResult, Producer as _, ProducerContext, PurgeConfig,
};

use super::words::{plain, words_of};
use super::{KafkaError, ProducerOptions};

/// Name of the header with the MQTT topic; Confluent's connector has it too.
pub const MQTT_TOPIC_HEADER: &str = "mqtt.topic";

/// One message for Kafka.
#[derive(Debug, Clone, Copy)]
pub struct StreamMessage<'a> {
    pub topic: &'a str,
    /// Empty: no key.
    pub key: &'a [u8],
    pub payload: &'a [u8],
    pub mqtt_topic: &'a [u8],
    /// Milliseconds since 1970 UTC.
    pub time_ms: i64,
}

/// What librdkafka says to a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Offer {
    /// There will be a report.
    Taken,
    /// Its queue is full.
    Full,
    /// It will never take it.
    Refused(String),
}

/// Kafka's word on one message, by its ticket: `None` if it is there, or why not.
pub type StreamReport = (u64, Option<String>);

/// The producer.
pub struct StreamProducer {
    inner: BaseProducer<Reports>,
    /// Goes into a header of each message, beside its ticket as the number; `None`: neither does.
    run: Option<String>,
}

#[derive(Default)]
struct Reports(Mutex<Reported>);

#[derive(Default)]
struct Reported {
    reports: Vec<StreamReport>,
    complaint: Option<String>,
    fatal: Option<String>,
}

impl Reports {
    fn lock(&self) -> MutexGuard<'_, Reported> {
        // A poisoned lock guards nothing here: each report is pushed whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Reports {
    fn error(&self, error: RdKafkaError, reason: &str) {
        let mut reported = self.lock();
        match error.rdkafka_error_code() {
            // That all are down follows the reason for each.
            Some(RDKafkaErrorCode::AllBrokersDown) => {}
            Some(RDKafkaErrorCode::Fatal) => reported.fatal = Some(plain(reason)),
            _ => reported.complaint = Some(plain(reason)),
        }
    }

    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!("librdkafka: {facility} {message}");
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, ticket: usize) {
        let failure = result.as_ref().err().map(|(error, _)| words_of(error));
        let mut reported = self.lock();
        if failure.is_none() {
            reported.complaint = None;
        }
        reported.reports.push((ticket as u64, failure));
    }
}

impl StreamProducer {
    /// A producer. Whether Kafka answers is not asked.
    ///
    /// # Errors
    /// When librdkafka refuses the properties.
    pub fn new(options: &ProducerOptions) -> Result<Self, KafkaError> {
        let inner = options.client_config().create_with_context(Reports::default());
        let inner = inner.map_err(|error| KafkaError::of_properties(&error))?;
        Ok(Self { inner, run: options.run_in_headers.clone() })
    }

    /// Offers a message to librdkafka, which copies it. `ticket` comes back in its report.
    pub fn offer(&self, message: &StreamMessage<'_>, ticket: u64) -> Offer {
        let header = Header { key: MQTT_TOPIC_HEADER, value: Some(message.mqtt_topic) };
        let mut headers = OwnedHeaders::new_with_capacity(3).insert(header);
        if let Some(run) = &self.run {
            headers = headers
                .insert(Header { key: "run", value: Some(run) })
                .insert(Header { key: "seq", value: Some(&ticket.to_string()) });
        }
        let mut record = BaseRecord::with_opaque_to(message.topic, ticket as usize)
            .payload(message.payload)
            .timestamp(message.time_ms)
            .headers(headers);
        if !message.key.is_empty() {
            record = record.key(message.key);
        }
        match self.inner.send(record) {
            Ok(()) => Offer::Taken,
            Err((RdKafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => Offer::Full,
            Err((error, _)) => Offer::Refused(words_of(&error)),
        }
    }

    /// Takes the reports since the last call, in the order in which Kafka gave them.
    pub fn reports(&self, into: &mut Vec<StreamReport>) {
        self.inner.poll(Duration::ZERO);
        into.append(&mut self.inner.context().lock().reports);
    }

    /// What librdkafka complains of since the last message that Kafka took.
    pub fn complaint(&self) -> Option<String> {
        self.inner.context().lock().complaint.clone()
    }

    /// Why this producer can send nothing more, ever.
    pub fn fatal(&self) -> Option<String> {
        self.inner.context().lock().fatal.clone()
    }

    /// Gives up what Kafka has not reported on: a report says so of each.
    pub fn give_up(&self) {
        self.inner.purge(PurgeConfig::default().queue().inflight());
    }
}
