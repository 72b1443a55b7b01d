//! From Kafka's delivery reports on one side and Druid's row counts on the other: how long tweets
//! took to become queryable, and how many waited when.
//!
//! Counts have no names, so the k-th tweet delivered is paired with the k-th row counted. Within one
//! Kafka partition, written by one producer, that is the same tweet: first in, first out. Over several
//! partitions it is not, and only the distribution as a whole is near the truth.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde::Serialize;

use super::{LatencyMs, new_histogram};
use crate::event::{Delivery, Outcome};

/// Points of the backlog's curve that are kept at most.
const POINTS_MAX: usize = 200;

/// Shared by the tally, which says what was delivered, and by the one who counts rows.
#[derive(Debug)]
pub struct Queryable(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    origin: Instant,
    /// Delivered and not yet paired, oldest first.
    waiting: VecDeque<Alike>,
    /// Rows counted and not yet paired: a row may be there before its delivery report is.
    early: VecDeque<(u64, u32)>,
    delivered: u64,
    rows: u64,
    from_intended_us: Histogram<u64>,
    from_ack_us: Histogram<u64>,
    curve: Curve,
    last_poll: Option<Instant>,
    gap_max: Duration,
    /// First and last time that more rows were seen than before, and rows at the first.
    first_rows: Option<(Instant, u64)>,
    last_rows: Option<Instant>,
}

/// Tweets in a row that were intended in the same millisecond, and acknowledged in the same: memory
/// grows with the time of a backlog, not with its tweets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Alike {
    intended_ms: u32,
    acked_ms: u32,
    tweets: u64,
}

/// How many tweets had been delivered, and how many rows could be queried, at one time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BacklogPoint {
    /// Seconds since the first send.
    pub at_s: f64,
    /// Tweets acknowledged by Kafka.
    pub delivered: u64,
    /// Rows counted by Druid.
    pub queryable: u64,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct QueryableTimes {
    /// From the intended send (at full speed: the send) until a query counted it.
    pub from_intended_ms: Option<LatencyMs>,
    /// From Kafka's delivery report.
    pub from_ack_ms: Option<LatencyMs>,
    /// Greatest time between two counts: each time above is so much too long at most.
    pub poll_gap: Duration,
    /// Rows a second, from the first count that had some to the last that had more.
    pub rows_per_s: Option<f64>,
    /// When the last row was seen.
    pub last_rows: Option<Instant>,
    /// The backlog over time.
    pub backlog: Vec<BacklogPoint>,
}

impl Default for Queryable {
    fn default() -> Self {
        Self(Mutex::new(Inner {
            origin: Instant::now(),
            waiting: VecDeque::new(),
            early: VecDeque::new(),
            delivered: 0,
            rows: 0,
            from_intended_us: new_histogram(),
            from_ack_us: new_histogram(),
            curve: Curve::default(),
            last_poll: None,
            gap_max: Duration::ZERO,
            first_rows: None,
            last_rows: None,
        }))
    }
}

impl Queryable {
    /// Takes a batch of delivery reports in.
    pub fn delivered(&self, batch: &[Delivery]) {
        let mut inner = self.lock();
        for delivery in batch {
            if let (Outcome::Delivered { .. }, Some(_)) = (&delivery.outcome, delivery.seq) {
                let intended_ms = inner.ms(delivery.intended.unwrap_or(delivery.sent));
                let acked_ms = inner.ms(delivery.acked);
                inner.deliver(intended_ms, acked_ms);
            }
        }
        inner.pair();
    }

    /// Takes a count of all rows of the run in, which a query that ended `at` gave.
    pub fn counted(&self, rows: u64, at: Instant) {
        self.lock().counted(rows, at);
    }

    /// Greatest count so far.
    pub fn rows(&self) -> u64 {
        self.lock().rows
    }

    /// What came of it; `started` is the first send.
    pub fn times(&self, started: Instant) -> QueryableTimes {
        let inner = self.lock();
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
            from_intended_ms: LatencyMs::of(&inner.from_intended_us),
            from_ack_ms: LatencyMs::of(&inner.from_ack_us),
            poll_gap: inner.gap_max,
            rows_per_s,
            last_rows: inner.last_rows,
            backlog: inner.curve.points.iter().map(point).collect(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn ms(&self, at: Instant) -> u32 {
        // 49 days of them.
        u32::try_from(at.saturating_duration_since(self.origin).as_millis()).unwrap_or(u32::MAX)
    }

    fn deliver(&mut self, intended_ms: u32, acked_ms: u32) {
        self.delivered += 1;
        match self.waiting.back_mut() {
            Some(last) if (last.intended_ms, last.acked_ms) == (intended_ms, acked_ms) => last.tweets += 1,
            _ => self.waiting.push_back(Alike { intended_ms, acked_ms, tweets: 1 }),
        }
    }

    fn counted(&mut self, rows: u64, at: Instant) {
        if let Some(last) = self.last_poll.replace(at) {
            self.gap_max = self.gap_max.max(at.saturating_duration_since(last));
        }
        // A hand-over between tasks may hide rows for a moment.
        let new = rows.saturating_sub(self.rows);
        if new > 0 {
            self.rows = rows;
            self.first_rows.get_or_insert((at, rows));
            self.last_rows = Some(at);
            let at_ms = self.ms(at);
            self.early.push_back((new, at_ms));
            self.pair();
        }
        self.curve.add((at, self.delivered, self.rows));
    }

    fn pair(&mut self) {
        while let (Some(alike), Some((rows, at_ms))) = (self.waiting.front_mut(), self.early.front_mut()) {
            let paired = alike.tweets.min(*rows);
            let us = |since_ms: u32| u64::from(at_ms.saturating_sub(since_ms)) * 1_000;
            let (from_intended, from_ack) = (us(alike.intended_ms), us(alike.acked_ms));
            self.from_intended_us.saturating_record_n(from_intended, paired);
            self.from_ack_us.saturating_record_n(from_ack, paired);
            alike.tweets -= paired;
            *rows -= paired;
            if alike.tweets == 0 {
                self.waiting.pop_front();
            }
            if self.early.front().is_some_and(|(rows, _)| *rows == 0) {
                self.early.pop_front();
            }
        }
    }
}

/// A curve of bounded length: when it is full, every second point goes, and from then on fewer are
/// taken. The last one is always there.
#[derive(Debug, Default)]
struct Curve {
    points: Vec<(Instant, u64, u64)>,
    /// One of `2^skip` points is kept.
    skip: u32,
    taken: u64,
}

impl Curve {
    fn add(&mut self, point: (Instant, u64, u64)) {
        // The last point stands for now until another one is kept.
        if self.taken > 0 && !(self.taken - 1).is_multiple_of(1 << self.skip) {
            self.points.pop();
        }
        self.taken += 1;
        self.points.push(point);
        if self.points.len() > POINTS_MAX {
            let mut index = 0;
            self.points.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.skip += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(seq: u64, intended: Instant, acked: Instant) -> Delivery {
        let outcome = Outcome::Delivered { partition: 0, offset: seq as i64 };
        Delivery { seq: Some(seq), intended: Some(intended), sent: intended, acked, outcome }
    }

    #[test]
    fn the_kth_delivered_becomes_the_kth_row() {
        let queryable = Queryable::default();
        let start = Instant::now() + Duration::from_secs(1);
        let at = |ms| start + Duration::from_millis(ms);
        let batch: Vec<_> = (0..100).map(|seq| delivery(seq, at(seq * 10), at(seq * 10 + 5))).collect();
        queryable.delivered(&batch);
        queryable.counted(0, at(900));
        queryable.counted(50, at(1_000));
        queryable.counted(100, at(1_500));
        let times = queryable.times(start);
        // 50 of them at 1,000 − 0…490, 50 at 1,500 − 500…990.
        let latency = times.from_intended_ms.unwrap();
        assert!((latency.max - 1_000.0).abs() < 2.0 && (latency.p50 - 755.0).abs() < 10.0, "{latency:?}");
        let from_ack = times.from_ack_ms.unwrap();
        assert!((from_ack.max - 995.0).abs() < 2.0, "{from_ack:?}");
        assert_eq!(times.poll_gap, Duration::from_millis(500));
        assert_eq!(times.rows_per_s, Some(100.0));
        assert_eq!(times.backlog[1], BacklogPoint { at_s: 1.0, delivered: 100, queryable: 50 });
    }

    #[test]
    fn rows_seen_before_their_delivery_report_are_paired_later() {
        let queryable = Queryable::default();
        let start = Instant::now() + Duration::from_secs(1);
        queryable.counted(2, start);
        assert!(queryable.times(start).from_ack_ms.is_none());
        queryable.delivered(&[
            delivery(0, start, start),
            delivery(1, start, start),
            delivery(2, start, start),
        ]);
        let inner = queryable.lock();
        assert_eq!((inner.from_ack_us.len(), inner.waiting.len(), inner.early.len()), (2, 1, 0));
    }

    #[test]
    fn tweets_of_one_millisecond_take_one_place() {
        let queryable = Queryable::default();
        let start = Instant::now();
        queryable.delivered(&(0..10_000).map(|seq| delivery(seq, start, start)).collect::<Vec<_>>());
        assert_eq!(queryable.lock().waiting.len(), 1);
        queryable.counted(9_999, Instant::now());
        assert_eq!(queryable.lock().waiting[0].tweets, 1);
    }

    #[test]
    fn the_curve_is_bounded_and_has_its_first_and_last_point() {
        let (mut curve, start) = (Curve::default(), Instant::now());
        for n in 0..=12_345 {
            curve.add((start, n, n));
            assert!(curve.points.len() <= POINTS_MAX);
            assert_eq!(curve.points.last().unwrap().1, n);
        }
        assert_eq!(curve.points[0].1, 0);
        assert!(curve.points.len() > POINTS_MAX / 3 && curve.points.is_sorted_by(|a, b| a.1 < b.1));
    }
}
