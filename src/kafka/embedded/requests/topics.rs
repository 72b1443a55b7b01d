//! Creates and deletes topics: CreateTopics, DeleteTopics.

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::create_topics_request::{CreatableReplicaAssignment, CreatableTopic};
use kafka_protocol::messages::create_topics_response::CreatableTopicResult;
use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::{
    CreateTopicsRequest, CreateTopicsResponse, DeleteTopicsRequest, DeleteTopicsResponse, TopicName,
};

use super::cluster::NODE;
use super::{code, text};
use crate::kafka::embedded::state::EndpointState;

type Refused = (ResponseError, String);

/// Settings of every topic. A request for other ones is refused instead of silently ignored.
pub(super) fn topic_configs(broker: &EndpointState) -> Vec<(&'static str, String)> {
    let retention = broker.store.settings().retention_bytes;
    let retention = retention.map_or("-1".to_owned(), |bytes| bytes.to_string());
    vec![
        ("cleanup.policy", "delete".to_owned()),
        ("compression.type", "producer".to_owned()),
        ("max.message.bytes", broker.limits.batch_bytes.to_string()),
        ("message.timestamp.type", "CreateTime".to_owned()),
        ("min.insync.replicas", "1".to_owned()),
        ("retention.bytes", retention),
        ("retention.ms", "-1".to_owned()),
    ]
}

pub(super) fn create_topics(
    broker: &EndpointState,
    version: i16,
    request: CreateTopicsRequest,
) -> CreateTopicsResponse {
    let result = |topic: CreatableTopic| {
        let created = wanted_partitions(broker, &topic).and_then(|partitions| {
            broker.store.create_topic(&topic.name, partitions, request.validate_only)?;
            Ok(partitions)
        });
        let result = CreatableTopicResult::default().with_name(topic.name);
        match created {
            Ok(partitions) if version >= 5 => result
                .with_num_partitions(partitions)
                .with_replication_factor(1)
                .with_configs(Some(Vec::new())),
            Ok(_) => result,
            Err((error, reason)) => {
                result.with_error_code(error.code()).with_error_message(Some(text(reason)))
            }
        }
    };
    CreateTopicsResponse::default().with_topics(request.topics.into_iter().map(result).collect())
}

/// How Kafka lays messages out on disk and when it writes them there: a reader sees nothing of it, so a request may ask
/// for any.
const LAYOUT_CONFIGS: [&str; 11] = [
    "file.delete.delay.ms",
    "flush.messages",
    "flush.ms",
    "index.interval.bytes",
    "min.cleanable.dirty.ratio",
    "preallocate",
    "segment.bytes",
    "segment.index.bytes",
    "segment.jitter.ms",
    "segment.ms",
    "unclean.leader.election.enable",
];

/// How many partitions the client wants, if all it wants can be had.
fn wanted_partitions(broker: &EndpointState, topic: &CreatableTopic) -> Result<i32, Refused> {
    let ours = topic_configs(broker);
    for config in &topic.configs {
        let (name, value) = (&*config.name, config.value.as_deref());
        let same = ours.iter().any(|(our_name, our_value)| *our_name == name && value == Some(our_value));
        let bytes = value.and_then(|value| value.parse::<usize>().ok());
        let fits =
            name == "max.message.bytes" && bytes.is_some_and(|bytes| bytes <= broker.limits.batch_bytes);
        if !same && !fits && !LAYOUT_CONFIGS.contains(&name) {
            let reason = format!(
                "the embedded endpoint has no {}={}; use a real Kafka cluster for it",
                &*config.name,
                value.unwrap_or("null")
            );
            return Err((ResponseError::InvalidConfig, reason));
        }
    }
    if !topic.assignments.is_empty() {
        return assigned_partitions(&topic.assignments);
    }
    if !matches!(topic.replication_factor, -1 | 1) {
        let reason = "the cluster is one broker: the replication factor must be 1".to_owned();
        return Err((ResponseError::InvalidReplicationFactor, reason));
    }
    Ok(if topic.num_partitions == -1 { broker.default_partitions } else { topic.num_partitions })
}

/// The number of partitions, when the client assigns each of them itself.
fn assigned_partitions(assignments: &[CreatableReplicaAssignment]) -> Result<i32, Refused> {
    let mut indexes: Vec<i32> = assignments.iter().map(|assigned| assigned.partition_index).collect();
    indexes.sort_unstable();
    let numbered = indexes.iter().zip(0..).all(|(&index, expected)| index == expected);
    if !numbered || assignments.iter().any(|assigned| assigned.broker_ids != [NODE]) {
        let reason = format!("partitions are numbered from 0, and broker {} is the only one", NODE.0);
        return Err((ResponseError::InvalidReplicaAssignment, reason));
    }
    Ok(indexes.len() as i32) // bounded by the request's number of elements
}

pub(super) fn delete_topics(broker: &EndpointState, request: DeleteTopicsRequest) -> DeleteTopicsResponse {
    let result = |name: TopicName| {
        let deleted = broker.store.delete_topic(&name);
        if deleted.is_ok() {
            broker.groups.topic_deleted(&name);
        }
        DeletableTopicResult::default().with_name(Some(name)).with_error_code(code(&deleted))
    };
    DeleteTopicsResponse::default().with_responses(request.topic_names.into_iter().map(result).collect())
}
