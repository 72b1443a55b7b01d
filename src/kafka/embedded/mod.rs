//! Embedded Kafka endpoint.
