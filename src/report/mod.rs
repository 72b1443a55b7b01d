//! What every hop counted, and how it is shown.
//!
//! Counters live in one place, [`Counters`]; the terminal, the JSON report and the tests read the
//! same ones. Each counter has one writer.

mod counters;

pub use counters::{Counter, Counters};
