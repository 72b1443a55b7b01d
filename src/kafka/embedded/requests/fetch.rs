//! Sends messages to clients: Fetch, with waiting for new ones.
//!
//! Without sessions: every request names all its partitions, which clients do when an answer
//! carries the session id 0. Batches are sent whole, as they are in the file; a client that asked
//! for an offset in the middle of one skips what comes before.

use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::messages::{BrokerId, FetchRequest, FetchResponse};

use crate::kafka::embedded::answer::{Answer, Part};
use crate::kafka::embedded::log::Slice;
use crate::kafka::embedded::request::{ConnectionError, Request, end_frame};
use crate::kafka::embedded::state::{EndpointState, Peer};
use crate::kafka::embedded::store::{LogTopic, Partition};

/// Longest wait for messages, whatever the client asks for: its place may stay taken this long
/// after it has disconnected.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// One partition's part of the answer; its records are read while they are written to the client.
struct PartitionRecords {
    start_offset: i64,
    end_offset: i64,
    slice: Slice,
}

pub(super) fn answer<'a>(
    broker: &EndpointState,
    peer: &Peer,
    r: &Request,
) -> Result<Answer<'a>, ConnectionError> {
    let request: FetchRequest = r.decode()?;
    if request.session_id != 0 {
        let error = ResponseError::FetchSessionIdNotFound.code();
        return Ok(r.frame(&FetchResponse::default().with_error_code(error))?.into());
    }
    Ok(Answer::new(fetched(broker, peer, r, request)?))
}

pub(super) fn fetched(
    broker: &EndpointState,
    peer: &Peer,
    r: &Request,
    request: FetchRequest,
) -> Result<Vec<Part>, ConnectionError> {
    let found = wait_for_records(broker, peer, &request);
    mark_read(broker, &request, &found);
    encode(r, request, found)
}

/// What each partition has, in the order of the request: at once if it is enough or something is
/// wrong, otherwise after waiting.
fn wait_for_records(
    broker: &EndpointState,
    peer: &Peer,
    request: &FetchRequest,
) -> Vec<Vec<Result<PartitionRecords, ResponseError>>> {
    let wait = Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0)).min(WAIT_MAX);
    let deadline = Instant::now() + wait;
    let enough_bytes = usize::try_from(request.min_bytes).unwrap_or(0);
    let topics: Vec<_> = request.topics.iter().map(|topic| broker.store.topic(&topic.topic)).collect();
    let mut in_time = !wait.is_zero();
    loop {
        let (found, bytes) = look(broker, request, &topics);
        let failed = found.iter().flatten().any(Result::is_err);
        if bytes >= enough_bytes || failed || !in_time {
            return found;
        }
        // The waiter must be in place before the logs are checked again.
        let partitions = request.topics.iter().zip(&topics).flat_map(|(wanted, topic)| {
            let indexes = wanted.partitions.iter().map(|partition| partition.partition);
            indexes.filter_map(|index| topic.as_deref()?.partition(index))
        });
        for partition in partitions {
            partition.waiters.add(&peer.waiter);
        }
        let (found, bytes) = look(broker, request, &topics);
        if bytes >= enough_bytes {
            return found;
        }
        in_time = peer.waiter.wait_until(deadline);
    }
}

/// Picks the batches for an answer, and adds up their bytes. Only the very first batch may exceed a
/// limit: without that rule a long one could never be read (KIP-74).
fn look(
    broker: &EndpointState,
    request: &FetchRequest,
    topics: &[Option<std::sync::Arc<LogTopic>>],
) -> (Vec<Vec<Result<PartitionRecords, ResponseError>>>, usize) {
    let limit = usize::try_from(request.max_bytes).unwrap_or(0).min(broker.limits.fetch_bytes);
    let mut total = 0;
    let found = request.topics.iter().zip(topics).map(|(wanted, topic)| {
        let partitions = wanted.partitions.iter().map(|wanted| {
            let partition = topic.as_deref().and_then(|topic| topic.partition(wanted.partition));
            let partition = partition.ok_or(ResponseError::UnknownTopicOrPartition)?;
            let max_bytes = usize::try_from(wanted.partition_max_bytes).unwrap_or(0);
            let max_bytes = max_bytes.min(limit.saturating_sub(total));
            let found = find(partition, wanted.fetch_offset, max_bytes, total == 0)?;
            total += found.slice.bytes;
            Ok(found)
        });
        partitions.collect()
    });
    (found.collect(), total)
}

fn find(
    partition: &Partition,
    offset: i64,
    max_bytes: usize,
    first: bool,
) -> Result<PartitionRecords, ResponseError> {
    let log = partition.log();
    let mut slice = log.slice(offset, max_bytes)?;
    if slice.bytes > max_bytes && !first {
        slice.bytes = 0;
    }
    Ok(PartitionRecords { start_offset: log.start_offset(), end_offset: log.next_offset(), slice })
}

/// Notes what has been sent to clients: retention warns of messages that never were.
fn mark_read(
    broker: &EndpointState,
    request: &FetchRequest,
    found: &[Vec<Result<PartitionRecords, ResponseError>>],
) {
    for (wanted, found) in request.topics.iter().zip(found) {
        let Some(topic) = broker.store.topic(&wanted.topic) else { continue };
        for (wanted, found) in wanted.partitions.iter().zip(found) {
            if let (Some(partition), Ok(found)) = (topic.partition(wanted.partition), found)
                && found.slice.bytes > 0
            {
                partition.log().mark_read(found.slice.end_offset);
            }
        }
    }
}

/// The answer as [`FetchResponse`] would encode it, but without copying the records.
fn encode(
    r: &Request,
    request: FetchRequest,
    found: Vec<Vec<Result<PartitionRecords, ResponseError>>>,
) -> Result<Vec<Part>, ConnectionError> {
    let flexible = r.api.is_flexible(r.version);
    let mut parts = Vec::new();
    let mut out = r.begin_frame()?;
    out.put_i32(0); // throttle time
    if r.version >= 7 {
        out.put_i16(0); // error
        out.put_i32(0); // session id
    }
    put_length(&mut out, request.topics.len(), flexible, false);
    for (wanted, found) in request.topics.into_iter().zip(found) {
        put_length(&mut out, wanted.topic.len(), flexible, true);
        out.extend_from_slice(wanted.topic.as_bytes());
        put_length(&mut out, found.len(), flexible, false);
        for (partition, found) in wanted.partitions.iter().zip(found) {
            r.encode(&partition_data(partition.partition, &found), &mut out)?;
            let Some(slice) = found.ok().map(|found| found.slice).filter(|slice| slice.bytes > 0) else {
                continue;
            };
            // The last field was the length of no records; after it, possibly, no tagged fields.
            out.truncate(out.len() - if flexible { 2 } else { 4 });
            put_length(&mut out, slice.bytes, flexible, false);
            parts.extend([Part::Bytes(std::mem::take(&mut out)), Part::Slice(slice)]);
            put_no_tags(&mut out, flexible);
        }
        put_no_tags(&mut out, flexible);
    }
    put_no_tags(&mut out, flexible);
    parts.push(Part::Bytes(out));
    let mut answer = Answer::new(parts);
    let bytes = answer.bytes();
    if let Some(Part::Bytes(begin)) = answer.parts.first_mut() {
        end_frame(begin, bytes);
    }
    Ok(answer.parts)
}

fn partition_data(index: i32, found: &Result<PartitionRecords, ResponseError>) -> PartitionData {
    let data = PartitionData::default()
        .with_partition_index(index)
        .with_preferred_read_replica(BrokerId(-1))
        .with_aborted_transactions(None)
        .with_records(Some(Bytes::new()));
    match found {
        Ok(found) => data
            .with_high_watermark(found.end_offset)
            .with_last_stable_offset(found.end_offset)
            .with_log_start_offset(found.start_offset),
        Err(error) => data.with_error_code(error.code()).with_high_watermark(-1),
    }
}

/// The length of an array, bytes or a string.
fn put_length(out: &mut BytesMut, length: usize, flexible: bool, is_text: bool) {
    if flexible {
        let mut rest = length + 1;
        while rest >= 0x80 {
            out.put_u8(rest as u8 | 0x80);
            rest >>= 7;
        }
        out.put_u8(rest as u8);
    } else if is_text {
        out.put_i16(length as i16); // it came with such a length
    } else {
        out.put_i32(length as i32);
    }
}

fn put_no_tags(out: &mut BytesMut, flexible: bool) {
    if flexible {
        out.put_u8(0);
    }
}
