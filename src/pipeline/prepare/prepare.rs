//! Phase one: looks through the input once and writes down where each tweet is and when it was
//! written, so that nothing of it has to be done while the clock runs.
//!
//! An input that turns out to be in order already is not written down: it is looked through in
//! constant memory, and read again from its start. The first tweet that steps back ends that, and
//! the pass begins anew. In file order there is no such phase: only the first tweets are looked at.

use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;

use indicatif::ProgressBar;

use crate::count::Intake;
use crate::options::{OrderBy, Pace, ReplayOptions};
use crate::pace::{Order, Slot, Survey, Surveyor, order_ties_by_id, put_in_order};
use crate::pipeline::error::ReplayError;
use crate::pipeline::input::dead_letters::DeadLetters;
use crate::pipeline::input::files::Files;
use crate::pipeline::input::read::{NO_TIME, Reader, slots_of};
use crate::pipeline::input::select::{IdKey, LeftOut};
use crate::pipeline::prepare::gather::{Gather, Gathered, position};
use crate::pipeline::prepare::index::{Wanted, pass, workers};
use crate::pipeline::prepare::prepared::{Goal, Prepared, Slots, Work, survey_schedule};
use crate::tweet::Record;

/// Finds out what the order of sending needs to know.
pub(crate) fn prepare(
    files: &Files,
    options: &ReplayOptions,
    goal: Goal,
    dead_letters: Option<&DeadLetters>,
    bar: &ProgressBar,
    stop: &AtomicBool,
) -> Result<Prepared, ReplayError> {
    let in_file_order = matches!(options.input.order, Some(OrderBy::File | OrderBy::Window(_)));
    // To fit a time, number and span must be known, whatever the order.
    let is_stream = in_file_order && goal == Goal::Replay && !matches!(options.pace.speed, Pace::Fit(_));
    let prepared = match is_stream {
        true => look_at_first(files, options),
        false => index(files, options, goal, dead_letters, bar, stop),
    };
    bar.finish_and_clear();
    prepared
}

/// So many tweets at the start of a stream are looked at to see whether they have times.
const LOOK_TWEETS: u64 = 1_000;

fn look_at_first(files: &Files, options: &ReplayOptions) -> Result<Prepared, ReplayError> {
    let (mut reader, mut first_ms) = (Reader::new(options, false), None);
    for (file, frame) in files.frames() {
        reader.read(frame, |frame, found, counted| {
            slots_of((files, file), frame, found, counted, |slot, _, _, _, _| {
                first_ms = first_ms.or(Some(slot.event_time_ms).filter(|time_ms| *time_ms != NO_TIME));
            });
        });
        if first_ms.is_some() || reader.counted.intake.tweets >= LOOK_TWEETS {
            break;
        }
    }
    if reader.counted.intake.tweets == 0 {
        return Err(ReplayError::no_tweets(files.words(), &reader.counted.intake));
    }
    if first_ms.is_none() && options.input.select.by_time() {
        return Err(ReplayError::NoTimes);
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
        left_out: LeftOut::default(),
        by_time: None,
        users: 0,
    })
}

fn index(
    files: &Files,
    options: &ReplayOptions,
    goal: Goal,
    dead_letters: Option<&DeadLetters>,
    bar: &ProgressBar,
    stop: &AtomicBool,
) -> Result<Prepared, ReplayError> {
    let inspects = goal == Goal::Inspect;
    let by_time = matches!(options.input.order, None | Some(OrderBy::Time));
    // Which of several with one id is sent depends on the order of the input, which then is gone.
    let mut keep =
        options.input.order == Some(OrderBy::Shuffle) || options.input.select.dedup || (inspects && !by_time);
    let wanted = Wanted { letters: dead_letters.is_some(), users: inspects };
    let starts: Vec<u64> = files
        .iter()
        .scan(0, |start, (_, file)| Some(std::mem::replace(start, *start + file.bytes().len() as u64)))
        .collect();
    // Chunks whose dead letters are written.
    let mut written = 0;
    loop {
        let mut gather = Gather::new(files, options, keep, by_time && !keep, inspects);
        let mut chunks = 0;
        pass(files, options, wanted, workers(files), stop, |chunk| {
            chunks += 1;
            bar.set_position(starts[chunk.file as usize] + chunk.end);
            if let Some(dead_letters) = dead_letters.filter(|_| chunks > written) {
                dead_letters.write_found(files, chunk.file, &chunk.letters);
                written = chunks;
            }
            match gather.take(chunk) {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        })?;
        match gather.finish() {
            Some(gathered) => return finish(files, options, goal, keep, gathered),
            None => keep = true,
        }
    }
}

fn finish(
    files: &Files,
    options: &ReplayOptions,
    goal: Goal,
    keep: bool,
    gathered: Gathered,
) -> Result<Prepared, ReplayError> {
    let Gathered { mut slots, mut survey, mut left_out, times_ms, .. } = gathered;
    let is_timed = times_ms.is_some();
    let has_tweets = gathered.intakes.iter().any(|intake| intake.tweets > 0);
    if goal == Goal::Replay && !has_tweets {
        return Err(ReplayError::no_tweets(files.words(), &Intake::sum(&gathered.intakes)));
    }
    if has_tweets && !is_timed && options.input.select.by_time() {
        return Err(ReplayError::NoTimes);
    }
    let order = match options.input.order {
        Some(OrderBy::Time) | None if is_timed => Order::Time,
        Some(OrderBy::Window(size)) if is_timed => Order::Window(size),
        // Without times there is nothing to sort by.
        Some(OrderBy::File | OrderBy::Time | OrderBy::Window(_)) => Order::File,
        Some(OrderBy::Shuffle) | None => Order::Shuffle { seed: options.input.seed },
    };
    let reads_slots = matches!(order, Order::Shuffle { .. }) || (order == Order::Time && keep);
    let mut by_time = None;
    if keep || !is_timed {
        if reads_slots {
            let Slots { slots, contexts } = &mut slots;
            let position = |slot: &Slot| position(slot, contexts, &gathered.orders);
            put_in_order(slots, order, position);
        }
        if order == Order::Time && gathered.has_ids {
            order_ties(files, options, &mut slots);
        }
        if reads_slots {
            let limit = options.input.select.limit.unwrap_or(u64::MAX);
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            left_out.limit = slots.slots.len().saturating_sub(limit) as u64;
            slots.slots.truncate(limit);
            survey = look_over(options, &slots.slots);
        }
        if goal == Goal::Inspect && is_timed && order != Order::Time {
            let mut times = std::mem::take(&mut slots.slots);
            times.sort_unstable_by_key(|slot| slot.event_time_ms);
            by_time = Some(look_over(options, &times));
        }
    }
    if goal == Goal::Replay && survey.tweets == 0 {
        return Err(ReplayError::NothingSelected { tweets: gathered.intakes.iter().map(|i| i.tweets).sum() });
    }
    Ok(Prepared {
        intakes: gathered.intakes,
        orders: gathered.orders,
        found: times_ms.map(|_| gathered.found),
        times_ms,
        work: if reads_slots { Work::Slots(slots) } else { Work::Stream },
        order,
        survey: Some(survey),
        left_out,
        by_time: by_time.or(is_timed.then_some(survey)),
        users: gathered.users,
    })
}

fn look_over(options: &ReplayOptions, slots: &[Slot]) -> Survey {
    let mut surveyor = Surveyor::new(survey_schedule(options));
    slots.iter().for_each(|slot| surveyor.add(slot.event_time_ms));
    surveyor.finish()
}

/// Puts tweets of one time into the order of their ids, with all cores.
fn order_ties(files: &Files, options: &ReplayOptions, slots: &mut Slots) {
    let contexts = &slots.contexts;
    let part = slots.slots.len().div_ceil(workers(files)).max(1);
    std::thread::scope(|scope| {
        let mut rest = &mut slots.slots[..];
        while !rest.is_empty() {
            // Not between two of one time.
            let mut end = part.min(rest.len());
            while end < rest.len() && rest[end].event_time_ms == rest[end - 1].event_time_ms {
                end += 1;
            }
            let (these, later) = rest.split_at_mut(end);
            rest = later;
            scope.spawn(move || {
                let mut parser = options.new_parser();
                order_ties_by_id(these, |slot| {
                    let frame = files.frame(slot, contexts[slot.context as usize]);
                    parser.parse(frame.bytes, |record| match record {
                        Ok(Record::Tweet(tweet)) => IdKey::of(tweet.id).number(),
                        _ => None,
                    })
                });
            });
        }
    });
}
