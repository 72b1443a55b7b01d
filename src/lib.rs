//! Replays a file of tweets in its own time through MQTT and Kafka, and accounts for every one of them.
//!
//! ```text
//!  tweets.json ─▶ source ─▶ tweet ─▶ pace ─▶ mqtt ─▶ bridge ─▶ kafka ─▶ (druid)
//!   mmap          framing   simd-json  plan    rumqttd  queues    rdkafka   supervisor,
//!                           → event    + clock          fan-out   batches   proof
//!                                   report: counters · histograms · terminal · JSON
//! ```
//!
//! The modules are the hops, in the order in which data passes them. A hop knows [`event`], [`scan`]
//! and the counters of [`report`], never another hop, but that [`tweet`] reads a
//! [`source::Frame`]; only [`pipeline`] knows them all.

// The types that cross threads: events on their way, deliveries on the way back.
pub mod event;

// Where a JSON value ends, found without parsing it: for framing, and to step over what nobody asks for.
pub mod scan;

// The file: memory map, and framing (where one JSON value ends and the next begins).
pub mod source;

// What a record means: its shape, its time, and the payload made of it.
pub mod tweet;

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

// What every hop counted: ledger, latencies, terminal and JSON output.
pub mod report;

// Joins the hops to a replay; the only module that knows them all.
pub mod pipeline;

// Made-up tweets of any number, the same bytes for the same seed.
pub mod generate;

// The command line; the only module that knows clap.
pub mod cli;
