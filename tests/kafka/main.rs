//! The embedded Kafka endpoint beside a real Kafka, with clients that others wrote.
//!
//! The real Kafka is the one at `TWEETBLAST_REAL_KAFKA` (host:port), with the process
//! `TWEETBLAST_REAL_KAFKA_PID`; topics appear in it when they are asked for, with four partitions.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod client;
mod clients;
#[path = "../common/mod.rs"]
mod common;
mod conformance;
mod embedded;
mod kill;
mod limits;
mod mutated;
mod outside;
