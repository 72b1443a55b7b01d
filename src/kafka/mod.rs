//! The Kafka hop: a batched producer, and the embedded Kafka endpoint it talks to by default.
//!
//! [`Event`](crate::event::Event)s come in over a queue; every one of them ends in exactly one
//! [`Delivery`](crate::event::Delivery).

mod error;
mod producer;
mod topic;

pub use error::KafkaError;
pub use producer::{DrainLimit, Producer, ProducerOptions};
pub use topic::{Topic, end_offsets, prepare_topic};

pub mod embedded;
