//! What all parts of a search share, and what each of them may ask for next.

use std::collections::VecDeque;

use super::blocks::{Block, SHARE_MIN, Sample};
use super::found::{Found, Slo, Verdict};
use super::rollovers::Rollovers;
use super::segments::Segments;
use super::settings::Settings;
use super::stats::mean;

/// What all parts share.
#[derive(Debug)]
pub(super) struct Context {
    pub settings: Settings,
    pub slos: Vec<Slo>,
    pub found: Found,
    pub rollovers: Rollovers,
    pub segments: Segments,
    pub recent: Recent,
    /// Blocks before this one belong to earlier parts.
    pub first_block: usize,
    /// Rows acknowledged that never became queryable.
    pub lost: u64,
    /// Rows per second that are to be written.
    pub rate: f64,
    /// Share of the rows that each group of tasks gets.
    pub shares: Vec<f64>,
}

/// With fewer segments than this in a task's time, there are rarely two places to measure between.
const SEGMENTS_PER_TASK: f64 = 1.5;

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Next {
    /// More of the same.
    Stay,
    /// More of the same; the blocks so far do not count.
    Restart,
    /// Wait until all can be queried; then hold that rate, or without one make the cross-check.
    Drain(Option<f64>),
    Finish(Verdict),
}

impl Context {
    pub fn new(settings: Settings, slos: Vec<Slo>) -> Self {
        Self {
            rate: settings.start_rate,
            segments: Segments::new(settings.segment_rows),
            settings,
            slos,
            found: Found::default(),
            rollovers: Rollovers::default(),
            recent: Recent::default(),
            first_block: 0,
            lost: 0,
            shares: Vec::new(),
        }
    }

    /// The blocks of the present part.
    pub fn phase_blocks(&self) -> impl DoubleEndedIterator<Item = &Block> + Clone {
        self.found.blocks[self.first_block..].iter().map(|block| &block.block)
    }

    /// Takes the shares from what was written so far.
    pub fn note_shares(&mut self, sample: &Sample) {
        let sum: u64 = sample.written_by_group.iter().sum();
        if sum > 0 {
            let share = |written: &u64| *written as f64 / sum as f64;
            self.shares = sample.written_by_group.iter().map(share).collect();
        }
    }

    /// What was taken in each block, in rows per second. With uneven partitions the system takes what its slowest group of
    /// tasks allows: the others may have enough to do for a while, and take all of theirs beyond the limit.
    pub fn taken_per_s(&self, blocks: &[&Block]) -> Vec<f64> {
        let of_group = |block: &Block, group: usize, share: f64| {
            block.by_group_per_s.get(group).map_or(block.processed_per_s, |per_s| per_s / share)
        };
        let groups = self.shares.iter().copied().enumerate().filter(|(_, share)| *share >= SHARE_MIN);
        let series = groups.map(|(group, share)| {
            blocks.iter().map(|block| of_group(block, group, share)).collect::<Vec<f64>>()
        });
        let slowest = series.min_by(|a, b| mean(a).total_cmp(&mean(b)));
        slowest.unwrap_or_else(|| blocks.iter().map(|block| block.processed_per_s).collect())
    }

    /// Whether at this rate a group of tasks fills so many segments within that time, and more than one in the time of each task.
    pub fn goes_by_segments(&self, per_s: f64, count: usize, within_s: f64) -> bool {
        let segment_s = self.segment_s(per_s);
        segment_s * count as f64 <= within_s && segment_s * SEGMENTS_PER_TASK <= self.settings.task_duration_s
    }

    /// How long the group of tasks that fills its segments first takes for one at this rate, in seconds.
    pub fn segment_s(&self, per_s: f64) -> f64 {
        self.segments.seconds(self.shares.iter().copied().reduce(f64::max).unwrap_or(1.0) * per_s)
    }

    /// Blocks in the time that a task reads; `None`: it has no end.
    pub fn blocks_of_task(&self) -> Option<usize> {
        let length = (self.settings.task_duration_s / self.settings.block_s).round().max(1.0);
        length.is_finite().then_some(length as usize)
    }

    /// Whether the capacity is the mean of whole tasks.
    pub fn goes_by_tasks(&self) -> bool {
        self.found.capacity.is_some_and(|capacity| capacity.of_tasks)
    }

    /// What was taken in each whole segment since then, with the middle of its time: of the slowest group of tasks.
    pub fn per_segment(&self, from_s: f64) -> Vec<(f64, f64)> {
        let of_group = |(group, share): (usize, f64)| self.segments.per_s(group, share, from_s);
        let alone = self.shares.is_empty().then_some((0, 1.0));
        let groups = self.shares.iter().copied().enumerate().filter(|(_, share)| *share >= SHARE_MIN);
        let mean_of =
            |segments: &Vec<(f64, f64)>| mean(&segments.iter().map(|(_, per_s)| *per_s).collect::<Vec<_>>());
        let series = groups.chain(alone).map(of_group).filter(|segments| !segments.is_empty());
        series.min_by(|a, b| mean_of(a).total_cmp(&mean_of(b))).unwrap_or_default()
    }

    /// The best figure for what the tasks take, in rows per second.
    pub fn capacity_per_s(&self) -> f64 {
        self.found.capacity.map_or_else(|| self.recent.processed_per_s(), |capacity| capacity.per_s.value)
    }
}

/// The last samples.
#[derive(Debug, Default)]
pub(super) struct Recent(VecDeque<Sample>);

/// How far they reach back: long enough to span a short stall.
const RECENT_S: f64 = 10.0;

/// How far back what is written now is looked for.
const NOW_S: f64 = 3.0;

impl Recent {
    pub fn add(&mut self, sample: &Sample) {
        self.0.push_back(sample.clone());
        while self.0.len() > 2 && self.0.get(1).is_some_and(|first| first.at_s <= sample.at_s - RECENT_S) {
            self.0.pop_front();
        }
    }

    /// Rows processed per second, of late; 0 if that is not known.
    pub fn processed_per_s(&self) -> f64 {
        self.per_s(RECENT_S, |sample| sample.processed)
    }

    /// Rows acknowledged per second, just now.
    pub fn acked_per_s(&self) -> f64 {
        self.per_s(NOW_S, |sample| sample.acked)
    }

    fn per_s(&self, back_s: f64, count: fn(&Sample) -> u64) -> f64 {
        let Some(last) = self.0.back() else { return 0.0 };
        let first = self.0.iter().find(|sample| sample.at_s >= last.at_s - back_s - 0.001);
        let Some(first) = first.filter(|first| first.at_s < last.at_s) else { return 0.0 };
        count(last).saturating_sub(count(first)) as f64 / (last.at_s - first.at_s)
    }
}
