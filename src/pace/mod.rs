//! The pace hop: when each event leaves.
//!
//! [`put_in_order`] sorts what the first phase found, and [`Surveyor`] says what is to know of it;
//! [`Timeline`] is pure arithmetic from an event time to an intended send time; [`Pacer`] waits for
//! these times on a [`Clock`], writes the time stamps and releases what is due, all of it at each
//! wake-up. Lateness is measured from the intended time, so one late event never makes the ones
//! behind it look punctual.

mod clock;
mod control;
mod order;
mod pacer;
mod schedule;
mod spread;
mod stops;
mod survey;
mod window;

pub use clock::{Clock, SystemClock, VirtualClock};
pub use control::{Change, ChangeKind, Control};
pub use order::{Ascending, FileOrder, Order, OrderSeen, Slot, order_ties_by_id, put_in_order};
pub use pacer::{PaceStats, Pacer, PacerOptions, PayloadStamp, StampTime};
pub use schedule::{Moment, Schedule, Speed, Timeline};
pub use spread::{SpreadRuns, event_times_us, is_whole_second, spread_us, whole_us};
pub use stops::{Stop, Stops};
pub use survey::{Survey, Surveyor};
pub use window::Window;
