//! Phase one: looks through the input once and writes down where each tweet is and when it was
//! written, so that nothing of it has to be done while the clock runs; and the plan made of that.
//!
//! An input that turns out to be in order already is not written down: it is looked through in
//! constant memory, and read again from its start. The first tweet that steps back ends that, and
//! the pass starts over. In file order there is no such phase: only the first tweets are looked at.

mod arrange;
mod gather;
mod index;
mod look;
mod plan;
mod prepared;

pub(crate) use look::prepare;
pub(crate) use plan::Plan;
pub(crate) use prepared::{Goal, Preparation, Prepared, Slots, Work};
