//! Phase two: the hops at work.

mod batch;
mod feed;
mod in_flight;
mod release;
mod watch;
mod wiring;

pub(crate) use feed::FeedSummary;
pub(crate) use wiring::{ReplayOutcome, run};
