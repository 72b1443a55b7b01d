//! Phase one: looks through the file once and writes down where each tweet is and when it was
//! written, so that nothing of it has to be done while the clock runs.
//!
//! In file order there is no such phase: only the first tweet is looked at, for the plan.

use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::ProgressBar;

use super::read::{Found, read_frame};
use super::{OrderBy, Pace, ReplayError, ReplayOptions};
use crate::pace::{FileOrder, NO_GROUP, Order, Slot, observe_order, put_in_order};
use crate::report::Intake;
use crate::source::TweetFile;
use crate::tweet::{Parser, texts};

/// What phase one found.
pub(super) struct Prepared {
    /// What is in the file; of a stream, only what stands before its first tweet.
    pub intake: Intake,
    /// What is left to do.
    pub work: Work,
    /// Order of sending.
    pub order: Order,
    /// How the tweets lie in the file; `None` without times, or when not looked at.
    pub found: Option<FileOrder>,
    /// Event times of the oldest and the youngest tweet, in milliseconds since 1970 UTC; twice the
    /// first tweet's in a stream. `None`: no times.
    pub times_ms: Option<(i64, i64)>,
}

/// What phase two reads.
pub(super) enum Work {
    /// These tweets, in the order of sending.
    Slots(Slots),
    /// The whole file, from the start.
    Stream,
}

/// Where the tweets to send are.
#[derive(Default)]
pub(super) struct Slots {
    /// In the order of sending.
    pub slots: Vec<Slot>,
    /// Users of the groups that slots name.
    pub users: Vec<Option<i64>>,
    /// How many more there are beyond the limit.
    pub beyond_limit: u64,
}

impl Prepared {
    /// How many tweets will be sent; `None` when that shows only at the end.
    pub fn tweets(&self) -> Option<u64> {
        match &self.work {
            Work::Slots(slots) => Some(slots.slots.len() as u64),
            Work::Stream => None,
        }
    }
}

/// Finds out what the order of sending needs to know.
pub(super) fn prepare(
    file: &TweetFile,
    options: &ReplayOptions,
    bar: &ProgressBar,
    stop: &AtomicBool,
) -> Result<Prepared, ReplayError> {
    // To fit a time, number and span must be known, whatever the order.
    let stream = options.order == Some(OrderBy::File) && !matches!(options.pace, Pace::Fit(_));
    let prepared = if stream { look_at_first(file, options) } else { index(file, options, bar, stop) };
    bar.finish_and_clear();
    prepared
}

fn look_at_first(file: &TweetFile, options: &ReplayOptions) -> Result<Prepared, ReplayError> {
    let (mut parser, mut intake, mut first) = (Parser::new(), Intake::default(), None);
    for frame in file.frames() {
        read_frame(&frame, options, &mut parser, &mut intake, |found, _| {
            first = match found {
                Found::Tweet(tweet) => Some(tweet.event_time_ms),
                Found::Group(group) => group.items().any(|item| item.is_ok()).then_some(None),
            }
        });
        if let Some(time_ms) = first {
            return Ok(Prepared {
                intake,
                work: Work::Stream,
                order: Order::File,
                found: None,
                times_ms: time_ms.map(|time_ms| (time_ms, time_ms)),
            });
        }
    }
    Err(ReplayError::no_tweets(file, &intake))
}

/// Stands for "no time" until all times are known.
const NO_TIME: i64 = i64::MIN;

/// How many values are read between two looks at the stop flag and moves of the bar.
const FRAMES_PER_LOOK: u64 = 4_096;

fn index(
    file: &TweetFile,
    options: &ReplayOptions,
    bar: &ProgressBar,
    stop: &AtomicBool,
) -> Result<Prepared, ReplayError> {
    let (mut parser, mut intake, mut all) = (Parser::new(), Intake::default(), Slots::default());
    for frame in file.frames() {
        if intake.frames.is_multiple_of(FRAMES_PER_LOOK) {
            bar.set_position(frame.offset);
            if stop.load(Ordering::Relaxed) {
                return Err(ReplayError::Stopped);
            }
        }
        read_frame(&frame, options, &mut parser, &mut intake, |found, intake| match found {
            Found::Tweet(tweet) => all.slots.push(Slot {
                event_time_ms: tweet.event_time_ms.unwrap_or(NO_TIME),
                offset: frame.offset,
                len: frame.bytes.len() as u32,
                group: NO_GROUP,
            }),
            Found::Group(group) => {
                let number = all.users.len() as u32;
                all.users.push(group.user_id);
                for text in texts(frame) {
                    match text {
                        Ok(text) => {
                            intake.tweet();
                            let (offset, len) = (text.offset, text.len);
                            all.slots.push(Slot { event_time_ms: NO_TIME, offset, len, group: number });
                        }
                        Err(reject) => intake.reject(reject.name(), frame.offset),
                    }
                }
            }
        });
    }
    if all.slots.is_empty() {
        return Err(ReplayError::no_tweets(file, &intake));
    }
    let times_ms = fill_in_times(&mut all.slots, &mut intake);
    let found = times_ms.map(|_| observe_order(&all.slots));
    let order = match (options.order, times_ms) {
        (Some(OrderBy::Time) | None, Some(_)) => Order::Time,
        // Without times there is nothing to sort by.
        (Some(OrderBy::File | OrderBy::Time), _) => Order::File,
        (Some(OrderBy::Shuffle) | None, _) => Order::Shuffle { seed: options.seed },
    };
    put_in_order(&mut all.slots, order);
    let limit = options.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    all.beyond_limit = all.slots.len().saturating_sub(limit) as u64;
    all.slots.truncate(limit);
    Ok(Prepared { intake, work: Work::Slots(all), order, found, times_ms })
}

/// Gives tweets without a time that of the one before (the first ones: the first time there is),
/// counts them, and returns the oldest and the youngest time. Where none has a time, all get 0.
fn fill_in_times(slots: &mut [Slot], intake: &mut Intake) -> Option<(i64, i64)> {
    let timed = || slots.iter().map(|slot| slot.event_time_ms).filter(|time_ms| *time_ms != NO_TIME);
    let range = timed().min().zip(timed().max());
    let mut before = timed().next().unwrap_or(0);
    for slot in slots.iter_mut() {
        if slot.event_time_ms == NO_TIME {
            slot.event_time_ms = before;
            intake.without_time += u64::from(range.is_some());
        }
        before = slot.event_time_ms;
    }
    range
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tweet_without_a_time_takes_that_of_the_one_before_and_is_counted() {
        let slot = |event_time_ms| Slot { event_time_ms, offset: 0, len: 1, group: NO_GROUP };
        let mut slots = [NO_TIME, 5, NO_TIME, 3, NO_TIME].map(slot);
        let mut intake = Intake::default();
        assert_eq!(fill_in_times(&mut slots, &mut intake), Some((3, 5)));
        assert_eq!(slots.map(|slot| slot.event_time_ms), [5, 5, 5, 3, 3]);
        assert_eq!(intake.without_time, 3);

        let mut none = [NO_TIME; 2].map(slot);
        assert_eq!(fill_in_times(&mut none, &mut intake), None);
        assert_eq!((none[1].event_time_ms, intake.without_time), (0, 3));
    }
}
