//! How long the parts of a search take, and what counts as growing, steady or equal.

/// What a search goes by. Times in seconds, shares of 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Length of a block.
    pub block_s: f64,
    /// Rows per second to begin with.
    pub start_rate: f64,
    /// How much work is kept waiting for the tasks while their capacity is measured.
    pub ahead_s: f64,
    /// With less work waiting than this, the generator is the limit.
    pub dry_s: f64,
    /// How narrow the interval of the capacity has to be: half width as a share of the mean.
    pub interval: f64,
    /// Fewest and most blocks of that measurement.
    pub saturate_blocks: (usize, usize),
    /// Shortest and longest time for which a rate is held.
    pub hold_s: (f64, f64),
    /// Not looked at: the start of each hold.
    pub settle_s: f64,
    /// Share of the capacity to hold first.
    pub hold_share: f64,
    /// By which a rate that could not be held is lowered, and how often.
    pub lower_by: f64,
    pub lower_times: usize,
    /// A backlog that grows by less than this share of the rate does not grow.
    pub growth: f64,
    /// Share of the capacity at which it is checked once more, how far the two may differ, and in how many blocks between rollovers.
    pub cross_share: f64,
    pub cross_tolerance: f64,
    pub cross_blocks: (usize, usize),
    /// Longest time in which a task's rollover may be caught up; after that it counts as growth.
    pub catch_up_s: f64,
    /// How long a task reads: `taskDuration`.
    pub task_duration_s: f64,
    /// Rows of a segment, `maxRowsPerSegment`; infinite: not known.
    pub segment_rows: f64,
    /// After this the search ends with what is known.
    pub budget_s: f64,
}

impl Settings {
    /// 20 to 25 minutes as a rule. The shares and times are those of `docs/load-testing.md`, which says what was tried
    /// beside them.
    #[must_use]
    pub fn thorough(task_duration_s: f64, budget_s: f64) -> Self {
        Self {
            block_s: 10.0,
            start_rate: 1_000.0,
            ahead_s: 30.0,
            dry_s: 5.0,
            interval: 0.02,
            saturate_blocks: (12, 90),
            hold_s: (300.0, 600.0),
            settle_s: 20.0,
            hold_share: 0.95,
            lower_by: 0.95,
            lower_times: 4,
            growth: 0.02,
            cross_share: 1.15,
            cross_tolerance: 0.05,
            cross_blocks: (11, 23),
            catch_up_s: 120.0,
            task_duration_s,
            segment_rows: f64::INFINITY,
            budget_s,
        }
    }

    /// About 3 minutes, for a first look: short blocks, wide intervals. Its figures are rough.
    #[must_use]
    pub fn quick(task_duration_s: f64, budget_s: f64) -> Self {
        Self {
            block_s: 2.0,
            ahead_s: 8.0,
            dry_s: 2.0,
            interval: 0.08,
            saturate_blocks: (10, 20),
            hold_s: (40.0, 60.0),
            settle_s: 4.0,
            lower_times: 1,
            growth: 0.05,
            cross_share: 1.3,
            cross_tolerance: 0.2,
            cross_blocks: (6, 10),
            catch_up_s: 15.0,
            ..Self::thorough(task_duration_s, budget_s)
        }
    }
}
