//! The highest rate that a system sustains, as a search without a clock or a network.
//!
//! ```text
//!  prepare ─▶ saturate ─▶ drain ─▶ hold ─▶ drain ─▶ cross-check ─▶ answer
//!             capacity      ▲       │ not held: a lower rate
//!                           └───────┘
//! ```
//!
//! Near its limit a backlog takes minutes to show. So the capacity is measured where the signal is strong, in full overload,
//! and confirmed below it, across a rollover. A [`Search`] takes [`Sample`]s and returns [`Order`]s; simulated systems test it.

mod blocks;
mod context;
mod cross_check;
mod found;
mod hold;
#[cfg(test)]
mod recorded_tests;
mod rollovers;
mod saturate;
mod search;
mod segments;
mod settings;
#[cfg(test)]
mod simulated;
mod stats;
#[cfg(test)]
mod systems_tests;
mod waits;

pub use blocks::{Block, Sample};
pub use found::{
    Capacity, CrossCheck, Found, GeneratorLimit, Hold, HoldEnd, LimitWaits, Phase, PhaseBlock, Slo, Verdict,
};
pub use rollovers::Rollover;
pub use search::{Order, Search};
pub use settings::Settings;
pub use stats::Estimate;
pub use waits::WaitSummary;
