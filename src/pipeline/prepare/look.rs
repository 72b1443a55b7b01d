//! Looks through the input: all of it, or in file order only its first tweets.

use std::ops::ControlFlow;

use super::arrange::arrange;
use super::gather::{Gather, PassSummary};
use super::index::{Chunk, PassOptions, pass, workers};
use super::prepared::{Goal, Preparation, Prepared, Work};
use crate::options::{OrderBy, ReplayOptions};
use crate::pace::Order;
use crate::pipeline::error::ReplayError;
use crate::pipeline::input::dead_letters::FoundIn;
use crate::pipeline::input::diagnosis::{check_map, unread_time, without_tweets};
use crate::pipeline::input::files::Files;
use crate::pipeline::input::read::Reader;
use crate::pipeline::input::select::Skipped;
use crate::report::prepare_bar;
use crate::source::{Frame, Opening};

/// Finds out what the order of sending depends on.
pub(crate) fn prepare(preparation: &Preparation<'_>) -> Result<Prepared, ReplayError> {
    let Preparation { files, options, opening, goal, .. } = *preparation;
    check_map(files, options)?;
    if goal == Goal::Replay && options.in_file_order() {
        return look_at_first(files, options, opening);
    }
    let by_time = matches!(options.input.order, None | Some(OrderBy::Time));
    let inspects = goal == Goal::Inspect;
    // Which of several tweets with one id is sent depends on input order, which is gone by then.
    let must_keep =
        options.input.order == Some(OrderBy::Shuffle) || options.input.select.dedup || (inspects && !by_time);
    let (kept, gathered) = look_through(preparation, must_keep, by_time)?;
    if gathered.times_ms.is_none() {
        remark_on_times(files, options);
    }
    arrange(preparation, kept, gathered)
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
}

impl First {
    /// Reads a frame; breaks off when it has found enough.
    fn read(&mut self, files: &Files, file: u32, frame: Frame<'_>) -> ControlFlow<()> {
        self.reader.places(files, file, frame, |place| self.time_ms = self.time_ms.or(place.time_ms()));
        match self.time_ms.is_some() || self.reader.counted.intake.tweets >= LOOK_TWEETS {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

fn look_at_first(
    files: &Files,
    options: &ReplayOptions,
    opening: &Opening<'_>,
) -> Result<Prepared, ReplayError> {
    let mut first = First { reader: Reader::new(options, false), time_ms: None };
    for (number, file) in files.iter() {
        let Some(mut live) = file.live() else {
            if file.frames().try_for_each(|frame| first.read(files, number, frame)).is_break() {
                break;
            }
            continue;
        };
        loop {
            // From the start each time: more of it may have come.
            let mut of_file = First { reader: Reader::new(options, false), ..first };
            let _ = live.look(|frame| of_file.read(files, number, frame));
            let has_tweets = of_file.reader.counted.intake.tweets > 0;
            if has_tweets || !live.more(opening)? {
                of_file.reader.counted.intake.merge(std::mem::take(&mut first.reader.counted.intake));
                first = of_file;
                break;
            }
        }
        if first.reader.counted.intake.tweets > 0 {
            break;
        }
    }
    let First { reader, time_ms: first_ms } = first;
    if reader.counted.intake.tweets == 0 {
        return Err(without_tweets(files, options, &reader.counted.intake));
    }
    if first_ms.is_none() && options.input.select.by_time() {
        return Err(ReplayError::NoTimes);
    }
    if first_ms.is_none() {
        remark_on_times(files, options);
    }
    Ok(Prepared {
        intakes: vec![reader.counted.intake],
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
    })
}

/// Collects what is in the whole input, in one pass or two; returns whether the slots were kept.
/// With `by_time` the first pass keeps none, in the hope that everything is in order.
fn look_through(
    preparation: &Preparation<'_>,
    must_keep: bool,
    by_time: bool,
) -> Result<(bool, PassSummary), ReplayError> {
    let Preparation { files, options, goal, dead_letters, session, .. } = *preparation;
    let bar = prepare_bar(&session.screen, files.bytes());
    let wanted = PassOptions { letters: dead_letters.is_some(), users: goal == Goal::Inspect };
    let starts = files.starts();
    let mut keep = must_keep;
    // Chunks whose dead letters are written.
    let mut written = 0;
    let found = loop {
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
            Some(gathered) => break Ok((keep, gathered)),
            None => keep = true,
        }
    };
    bar.finish_and_clear();
    found
}
