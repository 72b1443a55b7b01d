//! Replays a file of tweets in its own time through MQTT and Kafka, and accounts for every one of them.
//!
//! ```text
//!  tweets.json ─▶ source ─▶ tweet ─▶ pace ─▶ mqtt ─▶ bridge ─▶ kafka ─▶ (druid)
//!   mmap          framing   simd-json  plan    rumqttd  queues    rdkafka   supervisor,
//!                           → event    + clock          fan-out   batches   proof
//! ```
//!
//! The modules are floors, from the lowest to the highest; none imports one above it. The hops, in the
//! order in which data passes them, stand between [`count`], where they all count, and [`pipeline`], which
//! joins them and alone knows them all. A hop imports no other hop, but that [`tweet`] reads a
//! [`source::Frame`].

// Tests, benches and examples may use `expect`.
#![warn(clippy::expect_used)]

// The types that cross threads: drafts, events, deliveries; and what a payload contains.
pub mod event;

// What the hops count: counters, delivery reports, latencies, rows that can be queried.
pub mod count;

// Finds where a JSON value ends, without parsing it: for framing, and to skip members that are not
// needed.
pub mod scan;

// The file: memory map, and framing (where one JSON value ends and the next begins).
pub mod source;

// What a record means: its form, its time, and its payload.
pub mod tweet;

// Tables of users, joined to their tweets.
pub mod enrich;

// When each event is sent: the order, the schedule and the clock.
pub mod pace;

// The embedded MQTT broker: publisher and subscriber on its links, outside clients on its port.
pub mod mqtt;

// Bounded queues between the subscriber and the Kafka producers, fanned out by key.
pub mod bridge;

// The batched Kafka producer, and the embedded Kafka endpoint.
pub mod kafka;

// Druid: the supervisor that reads the topic, and the proof that every row can be queried.
pub mod druid;

// The result of a run: the ledger, and the pages and files that show it.
pub mod report;

// The options of a replay, as plain values.
pub mod options;

// Joins the hops into a replay.
pub mod pipeline;

// Checks each hop in turn, and reports what is wrong.
pub mod doctor;

// Synthetic tweets: any number, and the same bytes for the same seed. Imports no other module.
pub mod generate;

// The command line; the only module that knows clap.
pub mod cli;
