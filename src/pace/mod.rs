//! The pace hop: when each event is sent.
//!
//! [`put_in_order`] sorts what phase one found, and [`Surveyor`] summarizes it. [`Timeline`] is
//! pure arithmetic from an event time to an intended send time. [`Pacer`] waits for these times on
//! a [`Clock`], writes the time stamps and releases everything that is due at each wake-up. Lag is
//! measured from the intended time, so one late event never makes the events after it look
//! punctual.

mod anchor;
mod clock;
mod control;
mod order;
mod pacer;
mod profile;
mod schedule;
mod spread;
mod stats;
mod stops;
mod survey;
mod tell;
mod window;

pub use clock::{Clock, SystemClock, VirtualClock};
pub use control::{Change, ChangeKind, Control};
pub use order::{AscendingCheck, FileOrder, Order, OrderDetector, Slot, order_ties_by_id, put_in_order};
pub use pacer::{Pacer, PacerOptions, PayloadStamp, StampTime};
pub use profile::{Arrivals, Profile, SPANS_MAX, Segment, Span};
pub use schedule::{Moment, Schedule, Shape, Speed, Timeline};
pub use spread::{Coming, SpreadRuns, event_times_us, is_whole_second, spread_us, whole_us};
pub use stats::{PaceStats, PhaseSent};
pub use stops::{Stop, Stops};
pub use survey::{Survey, Surveyor};
pub use window::Window;
