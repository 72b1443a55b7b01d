//! Requests of administrators: ListGroups, DescribeGroups, DeleteGroups, DescribeConfigs, DescribeLogDirs,
//! DescribeCluster.

use std::collections::BTreeSet;

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::delete_groups_response::DeletableGroupResult;
use kafka_protocol::messages::describe_cluster_response::DescribeClusterBroker;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult,
};
use kafka_protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use kafka_protocol::messages::describe_log_dirs_response::{
    DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use kafka_protocol::messages::list_groups_response::ListedGroup;
use kafka_protocol::messages::{
    DeleteGroupsRequest, DeleteGroupsResponse, DescribeClusterRequest, DescribeClusterResponse,
    DescribeConfigsRequest, DescribeConfigsResponse, DescribeGroupsRequest, DescribeGroupsResponse,
    DescribeLogDirsRequest, DescribeLogDirsResponse, GroupId, ListGroupsRequest, ListGroupsResponse,
    TopicName,
};

use super::cluster::{CLUSTER_ID, NODE};
use super::topics::topic_configs;
use super::{code, text};
use crate::kafka::embedded::groups::DescribedMember;
use crate::kafka::embedded::state::{EndpointState, Peer};

/// Resource types of DescribeConfigs (`ConfigResource.Type`).
const TOPIC_RESOURCE: i8 = 2;
const BROKER_RESOURCE: i8 = 4;
/// Sources of a value (`DescribeConfigsResponse.ConfigSource`).
const STATIC_BROKER_CONFIG: i8 = 4;
const DEFAULT_CONFIG: i8 = 5;
/// Kinds of endpoints in DescribeCluster: brokers, as opposed to controllers.
const BROKERS: i8 = 1;

pub(super) fn list_groups(
    broker: &EndpointState,
    version: i16,
    request: ListGroupsRequest,
) -> ListGroupsResponse {
    let wanted = |state: &str| {
        let states = &request.states_filter;
        states.is_empty() || states.iter().any(|wanted| wanted.eq_ignore_ascii_case(state))
    };
    let groups = broker.groups.list().into_iter().filter(|(_, group)| wanted(group.state));
    let listed = |(name, group): (String, crate::kafka::embedded::groups::Described)| {
        let state = if version >= 4 { group.state } else { "" };
        ListedGroup::default()
            .with_group_id(GroupId(text(name)))
            .with_protocol_type(text(group.protocol_type))
            .with_group_state(text(state))
    };
    ListGroupsResponse::default().with_groups(groups.map(listed).collect())
}

pub(super) fn describe_groups(
    broker: &EndpointState,
    request: DescribeGroupsRequest,
) -> DescribeGroupsResponse {
    let member = |member: DescribedMember| {
        DescribedGroupMember::default()
            .with_member_id(text(member.id))
            .with_client_id(text(member.client_id))
            .with_client_host(text(member.client_host))
            .with_member_metadata(member.metadata)
            .with_member_assignment(member.assignment)
    };
    let group = |id: GroupId| {
        let found = broker.groups.describe(&id);
        let group = DescribedGroup::default().with_group_id(id);
        match found {
            // In these versions Kafka describes a group that does not exist like this, without an
            // error.
            None => group.with_group_state(text("Dead")),
            Some(found) => group
                .with_group_state(text(found.state))
                .with_protocol_type(text(found.protocol_type))
                .with_protocol_data(text(found.protocol))
                .with_members(found.members.into_iter().map(member).collect()),
        }
    };
    let groups: BTreeSet<_> = request.groups.into_iter().collect();
    DescribeGroupsResponse::default().with_groups(groups.into_iter().map(group).collect())
}

pub(super) fn delete_groups(broker: &EndpointState, request: DeleteGroupsRequest) -> DeleteGroupsResponse {
    let result = |id: GroupId| {
        let deleted = broker.groups.delete(&id);
        DeletableGroupResult::default().with_group_id(id).with_error_code(code(&deleted))
    };
    DeleteGroupsResponse::default().with_results(request.groups_names.into_iter().map(result).collect())
}

pub(super) fn describe_configs(
    broker: &EndpointState,
    request: DescribeConfigsRequest,
) -> DescribeConfigsResponse {
    let results = request.resources.into_iter().map(|resource| {
        let configs = configs(broker, &resource);
        let error_code = code(&configs);
        DescribeConfigsResult::default()
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name)
            .with_error_code(error_code)
            .with_error_message(None)
            .with_configs(configs.unwrap_or_default())
    });
    DescribeConfigsResponse::default().with_results(results.collect())
}

fn configs(
    broker: &EndpointState,
    resource: &DescribeConfigsResource,
) -> Result<Vec<DescribeConfigsResourceResult>, ResponseError> {
    let (source, all) = match resource.resource_type {
        TOPIC_RESOURCE if broker.store.topic(&resource.resource_name).is_none() => {
            return Err(ResponseError::UnknownTopicOrPartition);
        }
        TOPIC_RESOURCE => (DEFAULT_CONFIG, topic_configs(broker)),
        BROKER_RESOURCE if *resource.resource_name == *NODE.0.to_string() => (
            STATIC_BROKER_CONFIG,
            vec![
                ("auto.create.topics.enable", "true".to_owned()),
                ("message.max.bytes", broker.limits.batch_bytes.to_string()),
                ("num.partitions", broker.default_partitions.to_string()),
            ],
        ),
        _ => return Err(ResponseError::InvalidRequest),
    };
    let wanted = |name: &str| match &resource.configuration_keys {
        Some(keys) => keys.iter().any(|key| **key == *name),
        None => true,
    };
    let config = |(name, value): (&str, String)| {
        DescribeConfigsResourceResult::default()
            .with_name(text(name))
            .with_value(Some(text(value)))
            .with_read_only(true)
            .with_config_source(source)
            .with_documentation(None)
    };
    Ok(all.into_iter().filter(|(name, _)| wanted(name)).map(config).collect())
}

/// How large each partition is: tools list topics with it. The directory is one.
pub(super) fn describe_log_dirs(
    broker: &EndpointState,
    version: i16,
    request: DescribeLogDirsRequest,
) -> DescribeLogDirsResponse {
    // A partition that is not here is not in the answer.
    let wanted = |topic: &str, partition: i32| match &request.topics {
        Some(topics) => topics.iter().any(|t| *t.topic == *topic && t.partitions.contains(&partition)),
        None => true,
    };
    let mut topics = Vec::new();
    for (name, _) in broker.store.all_topics() {
        let Some(topic) = broker.store.topic(&name) else { continue };
        let partitions: Vec<_> = (0..topic.partition_count())
            .filter(|index| wanted(&name, *index))
            .filter_map(|index| Some((index, topic.partition(index)?.log().bytes())))
            .map(|(index, bytes)| {
                DescribeLogDirsPartition::default()
                    .with_partition_index(index)
                    .with_partition_size(bytes as i64)
            })
            .collect();
        if !partitions.is_empty() {
            let name = TopicName(text(name));
            topics.push(DescribeLogDirsTopic::default().with_name(name).with_partitions(partitions));
        }
    }
    let dir = broker.store.dir().path().display().to_string();
    let result = DescribeLogDirsResult::default().with_log_dir(text(dir)).with_topics(topics);
    let result = if version >= 4 { result.with_total_bytes(-1).with_usable_bytes(-1) } else { result };
    DescribeLogDirsResponse::default().with_results(vec![result])
}

pub(super) fn describe_cluster(
    broker: &EndpointState,
    peer: &Peer,
    request: DescribeClusterRequest,
) -> std::io::Result<DescribeClusterResponse> {
    let response = DescribeClusterResponse::default();
    if request.endpoint_type != BROKERS {
        return Ok(response.with_error_code(ResponseError::UnsupportedEndpointType.code()));
    }
    let (host, port) = peer.our_address(broker)?;
    let node = DescribeClusterBroker::default()
        .with_broker_id(NODE)
        .with_host(text(host))
        .with_port(i32::from(port));
    Ok(response.with_cluster_id(text(CLUSTER_ID)).with_controller_id(NODE).with_brokers(vec![node]))
}
