//! What phase one is given, and what it hands to phase two.

use crate::count::Intake;
use crate::options::{Pace, ReplayOptions, Session};
use crate::pace::{FileOrder, Order, Schedule, Slot, Speed, Survey};
use crate::pipeline::input::dead_letters::DeadLetters;
use crate::pipeline::input::files::{Context, Files};
use crate::pipeline::input::select::LeftOut;

/// What is to be prepared.
pub(crate) struct Preparation<'a> {
    pub files: &'a Files,
    pub options: &'a ReplayOptions,
    /// Where what is no tweet is written.
    pub dead_letters: Option<&'a DeadLetters>,
    pub goal: Goal,
    pub session: &'a Session,
}

/// What the pass is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goal {
    Replay,
    Inspect,
}

/// What phase one found.
pub(crate) struct Prepared {
    /// What is in each file; of a stream, only what stands before its first tweet.
    pub intakes: Vec<Intake>,
    /// How the tweets of each file lie in time, `None` where they have none; empty when nobody has
    /// looked.
    pub orders: Vec<Option<FileOrder>>,
    /// Likewise for all files together, one after the other; `None` without times.
    pub found: Option<FileOrder>,
    /// Event times of the oldest and the youngest tweet, in milliseconds since 1970 UTC; twice the
    /// first one's in a stream. `None`: no times.
    pub times_ms: Option<(i64, i64)>,
    /// What is left to do.
    pub work: Work,
    /// Order of sending.
    pub order: Order,
    /// The tweets of one loop as they will be sent; `None`: that shows only at the end.
    pub survey: Option<Survey>,
    /// Tweets of one loop that will be left out, where `survey` is known.
    pub left_out: LeftOut,
    /// The tweets to send in the order of their times, when they are only inspected.
    pub by_time: Option<Survey>,
    /// How many users there are, when they are only inspected.
    pub users: u64,
}

/// What phase two reads.
pub(crate) enum Work {
    /// These tweets, in the order of sending.
    Slots(Slots),
    /// The whole input, from the start.
    Stream,
}

/// Where the tweets to send are.
#[derive(Default)]
pub(crate) struct Slots {
    /// In the order of sending.
    pub slots: Vec<Slot>,
    /// What slots name as their context.
    pub contexts: Vec<Context>,
}

/// What a [`Survey`] is made with, before anybody knows whether there are times: the speed asked
/// for, where it counts in event time; that of the tweets themselves, where it is to be found from
/// them; and none, where their times do not matter.
pub(crate) fn survey_schedule(options: &ReplayOptions) -> Schedule {
    let (speed, max_gap) = match options.pace.speed {
        Pace::Speedup(factor) if options.pace.interval.is_none() => {
            (Speed::Factor(factor), options.pace.max_gap)
        }
        Pace::Fit(_) => (Speed::Factor(1.0), None),
        Pace::Speedup(_) | Pace::Rate(_) | Pace::Max => (Speed::Max, None),
    };
    Schedule { speed, max_gap }
}
