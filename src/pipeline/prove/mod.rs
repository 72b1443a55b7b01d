//! Druid behind the replay: its supervisor before the first tweet, a count of rows while they are
//! sent, the proof behind the last one.

mod after;
mod counting;
mod hop;
mod proof;
mod setup;
mod users;

pub(crate) use hop::{DruidHop, add_own_view};
pub(crate) use setup::io_config;
