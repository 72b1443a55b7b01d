//! Replays as a user starts them, and what is reported about them.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod changed;
#[path = "../common/mod.rs"]
mod common;
mod compare;
mod dead_letter;
mod enrich;
mod errors;
mod events;
mod keys;
mod late;
mod live;
mod over_time;
mod pacing;
mod pages;
mod real_replays;
mod resources;
mod seen;
mod serve;
mod stops;
mod whole;
mod wrong;
