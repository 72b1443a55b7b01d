//! Samples of the counters for the series.

use std::time::Instant;

use super::series::Totals;
use super::{Counters, Queryable};

impl Counters {
    /// Samples the counters for the series, once a second has ended; cheap enough to be called every
    /// few milliseconds. `queryable`: where rows in Druid are counted.
    pub fn sample(&self, now: Instant, queryable: Option<&Queryable>) {
        self.series.sample_second(now, || self.totals(queryable, None));
    }

    /// Samples what has been counted since the last sample, at the end of a run. `rows` in Druid, where
    /// they have been counted exactly.
    pub fn sample_end(&self, now: Instant, queryable: Option<&Queryable>, rows: Option<u64>) {
        self.series.sample_rest(now, || self.totals(queryable, rows));
    }

    /// In this order nothing is ahead of the hop before it.
    fn totals(&self, queryable: Option<&Queryable>, rows: Option<u64>) -> Totals {
        Totals {
            queryable: queryable.map(|queryable| rows.unwrap_or_else(|| queryable.rows())),
            queryable_by_partition: queryable.map_or(Vec::new(), Queryable::paired_by_lane),
            failed: self.failed.get(),
            delivered: self.delivered.get(),
            published: self.published.get(),
        }
    }
}
