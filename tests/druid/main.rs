//! Against a real Druid: every row proven, strangers' supervisors left alone, failures named.
//!
//! Druid is the one at `TWEETBLAST_DRUID` (the router's URL), which reads from the Kafka at
//! `TWEETBLAST_REAL_KAFKA` (host:port) and from ports of this machine; topics do not appear in it by
//! themselves. One test restarts the indexer of the stack at `TWEETBLAST_STACK_DIR`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod away;
#[path = "../common/mod.rs"]
mod common;
mod failures;
mod fake;
mod proof;
mod restarts;
mod stack;
