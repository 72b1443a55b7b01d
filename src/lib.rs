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

// Not in tests, benches and examples: what they expect is what they are for.
#![warn(clippy::expect_used)]

// The types that cross threads: events on their way, deliveries on the way back; and what a payload is.
pub mod event;

// What the hops count: counters, delivery reports, latencies, rows that can be queried.
pub mod count;

// Where a JSON value ends, found without parsing it: for framing, and to step over members that are not needed.
pub mod scan;

// The file: memory map, and framing (where one JSON value ends and the next begins).
pub mod source;

// What a record means: its shape, its time, and the payload made of it.
pub mod tweet;

// Tables of users, joined to their tweets.
pub mod enrich;

// When each event leaves: the order, the schedule and the clock.
pub mod pace;

// The MQTT broker inside: publisher and subscriber on its links, outside clients on its port.
pub mod mqtt;

// Bounded queues between the subscriber and the Kafka producers, fanned out by key.
pub mod bridge;

// The batched Kafka producer, and the embedded Kafka endpoint.
pub mod kafka;

// Druid: the supervisor that reads the topic, and the proof that every row can be queried.
pub mod druid;

// What a run came to: the ledger, and the pages and files that show it.
pub mod report;

// What a replay is asked to do, as plain values.
pub mod options;

// Joins the hops to a replay.
pub mod pipeline;

// Checks each hop in turn, and says what is wrong.
pub mod doctor;

// Made-up tweets of any number, the same bytes for the same seed. Knows nobody.
pub mod generate;

// The command line; the only module that knows clap.
pub mod cli;
