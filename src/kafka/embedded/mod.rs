//! The embedded Kafka endpoint: a broker of one for one machine, so that a first run, a demo or a
//! test needs no cluster. Any Kafka client reads from it and writes to it.
//!
//! Batches pass through undecoded, as a Kafka client wrote them, into a log a partition. A log that
//! was torn by a kill is cut back to its last whole batch when it is opened; a log that is damaged
//! is refused. Threads, no async: one that accepts, and one for each connection.

mod answer;
mod apis;
mod appender;
mod batch;
mod connection;
mod data_dir;
mod endpoint;
mod error;
mod groups;
mod log;
mod memory;
mod options;
mod producers;
mod records;
mod request;
mod requests;
mod shape;
mod state;
mod store;
mod waiters;

#[doc(hidden)]
pub use appender::Appender;
pub use endpoint::{Endpoint, RemovedMessages};
pub use error::EndpointError;
pub use options::{EndpointOptions, Fsync, Limits};
