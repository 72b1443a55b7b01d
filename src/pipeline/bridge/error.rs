//! Why a bridge cannot start, or ended.

use std::io;

use super::spool::SpoolError;
use crate::druid::DruidError;
use crate::kafka::KafkaError;
use crate::kafka::embedded::EndpointError;
use crate::mqtt::MqttError;
use crate::pipeline::error::ReplayError;

/// What went wrong; each message says where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum BridgeError {
    #[error(transparent)]
    Mqtt(#[from] MqttError),
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error(transparent)]
    Druid(#[from] DruidError),
    /// Of the folder that an embedded Kafka with Druid needs.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// What was asked for cannot be had.
    #[error("{0}")]
    Options(String),
    /// librdkafka's producer has ended permanently.
    #[error(
        "librdkafka cannot go on ({reason}); start the bridge again: publishers send again what has no answer"
    )]
    Fatal { reason: String },
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
    /// A bug of ours.
    #[error("the {0} thread panicked; this is a bug in tweetblast, please report it")]
    Panic(&'static str),
}
