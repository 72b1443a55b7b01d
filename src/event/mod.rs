//! The types that cross threads: [`Drafts`] and [`Event`]s on their way to Kafka, and a
//! [`Delivery`] that says what became of each event. All travel in batches (`Vec`s), never one by
//! one.

mod own_names;
mod tail;
mod time_ms;

use std::time::Instant;

use bytes::{Bytes, BytesMut};

pub use own_names::{OwnNames, TakenNames};
pub use tail::seq_of_run;
pub use time_ms::TimeMs;

/// What identifies an event on its whole way; returned with its delivery report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    /// Place in send order, from 0, without gaps. `None`: a foreign message, not one of this run.
    pub seq: Option<u64>,
    /// When the plan wanted it sent. `None` at full speed, which has no schedule, and for foreign
    /// messages.
    pub intended: Option<Instant>,
    /// When it was published; for a foreign message, when it was received.
    pub sent: Instant,
    /// The time that Kafka is to store with it; `None`: that at which it gets it.
    pub kafka_time_ms: Option<TimeMs>,
}

impl Trace {
    /// The trace of a message that another client published, received at this time.
    pub fn foreign(received: Instant) -> Self {
        Self { seq: None, intended: None, sent: received, kafka_time_ms: None }
    }
}

/// One tweet ready to send, or a message that another client published on our topic.
///
/// `key` and `payload` are slices of one buffer shared by the whole batch: cloning is cheap, and
/// the buffer lives until the last event of its batch is delivered.
#[derive(Debug, Clone)]
pub struct Event {
    /// Which event it is, and when it was sent.
    pub trace: Trace,
    /// Kafka record key; empty: no key.
    pub key: Bytes,
    pub payload: Bytes,
}

/// What became of one event: Kafka's delivery report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// As in [`Event::trace`].
    pub trace: Trace,
    /// When the report reached us (ack time).
    pub acked: Instant,
    /// Delivered, or why not.
    pub outcome: Outcome,
}

/// Kafka's answer for one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Acknowledged by all in-sync replicas.
    Delivered {
        partition: i32,
        /// Offset in that partition.
        offset: i64,
    },
    /// Kafka did not accept it.
    Failed {
        /// librdkafka's reason.
        reason: String,
        /// It may still have arrived: it was in flight when the wait ended.
        may_have_arrived: bool,
    },
}

/// A batch of encoded tweets in send order, on its way from the parsing thread to the pacer, which
/// writes the time stamps and turns the batch into [`Event`]s without copying.
#[derive(Debug, Default)]
pub struct Drafts {
    /// Payload and key of each draft, back to back.
    pub bytes: BytesMut,
    /// The drafts in `bytes`, in the same order.
    pub items: Vec<Draft>,
    /// When the last of them came from the input; `None`: there was no wait for it.
    pub came_at: Option<Instant>,
}

/// One tweet in a batch of [`Drafts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draft {
    /// As in [`Trace::seq`].
    pub seq: u64,
    /// Milliseconds since 1970 UTC; 0 where tweets have no times and the plan gives them some.
    pub event_time_ms: i64,
    /// The same in microseconds, as planned: tweets of one second may be spread over it.
    pub plan_time_us: i64,
    /// As in [`Trace::kafka_time_ms`].
    pub kafka_time_ms: Option<TimeMs>,
    /// Which loop, from 0.
    pub pass: u32,
    pub payload_bytes: usize,
    /// Length of the key that follows it.
    pub key_bytes: usize,
}

impl Draft {
    /// Length of payload and key.
    pub fn bytes(&self) -> usize {
        self.payload_bytes + self.key_bytes
    }
}

/// What a payload contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayloadForm {
    /// Everything in a tweet that a dashboard needs, with `run` and `seq` at the end.
    Tweet,
    /// Only `timestamp`, `user_id` and `tweet`, as the pipeline's first sender wrote them. `run`
    /// and `seq` travel as Kafka headers.
    Minimal,
    /// The record's own bytes, without a time stamp added. `run` and `seq` travel as Kafka headers.
    Raw,
}
