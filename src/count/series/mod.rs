//! The run by second: what was intended, what each hop did, and how long it took.
//!
//! The thread that shows progress samples the counters once per second; only the times by which
//! tweets were intended come from the pacer, and the slowest ones of each second from where they
//! are measured. Memory is bounded: a day at steps of a second, then the steps double.

mod report;
mod steps;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::LatencyMs;
pub use report::{PartitionSeries, SeriesReport, SeriesSoFar};
use steps::Steps;

/// Steps at most: a day of seconds. 72 bytes each, 5.9 MiB.
const STEPS_MAX: usize = 86_400;

/// More partitions are not kept apart.
pub const PARTITIONS_MAX: usize = 64;

/// Numbers kept by partition at most, 2 MiB: a day of seconds for one partition, half an hour for 64
/// with Druid.
const PARTITION_CELLS_MAX: usize = 1 << 18;

/// The columns of [`Inner::counts`].
const INTENDED: usize = 0;
const PUBLISHED: usize = 1;
const DELIVERED: usize = 2;
const FAILED: usize = 3;
const QUERYABLE: usize = 4;
const COUNTS: usize = 5;

/// A latency of which the series keeps the slowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slowest {
    /// Send time − intended send time.
    Lag,
    /// Kafka's delivery report − send time.
    Acked,
}

/// Numbers of a run by second, from its first send on. Shared by the hops and the thread that
/// samples them.
#[derive(Debug)]
pub struct Series(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    /// The first send.
    started: Option<Instant>,
    counts: Steps,
    /// In microseconds plus one: p99 and greatest of the lag, then of the acks.
    slowest: Steps,
    /// Delivered by partition, then queryable.
    partitions: Option<Partitions>,
    /// Delivered so far, by partition.
    delivered: Vec<u64>,
    has_schedule: bool,
    last: Totals,
    /// Delivered by partition at the last sample.
    last_delivered: Vec<u64>,
    /// The last second that was sampled to its end.
    sampled: Option<u64>,
    /// All lags of the run so far, and all acks.
    latencies: [Option<LatencyMs>; 2],
}

#[derive(Debug)]
struct Partitions {
    count: usize,
    steps: Steps,
}

/// Counts since the start of the run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub published: u64,
    pub delivered: u64,
    pub failed: u64,
    /// `None`: rows are not counted.
    pub queryable: Option<u64>,
    pub queryable_by_partition: Vec<u64>,
}

/// What happened in the last seconds, for those who watch the run.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Recent {
    /// Seconds that it is about.
    pub seconds: u64,
    pub published: u64,
    pub delivered: u64,
    pub queryable: u64,
    /// The slowest of 100 acks took longer than this in the last second that had some.
    pub acked_p99: Option<Duration>,
    /// The same for the lag.
    pub lag_p99: Option<Duration>,
}

impl Default for Series {
    fn default() -> Self {
        Self(Mutex::new(Inner {
            started: None,
            counts: Steps::new(COUNTS, STEPS_MAX, |a, b| a + b),
            slowest: Steps::new(4, STEPS_MAX, u64::max),
            partitions: None,
            delivered: Vec::new(),
            has_schedule: false,
            last: Totals::default(),
            last_delivered: Vec::new(),
            sampled: None,
            latencies: [None; 2],
        }))
    }
}

impl Series {
    /// Keeps this many partitions apart, unless they are too many.
    pub fn with_partitions(&self, count: usize) {
        let columns = 2 * count;
        self.lock().partitions = (1..=PARTITIONS_MAX).contains(&count).then(|| Partitions {
            count,
            steps: Steps::new(columns, PARTITION_CELLS_MAX / columns, |a, b| a + b),
        });
    }

    /// The first send: from here on seconds are counted. Later calls change nothing.
    pub fn begin(&self, started: Instant) {
        self.lock().started.get_or_insert(started);
    }

    /// Which second of the run it is, from 0; `None` before the first send.
    pub fn second(&self, at: Instant) -> Option<u64> {
        self.lock().second(at)
    }

    /// Counts tweets that were sent, by the times at which they were intended, from the first send on.
    pub fn intended(&self, dues: impl Iterator<Item = Duration>) {
        let mut inner = self.lock();
        let mut run = (0, 0);
        for due in dues {
            if due.as_secs() != run.0 {
                inner.intended(run);
                run = (due.as_secs(), 0);
            }
            run.1 += 1;
        }
        inner.intended(run);
    }

    /// Takes p99 and maximum of a second.
    pub fn slowest(&self, what: Slowest, second: u64, p99_us: u64, max_us: u64) {
        let mut inner = self.lock();
        let column = what as usize * 2;
        inner.slowest.put(second, column, p99_us.saturating_add(1));
        inner.slowest.put(second, column + 1, max_us.saturating_add(1));
    }

    /// Takes the percentiles of the whole run so far, without the warm-up.
    pub(super) fn set_latency(&self, what: Slowest, latency: Option<LatencyMs>) {
        self.lock().latencies[what as usize] = latency;
    }

    /// The percentiles of the whole run up to the last second that ended; `None`: nothing was measured.
    pub fn latency(&self, what: Slowest) -> Option<LatencyMs> {
        self.lock().latencies[what as usize]
    }

    /// Takes how many tweets each partition has acknowledged so far.
    pub fn delivered_by_partition(&self, delivered: &[u64]) {
        let mut inner = self.lock();
        inner.delivered.clear();
        inner.delivered.extend_from_slice(delivered);
    }

    /// Samples once a second has ended: what was counted belongs to it, but for the time since then.
    pub(super) fn sample_second(&self, now: Instant, totals: impl FnOnce() -> Totals) {
        let mut inner = self.lock();
        let ended = inner.second(now).and_then(|second| second.checked_sub(1));
        if let Some(second) = ended.filter(|_| ended != inner.sampled) {
            inner.sample(second, totals());
            inner.sampled = ended;
        }
    }

    /// Samples what is left; nothing new is no step of its own.
    pub(super) fn sample_rest(&self, now: Instant, totals: impl FnOnce() -> Totals) {
        let mut inner = self.lock();
        let (second, totals) = (inner.second(now), totals());
        if let Some(second) = second.filter(|_| totals != inner.last) {
            inner.sample(second, totals);
        }
    }

    /// What happened in the last `seconds` that have ended.
    pub fn recent(&self, seconds: u64) -> Recent {
        let inner = self.lock();
        let Some(last) = inner.sampled else { return Recent::default() };
        let counts = &inner.counts;
        let steps = counts.len().min((last / counts.every_s()) as usize + 1);
        let first = steps.saturating_sub(seconds.div_ceil(counts.every_s()) as usize);
        let sum = |column| counts.column(column, first..steps).sum();
        let p99 = |what: Slowest| {
            let slowest = &inner.slowest;
            let mut latest = slowest.column(what as usize * 2, first..slowest.len().max(first)).rev();
            latest.find(|us| *us > 0).map(|us| Duration::from_micros(us - 1))
        };
        Recent {
            seconds: (steps - first) as u64 * counts.every_s(),
            published: sum(PUBLISHED),
            delivered: sum(DELIVERED),
            queryable: sum(QUERYABLE),
            acked_p99: p99(Slowest::Acked),
            lag_p99: p99(Slowest::Lag),
        }
    }

    /// The seconds that have ended.
    pub fn so_far(&self) -> SeriesSoFar {
        self.lock().so_far()
    }

    /// All of it so far; `None` before the first send.
    pub fn report(&self) -> Option<SeriesReport> {
        self.lock().report()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn second(&self, at: Instant) -> Option<u64> {
        self.started.map(|started| at.saturating_duration_since(started).as_secs())
    }

    fn intended(&mut self, (second, tweets): (u64, u64)) {
        if tweets > 0 {
            self.has_schedule = true;
            self.counts.put(second, INTENDED, tweets);
        }
    }

    /// What was counted since the last sample belongs to this second.
    fn sample(&mut self, second: u64, totals: Totals) {
        let last = std::mem::replace(&mut self.last, totals);
        let new = &self.last;
        for (column, before, now) in [
            (PUBLISHED, last.published, new.published),
            (DELIVERED, last.delivered, new.delivered),
            (FAILED, last.failed, new.failed),
            (QUERYABLE, last.queryable.unwrap_or(0), new.queryable.unwrap_or(0)),
        ] {
            self.counts.put(second, column, now.saturating_sub(before));
        }
        let Some(Partitions { count, steps }) = &mut self.partitions else { return };
        let lists = [
            (0, &self.delivered, &self.last_delivered),
            (*count, &new.queryable_by_partition, &last.queryable_by_partition),
        ];
        for (column, new, last) in lists {
            for (partition, total) in new.iter().enumerate().take(*count) {
                let before = last.get(partition).copied().unwrap_or(0);
                steps.put(second, column + partition, total.saturating_sub(before));
            }
        }
        self.last_delivered.clone_from(&self.delivered);
    }
}
