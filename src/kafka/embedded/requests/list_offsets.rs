//! Where a partition begins and ends, and what was written at a time: ListOffsets.

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::{ListOffsetsRequest, ListOffsetsResponse};

use crate::kafka::embedded::state::EndpointState;
use crate::kafka::embedded::store::Partition;

/// Values of the field `timestamp` that are not times (`ListOffsetsRequest.java`).
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;

pub(super) fn list_offsets(broker: &EndpointState, request: ListOffsetsRequest) -> ListOffsetsResponse {
    let topics = request.topics.into_iter().map(|wanted| {
        let topic = broker.store.topic(&wanted.name);
        let partitions = wanted.partitions.iter().map(|wanted| {
            let partition = topic.as_deref().and_then(|topic| topic.partition(wanted.partition_index));
            let found = partition
                .ok_or(ResponseError::UnknownTopicOrPartition)
                .and_then(|partition| offset_at(partition, wanted.timestamp));
            let response =
                ListOffsetsPartitionResponse::default().with_partition_index(wanted.partition_index);
            match found {
                Ok((offset, timestamp_ms)) => response.with_offset(offset).with_timestamp(timestamp_ms),
                Err(error) => response.with_error_code(error.code()),
            }
        });
        let partitions = partitions.collect();
        ListOffsetsTopicResponse::default().with_name(wanted.name).with_partitions(partitions)
    });
    ListOffsetsResponse::default().with_topics(topics.collect())
}

/// The requested (offset, timestamp in ms); -1 stands for "none".
fn offset_at(partition: &Partition, timestamp_ms: i64) -> Result<(i64, i64), ResponseError> {
    let log = partition.log();
    let found = match timestamp_ms {
        LATEST => return Ok((log.next_offset(), -1)),
        EARLIEST => return Ok((log.start_offset(), -1)),
        MAX_TIMESTAMP => log.at_max_timestamp(),
        ..0 => return Err(ResponseError::UnsupportedVersion),
        0.. => log.at_time(timestamp_ms),
    };
    drop(log); // the batch is read without it
    found.map_or(Ok((-1, -1)), |batch| {
        batch.record().map_err(|error| {
            tracing::error!(%error, "Kafka endpoint: cannot read a log");
            ResponseError::KafkaStorageError
        })
    })
}
