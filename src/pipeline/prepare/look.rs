//! Looks through the input: all of it, or in file order only its first tweets.

use std::ops::ControlFlow;

use super::arrange::arrange;
use super::gather::{Gather, PassSummary};
use super::index::{Chunk, PassOptions, pass, workers};
use super::prepared::{Goal, Preparation, Prepared, Work};
use super::unread::check_unread;
use crate::count::Intake;
use crate::options::{OrderBy, ReplayOptions};
use crate::pace::Order;
use crate::pipeline::error::ReplayError;
use crate::pipeline::input::dead_letters::FoundIn;
use crate::pipeline::input::diagnosis::{unread_time, without_tweets};
use crate::pipeline::input::files::Files;
use crate::pipeline::input::mapped::check_map;
use crate::pipeline::input::read::Reader;
use crate::pipeline::input::select::Skipped;
use crate::report::prepare_bar;
use crate::source::{Frame, TweetFile};
use crate::tweet::{TimeClues, TimeDecision};

/// Finds out what the order of sending depends on.
pub(crate) fn prepare(preparation: &Preparation<'_>) -> Result<Prepared, ReplayError> {
    let Preparation { files, options, goal, .. } = *preparation;
    check_map(files, options)?;
    if goal == Goal::Replay && options.in_file_order() {
        return look_at_first(preparation);
    }
    let by_time = matches!(options.input.order, None | Some(OrderBy::Time));
    let inspects = goal == Goal::Inspect;
    // Which of several tweets with one id is sent depends on input order, which is gone by then.
    let must_keep =
        options.input.order == Some(OrderBy::Shuffle) || options.input.select.dedup || (inspects && !by_time);
    let (kept, gathered, decisions) = look_through(preparation, must_keep, by_time)?;
    check_unread(preparation, &gathered.intakes)?;
    let has_unread = gathered.intakes.iter().any(|intake| intake.unread_times.is_some());
    if gathered.times_ms.is_none() && !has_unread {
        remark_on_times(files, options);
    }
    arrange(preparation, kept, gathered, decisions)
}

/// Says which field may hold the times that none of the tweets was found to have.
fn remark_on_times(files: &Files, options: &ReplayOptions) {
    if let Some(words) = unread_time(files, options) {
        tracing::warn!("{words}");
    }
}

/// How many tweets at the start of a stream are checked for times.
const LOOK_TWEETS: u64 = 1_000;

/// The first tweets of a stream.
struct First {
    reader: Reader,
    time_ms: Option<i64>,
    clues: TimeClues,
    /// Whether a file may be read to its end to find out how its times are written.
    may_go_on: bool,
}

impl First {
    fn new(options: &ReplayOptions, file: u32, decision: TimeDecision, may_go_on: bool) -> Self {
        let mut reader = Reader::new(options, false);
        reader.begin_file(file, decision);
        Self { reader, time_ms: None, clues: TimeClues::default(), may_go_on }
    }

    /// Reads a frame; breaks off when it has found enough.
    fn read(&mut self, files: &Files, file: u32, frame: Frame<'_>) -> ControlFlow<()> {
        self.reader.places(files, file, frame, |place| self.time_ms = self.time_ms.or(place.time_ms()));
        self.clues.merge(self.reader.take_clues());
        let is_long = self.reader.counted.intake.tweets >= LOOK_TWEETS;
        let is_enough = match self.clues.is_unsure() {
            true => is_long && !(self.may_go_on && self.clues.is_undecided()),
            false => is_long || self.time_ms.is_some(),
        };
        if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Looks at the first tweets of a file; waits for them, if it is read as it comes.
fn first_of(
    preparation: &Preparation<'_>,
    number: u32,
    file: &TweetFile,
    decision: TimeDecision,
) -> Result<First, ReplayError> {
    let Preparation { files, options, opening, .. } = *preparation;
    let Some(mut live) = file.live() else {
        let mut first = First::new(options, number, decision, true);
        let _ = file.frames().try_for_each(|frame| first.read(files, number, frame));
        return Ok(first);
    };
    loop {
        // From the start each time: more of it may have come.
        let mut first = First::new(options, number, decision, false);
        let _ = live.look(|frame| first.read(files, number, frame));
        if first.reader.counted.intake.tweets > 0 || !live.more(opening)? {
            return Ok(first);
        }
    }
}

fn look_at_first(preparation: &Preparation<'_>) -> Result<Prepared, ReplayError> {
    let Preparation { files, options, .. } = *preparation;
    let (mut intakes, mut tweets, mut first_ms, mut decisions) = (Vec::new(), 0, None, Vec::new());
    let mut is_found = false;
    for (number, file) in files.iter() {
        if is_found && file.is_live() {
            // Nobody waits for its first tweets: they are read as those before them.
            decisions.push(decisions.last().copied().unwrap_or_default());
            continue;
        }
        let mut first = first_of(preparation, number, file, TimeDecision::default())?;
        let decision = first.clues.decide(true);
        if first.clues.is_unsure() {
            first = first_of(preparation, number, file, decision)?;
        }
        decisions.push(decision);
        if !is_found {
            let intake = first.reader.counted.intake;
            tweets += intake.tweets;
            first_ms = first_ms.or(first.time_ms);
            is_found = first_ms.is_some() || tweets >= LOOK_TWEETS || (file.is_live() && intake.tweets > 0);
            intakes.push(intake);
        }
    }
    let intake = Intake::sum(&intakes);
    if intake.tweets == 0 {
        return Err(without_tweets(files, options, &intake));
    }
    check_unread(preparation, &intakes)?;
    if first_ms.is_none() && options.input.select.by_time() {
        return Err(ReplayError::NoTimes);
    }
    if first_ms.is_none() && intake.unread_times.is_none() {
        remark_on_times(files, options);
    }
    Ok(Prepared {
        intakes: vec![intake],
        orders: Vec::new(),
        found: None,
        times_ms: first_ms.map(|time_ms| (time_ms, time_ms)),
        work: Work::Stream,
        order: match options.input.order {
            Some(OrderBy::Window(size)) if first_ms.is_some() => Order::Window(size),
            _ => Order::File,
        },
        survey: None,
        skipped: Skipped::default(),
        by_time: None,
        users: 0,
        decisions,
        is_skimmed: false,
    })
}

/// Collects what is in the whole input, in one pass or more; returns whether the slots were kept, and how the
/// times of each file are read. With `by_time` the first pass keeps none, in the hope that everything is in
/// order. Where times leave open how they are read, a pass finds it out for the next one.
fn look_through(
    preparation: &Preparation<'_>,
    must_keep: bool,
    by_time: bool,
) -> Result<(bool, PassSummary, Vec<TimeDecision>), ReplayError> {
    let Preparation { files, options, goal, dead_letters, session, .. } = *preparation;
    let bar = prepare_bar(&session.screen, files.bytes());
    let mut decisions = Vec::new();
    let starts = files.starts();
    let mut keep = must_keep;
    // Chunks whose dead letters are written.
    let mut written = 0;
    let found = loop {
        let wanted = PassOptions {
            letters: dead_letters.is_some(),
            users: goal == Goal::Inspect,
            skims: preparation.skims(),
            decisions: &decisions,
        };
        let mut gather = Gather::new(files, options, keep, by_time && !keep, wanted.users);
        let mut chunks = 0;
        let take = |chunk: Chunk| {
            chunks += 1;
            bar.set_position(starts[chunk.file as usize] + chunk.end);
            if let Some(dead_letters) = dead_letters.filter(|_| chunks > written) {
                dead_letters.write_found(files, chunk.file, FoundIn::File, &chunk.letters);
                written = chunks;
            }
            gather.take(chunk)
        };
        if let Err(error) = pass(files, options, wanted, workers(files), &session.stop, take) {
            break Err(error);
        }
        if let Some(source) = gather.take_no_room() {
            break Err(ReplayError::Memory { tweets: gather.slots_kept(), source });
        }
        match gather.finish() {
            Some(gathered) if decisions.is_empty() && gathered.clues.iter().any(TimeClues::can_settle) => {
                decisions = gathered.clues.iter().map(|clues| clues.decide(false)).collect();
            }
            Some(gathered) => break Ok((keep, gathered, decisions)),
            None => keep = true,
        }
    };
    bar.finish_and_clear();
    found
}
