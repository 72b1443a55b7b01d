//! The MQTT hop with real clients: what goes in comes out, nothing is lost, outside clients of both
//! versions watch and join in, and none of them can end a replay; and an outside broker.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod bridge;
mod bridge_druid;
mod bridge_kill;
mod bridge_metrics;
mod bridge_spool;
#[path = "../common/mod.rs"]
mod common;
#[path = "../druid/fake.rs"]
mod fake;
mod harness;
mod hostile;
mod listen;
mod mosquitto;
mod mutated;
mod outside;
mod raw;
mod replay;
mod secrets;
mod standard;
mod tls;
mod users;
