//! Puts the collected slots into the order of sending.

use super::gather::{PassSummary, position};
use super::index::workers;
use super::prepared::{Goal, Preparation, Prepared, Slots, Work, survey_schedule};
use crate::count::Intake;
use crate::options::{OrderBy, ReplayOptions};
use crate::pace::{Order, Slot, Survey, Surveyor, order_ties_by_id, put_in_order};
use crate::pipeline::error::ReplayError;
use crate::pipeline::input::diagnosis::{excluded, without_tweets};
use crate::pipeline::input::select::IdKey;
use crate::tweet::{Record, TimeDecision};

/// What to send, in order. `kept`: the slots of all tweets were kept.
pub(crate) fn arrange(
    preparation: &Preparation<'_>,
    kept: bool,
    gathered: PassSummary,
    decisions: Vec<TimeDecision>,
) -> Result<Prepared, ReplayError> {
    let Preparation { options, goal, .. } = *preparation;
    check(preparation, &gathered)?;
    let PassSummary { mut slots, mut survey, mut skipped, times_ms, .. } = gathered;
    let is_timed = times_ms.is_some();
    let order = order_of(options, is_timed);
    if options.input.seed.is_some() && !matches!(order, Order::Shuffle { .. }) {
        return Err(ReplayError::Usage(options.noun().of(
            "--seed has no effect: the tweets are sent in the order of their times; --order shuffle sends them at \
             random",
        )));
    }
    let reads_slots = matches!(order, Order::Shuffle { .. }) || (order == Order::Time && kept);
    let mut by_time = None;
    if reads_slots {
        let Slots { slots: all, contexts } = &mut slots;
        put_in_order(all, order, |slot: &Slot| position(slot, contexts, &gathered.orders));
    }
    if kept && order == Order::Time && gathered.has_ids {
        order_ties(preparation, &mut slots);
    }
    if reads_slots {
        let limit = options.input.select.limit.unwrap_or(u64::MAX);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        skipped.limit = slots.slots.len().saturating_sub(limit) as u64;
        slots.slots.truncate(limit);
        survey = look_over(options, &slots.slots);
    }
    if kept && goal == Goal::Inspect && is_timed && order != Order::Time {
        let mut times = std::mem::take(&mut slots.slots);
        times.sort_unstable_by_key(|slot| slot.event_time_ms);
        by_time = Some(look_over(options, &times));
    }
    if goal == Goal::Replay && survey.tweets == 0 {
        let tweets = gathered.intakes.iter().map(|intake| intake.tweets).sum();
        return Err(ReplayError::NothingSelected {
            excluded: excluded(&options.input.select, &options.noun().counted(tweets), times_ms),
        });
    }
    Ok(Prepared {
        intakes: gathered.intakes,
        orders: gathered.orders,
        found: times_ms.map(|_| gathered.found),
        times_ms,
        work: if reads_slots { Work::Slots(slots) } else { Work::Stream },
        order,
        survey: Some(survey),
        skipped,
        by_time: by_time.or(is_timed.then_some(survey)),
        users: gathered.users,
        decisions,
        is_skimmed: preparation.skims(),
    })
}

/// Checks that there is something to send, and that there are times if they are needed.
fn check(preparation: &Preparation<'_>, gathered: &PassSummary) -> Result<(), ReplayError> {
    let has_tweets = gathered.intakes.iter().any(|intake| intake.tweets > 0);
    if preparation.goal == Goal::Replay && !has_tweets {
        let intake = Intake::sum(&gathered.intakes);
        return Err(without_tweets(preparation.files, preparation.options, &intake));
    }
    if has_tweets && gathered.times_ms.is_none() && preparation.options.input.select.by_time() {
        return Err(ReplayError::NoTimes);
    }
    Ok(())
}

fn order_of(options: &ReplayOptions, is_timed: bool) -> Order {
    match options.input.order {
        Some(OrderBy::Time) | None if is_timed => Order::Time,
        Some(OrderBy::Window(size)) if is_timed => Order::Window(size),
        // Without times there is nothing to sort by.
        Some(OrderBy::File | OrderBy::Time | OrderBy::Window(_)) => Order::File,
        Some(OrderBy::Shuffle) | None => Order::Shuffle { seed: options.input.seed.unwrap_or(1) },
    }
}

fn look_over(options: &ReplayOptions, slots: &[Slot]) -> Survey {
    let mut surveyor = Surveyor::new(survey_schedule(options));
    slots.iter().for_each(|slot| surveyor.add(slot.event_time_ms));
    surveyor.finish()
}

/// Puts tweets of equal times into the order of their ids, using all cores.
fn order_ties(preparation: &Preparation<'_>, slots: &mut Slots) {
    let Preparation { files, options, .. } = *preparation;
    let skims = preparation.skims();
    let contexts = &slots.contexts;
    let part = slots.slots.len().div_ceil(workers(files)).max(1);
    std::thread::scope(|scope| {
        let mut rest = &mut slots.slots[..];
        while !rest.is_empty() {
            // Not between two of equal times.
            let mut end = part.min(rest.len());
            while end < rest.len() && rest[end].event_time_ms == rest[end - 1].event_time_ms {
                end += 1;
            }
            let (these, later) = rest.split_at_mut(end);
            rest = later;
            scope.spawn(move || {
                let mut parser = options.new_parser();
                match skims {
                    true => parser.skim(),
                    false => parser.only_places(),
                }
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
