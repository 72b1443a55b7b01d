//! Waits until events are due and releases them, one batch per wake-up.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};

use super::anchor::Anchor;
use super::stats::PaceStats;
use super::stops::GAP_MIN;
use super::tell::{SentBatch, Teller};
use super::{Change, ChangeKind, Clock, Control, Moment, Schedule, Speed, Timeline};
use crate::count::Counters;
use crate::event::{Draft, Drafts, Event, Trace};

/// Writes a payload's time stamp into the place reserved for it.
#[derive(Debug, Clone, Copy)]
pub struct PayloadStamp {
    pub time: StampTime,
    /// Position of the time stamp, in bytes from the payload's start.
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

/// How to pace.
#[derive(Debug, Clone, Copy)]
pub struct PacerOptions<'a> {
    /// When each event is due.
    pub schedule: Schedule,
    /// Time to wait before the first one.
    pub delay: Duration,
    /// Events intended this long after the first one, or later, are skipped, and all others are
    /// sent, however late. At full speed, events that would leave later are skipped. Pauses do not
    /// count.
    pub duration: Option<Duration>,
    /// What is written into the payloads; `None`: nothing.
    pub stamp: Option<PayloadStamp>,
    /// Releases nothing more once this is set.
    pub stop: &'a AtomicBool,
    /// Set by the pacer when `duration` is over: nothing more will be sent.
    pub over: &'a AtomicBool,
    /// User commands during the replay.
    pub control: &'a Control,
}

/// Releases drafts as events when they are due.
pub struct Pacer<'a, C> {
    options: PacerOptions<'a>,
    timeline: Timeline,
    clock: C,
    anchor: Option<Anchor>,
    /// The current speed as a multiple of the requested one.
    speed_times: f64,
    /// When the current sleep began.
    asleep_since: Option<Instant>,
    /// Stops that began before this are already in the plan.
    planned_from: Option<Instant>,
    /// Changes of speed that the plan has not reached, because the replay is late: when, counted
    /// from the start, and the multiple of the requested speed.
    speed_changes: VecDeque<(Duration, f64)>,
    /// Total of all pauses since the start.
    paused: Duration,
    stats: PaceStats,
    teller: Teller<'a>,
}

/// Most events released at one wake-up: the batch size of the next hops.
const RELEASE_MAX: usize = 256;

/// How often a paused replay checks whether it may continue.
const PAUSE_LOOK: Duration = Duration::from_millis(20);

/// When an event of a batch is due, counted from the start.
type Due = Option<Duration>;

impl<'a, C: Clock> Pacer<'a, C> {
    /// A pacer whose schedule starts with the first draft.
    pub fn new(options: PacerOptions<'a>, clock: C) -> Self {
        let has_schedule = options.schedule.speed != Speed::Max;
        Self {
            options,
            timeline: Timeline::new(options.schedule),
            clock,
            anchor: None,
            speed_times: 1.0,
            asleep_since: None,
            planned_from: None,
            speed_changes: VecDeque::new(),
            paused: Duration::ZERO,
            stats: PaceStats::default(),
            teller: Teller::new(has_schedule),
        }
    }

    /// Tells the series what was intended when and how late it was, and when a phase begins.
    pub fn telling(mut self, counters: &'a Counters) -> Self {
        self.teller.tell(counters);
        self
    }

    /// Releases all of `drafts`, in order, through `send`, which takes the events out of the
    /// vector. Blocks until the last one is sent, a stop is requested, or the duration is over;
    /// returns how many were not released.
    ///
    /// # Errors
    /// Those of `send`; what was not sent then is lost.
    pub fn release<E>(
        &mut self,
        drafts: Drafts,
        mut send: impl FnMut(&mut Vec<Event>) -> Result<(), E>,
    ) -> Result<usize, E> {
        let (mut events, mut dues) = (Vec::with_capacity(RELEASE_MAX), Vec::with_capacity(RELEASE_MAX));
        let Drafts { mut bytes, items, came_at } = drafts;
        let mut items = items.as_slice();
        while let Some(first) = items.first() {
            let Some((anchor, now)) = self.look_up() else { return Ok(self.skip(items)) };
            let since_start = now.saturating_duration_since(anchor.instant);
            let (mut next, due) = self.advance(moment(first));
            if next.is_over() || self.is_over(due, since_start) {
                self.options.over.store(true, Ordering::Relaxed);
                return Ok(self.skip(items));
            }
            if due.is_some_and(|due| due > since_start) {
                self.asleep_since = Some(now);
                self.clock.sleep_until(anchor.at(due.unwrap_or_default()), self.options.stop);
                continue;
            }
            dues.clear();
            dues.push(due);
            self.timeline = next;
            let phase = self.phase(&next, due, since_start);
            for draft in items.iter().take(RELEASE_MAX).skip(1) {
                let due = next.advance(moment(draft));
                if due.is_some_and(|due| due > since_start)
                    || next.is_over()
                    || self.is_over(due, since_start)
                    || self.has_change_before(due)
                    || self.phase(&next, due, since_start) != phase
                {
                    break;
                }
                dues.push(due);
                self.timeline = next;
            }
            let (released, later) = items.split_at(dues.len());
            items = later;
            self.teller.enter(phase, first.seq);
            self.stats.loops = released.last().map_or(0, |draft| u64::from(draft.pass) + 1);
            let mut buffer = bytes.split_to(released.iter().map(Draft::bytes).sum());
            self.write_stamps(anchor, now, &mut buffer, released, &dues);
            events.extend(make_events(anchor, now, buffer.freeze(), released, &dues));
            send(&mut events)?;
            events.clear();
            self.note_sent(anchor, now, &dues, came_at);
        }
        Ok(0)
    }

    /// Checks whether the duration is over while there is nothing to release; for an input that is read as
    /// it comes.
    pub fn check_over(&mut self) {
        let now = self.clock.now();
        let is_waiting = self.options.control.is_paused();
        if let Some(anchor) = self.anchor.filter(|_| !is_waiting)
            && self.is_over(None, now.saturating_duration_since(anchor.instant))
        {
            self.options.over.store(true, Ordering::Relaxed);
        }
    }

    /// What was observed so far.
    pub fn into_stats(mut self) -> PaceStats {
        self.teller.finish(&mut self.stats);
        self.stats
    }

    /// The start and the time now, after all user commands were followed; `None` if nothing more
    /// may be sent.
    fn look_up(&mut self) -> Option<(Anchor, Instant)> {
        let is_over =
            || self.options.stop.load(Ordering::Relaxed) || self.options.over.load(Ordering::Relaxed);
        if is_over() {
            return None;
        }
        let mut now = self.shift_by_stops();
        if self.options.control.is_paused() {
            let since = now;
            self.options.control.set_waits(true);
            while self.options.control.is_paused() {
                self.clock.sleep_until(now + PAUSE_LOOK, self.options.stop);
                if self.options.stop.load(Ordering::Relaxed) {
                    return None;
                }
                now = self.clock.now();
            }
            self.options.control.set_waits(false);
            let pause = now.saturating_duration_since(since);
            self.shift_plan(pause);
            self.planned_from = Some(now);
            self.note(since, ChangeKind::Pause(pause));
        }
        if self.anchor.is_none() && !self.options.delay.is_zero() {
            let start = now + self.options.delay;
            while now < start {
                self.clock.sleep_until(start, self.options.stop);
                if self.options.stop.load(Ordering::Relaxed) {
                    return None;
                }
                now = self.clock.now();
            }
        }
        let speed_times = self.options.control.speed_times();
        if speed_times != self.speed_times {
            let since_start =
                self.anchor.map_or(Duration::ZERO, |anchor| now.saturating_duration_since(anchor.instant));
            self.speed_changes.push_back((since_start, speed_times / self.speed_times));
            self.speed_times = speed_times;
            self.note(now, ChangeKind::Speed(speed_times));
        }
        let anchor = *self.anchor.get_or_insert_with(|| {
            self.planned_from = Some(now);
            self.teller.begin(now);
            Anchor::now(now)
        });
        Some((anchor, now))
    }

    /// Moves the plan by the time in which the process was stopped; returns the time now.
    fn shift_by_stops(&mut self) -> Instant {
        /// Looks to wait for: the first one may have begun before the stop.
        const LOOKS: u64 = 2;
        let mut now = self.clock.now();
        let stops = self.options.control.stops();
        let overslept =
            self.asleep_since.take().is_some_and(|since| now.saturating_duration_since(since) >= GAP_MIN);
        // The thread that looks for stops woke up at the same time as this one.
        let looks = stops.looks().filter(|_| overslept);
        while stops.looks().zip(looks).is_some_and(|(now, before)| now < before + LOOKS)
            && !self.options.stop.load(Ordering::Relaxed)
        {
            self.clock.sleep_until(now + PAUSE_LOOK, self.options.stop);
            now = self.clock.now();
        }
        if stops.is_found() {
            for stop in stops.take() {
                if self.planned_from.is_some_and(|planned_from| stop.since >= planned_from) {
                    self.shift_plan(stop.time);
                    self.note(stop.since, ChangeKind::Stop(stop.time));
                }
            }
        }
        now
    }

    fn note(&mut self, at: Instant, what: ChangeKind) {
        let at = self.anchor.map_or(Duration::ZERO, |anchor| at.saturating_duration_since(anchor.instant));
        self.stats.changes.push(Change { at, what });
    }

    /// The timeline with one more event, and when that is due. A change of speed begins where the
    /// plan was when it was requested: what was intended before keeps its time, however late it is
    /// sent.
    fn advance(&mut self, at: Moment) -> (Timeline, Due) {
        loop {
            let mut next = self.timeline;
            let due = next.advance(at);
            if !self.has_change_before(due) {
                return (next, due);
            }
            if let Some((since, times)) = self.speed_changes.pop_front() {
                self.timeline.change_speed(times, since);
            }
        }
    }

    fn has_change_before(&self, due: Due) -> bool {
        self.speed_changes.front().is_some_and(|(since, _)| due.is_none_or(|due| due >= *since))
    }

    /// The phase of the event for which `timeline` was advanced.
    fn phase(&self, timeline: &Timeline, due: Due, since_start: Duration) -> usize {
        let unshifted = || due.unwrap_or(since_start).saturating_sub(self.paused);
        self.teller.phase_at(|| timeline.profile_time().unwrap_or_else(unshifted))
    }

    /// Moves everything still to come, including the end of the duration, this much later.
    fn shift_plan(&mut self, pause: Duration) {
        self.timeline.pause(pause);
        for (since, _) in &mut self.speed_changes {
            *since = since.saturating_add(pause);
        }
        if self.anchor.is_some() {
            self.paused = self.paused.saturating_add(pause);
        }
    }

    /// Counts drafts that will not be released. The first loop counts as begun, even if nothing was
    /// sent.
    fn skip(&mut self, drafts: &[Draft]) -> usize {
        let loops = self.stats.loops.max(1);
        let of_later_loops = drafts.iter().filter(|draft| u64::from(draft.pass) >= loops);
        self.stats.unreleased_of_later_loops += of_later_loops.count() as u64;
        drafts.len()
    }

    fn is_over(&self, due: Due, since_start: Duration) -> bool {
        let end = self.options.duration.map(|duration| duration.saturating_add(self.paused));
        end.is_some_and(|end| due.unwrap_or(since_start) >= end)
    }

    /// Counts a batch that left at `now` and was taken by the next hop.
    fn note_sent(&mut self, anchor: Anchor, now: Instant, dues: &[Due], came_at: Option<Instant>) {
        let taken = self.clock.now();
        self.teller.sent(&SentBatch { left: now, taken, start: anchor.instant, dues, came_at });
        self.stats.ended = Some(if self.stats.started.is_some() { taken } else { now });
        self.stats.started.get_or_insert(now);
        self.stats.started_ms.get_or_insert(anchor.wall_ms);
    }

    /// Writes the time of each draft into its payload.
    fn write_stamps(
        &self,
        anchor: Anchor,
        now: Instant,
        buffer: &mut BytesMut,
        released: &[Draft],
        dues: &[Due],
    ) {
        let Some(stamp) = self.options.stamp else { return };
        let since_start = now.saturating_duration_since(anchor.instant);
        let mut at = 0;
        for (draft, due) in released.iter().zip(dues) {
            let time_ms = match stamp.time {
                StampTime::Event => draft.event_time_ms,
                StampTime::Send => {
                    let sent_ms = due.unwrap_or(since_start).as_millis();
                    anchor.wall_ms.saturating_add(i64::try_from(sent_ms).unwrap_or(i64::MAX))
                }
            };
            (stamp.write)(time_ms, &mut buffer[at + stamp.offset..]);
            at += draft.bytes();
        }
    }
}

/// The events of drafts that leave now, with their bytes, in order.
fn make_events(
    anchor: Anchor,
    now: Instant,
    mut buffer: Bytes,
    released: &[Draft],
    dues: &[Due],
) -> impl Iterator<Item = Event> {
    released.iter().zip(dues).map(move |(draft, due)| {
        let payload = buffer.split_to(draft.payload_bytes);
        let key = buffer.split_to(draft.key_bytes);
        let intended = due.map(|due| anchor.at(due));
        let kafka_time_ms = draft.kafka_time_ms;
        let trace = Trace { seq: Some(draft.seq), intended, sent: now, kafka_time_ms };
        Event { trace, key, payload }
    })
}

fn moment(draft: &Draft) -> Moment {
    Moment { seq: draft.seq, event_time_us: draft.plan_time_us, pass: draft.pass }
}

#[cfg(test)]
#[path = "pacer_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "pacer_end_tests.rs"]
mod end_tests;

#[cfg(test)]
#[path = "pacer_profile_tests.rs"]
mod profile_tests;
