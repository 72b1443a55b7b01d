//! Samples cut into blocks of equal length: values of one second depend on each other, means of blocks hardly.

/// A group of tasks with a smaller share of the rows says nothing about the whole.
pub const SHARE_MIN: f64 = 0.02;

/// What is known at one moment. Counts never fall.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sample {
    /// Seconds since the search began.
    pub at_s: f64,
    /// Rows that were due by now.
    pub intended: u64,
    /// Rows that Kafka has acknowledged.
    pub acked: u64,
    /// Rows that the tasks have processed.
    pub processed: u64,
    /// The same by group of tasks: those that read the same partitions, one after the other.
    pub by_group: Vec<u64>,
    /// Rows in the partitions of each group.
    pub written_by_group: Vec<u64>,
    /// Rows that can be queried.
    pub queryable: u64,
    /// Whether a task hands over: one publishes, or one that took over has not read yet.
    pub rolling: bool,
    /// Times that tasks handed over.
    pub rollovers: u64,
    /// Tasks that failed.
    pub failed_tasks: u64,
    /// Whether the input came to its end.
    pub input_over: bool,
}

impl Sample {
    /// Rows acknowledged that cannot be queried yet.
    #[must_use]
    pub fn backlog(&self) -> f64 {
        self.acked.saturating_sub(self.queryable) as f64
    }

    /// Rows acknowledged that no task has processed yet.
    #[must_use]
    pub fn unread(&self) -> f64 {
        self.acked.saturating_sub(self.processed) as f64
    }
}

/// One block: means over its length.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    pub from_s: f64,
    pub to_s: f64,
    /// Rows acknowledged, per second.
    pub acked_per_s: f64,
    /// Rows processed, per second.
    pub processed_per_s: f64,
    /// The same by group of tasks.
    pub by_group_per_s: Vec<f64>,
    /// Rows that could be queried in addition, per second.
    pub queryable_per_s: f64,
    /// Mean number of rows acknowledged that could not be queried.
    pub backlog: f64,
    /// Least number of rows that no task had processed.
    pub unread_min: f64,
    /// Whether a task handed over in it, or what that left behind was not caught up yet.
    pub rolling: bool,
    /// Whether a task failed in it.
    pub failed: bool,
}

impl Block {
    /// Whether it shows the tasks as they are between rollovers.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        !self.rolling && !self.failed
    }

    #[must_use]
    pub fn middle_s(&self) -> f64 {
        f64::midpoint(self.from_s, self.to_s)
    }
}

/// Cuts samples into blocks. Counts at a border are interpolated: an answer that comes late shifts no rows into the
/// next block.
#[derive(Debug)]
pub struct Cutter {
    length_s: f64,
    last: Option<Sample>,
    open: Option<Open>,
}

/// The block that is being filled.
#[derive(Debug, Clone)]
struct Open {
    from: Counts,
    from_s: f64,
    /// Integral of the backlog, in row seconds.
    backlog: f64,
    unread_min: f64,
    rolling: bool,
    failed: bool,
}

impl Cutter {
    /// Blocks of this many seconds.
    #[must_use]
    pub fn new(length_s: f64) -> Self {
        Self { length_s, last: None, open: None }
    }

    /// Forgets the open block: the next one begins with the next sample.
    pub fn restart(&mut self) {
        (self.last, self.open) = (None, None);
    }

    /// The blocks that end with this sample, or before it. `rolling` marks all that it touches.
    pub fn add(&mut self, sample: &Sample, rolling: bool) -> Vec<Block> {
        let mut blocks = Vec::new();
        let Some(last) = self.last.replace(sample.clone()) else {
            self.open = Some(Open::at(sample.at_s, counts(sample), sample.unread(), rolling));
            return blocks;
        };
        let span = sample.at_s - last.at_s;
        let Some(mut open) = self.open.take_if(|_| span > 0.0) else { return blocks };
        let mut from_s = last.at_s;
        let (before, after) = (counts(&last), counts(sample));
        let at = |time: f64| between(&before, &after, (time - last.at_s) / span);
        let unread_min = last.unread().min(sample.unread());
        loop {
            let end_s = (open.from_s + self.length_s).min(sample.at_s);
            let (start, end) = (at(from_s), at(end_s));
            open.backlog += (end_s - from_s) * f64::midpoint(backlog(&start), backlog(&end)).max(0.0);
            open.unread_min = open.unread_min.min(unread_min);
            open.rolling |= rolling;
            open.failed |= sample.failed_tasks > last.failed_tasks;
            if end_s < open.from_s + self.length_s {
                break;
            }
            blocks.push(open.close(end_s, &end));
            open = Open::at(end_s, end, sample.unread(), rolling);
            from_s = end_s;
        }
        self.open = Some(open);
        blocks
    }
}

impl Open {
    fn at(from_s: f64, from: Counts, unread_min: f64, rolling: bool) -> Self {
        Self { from, from_s, backlog: 0.0, unread_min, rolling, failed: false }
    }

    fn close(&self, to_s: f64, to: &Counts) -> Block {
        let length = to_s - self.from_s;
        let per_s = |count: usize| (to[count] - self.from.get(count).unwrap_or(&0.0)) / length;
        Block {
            from_s: self.from_s,
            to_s,
            acked_per_s: per_s(0),
            processed_per_s: per_s(1),
            by_group_per_s: (3..to.len()).map(per_s).collect(),
            queryable_per_s: per_s(2),
            backlog: self.backlog / length,
            unread_min: self.unread_min,
            rolling: self.rolling,
            failed: self.failed,
        }
    }
}

/// Rows acknowledged, processed and queryable, then those processed by group.
type Counts = Vec<f64>;

fn counts(sample: &Sample) -> Counts {
    let sums = [sample.acked, sample.processed, sample.queryable];
    sums.iter().chain(&sample.by_group).map(|count| *count as f64).collect()
}

fn between(before: &Counts, after: &Counts, share: f64) -> Counts {
    let one = |(count, after): (usize, &f64)| {
        let before = before.get(count).unwrap_or(&0.0);
        before + (after - before) * share
    };
    after.iter().enumerate().map(one).collect()
}

fn backlog(counts: &Counts) -> f64 {
    counts[0] - counts[2]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample(at_s: f64, acked: u64, processed: u64) -> Sample {
        Sample { at_s, acked, processed, queryable: processed, ..Sample::default() }
    }

    #[test]
    fn rows_are_shared_out_at_the_borders() {
        let mut cutter = Cutter::new(10.0);
        assert!(cutter.add(&sample(0.0, 0, 0), false).is_empty());
        // 100 rows/s acknowledged, 50 processed, seen at 8 s and 23 s only.
        assert!(cutter.add(&sample(8.0, 800, 400), false).is_empty());
        let blocks = cutter.add(&sample(23.0, 2_300, 1_150), true);
        assert_eq!(blocks.len(), 2);
        for (block, backlog) in blocks.iter().zip([250.0, 750.0]) {
            assert!((block.acked_per_s - 100.0).abs() < 1e-9 && (block.processed_per_s - 50.0).abs() < 1e-9);
            assert!((block.backlog - backlog).abs() < 1e-9, "{block:?}");
            assert!(block.rolling && !block.is_plain());
        }
        assert_eq!((blocks[1].from_s, blocks[1].to_s), (10.0, 20.0));
    }

    proptest! {
        #[test]
        fn no_row_is_lost_or_counted_twice(steps in proptest::collection::vec((1_u32..40, 0_u64..5_000), 1..200)) {
            let mut cutter = Cutter::new(10.0);
            let (mut at_s, mut rows, mut cut) = (0.0, 0, 0.0);
            cutter.add(&sample(0.0, 0, 0), false);
            let mut open_from = 0.0;
            for (tenths, more) in steps {
                at_s += f64::from(tenths) / 10.0;
                rows += more;
                for block in cutter.add(&sample(at_s, rows, rows), false) {
                    prop_assert!((block.from_s - open_from).abs() < 1e-6);
                    cut += block.acked_per_s * (block.to_s - block.from_s);
                    open_from = block.to_s;
                }
            }
            prop_assert!(at_s - open_from < 10.0 + 1e-6);
            prop_assert!(cut <= rows as f64 + 1e-3);
            let rest = cutter.add(&sample(open_from + 10.0 + (at_s - open_from), rows, rows), false);
            cut += rest.iter().map(|block| block.acked_per_s * 10.0).sum::<f64>();
            prop_assert!((cut - rows as f64).abs() < 1e-3, "{cut} {rows}");
        }
    }
}
