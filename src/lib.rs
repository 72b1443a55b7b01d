//! Replays a file of tweets through MQTT and Kafka, at its original timing or faster, and accounts for every tweet.
//!
//! ```text
//!  tweets.json ─▶ source ─▶ tweet ─▶ pace ─▶ mqtt ─▶ bridge ─▶ kafka ─▶ (druid)
//!   mmap          framing   simd-json  plan    rumqttd  queues    rdkafka   supervisor,
//!                           → event    + clock          fan-out   batches   proof
//! ```
//!
//! # A replay from Rust
//!
//! The sample in `data/`, at full speed, through an MQTT broker and a Kafka endpoint inside the process:
//!
//! ```
//! use tweetblast::options::{InputOptions, Pace, PaceOptions, ReplayOptions, Session};
//!
//! let options = ReplayOptions {
//!     input: InputOptions { files: vec!["data/tweets.json".into()], ..InputOptions::default() },
//!     pace: PaceOptions { speed: Pace::Max, ..PaceOptions::default() },
//!     ..ReplayOptions::default()
//! };
//! let replayed = tweetblast::pipeline::replay(&options, &Session::unattended())?;
//! assert_eq!(replayed.report.ledger.delivered, 6_000);
//! replayed.close()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`options`] says what else can be asked for, and [`report::RunReport`] what comes back: the ledger, the lag, what
//! each hop cost. To end a replay early or pause it from another thread, keep a clone of
//! [`Session::stop`](options::Session::stop) or of [`Session::control`](options::Session::control). The command line is
//! [`cli`], which makes options from flags.
//!
//! # How the modules stand
//!
//! The modules are floors, from the lowest to the highest; none imports one above it. The hops, in the
//! order in which data passes them, stand between [`count`], where they all count, and [`pipeline`], which
//! joins them and alone knows them all. A hop imports no other hop, but that [`tweet`] reads a
//! [`source::Frame`].

// Tests, benches and examples may use `expect`.
#![warn(clippy::expect_used)]

// The types that cross threads: drafts, events, deliveries; and what a payload contains.
pub mod event;

// Whether a host can be reached, and in plain words why not.
pub mod net;

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

// What a run has counted so far, for Prometheus.
pub mod metrics;

// The options of a replay, as plain values.
pub mod options;

// Joins the hops into a replay.
pub mod pipeline;

// Checks each hop in turn, and reports what is wrong.
pub mod doctor;

// The highest rate that a system sustains, as a search without a clock or a network. Imports no other
// module.
pub mod limit;

// Searches for the highest rate that a Druid sustains.
pub mod find_max;

// Synthetic tweets: any number, and the same bytes for the same seed. Imports no other module.
pub mod generate;

// The command line; the only module that knows clap.
pub mod cli;
