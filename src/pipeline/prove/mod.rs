//! The run in Druid: from its supervisor to the proof.

mod after;
mod alarm;
mod counting;
mod hop;
mod proof;
mod rollover;
mod setup;
mod users;

pub(crate) use hop::{DruidHop, add_own_view};
pub(crate) use setup::{io_config, listens};
