//! Answers each request. One file per group of requests; each function takes the decoded request
//! and returns the response, including Kafka's error codes.

mod admin;
mod cluster;
mod fetch;
mod groups;
mod list_offsets;
mod produce;
#[cfg(test)]
mod tests;
mod topics;

use std::time::{Duration, Instant};

use bytes::BytesMut;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::ApiKey;
use kafka_protocol::protocol::StrBytes;

use super::answer::Answer;
use super::request::{ConnectionError, Parsed, frame};
use super::state::{EndpointState, Peer};

/// Longest wait for the memory of an answer.
const MEMORY_WAIT_MAX: Duration = Duration::from_secs(30);
/// An answer about groups takes at most this much: everything that is kept about them.
const WIDE_ANSWER_BYTES: usize = 16 << 20;

/// Answers a request; `None` where the client wants no answer.
pub(crate) fn answer<'a>(
    broker: &'a EndpointState,
    peer: &Peer,
    parsed: Parsed,
) -> Result<Option<Answer<'a>>, ConnectionError> {
    let r = &match parsed {
        Parsed::Request(request) => request,
        Parsed::TooNewApiVersions { correlation_id } => {
            let response = cluster::api_versions(Err(ResponseError::UnsupportedVersion));
            return plain(frame(ApiKey::ApiVersions, 0, correlation_id, &response)?);
        }
    };
    match r.api.key {
        ApiKey::Produce => Ok(produce::answer(broker, r)?.map(Answer::from)),
        ApiKey::Fetch => fetch::answer(broker, peer, r).map(Some),
        ApiKey::ListOffsets => plain(r.frame(&list_offsets::list_offsets(broker, r.decode()?))?),
        ApiKey::Metadata => plain(r.frame(&cluster::metadata(broker, peer, r.version, r.decode()?)?)?),
        ApiKey::FindCoordinator => {
            plain(r.frame(&cluster::find_coordinator(broker, peer, r.version, r.decode()?)?)?)
        }
        ApiKey::ApiVersions => plain(r.frame(&cluster::api_versions(Ok(())))?),
        ApiKey::CreateTopics => plain(r.frame(&topics::create_topics(broker, r.version, r.decode()?))?),
        ApiKey::DeleteTopics => plain(r.frame(&topics::delete_topics(broker, r.decode()?))?),
        ApiKey::InitProducerId => {
            plain(r.frame(&produce::init_producer_id(broker, &r.client_id, r.decode()?))?)
        }
        ApiKey::JoinGroup => plain(r.frame(&groups::join_group(broker, peer, r, r.decode()?))?),
        ApiKey::SyncGroup => plain(r.frame(&groups::sync_group(broker, peer, r.decode()?))?),
        ApiKey::Heartbeat => plain(r.frame(&groups::heartbeat(broker, r.decode()?))?),
        ApiKey::LeaveGroup => plain(r.frame(&groups::leave_group(broker, r.decode()?))?),
        ApiKey::OffsetCommit => plain(r.frame(&groups::offset_commit(broker, r.decode()?))?),
        ApiKey::OffsetFetch => wide(broker, || r.frame(&groups::offset_fetch(broker, r.decode()?))),
        ApiKey::ListGroups => wide(broker, || r.frame(&admin::list_groups(broker, r.version, r.decode()?))),
        ApiKey::DescribeGroups => wide(broker, || r.frame(&admin::describe_groups(broker, r.decode()?))),
        ApiKey::DeleteGroups => plain(r.frame(&admin::delete_groups(broker, r.decode()?))?),
        ApiKey::DescribeConfigs => plain(r.frame(&admin::describe_configs(broker, r.decode()?))?),
        ApiKey::DescribeLogDirs => {
            wide(broker, || r.frame(&admin::describe_log_dirs(broker, r.version, r.decode()?)))
        }
        ApiKey::DescribeCluster => plain(r.frame(&admin::describe_cluster(broker, peer, r.decode()?)?)?),
        // The table of APIs has no others.
        key => Err(ConnectionError::Unsupported { key: key as i16, version: r.version }),
    }
}

fn plain<'a>(frame: BytesMut) -> Result<Option<Answer<'a>>, ConnectionError> {
    Ok(Some(frame.into()))
}

/// An answer whose length does not follow from its request's.
fn wide(
    broker: &EndpointState,
    frame: impl FnOnce() -> Result<BytesMut, ConnectionError>,
) -> Result<Option<Answer<'_>>, ConnectionError> {
    let memory = broker.answers.take(WIDE_ANSWER_BYTES, Instant::now() + MEMORY_WAIT_MAX);
    let memory = memory.ok_or(ConnectionError::Memory(MEMORY_WAIT_MAX))?;
    Ok(Some(Answer::from(frame()?).holding(memory)))
}

/// A string for a response.
fn text(string: impl Into<String>) -> StrBytes {
    StrBytes::from_string(string.into())
}

/// A result's error code.
fn code<T>(result: &Result<T, ResponseError>) -> i16 {
    result.as_ref().err().map_or(0, ResponseError::code)
}
