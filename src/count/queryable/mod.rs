//! How long tweets took to become queryable, and how many were waiting when: from Kafka's delivery
//! reports on one side and Druid's row counts on the other.
//!
//! A Kafka partition written by one producer is first in, first out. So with one partition, the
//! k-th tweet delivered is the k-th row counted. With several, each is a lane: queries look for the
//! sequence numbers of some of the waiting tweets, and each one found stands for all before it in
//! its lane. With several producers the order within a partition is not known; then there is one
//! lane, and only the distribution as a whole is approximately right.

mod bounds;
mod curve;

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use curve::BacklogPoint;

use hdrhistogram::Histogram;

use super::{HistogramText, LatencyMs, phase_of, sum_of};
use crate::event::{Delivery, Outcome};
use bounds::{Bounds, Moment};
use curve::Curve;

/// Tweets to look for in one query, over all lanes.
const SAMPLES: usize = 256;

/// Most lanes, so that each has several of them.
pub const LANES_MAX: usize = 64;

/// Shared by the tally, which adds deliveries, and the thread that counts rows.
#[derive(Debug)]
pub struct Queryable(Mutex<Pairing>);

#[derive(Debug)]
struct Pairing {
    origin: Instant,
    /// Delivered but not yet paired, oldest first, by lane.
    lanes: Vec<VecDeque<Cohort>>,
    /// Tweets paired so far, by lane.
    paired: Vec<u64>,
    /// Rows counted but not yet paired, with one lane: a row may appear before its delivery report.
    early: VecDeque<(u64, Moment)>,
    delivered: u64,
    rows: u64,
    /// By phase of the plan.
    from_intended: Vec<Bounds>,
    from_ack: Vec<Bounds>,
    /// The first sequence numbers of the phases that have begun, but for the first phase.
    begun: Vec<u64>,
    curve: Curve,
    /// When the last count was requested, and when it arrived.
    last_poll: Option<(Instant, Instant)>,
    /// When the newest count was requested that had no more rows than are known.
    none_more_at_ms: u32,
    gap_max: Duration,
    /// First and last time that the number of rows grew, and the number at the first.
    first_rows: Option<(Instant, u64)>,
    last_rows: Option<Instant>,
}

/// Consecutive tweets that were intended in the same millisecond and acknowledged in the same
/// millisecond: memory grows with the duration of a backlog, not with its tweets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cohort {
    intended_ms: u32,
    acked_ms: u32,
    tweets: u64,
    last_seq: u64,
    /// When a query was asked that did not find it yet, or one before it in its lane.
    not_before_ms: u32,
}

/// The measured times.
#[derive(Debug, Clone)]
pub struct QueryableTimes {
    /// From the intended send (at full speed: the send) until a query counted it.
    pub from_intended_ms: Option<LatencyMs>,
    /// How much less each of these may be.
    pub from_intended_error_ms: Option<LatencyMs>,
    /// All of the longest that they may be.
    pub from_intended: Option<HistogramText>,
    /// From Kafka's delivery report.
    pub from_ack_ms: Option<LatencyMs>,
    /// How much less each of these may be.
    pub from_ack_error_ms: Option<LatencyMs>,
    /// All of the longest that they may be.
    pub from_ack: Option<HistogramText>,
    /// Tweets that these times are of.
    pub tweets: u64,
    /// The longest time from the query for one count to the answer to the next.
    pub poll_gap: Duration,
    /// Rows per second, from the first count above 0 to the last that grew.
    pub rows_per_s: Option<f64>,
    /// When the last row was seen.
    pub last_rows: Option<Instant>,
    /// The backlog over time.
    pub backlog: Vec<BacklogPoint>,
}

impl Default for Queryable {
    fn default() -> Self {
        Self::with_lanes(1)
    }
}

impl Queryable {
    /// With one lane per partition if each is first in, first out; otherwise with one lane.
    pub fn with_lanes(lanes: usize) -> Self {
        Self(Mutex::new(Pairing {
            origin: Instant::now(),
            lanes: vec![VecDeque::new(); lanes.max(1)],
            paired: vec![0; lanes.max(1)],
            early: VecDeque::new(),
            delivered: 0,
            rows: 0,
            from_intended: vec![Bounds::new()],
            from_ack: vec![Bounds::new()],
            begun: Vec::new(),
            curve: Curve::default(),
            last_poll: None,
            none_more_at_ms: 0,
            gap_max: Duration::ZERO,
            first_rows: None,
            last_rows: None,
        }))
    }

    /// Takes a batch of delivery reports. `begun`: the first sequence numbers of the phases that have begun, but for
    /// the first phase.
    pub fn delivered(&self, batch: &[Delivery], begun: &[u64]) {
        let mut inner = self.lock();
        while inner.from_ack.len() <= begun.len() {
            inner.from_intended.push(Bounds::new());
            inner.from_ack.push(Bounds::new());
            inner.begun = begun.to_vec();
        }
        for delivery in batch {
            if let (Outcome::Delivered { partition, .. }, Some(seq)) = (&delivery.outcome, delivery.trace.seq)
            {
                let intended_ms = inner.ms(delivery.trace.intended.unwrap_or(delivery.trace.sent));
                let acked_ms = inner.ms(delivery.acked);
                let alike = Cohort { intended_ms, acked_ms, tweets: 1, last_seq: seq, not_before_ms: 0 };
                inner.deliver(usize::try_from(*partition).unwrap_or(0), alike);
            }
        }
        inner.pair();
    }

    /// Takes a count of all rows of the run, by a query from `asked` to `at` that looked for `samples` at the
    /// same time and found some of them.
    pub fn counted(&self, rows: u64, samples: &[u64], found: &[u64], asked: Instant, at: Instant) {
        let mut inner = self.lock();
        inner.counted(rows, asked, at);
        inner.looked(samples, found, asked, at);
    }

    /// Sequence numbers to look for next, at most 256, sorted; none if the count is enough.
    pub fn samples(&self) -> Vec<u64> {
        let inner = self.lock();
        if inner.lanes.len() == 1 {
            return Vec::new();
        }
        let each = (SAMPLES / inner.lanes.len()).max(1);
        let of_lane = |lane: &VecDeque<Cohort>| {
            let (len, step) = (lane.len(), lane.len().div_ceil(each).max(1));
            // From the newest on: if it is there, so is everything else in the lane.
            (0..len).rev().step_by(step).map(|place| lane[place].last_seq).collect::<Vec<_>>()
        };
        let mut samples: Vec<u64> = inner.lanes.iter().flat_map(of_lane).take(SAMPLES).collect();
        samples.sort_unstable();
        samples
    }

    /// When the oldest tweet that is not queryable yet was intended to be sent; `None` if there is none.
    pub fn oldest_waiting(&self) -> Option<Instant> {
        let inner = self.lock();
        let oldest_ms = inner.lanes.iter().filter_map(|lane| Some(lane.front()?.intended_ms)).min()?;
        Some(inner.origin + Duration::from_millis(oldest_ms.into()))
    }

    /// Whether rows of delivered tweets are missing.
    pub fn is_behind(&self) -> bool {
        let inner = self.lock();
        inner.rows < inner.delivered
    }

    /// The highest count so far.
    pub fn rows(&self) -> u64 {
        self.lock().rows
    }

    /// Tweets of each lane that were seen to be queryable.
    pub fn paired_by_lane(&self) -> Vec<u64> {
        self.lock().paired.clone()
    }

    /// From the intended send until a query counted it, by phase of the plan.
    pub fn by_phase_ms(&self) -> Vec<Option<LatencyMs>> {
        self.lock().from_intended.iter().map(|bounds| LatencyMs::of(&bounds.most_us)).collect()
    }

    /// The percentiles from the intended send until a query counted it, of all phases from `first` on.
    pub fn so_far_ms(&self, first: usize) -> Option<LatencyMs> {
        let inner = self.lock();
        match inner.from_intended.get(first..)? {
            [one] => LatencyMs::of(&one.most_us),
            several => LatencyMs::of(&Bounds::sum_of(several).most_us),
        }
    }

    /// From the intended send, and from Kafka's delivery report, until a query counted it: in microseconds, of all phases.
    pub fn all_us(&self) -> (Histogram<u64>, Histogram<u64>) {
        let inner = self.lock();
        let all = |bounds: &[Bounds]| sum_of(bounds.iter().map(|bounds| &bounds.most_us));
        (all(&inner.from_intended), all(&inner.from_ack))
    }

    /// The measured times of all phases from `first` on; `started` is the first send.
    pub fn times(&self, started: Instant, first: usize) -> QueryableTimes {
        let inner = self.lock();
        let (from_intended, from_ack) = (
            Bounds::sum_of(inner.from_intended.get(first..).unwrap_or_default()),
            Bounds::sum_of(inner.from_ack.get(first..).unwrap_or_default()),
        );
        let rows_per_s = inner.first_rows.zip(inner.last_rows).and_then(|((first, rows), last)| {
            let seconds = last.saturating_duration_since(first).as_secs_f64();
            (seconds > 0.0).then(|| (inner.rows - rows) as f64 / seconds)
        });
        let point = |&(at, delivered, queryable): &(Instant, u64, u64)| BacklogPoint {
            at_s: at.saturating_duration_since(started).as_secs_f64(),
            delivered,
            queryable,
        };
        QueryableTimes {
            from_intended_ms: LatencyMs::of(&from_intended.most_us),
            from_intended_error_ms: from_intended.error_ms(),
            from_intended: HistogramText::of(&from_intended.most_us),
            from_ack_ms: LatencyMs::of(&from_ack.most_us),
            from_ack_error_ms: from_ack.error_ms(),
            from_ack: HistogramText::of(&from_ack.most_us),
            tweets: from_intended.most_us.len(),
            poll_gap: inner.gap_max,
            rows_per_s,
            last_rows: inner.last_rows,
            backlog: inner.curve.points.iter().map(point).collect(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Pairing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pairing {
    fn ms(&self, at: Instant) -> u32 {
        // Enough for 49 days.
        u32::try_from(at.saturating_duration_since(self.origin).as_millis()).unwrap_or(u32::MAX)
    }

    fn deliver(&mut self, partition: usize, alike: Cohort) {
        self.delivered += 1;
        let lanes = self.lanes.len();
        let lane = &mut self.lanes[partition % lanes];
        match lane.back_mut() {
            Some(last) if (last.intended_ms, last.acked_ms) == (alike.intended_ms, alike.acked_ms) => {
                last.tweets += 1;
                last.last_seq = alike.last_seq;
            }
            _ => lane.push_back(alike),
        }
    }

    fn counted(&mut self, rows: u64, asked: Instant, at: Instant) {
        if let Some((last_asked, _)) = self.last_poll.replace((asked, at)) {
            self.gap_max = self.gap_max.max(at.saturating_duration_since(last_asked));
        }
        // A hand-over between tasks may hide rows for a moment, and an answer may be overtaken.
        if rows < self.rows {
            return;
        }
        let new = rows - self.rows;
        if new > 0 {
            self.rows = rows;
            self.first_rows.get_or_insert((at, rows));
            self.last_rows = Some(at);
            if self.lanes.len() == 1 {
                let moment = Moment { after_ms: self.none_more_at_ms, by_ms: self.ms(at) };
                self.early.push_back((new, moment));
            }
            self.pair();
        }
        // None of the others was there when this was asked.
        self.none_more_at_ms = self.none_more_at_ms.max(self.ms(asked));
        self.curve.add((at, self.delivered, self.rows));
    }

    fn pair(&mut self) {
        if let [_] = self.lanes[..] {
            self.pair_by_count();
        } else if let Some((_, at)) = self.last_poll.filter(|_| self.rows >= self.delivered) {
            // Everything that was delivered can be queried.
            let by_ms = self.ms(at);
            for lane in 0..self.lanes.len() {
                self.take_up_to(lane, u64::MAX, by_ms);
            }
        }
    }

    fn pair_by_count(&mut self) {
        while let (Some(alike), Some((rows, moment))) =
            (self.lanes[0].front().copied(), self.early.front().copied())
        {
            let paired = alike.tweets.min(rows);
            self.record(alike, paired, moment);
            self.paired[0] += paired;
            self.lanes[0][0].tweets -= paired;
            if paired == alike.tweets {
                self.lanes[0].pop_front();
            }
            self.early[0].0 -= paired;
            if paired == rows {
                self.early.pop_front();
            }
        }
    }

    /// Takes which of the samples, sorted, were found by a query.
    fn looked(&mut self, samples: &[u64], found: &[u64], asked: Instant, at: Instant) {
        if samples.is_empty() {
            return;
        }
        let (asked_ms, by_ms) = (self.ms(asked), self.ms(at));
        for lane in 0..self.lanes.len() {
            let newest = self.lanes[lane].iter().rev().find(|alike| found.contains(&alike.last_seq));
            if let Some(newest) = newest.map(|alike| alike.last_seq) {
                self.take_up_to(lane, newest, by_ms);
            }
            let is_missing = |alike: &Cohort| samples.binary_search(&alike.last_seq).is_ok();
            let Some(missing) = self.lanes[lane].iter().position(is_missing) else { continue };
            // Of those that share its place, some may have been there.
            let first = missing + usize::from(self.lanes[lane][missing].tweets > 1);
            for alike in self.lanes[lane].range_mut(first..) {
                alike.not_before_ms = alike.not_before_ms.max(asked_ms);
            }
        }
    }

    /// Everything in a lane up to that sequence number became queryable.
    fn take_up_to(&mut self, lane: usize, last_seq: u64, by_ms: u32) {
        while let Some(alike) = self.lanes[lane].pop_front() {
            if alike.last_seq > last_seq {
                self.lanes[lane].push_front(alike);
                return;
            }
            self.record(alike, alike.tweets, Moment { after_ms: alike.not_before_ms, by_ms });
            self.paired[lane] += alike.tweets;
        }
    }

    fn record(&mut self, alike: Cohort, tweets: u64, moment: Moment) {
        let phase = phase_of(&self.begun, alike.last_seq);
        self.from_intended[phase].record(alike.intended_ms, moment, tweets);
        self.from_ack[phase].record(alike.acked_ms, moment, tweets);
    }
}

#[cfg(test)]
mod tests;
