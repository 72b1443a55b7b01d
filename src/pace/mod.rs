//! The pace hop: when each event leaves.
//!
//! [`put_in_order`] sorts what the first phase found; [`Schedule`] is pure arithmetic from an event time
//! to an intended send time, anchored once; [`Pacer`] waits for these times on a [`Clock`], writes
//! the time stamps and releases what is due, all of it at each wake-up. Lateness is measured from
//! the intended time, so one late event never makes the ones behind it look punctual.

mod clock;
mod order;
mod pacer;
mod schedule;

pub use clock::{Clock, SystemClock, VirtualClock};
pub use order::{FileOrder, NO_GROUP, Order, Slot, observe_order, put_in_order};
pub use pacer::{PaceStats, Pacer, Stamp, StampTime};
pub use schedule::{Schedule, Speed};
