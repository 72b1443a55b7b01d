//! The series as it stands in the report.

use serde::Serialize;

use super::{DELIVERED, FAILED, INTENDED, Inner, PUBLISHED, Partitions, QUERYABLE, Slowest};

/// The run by second. A day takes about 6 MB of JSON; longer runs have longer steps and never more of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SeriesReport {
    /// Seconds that each number of a list is about; the first ones begin with the first send. 1 in runs up to a
    /// day, doubled as often as it must be in longer ones.
    pub every_s: u64,
    /// Tweets by intended send time; null at full speed. The sum is that of published.
    pub intended: Option<Vec<u64>>,
    /// Tweets sent. The sums of this list and the following three are in the ledger under the same names.
    pub published: Vec<u64>,
    /// Tweets that Kafka acknowledged.
    pub delivered: Vec<u64>,
    /// Tweets that Kafka did not accept.
    pub failed: Vec<u64>,
    /// Rows that became queryable; null without Druid.
    pub queryable: Option<Vec<u64>>,
    /// Tweets sent and neither acknowledged nor failed, at the end of each step.
    pub in_flight: Vec<u64>,
    /// Tweets acknowledged and not queryable, at the end of each step; null without Druid.
    pub backlog: Option<Vec<u64>>,
    /// p99 of the lag by the second of sending, in milliseconds, in longer steps the greatest of its seconds; null
    /// in seconds without.
    pub lag_p99_ms: Vec<Option<f64>>,
    /// The greatest lag.
    pub lag_max_ms: Vec<Option<f64>>,
    /// p99 from send to Kafka's delivery report, by the second of the report.
    pub acked_p99_ms: Vec<Option<f64>>,
    /// The slowest.
    pub acked_max_ms: Vec<Option<f64>>,
    /// By partition of the topic; null with more than 64.
    pub partitions: Option<PartitionSeries>,
}

/// The seconds of a run that have ended, for those who watch it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SeriesSoFar {
    /// Seconds of each step, from the first send on.
    pub every_s: u64,
    /// Tweets by intended send time; `None` at full speed.
    pub intended: Option<Vec<u64>>,
    pub published: Vec<u64>,
    pub delivered: Vec<u64>,
    /// `None`: rows are not counted.
    pub queryable: Option<Vec<u64>>,
    /// Tweets sent and neither acknowledged nor failed, at the end of each step.
    pub in_flight: Vec<u64>,
    /// Tweets acknowledged and not queryable, at the end of each step.
    pub backlog: Option<Vec<u64>>,
}

/// The run by second and partition.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PartitionSeries {
    /// As above; it may be longer.
    pub every_s: u64,
    /// A list for each partition: tweets that Kafka acknowledged.
    pub delivered: Vec<Vec<u64>>,
    /// A list for each partition: tweets that were seen to be queryable; null without Druid, and where partitions
    /// cannot be told apart.
    pub queryable: Option<Vec<Vec<u64>>>,
}

impl Inner {
    pub(super) fn report(&mut self) -> Option<SeriesReport> {
        self.started?;
        let every_s = self.counts.every_s().max(self.slowest.every_s());
        self.counts.lengthen(every_s);
        self.slowest.lengthen(every_s);
        let len = self.counts.len().max(self.slowest.len());
        let counts = |column| self.counts.column(column, 0..len).collect::<Vec<_>>();
        let [published, delivered, failed] = [PUBLISHED, DELIVERED, FAILED].map(counts);
        let queryable = self.last.queryable.map(|_| counts(QUERYABLE));
        let in_flight = level(&published, &[&delivered, &failed]);
        let backlog = queryable.as_ref().map(|queryable| level(&delivered, &[queryable]));
        let slowest = |what: Slowest, column: usize| {
            let ms = |us: u64| us.checked_sub(1).map(|us| us as f64 / 1_000.0);
            self.slowest.column(what as usize * 2 + column, 0..len).map(ms).collect()
        };
        Some(SeriesReport {
            every_s,
            intended: self.has_schedule.then(|| counts(INTENDED)),
            lag_p99_ms: slowest(Slowest::Lag, 0),
            lag_max_ms: slowest(Slowest::Lag, 1),
            acked_p99_ms: slowest(Slowest::Acked, 0),
            acked_max_ms: slowest(Slowest::Acked, 1),
            partitions: self.partition_series(),
            published,
            delivered,
            failed,
            queryable,
            in_flight,
            backlog,
        })
    }

    pub(super) fn so_far(&self) -> SeriesSoFar {
        let every_s = self.counts.every_s();
        let len = self.sampled.map_or(0, |last| (last / every_s) as usize + 1);
        let counts = |column| self.counts.column(column, 0..len).collect::<Vec<_>>();
        let [published, delivered, failed] = [PUBLISHED, DELIVERED, FAILED].map(counts);
        let queryable = self.last.queryable.map(|_| counts(QUERYABLE));
        SeriesSoFar {
            every_s,
            intended: self.has_schedule.then(|| counts(INTENDED)),
            in_flight: level(&published, &[&delivered, &failed]),
            backlog: queryable.as_ref().map(|queryable| level(&delivered, &[queryable])),
            published,
            delivered,
            queryable,
        }
    }

    fn partition_series(&self) -> Option<PartitionSeries> {
        let Partitions { count, steps } = self.partitions.as_ref()?;
        let width = *count;
        let lists = |first: usize| {
            (first..first + width).map(|column| steps.column(column, 0..steps.len()).collect()).collect()
        };
        let is_known = self.last.queryable_by_partition.len() == width;
        let queryable = is_known.then(|| lists(width));
        Some(PartitionSeries { every_s: steps.every_s(), delivered: lists(0), queryable })
    }
}

/// What came and did not go, at the end of each step.
fn level(came: &[u64], went: &[&Vec<u64>]) -> Vec<u64> {
    let (mut all_came, mut all_went) = (0, 0);
    let step = |(step, came): (usize, &u64)| {
        all_came += came;
        all_went += went.iter().map(|went| went[step]).sum::<u64>();
        all_came.saturating_sub(all_went)
    };
    came.iter().enumerate().map(step).collect()
}
