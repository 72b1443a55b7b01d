//! Simulated ingestions in virtual time: tasks that read with noise, persist, stall, roll over, get slower or are scaled,
//! behind a generator with a limit of its own. The figures of the model are those of one Druid task as measured on two
//! cores: 26,000 rows/s while it reads, a persist every 150,000 rows, a stall of 1 to 3 s about every 90 s, 5 to 15 s at
//! a rollover.

use super::blocks::Sample;
use super::found::Found;
use super::search::{Order, Search};
use super::settings::Settings;

/// SplitMix64 (Steele, Lea and Flood 2014): the same numbers for the same seed.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5851_F42D_4C95_7F2D)
    }

    /// From 0 up to 1.
    pub fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Nearly normal, with mean 0 and variance 1: four uniform numbers.
    fn normal(&mut self) -> f64 {
        ((0..4).map(|_| self.unit()).sum::<f64>() - 2.0) * 3_f64.sqrt()
    }
}

/// What a simulated system is like.
#[derive(Debug, Clone)]
pub struct SystemModel {
    /// Rows per second of one task while it reads.
    pub per_task: f64,
    /// Share of the rows that each task reads.
    pub shares: Vec<f64>,
    /// Standard deviation of a second's rate, as a share.
    pub noise: f64,
    /// Mean time between two stalls of a task; infinite: none.
    pub stall_every_s: f64,
    /// Rows after which a task persists; infinite: never.
    pub persist_rows: f64,
    /// Time between two rollovers, and the longest stall at one; infinite: none.
    pub rollover_s: (f64, f64),
    /// Rows after which a task hands over a segment, and the longest time for which it does not read then; infinite: never.
    pub segment: (f64, f64),
    /// By which share a task is slower after each rollover.
    pub slower: f64,
    /// From when on the tasks are this many times as fast.
    pub scaled: (f64, f64),
    /// Most rows per second that the generator can write.
    pub generator: f64,
}

impl SystemModel {
    pub fn steady(per_task: f64) -> Self {
        Self {
            per_task,
            shares: vec![1.0],
            noise: 0.12,
            stall_every_s: f64::INFINITY,
            persist_rows: f64::INFINITY,
            rollover_s: (f64::INFINITY, 0.0),
            segment: (f64::INFINITY, 0.0),
            slower: 0.0,
            scaled: (f64::INFINITY, 1.0),
            generator: f64::INFINITY,
        }
    }

    pub fn stalling(per_task: f64) -> Self {
        let persist_rows = per_task / 26_000.0 * 150_000.0;
        Self { stall_every_s: 90.0, persist_rows, ..Self::steady(per_task) }
    }

    /// As Druid 33 was seen to do it: 5 million rows, then 20 s without reading.
    pub fn handing_over(per_task: f64, segment_s: f64, pause_s: f64) -> Self {
        Self { segment: (segment_s * per_task, pause_s), ..Self::rolling(per_task, 300.0) }
    }

    pub fn rolling(per_task: f64, every_s: f64) -> Self {
        Self { rollover_s: (every_s, 15.0), ..Self::stalling(per_task) }
    }
}

/// Length of a step, in seconds.
const STEP_S: f64 = 0.25;

#[derive(Debug, Clone)]
struct Task {
    queue: f64,
    processed: f64,
    noise: f64,
    stalled_until_s: f64,
    next_stall_s: f64,
    until_persist: f64,
    until_handed_over: f64,
}

#[derive(Debug, Clone)]
pub struct System {
    model: SystemModel,
    random: Random,
    at_s: f64,
    tasks: Vec<Task>,
    speed: f64,
    next_rollover_s: f64,
    rolling_until_s: f64,
    rollovers: u64,
    intended: f64,
    acked: f64,
    processed: f64,
}

impl System {
    pub fn new(model: SystemModel, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let tasks = model.shares.iter().map(|_| Task {
            queue: 0.0,
            processed: 0.0,
            noise: 0.0,
            stalled_until_s: 0.0,
            next_stall_s: model.stall_every_s * random.between(0.2, 1.8),
            until_persist: model.persist_rows,
            until_handed_over: model.segment.0,
        });
        let tasks = tasks.collect();
        // The search does not begin with a new task.
        let next_rollover_s = model.rollover_s.0 * random.between(0.3, 1.0);
        Self {
            tasks,
            random,
            next_rollover_s,
            model,
            at_s: 0.0,
            speed: 1.0,
            rolling_until_s: 0.0,
            rollovers: 0,
            intended: 0.0,
            acked: 0.0,
            processed: 0.0,
        }
    }

    /// One step in which this many rows per second are asked for.
    pub fn step(&mut self, asked_per_s: f64) {
        self.at_s += STEP_S;
        self.intended += asked_per_s * STEP_S;
        let sent = (self.intended - self.acked).min(self.model.generator * STEP_S);
        self.acked += sent;
        self.roll_over();
        let scale = if self.at_s >= self.model.scaled.0 { self.model.scaled.1 } else { 1.0 };
        let speed = self.model.per_task * self.speed * scale;
        for (task, share) in self.tasks.iter_mut().zip(&self.model.shares) {
            task.queue += sent * share;
            let read = task.read(&self.model, speed, self.at_s, &mut self.random).min(task.queue);
            task.queue -= read;
            task.processed += read;
            task.until_persist -= read;
            task.until_handed_over -= read;
            self.processed += read;
        }
    }

    fn roll_over(&mut self) {
        let (every_s, longest_s) = self.model.rollover_s;
        if self.at_s < self.next_rollover_s {
            return;
        }
        self.next_rollover_s += every_s;
        self.rollovers += 1;
        self.speed *= 1.0 - self.model.slower;
        let stall_s = self.random.between(longest_s / 3.0, longest_s);
        for task in &mut self.tasks {
            task.stalled_until_s = self.at_s + stall_s;
            task.until_handed_over = self.model.segment.0;
        }
        self.rolling_until_s = self.at_s + stall_s + self.random.between(2.0, 15.0);
    }

    pub fn sample(&self) -> Sample {
        Sample {
            at_s: self.at_s,
            intended: self.intended as u64,
            acked: self.acked as u64,
            processed: self.processed as u64,
            by_group: self.tasks.iter().map(|task| task.processed as u64).collect(),
            written_by_group: self.model.shares.iter().map(|share| (self.acked * share) as u64).collect(),
            queryable: self.processed as u64,
            rolling: self.at_s < self.rolling_until_s,
            rollovers: self.rollovers,
            failed_tasks: 0,
            input_over: false,
        }
    }

    /// Rows per second that such a system takes in the long run: of the task with the least for its share.
    pub fn capacity_per_s(model: &SystemModel, seed: u64) -> f64 {
        const LONG_S: f64 = 3_000.0;
        let of_share = |share: &f64| {
            let one = SystemModel { shares: vec![1.0], generator: f64::INFINITY, ..model.clone() };
            let mut system = Self::new(one, seed ^ 0xABCD);
            while system.at_s < LONG_S {
                system.step(2.0 * model.per_task);
            }
            system.processed / LONG_S / share
        };
        model.shares.iter().map(of_share).fold(f64::INFINITY, f64::min)
    }
}

impl Task {
    fn read(&mut self, model: &SystemModel, speed: f64, at_s: f64, random: &mut Random) -> f64 {
        const CORRELATION: f64 = 0.5;
        // Of a first-order process: per second, so its root for each of four steps.
        let correlation = CORRELATION.powf(STEP_S);
        self.noise = correlation * self.noise
            + (1.0 - correlation * correlation).sqrt() * model.noise * random.normal();
        if at_s >= self.next_stall_s {
            self.next_stall_s = at_s + model.stall_every_s * random.between(0.5, 1.5);
            self.stalled_until_s = self.stalled_until_s.max(at_s + random.between(1.0, 3.0));
        }
        if self.until_persist <= 0.0 {
            self.until_persist = model.persist_rows;
            self.stalled_until_s = self.stalled_until_s.max(at_s + random.between(0.3, 1.2));
        }
        if self.until_handed_over <= 0.0 {
            let (rows, longest_s) = model.segment;
            self.until_handed_over = rows;
            self.stalled_until_s =
                self.stalled_until_s.max(at_s + random.between(0.85 * longest_s, longest_s));
        }
        let reads_s = (at_s - self.stalled_until_s).clamp(0.0, STEP_S);
        (speed * (1.0 + self.noise) * reads_s).max(0.0)
    }
}

/// A whole search of such a system, with a sample per second, some of them late.
pub fn search(model: &SystemModel, seed: u64, settings: Settings) -> (Found, f64) {
    search_and_watch(model, seed, settings, |_, _| ())
}

/// The same; `watch` sees it after each sample, with the sample's time.
pub fn search_and_watch(
    model: &SystemModel,
    seed: u64,
    settings: Settings,
    mut watch: impl FnMut(&Search, f64),
) -> (Found, f64) {
    let mut system = System::new(model.clone(), seed);
    let mut random = Random::new(seed ^ 0x1234);
    let mut search = Search::new(settings, Vec::new());
    loop {
        let order = search.observe(&system.sample());
        watch(&search, system.at_s);
        let asked_per_s = match order {
            Order::Rate(rate) | Order::Hold(rate) => rate,
            Order::Drain => 0.0,
            Order::Done => return (search.found().clone(), system.at_s),
        };
        let steps = if random.unit() < 0.05 { 12 } else { 4 };
        (0..steps).for_each(|_| system.step(asked_per_s));
    }
}
