//! When tweets are sent.

use std::time::Duration;

use crate::pace::{Arrivals, Profile};

/// The pace of a replay.
#[derive(Debug, Clone)]
pub struct PaceOptions {
    pub speed: Pace,
    /// Time between two tweets if they have no times; if it is `Some`, also if they have. A speedup
    /// divides it.
    pub interval: Option<Duration>,
    pub loops: Loops,
    /// Longest time between two sends.
    pub max_gap: Option<Duration>,
    /// Whether tweets of one second are spread over it if the input has no finer times.
    pub spread: bool,
    /// Skip what is intended this long after the first send, or later; at full speed, what would be
    /// sent then. Pauses do not count.
    pub duration: Option<Duration>,
    /// Wait before the first send.
    pub delay: Duration,
    /// How tweets of a rate or a profile lie in time.
    pub arrivals: Arrivals,
    /// What is intended before this is in no figure of time or rate.
    pub warmup: Duration,
}

impl Default for PaceOptions {
    fn default() -> Self {
        Self {
            speed: Pace::Speedup(1.0),
            interval: None,
            loops: Loops::Times(1),
            max_gap: None,
            spread: true,
            duration: None,
            delay: Duration::ZERO,
            arrivals: Arrivals::Even,
            warmup: Duration::ZERO,
        }
    }
}

/// Time between two tweets without times: the wait of the pipeline's first sender.
pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(4);

/// How fast to replay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// This many times faster than the tweets were written.
    Speedup(f64),
    /// As fast as the hops allow.
    Max,
    /// This many per second, whatever their times.
    Rate(f64),
    /// All of them in this time.
    Fit(Duration),
    /// At rates that change over time, whatever their times; the replay ends with the profile.
    Profile(&'static Profile),
}

/// How often the input is replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loops {
    /// This many times.
    Times(u32),
    /// Until it is stopped.
    Forever,
}

impl Loops {
    /// Whether another loop follows after `done` loops.
    pub fn goes_on(self, done: u32) -> bool {
        match self {
            Loops::Times(times) => done < times,
            Loops::Forever => true,
        }
    }
}
