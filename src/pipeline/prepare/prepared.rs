//! What phase one is given, and what it hands to phase two.

use crate::count::Intake;
use crate::options::{Loops, Pace, ReplayOptions, Select, Session};
use crate::pace::{FileOrder, Order, Schedule, Slot, Speed, Survey};
use crate::pipeline::input::dead_letters::DeadLetters;
use crate::pipeline::input::files::{Context, Files};
use crate::pipeline::input::select::Skipped;
use crate::source::{Opening, OpeningState};
use crate::tweet::TimeDecision;

/// The input of phase one.
pub(crate) struct Preparation<'a> {
    pub files: &'a Files,
    pub options: &'a ReplayOptions,
    /// How the files were opened.
    pub opening: &'a Opening<'a>,
    /// Where rejects and unparseable frames are written.
    pub dead_letters: Option<&'a DeadLetters>,
    pub goal: Goal,
    pub session: &'a Session,
}

impl Preparation<'_> {
    /// Whether the pass may skim records for their places: when all that it takes for tweets is read again to be
    /// sent. Which tweets are the first ones, or the first with their id, depends on which are tweets.
    pub fn skims(&self) -> bool {
        self.goal == Goal::Replay && self.options.input.select == Select::default()
    }
}

/// What the pass is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goal {
    Replay,
    Inspect,
}

/// How to open the files. An input that is read once, in its own order, is read as it comes.
pub(crate) fn opening<'a>(
    options: &ReplayOptions,
    goal: Goal,
    session: &'a Session,
    watch: &'a dyn Fn(OpeningState),
) -> Opening<'a> {
    Opening {
        framing: options.input.framing,
        tables: true,
        streams: goal == Goal::Replay && options.in_file_order() && options.pace.loops == Loops::Times(1),
        spool_limit: options.input.spool_limit,
        max_record_bytes: options.input.max_record_bytes,
        stop: &session.stop,
        watch,
    }
}

/// What phase one found.
pub(crate) struct Prepared {
    /// What is in each file; of a stream, only what comes before its first tweet.
    pub intakes: Vec<Intake>,
    /// How the tweets of each file are ordered in time, `None` if they have no times; empty if not
    /// determined.
    pub orders: Vec<Option<FileOrder>>,
    /// The same for all files together, one after another; `None` without times.
    pub found: Option<FileOrder>,
    /// Event times of the oldest and the newest tweet, in milliseconds since 1970 UTC; in a stream,
    /// both are the first one's. `None`: no times.
    pub times_ms: Option<(i64, i64)>,
    /// What is left to do.
    pub work: Work,
    /// Order of sending.
    pub order: Order,
    /// The tweets of one loop in the order of sending; `None` if that is only known at the end.
    pub survey: Option<Survey>,
    /// Tweets of one loop that will be skipped, where `survey` is known.
    pub skipped: Skipped,
    /// The tweets to send in the order of their times, when they are only inspected.
    pub by_time: Option<Survey>,
    /// Number of users, when they are only inspected.
    pub users: u64,
    /// How the times of each file are read, where their spelling leaves it open.
    pub decisions: Vec<TimeDecision>,
    /// Whether the records were skimmed: some that were taken for tweets may turn out to be broken.
    pub is_skimmed: bool,
}

impl Prepared {
    /// How the times of a file are read.
    pub fn decision(&self, file: u32) -> TimeDecision {
        self.decisions.get(file as usize).copied().unwrap_or_default()
    }
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
    /// The contexts that slots refer to.
    pub contexts: Vec<Context>,
}

/// The schedule of a [`Survey`] before it is known whether there are times: the requested speed, if
/// it counts in event time; the speed of the tweets themselves, if it is to be derived from them;
/// and none, if their times do not matter.
pub(crate) fn survey_schedule(options: &ReplayOptions) -> Schedule {
    let (speed, max_gap) = match options.pace.speed {
        Pace::Speedup(factor) if options.pace.interval.is_none() => {
            (Speed::Factor(factor), options.pace.max_gap)
        }
        Pace::Fit(_) => (Speed::Factor(1.0), None),
        Pace::Speedup(_) | Pace::Rate(_) | Pace::Profile(_) | Pace::Max => (Speed::Max, None),
    };
    Schedule { speed, max_gap }
}
