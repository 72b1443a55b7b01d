//! Phase two: the hops at work.

mod batch;
mod feed;
mod in_flight;
mod read_back;
mod release;
mod watch;
mod wiring;

pub(crate) use feed::FeedSummary;
pub(crate) use read_back::read_at_end;
pub(crate) use wiring::{ReplayOutcome, run};
