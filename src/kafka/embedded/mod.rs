//! What the embedded Kafka endpoint keeps on disk: topics, and a log of record batches a partition.
//!
//! Batches pass through undecoded, as a Kafka client wrote them. A log that was torn by a kill is
//! cut back to its last whole batch when it is opened; a log that is damaged is refused.

#![expect(dead_code, reason = "the connections that serve this storage are not written yet")]

mod batch;
mod data_dir;
mod error;
mod log;
mod producers;
mod recovery;
mod shape;
mod store;
