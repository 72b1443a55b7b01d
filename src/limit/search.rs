//! The search as a state machine: samples in, orders out. It has no clock and no network.

use super::blocks::{Cutter, Sample};
use super::context::{Context, Next};
use super::cross_check::{self, CrossChecking};
use super::found::{Found, GeneratorLimit, Phase, PhaseBlock, Slo, Verdict};
use super::hold::Holding;
use super::rollovers::{Rollover, SEEN_LATE_S};
use super::saturate::Saturating;
use super::settings::Settings;

/// What the driver is to do next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Order {
    /// Write this many rows per second; the next sample may bring another rate.
    Rate(f64),
    /// Write nothing.
    Drain,
    /// Write this many rows per second, whatever comes back.
    Hold(f64),
    /// It is over.
    Done,
}

/// A search.
#[derive(Debug)]
pub struct Search {
    context: Context,
    cutter: Cutter,
    state: State,
}

/// What the search does now.
#[derive(Debug)]
enum State {
    Prepare,
    Saturate(Saturating),
    Drain(Draining),
    Hold(Holding),
    CrossCheck(CrossChecking),
    Done,
}

/// Waits until all can be queried, and what follows.
#[derive(Debug)]
struct Draining {
    /// The rate to hold next; `None`: the cross-check.
    hold: Option<f64>,
    since_s: f64,
    changed_s: f64,
    queryable: u64,
}

/// This much work may be left when it is drained, in seconds.
const DRAINED_S: f64 = 0.5;

/// Rows that have not come for this long do not come, if every task reads.
const LOST_AFTER_S: f64 = 15.0;

/// Longest wait until it is drained.
const DRAIN_S: f64 = 240.0;

impl Search {
    /// A search for the highest rate at which these limits hold.
    #[must_use]
    pub fn new(settings: Settings, slos: Vec<Slo>) -> Self {
        Self {
            cutter: Cutter::new(settings.block_s),
            context: Context::new(settings, slos),
            state: State::Prepare,
        }
    }

    /// As if this had been measured, and everything could be queried: holds this rate next.
    #[cfg(test)]
    pub fn from_capacity(settings: Settings, capacity: super::found::Capacity, rate: f64) -> Self {
        let mut search = Self::new(settings, Vec::new());
        search.context.found.capacity = Some(capacity);
        search.state = State::Drain(Draining::new(Some(rate), &Sample::default()));
        search
    }

    /// Takes what is known now; says what to do until the next sample.
    pub fn observe(&mut self, sample: &Sample) -> Order {
        if matches!(self.state, State::Done) {
            return Order::Done;
        }
        self.context.recent.add(sample);
        self.context.note_shares(sample);
        self.context.segments.observe(sample);
        let blocks = self.cut(sample);
        if sample.input_over {
            let above = self.context.recent.processed_per_s();
            self.finish(Verdict::GeneratorLimited { above, limit: GeneratorLimit::InputOver });
        } else if sample.at_s >= self.context.settings.budget_s {
            self.finish(Verdict::Undecided { budget_over: true });
        } else {
            self.step(sample, blocks > 0);
        }
        match &self.state {
            State::Prepare | State::Saturate(_) => Order::Rate(self.context.rate),
            State::Drain(_) => Order::Drain,
            State::Hold(_) | State::CrossCheck(_) => Order::Hold(self.context.rate),
            State::Done => Order::Done,
        }
    }

    /// Ends it for the user.
    pub fn stop(&mut self) {
        if !matches!(self.state, State::Done) {
            self.finish(Verdict::Stopped);
        }
    }

    /// What is known so far.
    #[must_use]
    pub fn found(&self) -> &Found {
        &self.context.found
    }

    /// The rollovers that are over.
    #[must_use]
    pub fn rollovers(&self) -> &[Rollover] {
        self.context.rollovers.all()
    }

    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.context.settings
    }

    /// What it does now.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match &self.state {
            State::Prepare => Phase::Prepare,
            State::Saturate(_) => Phase::Saturate,
            State::Drain(_) => Phase::Drain,
            State::Hold(_) => Phase::Hold,
            State::CrossCheck(_) => Phase::CrossCheck,
            State::Done => Phase::Done,
        }
    }

    /// Shortest and longest time that is left, in seconds, as far as it can be told.
    #[must_use]
    pub fn time_left_s(&self, at_s: f64) -> (f64, f64) {
        let Context { settings, found, first_block, .. } = &self.context;
        let blocks = |count: usize| count as f64 * settings.block_s;
        let done = (found.blocks.len() - first_block) as f64 * settings.block_s;
        let drain = (5.0, 60.0);
        let (least, most) = cross_check::length(&self.context);
        let cross = (blocks(least), blocks(most));
        let holds = (settings.lower_times + 1 - found.holds.len().min(settings.lower_times)) as f64;
        let hold = (settings.hold_s.0, settings.hold_s.1 * holds);
        let (saturate_min, saturate_max) = settings.saturate_blocks;
        let parts = match &self.state {
            State::Done => vec![],
            State::Prepare => vec![(blocks(saturate_min), blocks(saturate_max)), drain, hold, drain, cross],
            State::Saturate(_) => {
                vec![(blocks(saturate_min) - done, blocks(saturate_max) - done), drain, hold, drain, cross]
            }
            State::Drain(Draining { hold: None, .. }) => vec![drain, cross],
            State::Drain(_) => vec![drain, hold, drain, cross],
            State::Hold(_) => vec![(hold.0 - done, hold.1 - done), drain, cross],
            State::CrossCheck(_) => vec![(cross.0 - done, cross.1 - done)],
        };
        let budget = (settings.budget_s - at_s).max(0.0);
        let sum = |of: fn(&(f64, f64)) -> f64| parts.iter().map(|part| of(part).max(0.0)).sum::<f64>();
        (sum(|part| part.0).min(budget), sum(|part| part.1).min(budget))
    }

    fn finish(&mut self, verdict: Verdict) {
        self.context.found.verdict = Some(verdict);
        self.state = State::Done;
    }

    /// The blocks from now on are those of a new part.
    fn restart(&mut self, sample: &Sample) {
        self.context.first_block = self.context.found.blocks.len();
        self.cutter.restart();
        self.context.rollovers.restart(sample);
    }

    /// Begins a part that is measured.
    fn begin(&mut self, state: State, rate: f64, sample: &Sample) {
        (self.state, self.context.rate) = (state, rate);
        self.restart(sample);
    }

    /// How many blocks ended with this sample.
    fn cut(&mut self, sample: &Sample) -> usize {
        let can_recover = matches!(self.state, State::Hold(_));
        let phase = self.phase();
        let Context { rollovers, found, settings, first_block, rate, .. } = &mut self.context;
        let was_active = rollovers.is_active();
        let rolling = rollovers.observe(sample, *rate, can_recover, settings.catch_up_s);
        if rolling && !was_active {
            let touched = |block: &&mut PhaseBlock| block.block.to_s > sample.at_s - SEEN_LATE_S;
            let recent = found.blocks[*first_block..].iter_mut().filter(touched);
            recent.for_each(|block| block.block.rolling = true);
        }
        let blocks = self.cutter.add(sample, rolling);
        let count = blocks.len();
        found.blocks.extend(blocks.into_iter().map(|block| PhaseBlock { phase, block }));
        count
    }

    fn step(&mut self, sample: &Sample, new_block: bool) {
        let context = &mut self.context;
        let next = match &mut self.state {
            State::Prepare => {
                if sample.processed > 0 {
                    self.begin(State::Saturate(Saturating::new(sample)), self.context.rate, sample);
                }
                return;
            }
            State::Saturate(saturating) => saturating.step(context, sample, new_block),
            State::Hold(holding) => holding.step(context, sample, new_block),
            State::CrossCheck(checking) => checking.step(context, new_block),
            State::Drain(draining) => {
                if draining.step(context, sample) {
                    self.after_drain(sample);
                }
                return;
            }
            State::Done => return,
        };
        match next {
            Next::Stay => {}
            Next::Restart => self.restart(sample),
            Next::Drain(hold) => {
                self.begin(State::Drain(Draining::new(hold, sample)), 0.0, sample);
            }
            Next::Finish(verdict) => self.finish(verdict),
        }
    }

    fn after_drain(&mut self, sample: &Sample) {
        let State::Drain(Draining { hold, .. }) = self.state else { return };
        match hold {
            Some(rate) => {
                let holding = Holding::new(sample, rate, self.context.lost);
                self.begin(State::Hold(holding), rate, sample);
            }
            None => {
                let rate = self.context.settings.cross_share * self.context.capacity_per_s();
                self.begin(State::CrossCheck(CrossChecking::new(rate)), rate, sample);
            }
        }
    }
}

impl Draining {
    fn new(hold: Option<f64>, sample: &Sample) -> Self {
        Self { hold, since_s: sample.at_s, changed_s: sample.at_s, queryable: sample.queryable }
    }

    /// Whether all can be queried that ever will be.
    fn step(&mut self, context: &mut Context, sample: &Sample) -> bool {
        if sample.queryable > self.queryable {
            (self.queryable, self.changed_s) = (sample.queryable, sample.at_s);
        }
        let left = sample.backlog() - context.lost as f64;
        let is_stuck = !sample.rolling && sample.at_s - self.changed_s >= LOST_AFTER_S;
        if is_stuck {
            context.lost = sample.acked.saturating_sub(sample.queryable);
        }
        left <= DRAINED_S * context.capacity_per_s() || is_stuck || sample.at_s - self.since_s >= DRAIN_S
    }
}
