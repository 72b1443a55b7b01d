//! The Druid hop: makes Druid read our topic, and proves that every tweet of a run can be queried.
//!
//! ```text
//!  spec ─▶ submit ─▶ wait until each partition is read ─▶ (replay) ─▶ verify ─▶ suspend, wait for segments
//! ```
//!
//! All calls go to Druid's HTTP API, through its router, with a time-out each. A supervisor without
//! our mark is never altered. Druid calls a supervisor healthy in most cases in which no row
//! arrives; [`diagnose`] finds the causes that its answers show.

mod access;
mod altered;
mod client;
mod consumer;
mod diagnose;
mod dimensions;
mod drop;
mod error;
mod failed_tasks;
mod missing;
mod outage;
mod poll;
mod preflight;
mod query_load;
mod ready;
mod segments;
mod service;
mod slots;
mod spec;
mod status;
mod stop;
mod stream_spec;
mod supervisor;
mod users;
mod verify;
#[cfg(test)]
mod versions_tests;
mod workers;

pub use access::{Access, Credentials};
pub use altered::Alteration;
pub use client::{Client, reason_of};
pub use consumer::{ConsumerSecurity, Secret};
pub use diagnose::{Cause, CauseName, Symptoms, diagnose};
pub use dimensions::{Dimension, DimensionType, EventColumns, keep_dimensions, sets_dimensions};
pub use error::DruidError;
pub use missing::{MissingRows, missing_seqs};
pub use outage::Patience;
pub use poll::{RowAnswer, RowQuestion};
pub use query_load::{QueryAnswers, QueryLoad};
pub use ready::ReadyWait;
pub use segments::{PublishedSegments, TaskSegments};
pub use service::Service;
pub use slots::{SlotHolders, WorkerSlots};
pub use spec::{Granularity, MARK, SpecOptions, is_ours, make_spec, set_pointer};
pub use status::{ParseError, SupervisorStatus, TaskRows};
pub use stream_spec::{StreamSpecOptions, make_stream_spec};
pub use supervisor::{DruidAfter, Submission, Supervisor};
pub use users::{USERS_MAX_BYTES, UsersTable};
pub use verify::{Proof, RunName, Span};
pub use workers::heap_used;
