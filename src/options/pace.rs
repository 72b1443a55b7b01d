//! When tweets are sent.

use std::time::Duration;

/// The pace of a replay.
#[derive(Debug, Clone)]
pub struct PaceOptions {
    /// How fast.
    pub speed: Pace,
    /// Time between two tweets where they have no times of their own; where it is `Some`, also
    /// where they have. A speedup divides it.
    pub interval: Option<Duration>,
    /// How often.
    pub loops: Loops,
    /// Longest time between two sends.
    pub max_gap: Option<Duration>,
    /// Whether tweets of one second are spread over it where the input knows no finer time.
    pub spread: bool,
    /// Leave out what is intended this long after the first send, or later; at full speed what would
    /// leave then. Pauses do not count.
    pub duration: Option<Duration>,
    /// Wait before the first send.
    pub delay: Duration,
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
        }
    }
}

/// Time between two tweets without times: what the pipeline's first sender waited.
pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(4);

/// How fast to replay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// So many times faster than the tweets were written.
    Speedup(f64),
    /// As fast as the hops take it.
    Max,
    /// So many a second, whatever their times.
    Rate(f64),
    /// All of them in this time.
    Fit(Duration),
}

/// How often the input is replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loops {
    /// So often.
    Times(u32),
    /// Until it is stopped.
    Forever,
}

impl Loops {
    /// Whether there is another one behind `done` loops.
    pub fn goes_on(self, done: u32) -> bool {
        match self {
            Loops::Times(times) => done < times,
            Loops::Forever => true,
        }
    }
}
