//! What librdkafka and Kafka answer, in plain words: the one table of their error codes.

use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

/// An error of rdkafka's in words. What it was doing is for the caller to say.
pub(super) fn words_of(error: &KafkaError) -> String {
    match error {
        KafkaError::AdminOpCreation(words)
        | KafkaError::ClientCreation(words)
        | KafkaError::Subscription(words) => words.clone(),
        KafkaError::AdminOp(code) => in_words(*code),
        KafkaError::NoMessageReceived => "no message came".to_owned(),
        KafkaError::Canceled => "it was given up".to_owned(),
        other => other.rdkafka_error_code().map_or_else(|| other.to_string(), in_words),
    }
}

/// One code in words: those that a replay can meet, in the order of librdkafka's header.
pub(super) fn in_words(code: Code) -> String {
    let words = match code {
        Code::BrokerTransportFailure | Code::AllBrokersDown => "no connection to Kafka",
        Code::Resolve => "unknown host",
        Code::MessageTimedOut => "not acknowledged in time (message.timeout.ms)",
        Code::UnknownPartition => "the topic has no such partition",
        Code::UnknownTopic | Code::UnknownTopicOrPartition => "the topic is not there",
        Code::InvalidArgument => "librdkafka does not take the value of a property (see -X)",
        Code::OperationTimedOut | Code::RequestTimedOut => "no answer in time",
        Code::QueueFull => "librdkafka's queue is full",
        Code::SSL => "TLS failed",
        Code::UnsupportedFeature => "this Kafka is too old for it",
        Code::Authentication | Code::SaslAuthenticationFailed => {
            "Kafka refuses the user or the password (sasl.username, sasl.password)"
        }
        Code::PurgeQueue => "not sent: Kafka did not take what came before",
        Code::PurgeInflight => "sent, and not acknowledged when the wait ended",
        Code::Fatal => "librdkafka cannot go on",
        Code::InvalidDifferentRecord => "another message of its batch was refused",
        Code::LeaderNotAvailable | Code::NotLeaderForPartition => "the partition has no leader now",
        Code::BrokerNotAvailable => "the broker is not available",
        Code::NetworkException => "the connection ended before the answer",
        Code::MessageSizeTooLarge => {
            "the message is above the size that Kafka takes (message.max.bytes, max.message.bytes)"
        }
        Code::MessageBatchTooLarge => "the batch is above the size of a segment of the topic (segment.bytes)",
        Code::InvalidTopic => "no topic can have this name",
        Code::NotEnoughReplicas | Code::NotEnoughReplicasAfterAppend => {
            "fewer replicas than min.insync.replicas are there"
        }
        Code::TopicAuthorizationFailed => "the user may not write to the topic",
        Code::ClusterAuthorizationFailed => "the user may not do that on this cluster",
        Code::InvalidTimestamp => "Kafka does not take the time of the message",
        Code::UnsupportedSASLMechanism => "Kafka does not know this sasl.mechanism",
        Code::UnsupportedVersion => "this Kafka is too old, or too new",
        Code::InvalidPartitions => "this number of partitions cannot be (--partitions)",
        Code::InvalidReplicationFactor => "there are fewer brokers than replicas",
        Code::PolicyViolation => "a rule of this Kafka is against it",
        Code::OutOfOrderSequenceNumber | Code::UnknownProducerId => {
            "messages before it are gone from the topic"
        }
        Code::KafkaStorageError => "Kafka cannot write to its disk",
        Code::InvalidRecord | Code::InvalidMessage => "Kafka refuses the message as invalid",
        Code::ThrottlingQuotaExceeded => "the user's quota is used up",
        other => return without_names(other),
    };
    words.to_owned()
}

/// The words that librdkafka has for a code, without the code's name and whose error it is.
fn without_names(code: Code) -> String {
    let whole = code.to_string();
    let words = whole.split_once(" (").map_or(&whole[..], |(_, words)| words.trim_end_matches(')'));
    match words.split_once(": ") {
        Some(("Broker", words)) => format!("Kafka says: {words}"),
        Some(("Local", words)) => format!("librdkafka says: {words}"),
        _ => words.to_owned(),
    }
}

/// The number and the address of the broker that librdkafka complains of; no number: a connection to ask for
/// brokers, or no connection at all.
pub(super) fn broker_of(complaint: &str) -> (Option<i32>, &str) {
    let names = complaint.split(": ").take_while(|name| name.starts_with("[thrd:") || name.contains('/'));
    let Some((address, number)) = names.last().and_then(|name| name.rsplit_once('/')) else {
        return (None, "");
    };
    (number.parse().ok(), address.split_once("://").map_or(address, |(_, address)| address))
}

/// What librdkafka logs, without what it alone knows of: its names for the thread and the connection, and how
/// long it took.
pub(super) fn plain(reason: &str) -> String {
    let is_name = |name: &str| {
        let number = name.rsplit_once('/').map_or("", |(_, number)| number);
        let is_connection = number == "bootstrap" || number.parse::<u32>().is_ok();
        name.starts_with("[thrd:") || name.contains("://") || is_connection
    };
    let mut reason = reason.split(" (after ").next().unwrap_or(reason);
    while let Some((_, rest)) = reason.split_once(": ").filter(|(name, _)| is_name(name)) {
        reason = rest;
    }
    reason.replace("ipv4#", "").replace("ipv6#", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_shows_its_name_or_whose_it_is() {
        let codes = (-199..=129).filter_map(|code| rdkafka::types::RDKafkaRespErr::try_from(code).ok());
        let mut seen = 0;
        for code in codes.map(Code::from) {
            let words = in_words(code);
            let is_plain =
                !words.contains("Local:") && !words.contains("Broker:") && !words.contains("Purged");
            assert!(is_plain && !words.is_empty(), "{code:?}: {words}");
            seen += 1;
        }
        assert!(seen > 150, "{seen} codes");
    }

    #[test]
    fn what_a_call_met_is_said_without_the_name_of_the_call() {
        let down = KafkaError::MetadataFetch(Code::BrokerTransportFailure);
        assert_eq!(words_of(&down), "no connection to Kafka");
        assert_eq!(
            words_of(&KafkaError::AdminOp(Code::NotController)),
            "Kafka says: Not controller for cluster"
        );
    }

    #[test]
    fn the_broker_of_a_complaint_is_found() {
        let words = "[thrd:127.0.0.1:1/bootstrap]: 127.0.0.1:1/12: Disconnected: a/b (after 1ms in state UP)";
        assert_eq!(broker_of(words), (Some(12), "127.0.0.1:1"));
        assert_eq!(broker_of("ssl://a:1/3: SSL handshake failed: x"), (Some(3), "a:1"));
        assert_eq!(broker_of("a:1/bootstrap: Connect to ipv4#a:1 failed"), (None, "a:1"));
        assert_eq!(broker_of("2/2 brokers are down"), (None, "2"));
        assert_eq!(broker_of("anything else"), (None, ""));
    }

    #[test]
    fn complaints_are_shown_without_names_that_only_librdkafka_has() {
        let words = "[thrd:127.0.0.1:1/bootstrap]: 127.0.0.1:1/bootstrap: Disconnected: requesting ApiVersion: might \
                     be caused by incorrect security.protocol configuration (connecting to a SSL listener?) (after \
                     1ms in state APIVERSION_QUERY)";
        let shown = plain(words);
        assert!(
            shown.starts_with("Disconnected: requesting") && shown.ends_with("SSL listener?)"),
            "{shown}"
        );
        assert_eq!(
            plain("ssl://a:1/bootstrap: SSL handshake failed: x (after 2ms in state)"),
            "SSL handshake failed: x"
        );
        assert_eq!(plain("a:1/12: Connect to ipv4#a:1 failed: b"), "Connect to a:1 failed: b");
        assert_eq!(plain("anything else"), "anything else");
    }
}
