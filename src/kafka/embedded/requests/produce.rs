//! Accepts messages: Produce, InitProducerId.

use bytes::BytesMut;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::produce_request::PartitionProduceData;
use kafka_protocol::messages::produce_response::{PartitionProduceResponse, TopicProduceResponse};
use kafka_protocol::messages::{
    InitProducerIdRequest, InitProducerIdResponse, ProduceRequest, ProduceResponse, ProducerId,
};

use super::text;
use crate::kafka::embedded::batch::{Refusal, check_produced};
use crate::kafka::embedded::records::check_records;
use crate::kafka::embedded::request::{ConnectionError, Request};
use crate::kafka::embedded::state::EndpointState;
use crate::kafka::embedded::store::LogTopic;

/// Appends what was sent; `None` with acks=0, where the client wants no answer.
pub(super) fn answer(broker: &EndpointState, r: &Request) -> Result<Option<BytesMut>, ConnectionError> {
    let request: ProduceRequest = r.decode()?;
    let acks = request.acks;
    let (response, refused) = produce(broker, &r.client_id, request);
    match (acks, refused) {
        (0, None) => Ok(None),
        // The client can only notice that the connection ends.
        (0, Some(reason)) => Err(ConnectionError::UnacknowledgedRefusal(reason)),
        _ => r.frame(&response).map(Some),
    }
}

/// The response, and the first refusal if there is one.
fn produce(
    broker: &EndpointState,
    client_id: &str,
    request: ProduceRequest,
) -> (ProduceResponse, Option<String>) {
    let mut refused = None;
    let allowed = if !(-1..=1).contains(&request.acks) {
        Err(Refusal::new(ResponseError::InvalidRequiredAcks, "acks must be 0, 1 or all"))
    } else if request.transactional_id.is_some() {
        Err(Refusal::new(
            ResponseError::InvalidTxnState,
            "the embedded endpoint has no transactions; use a real Kafka cluster",
        ))
    } else {
        Ok(())
    };
    let mut responses = Vec::with_capacity(request.topic_data.len());
    for data in request.topic_data {
        let topic = broker.store.topic(&data.name);
        let mut partitions = Vec::with_capacity(data.partition_data.len());
        for partition in data.partition_data {
            let index = partition.index;
            let appended = allowed.and_then(|()| append(broker, client_id, topic.as_deref(), &partition));
            let response = PartitionProduceResponse::default().with_index(index);
            partitions.push(match appended {
                Ok(base_offset) => response.with_base_offset(base_offset),
                Err(refusal) => {
                    let Refusal { error, reason } = refusal;
                    if [Refusal::OTHER_BATCH, Refusal::OTHER_PRODUCER].contains(&refusal) {
                        broker.report_forged(&data.name, reason);
                    }
                    tracing::debug!(topic = &**data.name, index, %error, reason, "Kafka endpoint: refused a batch");
                    refused.get_or_insert_with(|| format!("{reason} (topic {}, partition {index})", &**data.name));
                    response
                        .with_error_code(error.code())
                        .with_error_message(Some(text(reason)))
                        .with_base_offset(-1)
                        .with_log_start_offset(-1)
                }
            });
        }
        let response = TopicProduceResponse::default().with_name(data.name);
        responses.push(response.with_partition_responses(partitions));
    }
    (ProduceResponse::default().with_responses(responses), refused)
}

fn append(
    broker: &EndpointState,
    client_id: &str,
    topic: Option<&LogTopic>,
    data: &PartitionProduceData,
) -> Result<i64, Refusal> {
    let unknown = Refusal::new(ResponseError::UnknownTopicOrPartition, "no such topic or partition");
    let partition = topic.and_then(|topic| topic.partition(data.index)).ok_or(unknown)?;
    let records = data.records.as_deref().unwrap_or_default();
    if records.len() > broker.limits.batch_bytes {
        let error = ResponseError::MessageTooLarge;
        return Err(Refusal::new(error, "the batch is above the embedded endpoint's limit"));
    }
    // Before the lock: this reads every byte.
    let header = check_produced(records)?;
    if !broker.own_producers.may_write(client_id, header.producer_id) {
        return Err(Refusal::OTHER_PRODUCER);
    }
    if !broker.own_producers.has(client_id) && check_records(&header, records).is_err() {
        return Err(Refusal::new(ResponseError::InvalidRecord, "the records of the batch cannot be read"));
    }
    partition.append(&header, records)
}

pub(super) fn init_producer_id(
    broker: &EndpointState,
    client_id: &str,
    request: InitProducerIdRequest,
) -> InitProducerIdResponse {
    let response = InitProducerIdResponse::default();
    let refuse = |error: ResponseError| {
        InitProducerIdResponse::default().with_error_code(error.code()).with_producer_id(ProducerId(-1))
    };
    if request.transactional_id.is_some() {
        // Clients treat this as final; "not supported" they would retry forever.
        return refuse(ResponseError::TransactionalIdAuthorizationFailed);
    }
    match broker.store.next_producer_id() {
        Ok(id) => {
            broker.own_producers.given(client_id, id);
            response.with_producer_id(ProducerId(id)).with_producer_epoch(0)
        }
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "Kafka endpoint: no producer id");
            refuse(ResponseError::KafkaStorageError)
        }
    }
}
