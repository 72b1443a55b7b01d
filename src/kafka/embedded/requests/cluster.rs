//! Who and where the broker is: ApiVersions, Metadata, FindCoordinator. The cluster is one broker.

use std::collections::BTreeSet;

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{
    ApiVersionsResponse, BrokerId, FindCoordinatorRequest, FindCoordinatorResponse, MetadataRequest,
    MetadataResponse, TopicName,
};

use super::{code, text};
use crate::kafka::embedded::apis::APIS;
use crate::kafka::embedded::state::{EndpointState, Peer};

/// The only broker of the cluster.
pub(super) const NODE: BrokerId = BrokerId(1);
/// Appears in clients' logs as the cluster they talk to.
pub(super) const CLUSTER_ID: &str = "tweetblast-embedded";
/// "Not known": keeps clients from asking for the end offsets of epochs, of which there is only
/// one.
const NO_LEADER_EPOCH: i32 = -1;
/// Coordinator of a consumer group, or of a transactional producer. The latter gets an answer too,
/// so that the refusal comes from InitProducerId, where clients treat it as final.
const COORDINATOR_KINDS: std::ops::RangeInclusive<i8> = 0..=1;

pub(super) fn api_versions(result: Result<(), ResponseError>) -> ApiVersionsResponse {
    let version = |api: &crate::kafka::embedded::apis::Api| {
        ApiVersion::default()
            .with_api_key(api.key as i16)
            .with_min_version(api.min_version)
            .with_max_version(api.max_version)
    };
    ApiVersionsResponse::default()
        .with_error_code(code(&result))
        .with_api_keys(APIS.iter().map(version).collect())
}

pub(super) fn metadata(
    broker: &EndpointState,
    peer: &Peer,
    version: i16,
    request: MetadataRequest,
) -> std::io::Result<MetadataResponse> {
    let (host, port) = peer.our_address(broker)?;
    let node =
        MetadataResponseBroker::default().with_node_id(NODE).with_host(text(host)).with_port(i32::from(port));
    // A null list asks for all topics; so does an empty list in version 0, which has no null.
    let topics = match request.topics {
        Some(topics) if version > 0 || !topics.is_empty() => topics
            .into_iter()
            .map(|topic| topic.name.unwrap_or_default())
            .collect::<BTreeSet<_>>() // duplicates would only make the answer longer
            .into_iter()
            .map(|name| {
                let found = partition_count(broker, &name, request.allow_auto_topic_creation);
                metadata_topic(name, found)
            })
            .collect(),
        _ => broker
            .store
            .all_topics()
            .into_iter()
            .map(|(name, partitions)| metadata_topic(TopicName(text(name)), Ok(partitions)))
            .collect(),
    };
    Ok(MetadataResponse::default()
        .with_brokers(vec![node])
        .with_cluster_id(Some(text(CLUSTER_ID)))
        .with_controller_id(NODE)
        .with_topics(topics))
}

fn partition_count(broker: &EndpointState, name: &str, create: bool) -> Result<i32, ResponseError> {
    if let Some(topic) = broker.store.topic(name) {
        return Ok(topic.partition_count());
    }
    if !create {
        return Err(ResponseError::UnknownTopicOrPartition);
    }
    match broker.store.create_topic(name, broker.default_partitions, false) {
        // Another client was faster.
        Ok(()) | Err((ResponseError::TopicAlreadyExists, _)) => {
            let topic = broker.store.topic(name).ok_or(ResponseError::UnknownTopicOrPartition)?;
            Ok(topic.partition_count())
        }
        Err((error, reason)) => {
            tracing::debug!(topic = name, reason, "Kafka endpoint: did not create a topic");
            Err(error)
        }
    }
}

fn metadata_topic(name: TopicName, found: Result<i32, ResponseError>) -> MetadataResponseTopic {
    let partition = |index| {
        MetadataResponsePartition::default()
            .with_partition_index(index)
            .with_leader_id(NODE)
            .with_leader_epoch(NO_LEADER_EPOCH)
            .with_replica_nodes(vec![NODE])
            .with_isr_nodes(vec![NODE])
    };
    MetadataResponseTopic::default()
        .with_name(Some(name))
        .with_error_code(code(&found))
        .with_partitions((0..found.unwrap_or(0)).map(partition).collect())
}

pub(super) fn find_coordinator(
    broker: &EndpointState,
    peer: &Peer,
    version: i16,
    request: FindCoordinatorRequest,
) -> std::io::Result<FindCoordinatorResponse> {
    let (host, port) = peer.our_address(broker)?;
    let (host, port) = (text(host), i32::from(port));
    let known = match COORDINATOR_KINDS.contains(&request.key_type) {
        true => Ok(()),
        false => Err(ResponseError::InvalidRequest),
    };
    let response = FindCoordinatorResponse::default();
    if version < 4 {
        let response = response.with_error_code(code(&known));
        return Ok(response.with_node_id(NODE).with_host(host).with_port(port));
    }
    let coordinator = |key| {
        Coordinator::default()
            .with_key(key)
            .with_error_code(code(&known))
            .with_node_id(NODE)
            .with_host(host.clone())
            .with_port(port)
    };
    Ok(response.with_coordinators(request.coordinator_keys.into_iter().map(coordinator).collect()))
}
