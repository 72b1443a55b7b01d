//! Checks, before the clock starts, that Kafka answers and that the topic exists.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError as RdKafkaError, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;
use rdkafka::producer::{BaseProducer, DeliveryResult, Producer as _, ProducerContext};

use super::create_topic::create_topic;
use super::probe::{Probe, probe};
use super::quiet::QuietContext;
use super::refusal::Refusal;
use super::words::{in_words, plain, words_of};
use super::{KafkaError, ProducerOptions};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    pub partitions: usize,
    /// Copies of the partition that has the fewest.
    pub replicas: usize,
    /// How many of them must have a message before it is acknowledged (`min.insync.replicas`); `None`: Kafka did not
    /// say.
    pub min_insync: Option<usize>,
    /// Brokers of the cluster.
    pub brokers: usize,
    /// Whether it was missing and has been created.
    pub created: bool,
}

/// A cluster as it presents itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Host and port of each broker, as given to clients.
    pub advertised: Vec<(String, u16)>,
    /// Partitions of the topic; 0 if it is missing.
    pub partitions: usize,
    /// Copies of the partition that has the fewest.
    pub replicas: usize,
}

/// How long Kafka may take to answer at all, and to have a new topic ready.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long Kafka may refuse a login: one that has just been started may not know its users yet.
const REFUSING: Duration = Duration::from_secs(3);

/// What to look for when nothing says why there is no answer.
const IS_IT_A_KAFKA: &str = "is it a Kafka, with the security.protocol given by -X, and does its advertised listener \
                             name an address that this machine can reach?";

/// A client for the questions before the start. It keeps what librdkafka says meanwhile: of a failed
/// handshake nothing else tells.
type Questions = BaseProducer<Complaints>;

#[derive(Default)]
struct Complaints(Mutex<Option<String>>);

impl ClientContext for Complaints {
    fn error(&self, error: RdKafkaError, reason: &str) {
        // That all are down follows the reason for each.
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) {
            *self.lock() = Some(plain(reason));
        }
    }

    /// A connection that the other side ends is no error to librdkafka.
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        if facility == "FAIL" {
            *self.lock() = Some(plain(message));
        }
    }
}

impl ProducerContext for Complaints {
    type DeliveryOpaque = ();

    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}

impl Complaints {
    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A client, when somebody answers at the address.
fn ask(options: &ProducerOptions) -> Result<Questions, KafkaError> {
    let client = options
        .client_config()
        .set_log_level(RDKafkaLogLevel::Info)
        .create_with_context(Complaints::default())
        .map_err(|error| KafkaError::of_properties(&error))?;
    match probe(&options.brokers) {
        Probe::Answers | Probe::Unclear => Ok(client),
        Probe::Nobody(reason) => Err(KafkaError::Unreachable { brokers: options.brokers.clone(), reason }),
    }
}

/// Why there is no answer, as exactly as is known.
fn unanswered(options: &ProducerOptions, client: &Questions, error: &RdKafkaError) -> KafkaError {
    // Hands on all that librdkafka has to say, not only the next of it.
    client.poll(Duration::from_millis(100));
    let complaint = client.context().lock().clone();
    let reason = complaint.unwrap_or_else(|| words_of(error));
    let brokers = options.brokers.clone();
    match Refusal::of(&reason, &options.security_protocol()) {
        Some(refusal) if refusal.is_final() => {
            KafkaError::Refused { brokers, reason, advice: refusal.advice() }
        }
        refusal => {
            let advice = refusal.map_or(IS_IT_A_KAFKA, Refusal::advice);
            KafkaError::Silent { brokers, seconds: TIMEOUT.as_secs(), reason, advice }
        }
    }
}

/// All topics; asking for them never creates one. Waits no longer than it takes to be sure that Kafka refuses us.
fn metadata_of(client: &Questions, options: &ProducerOptions) -> Result<Metadata, KafkaError> {
    let ask = |patience| {
        let answer = client
            .client()
            .fetch_metadata(None, patience)
            .map_err(|error| unanswered(options, client, &error));
        if answer.is_ok() {
            // An earlier complaint does not explain a later failure.
            client.context().lock().take();
        }
        answer
    };
    match ask(REFUSING) {
        Err(KafkaError::Silent { .. }) => ask(TIMEOUT - REFUSING),
        answer => answer,
    }
}

/// Asks Kafka who it is. Creates nothing.
///
/// # Errors
/// When Kafka does not answer within 10 s, or refuses us.
pub fn look_at_cluster(options: &ProducerOptions) -> Result<Cluster, KafkaError> {
    let client = ask(options)?;
    cluster_of(&client, options)
}

fn cluster_of(client: &Questions, options: &ProducerOptions) -> Result<Cluster, KafkaError> {
    let metadata = metadata_of(client, options)?;
    let topic = metadata.topics().iter().find(|topic| topic.name() == options.topic);
    Ok(Cluster {
        advertised: metadata
            .brokers()
            .iter()
            .map(|broker| (broker.host().to_owned(), broker.port() as u16))
            .collect(),
        partitions: topic.map_or(0, |topic| topic.partitions().len()),
        replicas: topic
            .and_then(|topic| topic.partitions().iter().map(|partition| partition.replicas().len()).min())
            .unwrap_or(0),
    })
}

/// How many copies must have a message before it is acknowledged; `None`: Kafka did not say.
fn min_insync(options: &ProducerOptions) -> Option<usize> {
    let admin: AdminClient<QuietContext> = options.client_config().create_with_context(QuietContext).ok()?;
    let runtime = tokio::runtime::Builder::new_current_thread().build().ok()?;
    let resource = ResourceSpecifier::Topic(&options.topic);
    let timeout = AdminOptions::new().request_timeout(Some(TIMEOUT));
    let answer = runtime.block_on(admin.describe_configs([&resource], &timeout)).ok()?;
    let entries = answer.into_iter().next()?.ok()?.entry_map().get("min.insync.replicas")?.value.clone();
    entries?.parse().ok()
}

/// Asks for the topic, and creates it if it is missing. Takes at most 30 s.
///
/// # Errors
/// When Kafka does not answer, or refuses us, or the topic is missing and cannot be created.
pub fn prepare_topic(options: &ProducerOptions) -> Result<Topic, KafkaError> {
    let client = ask(options)?;
    let look = |created| {
        let Cluster { advertised, partitions, replicas } = cluster_of(&client, options)?;
        // Of one copy there is nothing to ask.
        let min_insync = if replicas > 1 { min_insync(options) } else { None };
        Ok::<_, KafkaError>(Topic { partitions, replicas, min_insync, brokers: advertised.len(), created })
    };
    let found = look(false)?;
    if found.partitions > 0 {
        return Ok(found);
    }
    let failed = |reason: String| KafkaError::CreateTopic {
        topic: options.topic.clone(),
        brokers: options.brokers.clone(),
        reason,
    };
    let (partitions, replication) = (options.partitions, options.replication);
    create_topic(client.client(), &options.topic, partitions, replication, TIMEOUT).map_err(failed)?;
    let deadline = Instant::now() + TIMEOUT;
    loop {
        let found = look(true)?;
        if found.partitions > 0 {
            return Ok(found);
        }
        if Instant::now() > deadline {
            return Err(failed(format!("still missing {} s after it was created", TIMEOUT.as_secs())));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Deletes the topic. Takes at most 10 s.
///
/// # Errors
/// When Kafka does not answer, or refuses.
pub fn delete_topic(options: &ProducerOptions) -> Result<(), KafkaError> {
    let failed = |reason: String| KafkaError::DeleteTopic {
        topic: options.topic.clone(),
        brokers: options.brokers.clone(),
        reason,
    };
    let admin: AdminClient<QuietContext> = options
        .client_config()
        .create_with_context(QuietContext)
        .map_err(|error| KafkaError::of_properties(&error))?;
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|error| failed(error.to_string()))?;
    let timeout = AdminOptions::new().request_timeout(Some(TIMEOUT));
    let answer = runtime.block_on(admin.delete_topics(&[&options.topic], &timeout));
    let answers = answer.map_err(|error| failed(words_of(&error)))?;
    answers.into_iter().try_for_each(|answer| answer.map(drop).map_err(|(_, code)| failed(in_words(code))))
}

/// Offset after the last message of each partition.
///
/// # Errors
/// When Kafka does not answer within 10 s.
pub fn end_offsets(
    options: &ProducerOptions,
    partitions: usize,
) -> Result<std::collections::BTreeMap<i32, i64>, KafkaError> {
    let client = ask(options)?;
    let end = |partition: i32| {
        let (_, end) = client.client().fetch_watermarks(&options.topic, partition, TIMEOUT).map_err(
            |error| match error.rdkafka_error_code() {
                // It was there when it was asked for, a moment ago.
                Some(
                    RDKafkaErrorCode::UnknownPartition
                    | RDKafkaErrorCode::UnknownTopic
                    | RDKafkaErrorCode::UnknownTopicOrPartition,
                ) => KafkaError::Read { brokers: options.brokers.clone(), reason: words_of(&error) },
                _ => unanswered(options, &client, &error),
            },
        )?;
        Ok((partition, end))
    };
    (0..partitions as i32).map(end).collect()
}
