//! The Kafka hop: a batched producer, and the embedded Kafka endpoint it talks to by default.

pub mod embedded;
