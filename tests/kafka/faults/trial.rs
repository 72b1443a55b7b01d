//! One run with faults, drawn from a seed.

use std::fmt;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::tools::Forgery;

/// What happens to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// SIGKILL of the program, and the same command again.
    KillAndRunAgain,
    /// SIGSTOP of the program, and SIGCONT.
    Stop {
        ms: u64,
    },
    /// Each of these signals.
    Signals(&'static [&'static str]),
    Input(InputChange),
    DeleteTopic {
        made_again: bool,
    },
    Forge(Forgery),
    /// No file of the process that has the log may grow; whether it may again later.
    FullDisk {
        lifted: bool,
    },
    /// SIGSTOP of the Kafka process, and SIGCONT.
    PauseKafka {
        ms: u64,
    },
    /// SIGKILL of the Kafka process, and a new one.
    KillKafka,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputChange {
    Cut,
    Grown,
    Overwritten,
}

/// The Kafka of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kafka {
    /// The one in the process of the replay.
    Inside,
    /// `tweetblast serve`.
    Process,
    /// The one of `docker/native/stack`.
    Real,
}

/// Where dead letters go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadLetters {
    Nowhere,
    File,
    /// To a disk that is full from the start.
    FullDisk,
}

/// A run and what happens in it.
#[derive(Debug)]
pub struct Trial {
    pub topic: String,
    pub tweets: u64,
    pub rate: u64,
    pub payload: &'static str,
    pub order: &'static str,
    pub partitions: u32,
    pub mqtt: bool,
    pub kafka: Kafka,
    pub verify: bool,
    /// Whether others write through the embedded MQTT broker, not into Kafka.
    pub forge_through_mqtt: bool,
    pub dead_letters: DeadLetters,
    /// What happens, and when: a share of the planned time after the first message.
    pub faults: Vec<(f64, Fault)>,
}

fn one_of<T: Copy>(rng: &mut ChaCha8Rng, all: &[T]) -> T {
    all[rng.random_range(0..all.len())]
}

impl Trial {
    pub fn draw(seed: u64) -> Self {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let outside = rng.random_bool(0.4);
        let count = if rng.random_bool(0.3) { 2 } else { 1 };
        let mut faults: Vec<_> =
            (0..count).map(|_| (rng.random_range(0.05_f64..0.8), Fault::draw(rng, outside))).collect();
        faults.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut trial = Self {
            topic: "tweets".to_owned(),
            tweets: rng.random_range(300..1_500),
            rate: rng.random_range(800..2_500),
            payload: one_of(rng, &["tweet", "tweet", "minimal", "raw"]),
            order: one_of(rng, &["file", "time", "shuffle", "window"]),
            partitions: rng.random_range(1..4),
            mqtt: rng.random_bool(0.5),
            kafka: if outside { Kafka::Process } else { Kafka::Inside },
            verify: outside && rng.random_bool(0.6),
            forge_through_mqtt: false,
            dead_letters: DeadLetters::Nowhere,
            faults,
        };
        // Drawn last, so that a seed stands for the same faults as before there were these.
        trial.forge_through_mqtt = trial.mqtt && rng.random_bool(0.5);
        let has_full_disk = trial.has(|fault| matches!(fault, Fault::FullDisk { .. }));
        trial.dead_letters = match rng.random_range(0..10) {
            0 => DeadLetters::FullDisk,
            1..=4 if has_full_disk => DeadLetters::FullDisk,
            1..=2 | 5..=7 => DeadLetters::File,
            _ => DeadLetters::Nowhere,
        };
        trial
    }

    /// A trial into a real Kafka, which is killed.
    pub fn draw_with_real_kafka(seed: u64) -> Self {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let mut moment = || rng.random_range(0.05_f64..0.8);
        let moments = [moment(), moment()];
        let mut faults = vec![(moments[0], Fault::KillKafka)];
        if rng.random_bool(0.5) {
            faults.push((moments[1], Fault::draw_beside_a_real_kafka(rng)));
        }
        faults.sort_by(|one, other| one.0.total_cmp(&other.0));
        Self {
            topic: format!("faults-{}-{seed}", std::process::id()),
            // It takes seconds to start again.
            tweets: rng.random_range(1_000..6_000),
            rate: rng.random_range(500..1_500),
            payload: one_of(rng, &["tweet", "tweet", "minimal", "raw"]),
            order: one_of(rng, &["file", "time", "shuffle", "window"]),
            partitions: rng.random_range(1..4),
            mqtt: rng.random_bool(0.5),
            kafka: Kafka::Real,
            verify: rng.random_bool(0.6),
            forge_through_mqtt: false,
            dead_letters: one_of(rng, &[DeadLetters::Nowhere, DeadLetters::File]),
            faults,
        }
    }

    pub fn has(&self, is: impl Fn(Fault) -> bool) -> bool {
        self.faults.iter().any(|(_, fault)| is(*fault))
    }

    /// Whether the program reads the log back by itself.
    pub fn reads_back(&self) -> bool {
        self.kafka == Kafka::Inside || self.verify
    }

    /// Whether all of what happens fulfils this.
    pub fn has_only(&self, is: impl Fn(Fault) -> bool) -> bool {
        self.faults.iter().all(|(_, fault)| is(*fault))
    }

    /// Whether the program was begun again after the last change of its input.
    pub fn runs_again_after_change(&self) -> bool {
        let last = |is: fn(Fault) -> bool| self.faults.iter().rposition(|(_, fault)| is(*fault));
        last(|fault| fault == Fault::KillAndRunAgain) > last(|fault| matches!(fault, Fault::Input(_)))
    }

    /// How long the run is to last.
    pub fn planned(&self) -> Duration {
        Duration::from_secs_f64(self.tweets as f64 / self.rate as f64)
    }
}

impl Fault {
    fn draw(rng: &mut ChaCha8Rng, outside: bool) -> Self {
        let ms = rng.random_range(20..700);
        let draws = if outside { 12 } else { 10 };
        match rng.random_range(0..draws) {
            0 => Self::KillAndRunAgain,
            1 => Self::Stop { ms },
            2 => Self::Signals(one_of(rng, &[&["INT"], &["TERM"]])),
            3 => Self::Signals(one_of(rng, &[&["INT", "INT"], &["TERM", "TERM"], &["INT", "TERM"]])),
            4 => Self::Input(one_of(rng, &[InputChange::Cut, InputChange::Grown, InputChange::Overwritten])),
            5 => Self::DeleteTopic { made_again: false },
            6 => Self::DeleteTopic { made_again: true },
            7 | 8 => Self::Forge(one_of(rng, &Forgery::ALL)),
            9 => Self::FullDisk { lifted: rng.random_bool(0.5) },
            10 => Self::PauseKafka { ms },
            _ => Self::KillKafka,
        }
    }

    fn draw_beside_a_real_kafka(rng: &mut ChaCha8Rng) -> Self {
        let ms = rng.random_range(20..700);
        // Not begun again: it does not wait for a Kafka that is away at its start.
        match rng.random_range(1..6) {
            1 => Self::Stop { ms },
            2 => Self::Signals(one_of(rng, &[&["INT"], &["TERM"], &["INT", "TERM"]])),
            3 => Self::Input(one_of(rng, &[InputChange::Cut, InputChange::Grown, InputChange::Overwritten])),
            4 => Self::Forge(one_of(rng, &Forgery::ALL)),
            _ => Self::KillKafka,
        }
    }
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}
