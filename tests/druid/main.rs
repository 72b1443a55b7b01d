//! Against a real Druid: every row is proven, foreign supervisors are left alone, failures are
//! named.
//!
//! Druid is the one at `TWEETBLAST_DRUID` (the router's URL). It reads from the Kafka at
//! `TWEETBLAST_REAL_KAFKA` (host:port), which does not create topics by itself, and from ports of
//! this machine. One test restarts the indexer of the stack at `TWEETBLAST_STACK_DIR`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod away;
mod causes;
#[path = "../common/mod.rs"]
mod common;
mod drop;
mod events;
mod failures;
mod fake;
mod find_max;
mod preflight;
mod proof;
mod restarts;
mod scenarios;
mod secured;
mod stack;
mod steps;
