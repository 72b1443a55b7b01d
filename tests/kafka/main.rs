//! The embedded Kafka endpoint compared with a real Kafka, with clients written by others.
//!
//! The real Kafka is the one at `TWEETBLAST_REAL_KAFKA` (host:port), with the process
//! `TWEETBLAST_REAL_KAFKA_PID`; it creates topics when they are first used, with four partitions.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod client;
mod clients;
mod cluster;
#[path = "../common/mod.rs"]
mod common;
mod conformance;
mod embedded;
mod faults;
mod forged;
mod kill;
mod limits;
mod mutated;
mod outside;
mod raw;
mod replays;
mod secured;
mod tls;
