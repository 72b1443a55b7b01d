//! Waits for due times and releases events, a batch at each wake-up.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::BytesMut;
use hdrhistogram::Histogram;

use super::{Clock, Schedule};
use crate::event::{Draft, Drafts, Event};
use crate::report::new_histogram;

/// What is written into the place that a payload keeps for its time stamp.
#[derive(Debug, Clone, Copy)]
pub struct Stamp {
    /// Which time.
    pub time: StampTime,
    /// Where the place is, in bytes from the payload's start.
    pub offset: usize,
    /// Writes milliseconds since 1970 UTC.
    pub write: fn(i64, &mut [u8]),
}

/// Which time a payload's `timestamp` holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StampTime {
    /// The intended send time, on today's clock.
    Send,
    /// The event time.
    Event,
}

/// What the pacer saw of a whole replay.
#[derive(Debug, Clone, Default)]
pub struct PaceStats {
    /// Send time − intended send time, in microseconds; `None` at full speed.
    pub lag_us: Option<Histogram<u64>>,
    /// When the first event left, on today's clock: milliseconds since 1970 UTC.
    pub started_ms: Option<i64>,
    /// When the first event left.
    pub started: Option<Instant>,
    /// When the last one did.
    pub ended: Option<Instant>,
}

/// Releases drafts as events when they are due.
pub struct Pacer<'a, C> {
    schedule: Schedule,
    clock: C,
    stop: &'a AtomicBool,
    stamp: Option<Stamp>,
    anchor: Option<Anchor>,
    stats: PaceStats,
}

/// The start of the replay on both clocks, taken once: nothing that happens later moves the plan.
#[derive(Clone, Copy)]
struct Anchor {
    instant: Instant,
    wall_ms: i64,
}

/// Most events released at one wake-up: what the hops behind take as one batch.
const RELEASE_MAX: usize = 256;

impl<'a, C: Clock> Pacer<'a, C> {
    /// A pacer that starts its schedule with the first draft it is given, and releases nothing
    /// more once `stop` is set.
    pub fn new(schedule: Schedule, clock: C, stop: &'a AtomicBool, stamp: Option<Stamp>) -> Self {
        let lag_us = schedule.due(0, schedule.first_event_time_ms).map(|_| new_histogram());
        let stats = PaceStats { lag_us, started_ms: None, started: None, ended: None };
        Self { schedule, clock, stop, stamp, anchor: None, stats }
    }

    /// Releases all of `drafts`, in order, through `send`, which takes the events out of the
    /// vector it is given. Blocks until the last one is sent or a stop is asked for; returns how
    /// many were left because of the stop.
    ///
    /// # Errors
    /// Those of `send`.
    pub fn release<E>(
        &mut self,
        drafts: Drafts,
        mut send: impl FnMut(&mut Vec<Event>) -> Result<(), E>,
    ) -> Result<usize, E> {
        let mut events = Vec::with_capacity(RELEASE_MAX);
        let Drafts { mut bytes, items } = drafts;
        let mut items = items.as_slice();
        while let Some(first) = items.first() {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(items.len());
            }
            let now = self.clock.now();
            let anchor =
                *self.anchor.get_or_insert_with(|| Anchor { instant: now, wall_ms: wall_clock_ms() });
            let due = self.due(anchor, first);
            if let Some(due) = due.filter(|due| *due > now) {
                self.clock.sleep_until(due, self.stop);
                continue;
            }
            let is_due = |draft: &&Draft| self.due(anchor, draft).is_none_or(|due| due <= now);
            let count = items.iter().take(RELEASE_MAX).take_while(is_due).count();
            let (released, later) = items.split_at(count);
            items = later;
            self.make_events(anchor, now, &mut bytes, released, &mut events);
            send(&mut events)?;
            events.clear();
            self.stats.started_ms.get_or_insert(anchor.wall_ms);
            self.stats.started.get_or_insert(now);
            self.stats.ended = Some(now);
        }
        Ok(0)
    }

    /// What was seen so far.
    pub fn into_stats(self) -> PaceStats {
        self.stats
    }

    fn due(&self, anchor: Anchor, draft: &Draft) -> Option<Instant> {
        let due = self.schedule.due(draft.seq, draft.event_time_ms)?;
        // Beyond what the clock can say: not in this process's life.
        Some(anchor.instant.checked_add(due).unwrap_or(anchor.instant + Duration::from_secs(1 << 32)))
    }

    fn make_events(
        &mut self,
        anchor: Anchor,
        now: Instant,
        bytes: &mut BytesMut,
        released: &[Draft],
        events: &mut Vec<Event>,
    ) {
        let length = released.iter().map(|draft| draft.payload_bytes + draft.key_bytes).sum();
        let mut buffer = bytes.split_to(length);
        if let Some(stamp) = self.stamp {
            let mut at = 0;
            for draft in released {
                let time_ms = match stamp.time {
                    StampTime::Event => draft.event_time_ms,
                    StampTime::Send => {
                        let sent = self.due(anchor, draft).unwrap_or(now);
                        let since_start = sent.saturating_duration_since(anchor.instant).as_millis();
                        anchor.wall_ms.saturating_add(i64::try_from(since_start).unwrap_or(i64::MAX))
                    }
                };
                (stamp.write)(time_ms, &mut buffer[at + stamp.offset..]);
                at += draft.payload_bytes + draft.key_bytes;
            }
        }
        let mut buffer = buffer.freeze();
        for draft in released {
            let intended = self.due(anchor, draft);
            if let (Some(lag_us), Some(intended)) = (&mut self.stats.lag_us, intended) {
                lag_us.saturating_record(now.saturating_duration_since(intended).as_micros() as u64);
            }
            let payload = buffer.split_to(draft.payload_bytes);
            let key = buffer.split_to(draft.key_bytes);
            events.push(Event { seq: Some(draft.seq), intended, sent: now, key, payload });
        }
    }
}

fn wall_clock_ms() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::{Speed, VirtualClock};
    use super::*;
    use std::convert::Infallible;

    fn drafts(times_ms: &[i64]) -> Drafts {
        let items = times_ms
            .iter()
            .enumerate()
            .map(|(seq, time)| Draft {
                seq: seq as u64,
                event_time_ms: *time,
                payload_bytes: 2,
                key_bytes: 1,
            })
            .collect();
        Drafts { bytes: BytesMut::from(b"ppk".repeat(times_ms.len()).as_slice()), items }
    }

    /// Replays `times_ms`, each release taking `busy`; gives the send times since the start.
    fn replay(times_ms: &[i64], factor: f64, busy: Duration) -> (Vec<Duration>, PaceStats) {
        struct Busy(VirtualClock, Duration);
        impl Clock for Busy {
            fn now(&mut self) -> Instant {
                self.0.advance(self.1);
                self.0.now()
            }
            fn sleep_until(&mut self, due: Instant, stop: &AtomicBool) {
                self.0.sleep_until(due, stop);
            }
        }
        let stop = AtomicBool::new(false);
        let schedule = Schedule { speed: Speed::Factor(factor), first_event_time_ms: times_ms[0] };
        let clock = Busy(VirtualClock::at(Instant::now()), busy);
        let mut pacer = Pacer::new(schedule, clock, &stop, None);
        let mut sent = Vec::new();
        let collect = |events: &mut Vec<Event>| {
            sent.extend(events.drain(..).map(|event| event.sent));
            Ok::<(), Infallible>(())
        };
        pacer.release(drafts(times_ms), collect).unwrap();
        let start = sent[0];
        (sent.into_iter().map(|at| at - start).collect(), pacer.into_stats())
    }

    #[test]
    fn a_day_at_100x_does_not_drift_although_each_release_takes_time() {
        let times_ms: Vec<i64> = (0..86_400).map(|second| second * 1_000).collect();
        let (sent, stats) = replay(&times_ms, 100.0, Duration::from_micros(300));
        let end = *sent.last().unwrap();
        let ideal = Duration::from_millis(863_990);
        assert!(end >= ideal && end < ideal + Duration::from_millis(1), "{end:?}");
        assert!(stats.lag_us.unwrap().max() < 1_000);
    }

    #[test]
    fn lag_counts_from_the_intended_time_when_the_sink_is_slow() {
        let (sent, stats) = replay(&[0, 1, 2, 3_000], 1.0, Duration::from_millis(500));
        assert_eq!(sent.len(), 4);
        let lag_us = stats.lag_us.unwrap();
        assert!(lag_us.max() >= 400_000, "late events are counted as late: {}", lag_us.max());
    }

    #[test]
    fn stop_ends_the_replay_between_two_events() {
        let stop = AtomicBool::new(false);
        let schedule = Schedule { speed: Speed::Factor(1.0), first_event_time_ms: 0 };
        let mut pacer = Pacer::new(schedule, VirtualClock::at(Instant::now()), &stop, None);
        let mut count = 0;
        let send = |events: &mut Vec<Event>| {
            count += events.len();
            stop.store(true, Ordering::Relaxed);
            Ok::<(), Infallible>(())
        };
        let left = pacer.release(drafts(&[0, 1_000, 2_000]), send).unwrap();
        assert_eq!((count, left), (1, 2));
    }

    #[test]
    fn time_stamps_are_the_intended_times_and_keys_come_out_whole() {
        let stop = AtomicBool::new(false);
        let schedule = Schedule { speed: Speed::Factor(1.0), first_event_time_ms: 0 };
        let write = |ms: i64, place: &mut [u8]| place[0] = b'0' + (ms % 10) as u8;
        let stamp = Stamp { time: StampTime::Event, offset: 1, write };
        let mut pacer = Pacer::new(schedule, VirtualClock::at(Instant::now()), &stop, Some(stamp));
        let mut seen = Vec::new();
        let send = |events: &mut Vec<Event>| {
            seen.extend(events.drain(..).map(|event| (event.payload, event.key, event.intended.is_some())));
            Ok::<(), Infallible>(())
        };
        pacer.release(drafts(&[3, 4]), send).unwrap();
        assert_eq!(seen, [("p3".into(), "k".into(), true), ("p4".into(), "k".into(), true)]);
    }
}
