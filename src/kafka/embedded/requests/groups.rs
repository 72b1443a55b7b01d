//! Requests of consumer groups: JoinGroup, SyncGroup, Heartbeat, LeaveGroup, OffsetCommit,
//! OffsetFetch.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::join_group_response::JoinGroupResponseMember;
use kafka_protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use kafka_protocol::messages::offset_fetch_response::{
    OffsetFetchResponsePartition, OffsetFetchResponseTopic,
};
use kafka_protocol::messages::{
    HeartbeatRequest, HeartbeatResponse, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest,
    LeaveGroupResponse, OffsetCommitRequest, OffsetCommitResponse, OffsetFetchRequest, OffsetFetchResponse,
    SyncGroupRequest, SyncGroupResponse, TopicName,
};

use super::{code, text};
use crate::kafka::embedded::groups::Candidate;
use crate::kafka::embedded::groups::offsets::Committed;
use crate::kafka::embedded::request::Request;
use crate::kafka::embedded::state::{EndpointState, Peer};

/// From this version of JoinGroup on, a new member first gets its id and then joins with it.
const ID_REQUIRED_FROM: i16 = 4;

/// Strings and bytes of a request are slices of it. What is kept is copied, so that a few bytes do
/// not keep a whole request in memory.
fn kept(bytes: &Bytes) -> Bytes {
    Bytes::copy_from_slice(bytes)
}

pub(super) fn join_group(
    broker: &EndpointState,
    peer: &Peer,
    r: &Request,
    request: JoinGroupRequest,
) -> JoinGroupResponse {
    let milliseconds = |ms: i32| Duration::from_millis(u64::try_from(ms).unwrap_or(0));
    let session_timeout = milliseconds(request.session_timeout_ms);
    let candidate = Candidate {
        member_id: request.member_id.to_string(),
        client_id: r.client_id.clone(),
        // In Kafka's notation.
        client_host: format!("/{}", peer.addr.ip().to_canonical()),
        protocol_type: request.protocol_type.to_string(),
        protocols: request
            .protocols
            .iter()
            .map(|protocol| (protocol.name.to_string(), kept(&protocol.metadata)))
            .collect(),
        session_timeout,
        rebalance_timeout: match r.version {
            0 => session_timeout, // that version has no such field
            _ => milliseconds(request.rebalance_timeout_ms),
        },
        waiter: Arc::downgrade(&peer.waiter),
    };
    let id_required = r.version >= ID_REQUIRED_FROM;
    let response = JoinGroupResponse::default();
    match broker.groups.join(&request.group_id, candidate, id_required, &peer.waiter) {
        Ok((member_id, joined)) => {
            let member = |(id, metadata): (String, Bytes)| {
                JoinGroupResponseMember::default().with_member_id(text(id)).with_metadata(metadata)
            };
            response
                .with_generation_id(joined.generation)
                .with_protocol_name(Some(text(joined.protocol)))
                .with_leader(text(joined.leader))
                .with_member_id(text(member_id))
                .with_members(joined.members.into_iter().map(member).collect())
        }
        Err((error, member_id)) => response.with_error_code(error.code()).with_member_id(text(member_id)),
    }
}

pub(super) fn sync_group(
    broker: &EndpointState,
    peer: &Peer,
    request: SyncGroupRequest,
) -> SyncGroupResponse {
    let assignments = request.assignments.iter();
    let assignments: Vec<_> =
        assignments.map(|assigned| (assigned.member_id.to_string(), kept(&assigned.assignment))).collect();
    let synced = broker.groups.sync(
        &request.group_id,
        &request.member_id,
        request.generation_id,
        &assignments,
        &peer.waiter,
    );
    SyncGroupResponse::default().with_error_code(code(&synced)).with_assignment(synced.unwrap_or_default())
}

pub(super) fn heartbeat(broker: &EndpointState, request: HeartbeatRequest) -> HeartbeatResponse {
    let alive = broker.groups.heartbeat(&request.group_id, &request.member_id, request.generation_id);
    HeartbeatResponse::default().with_error_code(code(&alive))
}

pub(super) fn leave_group(broker: &EndpointState, request: LeaveGroupRequest) -> LeaveGroupResponse {
    let left = broker.groups.leave(&request.group_id, &request.member_id);
    LeaveGroupResponse::default().with_error_code(code(&left))
}

pub(super) fn offset_commit(broker: &EndpointState, request: OffsetCommitRequest) -> OffsetCommitResponse {
    let mut results: Vec<(TopicName, Vec<_>)> = Vec::new();
    let mut offsets = Vec::new(); // of the partitions that exist
    for wanted in request.topics {
        let topic = broker.store.topic(&wanted.name);
        let mut partitions = Vec::with_capacity(wanted.partitions.len());
        for partition in wanted.partitions {
            let index = partition.partition_index;
            let exists = topic.as_deref().is_some_and(|topic| topic.partition(index).is_some());
            if exists {
                let note = partition.committed_metadata.map(|note| note.to_string()).unwrap_or_default();
                let committed = Committed { offset: partition.committed_offset, note };
                offsets.push((wanted.name.to_string(), index, committed));
            }
            let result = if exists { Ok(()) } else { Err(ResponseError::UnknownTopicOrPartition) };
            partitions.push((index, result));
        }
        results.push((wanted.name, partitions));
    }
    let generation = request.generation_id_or_member_epoch;
    let committed = broker.groups.commit(&request.group_id, &request.member_id, generation, offsets);
    let mut committed = committed.into_iter();
    let topics = results.into_iter().map(|(name, partitions)| {
        let partitions = partitions.into_iter().map(|(index, exists)| {
            let result = exists.and_then(|()| committed.next().unwrap_or(Ok(())));
            OffsetCommitResponsePartition::default()
                .with_partition_index(index)
                .with_error_code(code(&result))
        });
        let partitions = partitions.collect();
        OffsetCommitResponseTopic::default().with_name(name).with_partitions(partitions)
    });
    OffsetCommitResponse::default().with_topics(topics.collect())
}

pub(super) fn offset_fetch(broker: &EndpointState, request: OffsetFetchRequest) -> OffsetFetchResponse {
    let partition = |index: i32, committed: Option<&Committed>| {
        OffsetFetchResponsePartition::default()
            .with_partition_index(index)
            .with_committed_offset(committed.map_or(-1, |committed| committed.offset))
            .with_metadata(Some(text(committed.map_or("", |committed| &committed.note))))
    };
    let topic = |name: TopicName, partitions| {
        OffsetFetchResponseTopic::default().with_name(name).with_partitions(partitions)
    };
    let group = &*request.group_id;
    let topics = broker.groups.committed(|offsets| match request.topics {
        Some(topics) => {
            let answer = |wanted: kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestTopic| {
                let indexes = wanted.partition_indexes.iter();
                let partitions = indexes.map(|&i| partition(i, offsets.get(group, &wanted.name, i)));
                let partitions = partitions.collect();
                topic(wanted.name, partitions)
            };
            topics.into_iter().map(answer).collect()
        }
        None => {
            let mut topics: BTreeMap<&str, Vec<_>> = BTreeMap::new();
            for (name, index, committed) in offsets.of_group(group) {
                topics.entry(name).or_default().push(partition(index, Some(committed)));
            }
            topics.into_iter().map(|(name, partitions)| topic(TopicName(text(name)), partitions)).collect()
        }
    });
    OffsetFetchResponse::default().with_topics(topics)
}
