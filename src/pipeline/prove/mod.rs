//! The run in Druid: from its supervisor to the proof.

mod after;
mod alarm;
mod counting;
mod existing;
mod hop;
mod proof;
mod rollover;
mod setup;
mod spec_parts;
mod task_log;
mod tasks;
mod users;

pub(crate) use existing::altered;
pub(crate) use hop::DruidHop;
pub(crate) use setup::{event_columns, read_spec};
pub(crate) use spec_parts::{add_own_view, io_config, is_loopback, listens, tuning_config};
