//! The Kafka hop: a batched producer, and the embedded Kafka endpoint it talks to by default.
//!
//! [`Event`](crate::event::Event)s come in through a queue; each of them ends in exactly one
//! [`Delivery`](crate::event::Delivery).

mod batch_producer;
mod create_topic;
mod drain;
mod error;
mod outage;
mod partitions;
mod pending;
mod probe;
mod producer;
mod producer_options;
mod properties;
mod quiet;
mod read_back;
mod refusal;
mod safety;
mod stream_producer;
mod topic;
mod words;

pub use drain::DrainLimit;
pub use error::KafkaError;
pub use producer::Producer;
pub use producer_options::{ProducerOptions, QUEUE_BYTES};
pub use properties::check_properties;
pub use read_back::{READ_PATIENCE, find_last, read_rate, read_since};
pub use safety::check_settings;
pub use stream_producer::{MQTT_TOPIC_HEADER, Offer, StreamMessage, StreamProducer, StreamReport};
pub use topic::{Cluster, Topic, delete_topic, end_offsets, look_at_cluster, prepare_topic};

pub mod embedded;
