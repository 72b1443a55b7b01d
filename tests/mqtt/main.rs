//! The MQTT hop with real clients: what goes in comes out, nothing is lost, outside clients of
//! both versions watch and join in, and none of them can end a replay.

#![allow(clippy::unwrap_used)]

mod harness;
mod listen;
mod outside;
mod replay;
