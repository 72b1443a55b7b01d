//! What the pacer tells of what it sends: how late it was, in which second, and in which phase of the plan.

use std::time::{Duration, Instant};

use super::stats::{PaceStats, PhaseSent};
use crate::count::{Counters, LatencyMeter, Slowest};

/// Collects it.
pub(super) struct Teller<'a> {
    counters: Option<&'a Counters>,
    /// `None` at full speed.
    lags: Option<LatencyMeter>,
    late_input: u64,
    phase: usize,
    phases: Vec<PhaseSent>,
}

/// Tweets that left together.
pub(super) struct SentBatch<'a> {
    /// When they left, and when the next hop had taken them.
    pub left: Instant,
    pub taken: Instant,
    /// The start of the replay.
    pub start: Instant,
    /// When they were due, from the start on.
    pub dues: &'a [Option<Duration>],
    /// When the last of them came from the input, if there was a wait for it.
    pub came_at: Option<Instant>,
}

impl<'a> Teller<'a> {
    /// Tells nobody yet.
    pub fn new(has_schedule: bool) -> Self {
        let lags = has_schedule.then(|| LatencyMeter::new(Slowest::Lag));
        Self { counters: None, lags, late_input: 0, phase: 0, phases: Vec::new() }
    }

    /// Where the series and the phases are.
    pub fn tell(&mut self, counters: &'a Counters) {
        self.counters = Some(counters);
    }

    /// The replay starts.
    pub fn begin(&self, start: Instant) {
        if let Some(counters) = self.counters {
            counters.series.begin(start);
        }
    }

    /// The phase at a time of the plan.
    pub fn phase_at(&self, plan_time: impl FnOnce() -> Duration) -> usize {
        match self.counters.map(|counters| counters.phases.later()) {
            None | Some([]) => 0,
            Some(later) => {
                let time = plan_time();
                later.partition_point(|begin| *begin <= time)
            }
        }
    }

    /// The tweets from this sequence number on, which were not sent yet, are of this phase.
    pub fn enter(&mut self, phase: usize, seq: u64) {
        if let Some(counters) = self.counters.filter(|_| phase > self.phase) {
            counters.phases.begin(phase, seq);
            self.phase = phase;
        }
    }

    /// Counts a batch. Tweets that came from the input after they were due are not in the lag.
    pub fn sent(&mut self, batch: &SentBatch<'_>) {
        self.count_phase(batch);
        let Some(lags) = &mut self.lags else { return };
        if let Some(counters) = self.counters {
            counters.series.intended(batch.dues.iter().flatten().copied());
            lags.enter(batch.taken, self.phase, counters);
        }
        let taken = batch.taken.saturating_duration_since(batch.start);
        let came = batch.came_at.map(|came_at| came_at.saturating_duration_since(batch.start));
        for due in batch.dues.iter().flatten() {
            match came.is_some_and(|came| came > *due) {
                true => self.late_input += 1,
                false => lags.record(taken.saturating_sub(*due).as_micros() as u64),
            }
        }
    }

    fn count_phase(&mut self, batch: &SentBatch<'_>) {
        let empty = PhaseSent { tweets: 0, first: batch.left, last: batch.left };
        while self.phases.len() <= self.phase {
            self.phases.push(empty);
        }
        let sent = &mut self.phases[self.phase];
        if sent.tweets == 0 {
            *sent = empty;
        } else {
            sent.last = batch.taken;
        }
        sent.tweets += batch.dues.len() as u64;
    }

    /// Adds what was told to the results.
    pub fn finish(self, stats: &mut PaceStats) {
        stats.late_input = self.late_input;
        stats.phases = self.phases;
        if let Some(mut lags) = self.lags {
            lags.flush(self.counters);
            let first = self.counters.map_or(0, |counters| counters.phases.first_counted());
            stats.lag_us = Some(lags.from_phase(first));
            stats.phase_lags_us = lags.phases_us().to_vec();
        }
    }
}
