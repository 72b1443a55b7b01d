//! The live view of a run on a terminal.
//!
//! ```text
//!  counters, series, Druid's status ──▶ gather ──▶ ViewState ──▶ draw ──▶ alternate screen
//!                                       5 times per second, on a thread of its own
//! ```
//!
//! `gather` looks at what is counted anyway. `draw` is a pure function, which the snapshots test.

mod cpu;
mod curves;
mod draw;
mod druid_now;
mod gather;
mod help;
mod live;
mod search_now;
mod state;
mod tables;
#[cfg(test)]
mod tests;
mod theme;

pub use druid_now::DruidNow;
pub use gather::ViewSources;
pub use live::LiveView;
pub use search_now::{SearchNow, SearchSample};
