//! What can go wrong with Kafka, with messages that say what to do.

use rdkafka::types::RDKafkaConfRes;

use super::words::words_of;

/// How to get a build with OpenSSL.
const TLS_BUILD: &str = "cargo build --release --features tls, with OpenSSL's headers (Debian's libssl-dev), \
                         makes one that has it";

/// Why a run cannot use Kafka, or cannot continue to use it.
#[derive(Debug, thiserror::Error)]
pub enum KafkaError {
    /// librdkafka refuses this property.
    #[error("{0}")]
    Properties(String),
    /// None of the addresses takes a connection.
    #[error(
        "no Kafka at {brokers} ({reason}): is it running there? `tweetblast doctor --kafka {brokers}` checks \
         each hop"
    )]
    Unreachable {
        brokers: String,
        /// What each address said.
        reason: String,
    },
    /// Connections are accepted, or wait, and no answer arrives within the time-out.
    #[error(
        "no Kafka answers at {brokers} within {seconds} s ({reason}): {advice} (`tweetblast doctor --kafka {brokers}` \
         checks each hop)"
    )]
    Silent {
        brokers: String,
        seconds: u64,
        reason: String,
        /// What to look for, or to type.
        advice: &'static str,
    },
    /// Kafka refuses us, or we refuse its certificate, and will do so each time.
    #[error("cannot use Kafka at {brokers} ({reason}): {advice}")]
    Refused {
        brokers: String,
        reason: String,
        /// What to type.
        advice: &'static str,
    },
    /// The topic does not exist and cannot be made.
    #[error("cannot create topic {topic} on {brokers}: {reason}")]
    CreateTopic { topic: String, brokers: String, reason: String },
    /// The topic is still there.
    #[error("cannot delete topic {topic} on {brokers}: {reason}")]
    DeleteTopic { topic: String, brokers: String, reason: String },
    /// Messages that are there cannot be read.
    #[error("cannot read from {brokers}: {reason}")]
    Read { brokers: String, reason: String },
    /// The producer's thread cannot be made.
    #[error("cannot start a producer for {brokers}: {reason}")]
    Start { brokers: String, reason: String },
}

impl KafkaError {
    /// From an error while a client is made. It omits the value of a property, which may be a
    /// password and is part of librdkafka's own message.
    pub(super) fn of_properties(error: &rdkafka::error::KafkaError) -> Self {
        use rdkafka::error::KafkaError as Theirs;
        Self::Properties(match error {
            Theirs::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, _, key, _) => {
                format!("librdkafka has no property {key} (see -X)")
            }
            Theirs::ClientConfig(_, words, key, _) if words.contains("not available at build time") => {
                format!("{key} asks for TLS or SASL/SCRAM, which this build is without: {TLS_BUILD}")
            }
            Theirs::ClientConfig(_, _, key, _) => {
                format!("librdkafka does not take the value of {key} (see -X)")
            }
            other => {
                let words = words_of(other);
                format!("librdkafka does not take these properties together (see -X): {words}")
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rdkafka::ClientConfig;
    use rdkafka::producer::BaseProducer;

    #[test]
    fn a_refused_property_is_named_and_its_value_is_not() {
        let refused = |key: &str, value: &str| {
            let made = ClientConfig::new().set(key, value).create::<BaseProducer>();
            KafkaError::of_properties(&made.err().unwrap()).to_string()
        };
        for key in ["sasl.passwort", "linger.ms", "security.protocol"] {
            let words = refused(key, "s3cret");
            assert!(words.contains(key) && !words.contains("s3cret"), "{words}");
        }
        #[cfg(not(feature = "tls"))]
        assert!(refused("security.protocol", "sasl_ssl").contains("--features tls"));
    }
}
