//! The embedded Kafka endpoint: a cluster of one broker for one machine, so that a first run, a
//! demo or a test needs no real one. Any Kafka client can read from it and write to it.
//!
//! Batches are not decoded: they are stored as the client wrote them, in one log per partition. A
//! log torn by a kill is cut back to its last whole batch when it is opened; a damaged log is
//! refused. Threads, no async: one that accepts, and one per connection.

mod answer;
mod apis;
mod appender;
mod batch;
mod connection;
mod data_dir;
mod dir_lock;
mod endpoint;
mod error;
mod follower;
mod front;
mod groups;
mod keep;
mod log;
mod manifest;
mod memory;
mod options;
mod own_producers;
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
pub use dir_lock::DirLock;
pub use endpoint::{Endpoint, EndpointUsage, RemovedMessages};
pub use error::EndpointError;
pub use follower::Follower;
pub use options::{EndpointOptions, Fsync, Limits};
pub use store::PARTITIONS_MAX;
