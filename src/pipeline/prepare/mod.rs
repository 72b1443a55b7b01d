//! Phase one: looks through the input once and records where each tweet is and when it was written,
//! so that none of this has to be done while the clock runs; and makes the plan from that.
//!
//! An input that turns out to be in order is not recorded: it is looked through in constant memory,
//! and read again from its start. The first tweet that steps back ends that, and the pass starts
//! over. In file order there is no such phase: only the first tweets are looked at.

mod arrange;
mod gather;
mod index;
mod look;
mod phases;
mod plan;
mod prepared;
mod unread;

pub(crate) use look::prepare;
pub(crate) use phases::{Phase, phase_plan};
pub(crate) use plan::Plan;
pub(crate) use prepared::{Goal, Preparation, Prepared, Slots, Work, opening};
pub(crate) use unread::{mended_report, unread_report};
