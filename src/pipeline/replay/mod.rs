//! Phase two: the hops at work, one thread each, joined by bounded queues of batches.

mod batch;
pub(crate) mod feed;
mod in_flight;
mod watch;
pub(crate) mod wiring;
