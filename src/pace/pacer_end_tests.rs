//! What a replay with a duration sends when the next hop stalls. Expected values are computed in
//! whole microseconds, without the code under test.

use std::cell::Cell;
use std::convert::Infallible;

use hdrhistogram::Histogram;

use super::*;

/// Time between two tweets in every plan here.
const GAP_US: u64 = 20_000;

/// Tweets that the feed passes on at once.
const BATCH: u64 = 7;

/// How long the next hop takes for a batch at full speed.
const MAX_SPEED_BATCH_US: u64 = 100_000;

/// A user command, and when.
pub(super) type TimedKeyPress = (u64, fn(&Control));

/// A replay of tweets 200 ms apart.
pub(super) struct StalledReplay {
    pub(super) speed: Speed,
    /// Tweets of each loop.
    pub(super) tweets: u64,
    pub(super) loops: u32,
    pub(super) duration_us: u64,
    /// From when to when the next hop takes nothing.
    pub(super) stalls_us: Vec<(u64, u64)>,
    pub(super) keys: Vec<TimedKeyPress>,
}

/// The result.
pub(super) struct ReplayResult {
    pub(super) sent: u64,
    left: u64,
    pub(super) stats: PaceStats,
}

impl ReplayResult {
    fn lag_counts(&self) -> Vec<(u64, u64)> {
        counts(self.stats.lag_us.as_ref().unwrap())
    }
}

/// Only moves when a thread waits, or the next hop stalls.
struct StallClock<'a> {
    now: &'a Cell<Instant>,
    zero: Instant,
    keys: std::iter::Peekable<std::vec::IntoIter<TimedKeyPress>>,
    control: &'a Control,
}

impl Clock for StallClock<'_> {
    fn now(&mut self) -> Instant {
        let now = self.now.get();
        while let Some((_, key)) = self.keys.next_if(|(at_us, _)| self.zero + micros(*at_us) <= now) {
            key(self.control);
        }
        now
    }

    fn sleep_until(&mut self, due: Instant, _stop: &AtomicBool) {
        // Like the real one, not for long, so that keys are noticed.
        let soon = self.now.get() + Duration::from_millis(10);
        self.now.set(self.now.get().max(due.min(soon)));
    }
}

impl StalledReplay {
    /// 50 tweets per second for one second.
    fn at_rate(stalls_us: &[(u64, u64)], keys: &[TimedKeyPress]) -> Self {
        Self {
            speed: Speed::PerSecond(50.0),
            tweets: 500,
            loops: 1,
            duration_us: 1_000_000,
            stalls_us: stalls_us.to_vec(),
            keys: keys.to_vec(),
        }
    }

    pub(super) fn run(self) -> ReplayResult {
        let (stop, over, control) = (AtomicBool::new(false), AtomicBool::new(false), Control::new(false));
        let zero = Instant::now();
        let now = Cell::new(zero);
        let options = PacerOptions {
            schedule: Schedule { speed: self.speed, max_gap: None },
            delay: Duration::ZERO,
            duration: Some(micros(self.duration_us)),
            stamp: None,
            stop: &stop,
            over: &over,
            control: &control,
        };
        let keys = self.keys.into_iter().peekable();
        let mut pacer = Pacer::new(options, StallClock { now: &now, zero, keys, control: &control });
        let (mut sent, mut left) = (0, 0);
        let mut send = |events: &mut Vec<Event>| {
            sent += events.drain(..).len() as u64;
            let at_us = (now.get() - zero).as_micros() as u64;
            let stall =
                self.stalls_us.iter().find(|(from_us, until_us)| (*from_us..*until_us).contains(&at_us));
            let until_us = match stall {
                Some((_, until_us)) => *until_us,
                None if self.speed == Speed::Max => at_us + MAX_SPEED_BATCH_US,
                None => at_us,
            };
            now.set(zero + micros(until_us));
            Ok::<(), Infallible>(())
        };
        let mut seq = 0;
        for pass in 0..self.loops {
            for first in (0..self.tweets).step_by(BATCH as usize) {
                let places = first..self.tweets.min(first + BATCH);
                left += pacer.release(drafts(places, &mut seq, pass), &mut send).unwrap() as u64;
            }
        }
        assert_eq!(over.load(Ordering::Relaxed), left > 0, "the feed knows that it is over");
        assert_eq!(sent + left, self.tweets * u64::from(self.loops), "each tweet is sent or skipped");
        ReplayResult { sent, left, stats: pacer.into_stats() }
    }
}

fn drafts(places: std::ops::Range<u64>, next_seq: &mut u64, pass: u32) -> Drafts {
    let items: Vec<Draft> = places
        .map(|place| {
            *next_seq += 1;
            let time_ms = place as i64 * 200;
            Draft {
                kafka_time_ms: None,
                seq: *next_seq - 1,
                event_time_ms: time_ms,
                plan_time_us: time_ms * 1_000,
                pass,
                payload_bytes: 1,
                key_bytes: 0,
            }
        })
        .collect();
    Drafts { bytes: BytesMut::from(b"p".repeat(items.len()).as_slice()), items, came_at: None }
}

fn micros(us: u64) -> Duration {
    Duration::from_micros(us)
}

/// Times and how often each occurs, at the precision of a report.
fn counts(histogram: &Histogram<u64>) -> Vec<(u64, u64)> {
    let count = |value: hdrhistogram::iterators::IterationValue<u64>| {
        (value.value_iterated_to(), value.count_at_value())
    };
    histogram.iter_recorded().map(count).collect()
}

fn counts_of(times_us: &[u64]) -> Vec<(u64, u64)> {
    let mut histogram = crate::count::new_histogram();
    times_us.iter().for_each(|us| histogram.record(*us).unwrap());
    counts(&histogram)
}

/// The lag of each tweet that is intended before the end, if those that come due in a stall leave
/// at its end and all others on time.
fn lags_us(dues_us: &[u64], duration_us: u64, stall_us: Option<(u64, u64)>) -> Vec<u64> {
    let lag = |due_us: &u64| match stall_us {
        Some((from_us, until_us)) if (from_us..until_us).contains(due_us) => until_us - due_us,
        _ => 0,
    };
    dues_us.iter().filter(|due_us| **due_us < duration_us).map(lag).collect()
}

/// Batches that leave before the end at full speed, the first at once.
fn batches_before(duration_us: u64, stall_us: Option<(u64, u64)>) -> u64 {
    let batches = |time_us: u64| time_us.div_ceil(MAX_SPEED_BATCH_US);
    match stall_us {
        // One is caught in the stall, and the next one leaves when it is over.
        Some((from_us, until_us)) => batches(from_us) + 1 + batches(duration_us.saturating_sub(until_us)),
        None => batches(duration_us),
    }
}

#[test]
fn what_is_intended_before_the_end_is_sent_and_its_lag_counts_at_every_pace() {
    const SECOND: u64 = 1_000_000;
    let mut checked = 0;
    // Neither, --limit, --loop, both.
    for (tweets, loops) in [(98, 1), (28, 1), (98, 3), (28, 3)] {
        let gaps = tweets - 1;
        let span = Duration::from_millis(gaps * 200);
        let by_time = gaps * GAP_US;
        let evenly = tweets * GAP_US;
        let paces = [
            ("--speedup 10x", Speed::Factor(10.0), by_time),
            ("--rate 50/s", Speed::PerSecond(50.0), evenly),
            ("--fit, by their times", Speed::to_fit(micros(by_time), span, tweets), by_time),
            ("--fit, evenly", Speed::to_fit(micros(evenly), Duration::ZERO, tweets), evenly),
            ("--speedup max", Speed::Max, 0),
        ];
        for (pace, speed, loop_us) in paces {
            let dues_us: Vec<u64> = (0..u64::from(loops))
                .flat_map(|pass| (0..tweets).map(move |place| pass * loop_us + place * GAP_US))
                .collect();
            for duration_us in [SECOND / 2, SECOND, 5 * SECOND, 60 * SECOND] {
                let half_us = duration_us / 2;
                for stall_us in [
                    None,
                    Some((half_us, half_us + 200_000)),
                    Some((duration_us - 100_000, duration_us + 400_000)),
                    Some((duration_us - 100_000, duration_us + 12 * SECOND)),
                    Some((half_us, duration_us + 12 * SECOND)),
                    Some((0, duration_us + 3_600 * SECOND)),
                ] {
                    let case = format!(
                        "{pace}, {loops} loops of {tweets}, --duration {duration_us} us, stall {stall_us:?}"
                    );
                    let stalls_us = stall_us.into_iter().collect();
                    let seen =
                        StalledReplay { speed, tweets, loops, duration_us, stalls_us, keys: Vec::new() }
                            .run();
                    if speed == Speed::Max {
                        let all = tweets * u64::from(loops);
                        assert_eq!(
                            seen.sent,
                            all.min(batches_before(duration_us, stall_us) * BATCH),
                            "{case}"
                        );
                        assert!(seen.stats.lag_us.is_none(), "{case}");
                    } else {
                        let lags_us = lags_us(&dues_us, duration_us, stall_us);
                        assert_eq!(seen.sent, lags_us.len() as u64, "{case}");
                        assert_eq!(seen.left, (dues_us.len() - lags_us.len()) as u64, "{case}");
                        assert_eq!(seen.lag_counts(), counts_of(&lags_us), "{case}");
                    }
                    checked += 1;
                }
            }
        }
    }
    assert_eq!(checked, 4 * 5 * 4 * 6);
}

#[test]
fn the_wait_of_the_last_batch_is_lag_and_part_of_the_time() {
    let seen = StalledReplay::at_rate(&[(980_000, 4_980_000)], &[]).run();
    let (started, ended) = seen.stats.started.zip(seen.stats.ended).unwrap();
    assert_eq!((seen.sent, ended - started), (50, micros(4_980_000)));
    assert_eq!(seen.lag_counts(), counts_of(&[[0; 49].as_slice(), &[4_000_000]].concat()));
}

#[test]
fn a_pause_moves_the_end_and_skips_nothing_also_when_the_replay_is_late() {
    let pause: [TimedKeyPress; 2] = [(500_000, Control::toggle_pause), (3_500_000, Control::toggle_pause)];
    let seen = StalledReplay::at_rate(&[], &pause).run();
    assert_eq!((seen.sent, seen.lag_counts()), (50, counts_of(&[0; 50])));

    // It is noticed at the end of the stall: tweets overdue by then are as late as they were.
    let dues_us: Vec<u64> = (0..50).map(|place| place * GAP_US).collect();
    let stall_us = (300_000, 800_000);
    let late = StalledReplay::at_rate(&[stall_us], &pause).run();
    let lags_us = lags_us(&dues_us, 1_000_000, Some(stall_us));
    assert_eq!((late.sent, late.lag_counts()), (50, counts_of(&lags_us)));

    let max = StalledReplay { speed: Speed::Max, ..StalledReplay::at_rate(&[], &pause) }.run();
    assert_eq!(max.sent, 10 * BATCH, "at full speed too");
}

#[test]
fn another_speed_moves_nothing_that_was_intended_before_it() {
    let dues_us: Vec<u64> = (0..50).map(|place| place * GAP_US).collect();
    // Noticed at 3 s, when everything still missing was intended before 1 s.
    let stall_us = (900_000, 3_000_000);
    let seen = StalledReplay::at_rate(&[stall_us], &[(2_000_000, |control| control.double_speed(1))]).run();
    let lags = lags_us(&dues_us, 1_000_000, Some(stall_us));
    assert_eq!((seen.sent, seen.lag_counts()), (50, counts_of(&lags)));

    // Noticed at 0.8 s: from there to 1 s twice as many, or half as many.
    let stall_us = (300_000, 800_000);
    let faster: TimedKeyPress = (500_000, |control| control.double_speed(1));
    let slower: TimedKeyPress = (500_000, |control| control.double_speed(-1));
    for (key, at_new_speed) in [(faster, 20), (slower, 5)] {
        let seen = StalledReplay::at_rate(&[stall_us], &[key]).run();
        let mut lags = lags_us(&dues_us, 800_000, Some(stall_us));
        assert_eq!(lags.len(), 40);
        lags.extend(vec![0; at_new_speed]);
        assert_eq!((seen.sent, seen.lag_counts()), (lags.len() as u64, counts_of(&lags)));
    }
}

#[test]
fn a_change_of_speed_that_the_plan_has_not_come_to_moves_with_a_pause() {
    // The plan is at 0.28 s when the pause from 0.7 s to 1.7 s begins. The speed of 0.6 s begins a
    // second later, and so does the end: 30 tweets before it, and 0.4 s at 100/s after it.
    let keys: [TimedKeyPress; 3] = [
        (500_000, |control| control.double_speed(1)),
        (650_000, Control::toggle_pause),
        (1_700_000, Control::toggle_pause),
    ];
    let seen = StalledReplay::at_rate(&[(200_000, 600_000), (600_000, 700_000)], &keys).run();
    assert_eq!(seen.sent, 30 + 40);
    assert_eq!(
        seen.stats.changes.iter().map(|change| change.at).collect::<Vec<_>>(),
        [600, 700].map(Duration::from_millis)
    );
}
