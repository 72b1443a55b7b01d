//! What can go wrong with Kafka, in words that say what to do.

/// Why a run cannot use Kafka, or cannot go on with it.
#[derive(Debug, thiserror::Error)]
pub enum KafkaError {
    /// librdkafka refuses the properties it was given.
    #[error("librdkafka does not take these properties (see -X): {0}")]
    Properties(#[source] rdkafka::error::KafkaError),
    /// No answer within the time-out.
    #[error(
        "no Kafka answers at {brokers} within {seconds} s ({source}): is it running, and does its \
         advertised listener name an address that this machine can reach?"
    )]
    Unreachable {
        /// Bootstrap servers as given.
        brokers: String,
        /// Seconds waited.
        seconds: u64,
        /// librdkafka's word.
        source: rdkafka::error::KafkaError,
    },
    /// The topic does not exist and cannot be made.
    #[error("cannot create topic {topic} on {brokers}: {reason}")]
    CreateTopic {
        /// Topic.
        topic: String,
        /// Bootstrap servers as given.
        brokers: String,
        /// Kafka's word.
        reason: String,
    },
    /// A record that librdkafka will never take, whatever the queue.
    #[error("cannot start a producer for {brokers}: {source}")]
    Start {
        /// Bootstrap servers as given.
        brokers: String,
        /// librdkafka's word.
        source: rdkafka::error::KafkaError,
    },
}
