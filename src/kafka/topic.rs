//! Makes sure, before the clock starts, that Kafka answers and the topic exists.

use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::RDKafkaErrorCode;

use super::{KafkaError, ProducerOptions};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topic {
    pub partitions: usize,
    /// Whether it was missing and has been created.
    pub created: bool,
}

/// A cluster as it presents itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Host and port of each broker, as clients are told.
    pub advertised: Vec<(String, u16)>,
    /// Partitions of the topic; 0: it is missing.
    pub partitions: usize,
}

/// How long Kafka may take to answer at all, and to have a new topic ready.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Asks Kafka who it is. Creates nothing.
///
/// # Errors
/// When Kafka does not answer within 10 s.
pub fn look_at_cluster(options: &ProducerOptions) -> Result<Cluster, KafkaError> {
    let client = options.client_config().create().map_err(|error| KafkaError::of_properties(&error))?;
    cluster_of(&client, options)
}

fn cluster_of(
    client: &AdminClient<DefaultClientContext>,
    options: &ProducerOptions,
) -> Result<Cluster, KafkaError> {
    // Asking for all topics never creates one.
    let metadata = client.inner().fetch_metadata(None, TIMEOUT).map_err(|source| {
        KafkaError::Unreachable { brokers: options.brokers.clone(), seconds: TIMEOUT.as_secs(), source }
    })?;
    let topic = metadata.topics().iter().find(|topic| topic.name() == options.topic);
    Ok(Cluster {
        advertised: metadata
            .brokers()
            .iter()
            .map(|broker| (broker.host().to_owned(), broker.port() as u16))
            .collect(),
        partitions: topic.map_or(0, |topic| topic.partitions().len()),
    })
}

/// Asks for the topic, and creates it where it is missing. Takes at most 20 s.
///
/// # Errors
/// When Kafka does not answer, or the topic is missing and cannot be created.
pub fn prepare_topic(options: &ProducerOptions) -> Result<Topic, KafkaError> {
    let admin: AdminClient<DefaultClientContext> =
        options.client_config().create().map_err(|error| KafkaError::of_properties(&error))?;
    let partitions = || Ok::<_, KafkaError>(cluster_of(&admin, options)?.partitions);
    let found = partitions()?;
    if found > 0 {
        return Ok(Topic { partitions: found, created: false });
    }
    let failed = |reason: String| KafkaError::CreateTopic {
        topic: options.topic.clone(),
        brokers: options.brokers.clone(),
        reason,
    };
    let wanted = NewTopic::new(&options.topic, options.partitions, TopicReplication::Fixed(1));
    let answer = admin.create_topics([&wanted], &AdminOptions::new().operation_timeout(Some(TIMEOUT)));
    let runtime =
        tokio::runtime::Builder::new_current_thread().build().map_err(|error| failed(error.to_string()))?;
    for result in runtime.block_on(answer).map_err(|error| failed(error.to_string()))? {
        match result {
            // Somebody was quicker: fine.
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((_, code)) => return Err(failed(code.to_string())),
        }
    }
    let deadline = Instant::now() + TIMEOUT;
    loop {
        let found = partitions()?;
        if found > 0 {
            return Ok(Topic { partitions: found, created: true });
        }
        if Instant::now() > deadline {
            return Err(failed(format!("still missing {} s after it was created", TIMEOUT.as_secs())));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Offset behind the last message of each partition.
///
/// # Errors
/// When Kafka does not answer within 10 s.
pub fn end_offsets(
    options: &ProducerOptions,
    partitions: usize,
) -> Result<std::collections::BTreeMap<i32, i64>, KafkaError> {
    let client: AdminClient<DefaultClientContext> =
        options.client_config().create().map_err(|error| KafkaError::of_properties(&error))?;
    let end = |partition: i32| {
        let (_, end) =
            client.inner().fetch_watermarks(&options.topic, partition, TIMEOUT).map_err(|source| {
                KafkaError::Unreachable {
                    brokers: options.brokers.clone(),
                    seconds: TIMEOUT.as_secs(),
                    source,
                }
            })?;
        Ok((partition, end))
    };
    (0..partitions as i32).map(end).collect()
}
