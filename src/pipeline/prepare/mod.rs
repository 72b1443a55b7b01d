//! Phase one: where each tweet is and when it was written, and the plan made of that.

mod gather;
mod index;
pub(crate) mod plan;
#[allow(clippy::module_inception)]
pub(crate) mod prepare;
pub(crate) mod prepared;
