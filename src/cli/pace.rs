//! Flags that say when tweets are sent; `inspect` and the replay share them.

use std::time::Duration;

use clap::Args;

use super::values;
use crate::options::{Loops, Pace, PaceOptions};

#[derive(Debug, Args)]
pub(super) struct PaceArgs {
    /// How many times faster than the tweets were written: 100x, 0.5x, or max [default: 1x]
    #[arg(long, value_name = "Nx|max", value_parser = values::speedup, help_heading = "Pace",
        conflicts_with_all = ["rate", "fit"])]
    speedup: Option<Pace>,
    /// Evenly, so many a second: 5000/s, 300/m, 20/h
    #[arg(long, value_name = "N/s", value_parser = values::rate, help_heading = "Pace",
        conflicts_with_all = ["fit", "interval"])]
    rate: Option<f64>,
    /// The whole input in this time: 30s, 5m; each loop of it
    #[arg(long, value_name = "TIME", value_parser = values::duration, help_heading = "Pace",
        conflicts_with_all = ["interval", "max_gap"])]
    fit: Option<Duration>,
    /// Time between two tweets that have no times, divided by the speedup; given, it spaces those
    /// that have times too [default: 4s]
    #[arg(long, value_name = "TIME", value_parser = values::duration, help_heading = "Pace")]
    interval: Option<Duration>,
    /// Cut silences: never wait longer than this for the next tweet, in wall time
    #[arg(long, value_name = "TIME", value_parser = values::duration, help_heading = "Pace")]
    max_gap: Option<Duration>,
    /// Send tweets of one second at once, where the input knows no finer time, instead of spreading
    /// them over it
    #[arg(long, help_heading = "Pace")]
    no_spread: bool,
    /// Replay the input so often, one time after the other: a number, or forever
    #[arg(long = "loop", value_name = "N|forever", value_parser = values::loops, default_value = "1",
        help_heading = "Pace")]
    loops: Loops,
    /// End after this time: what is intended later is left out
    #[arg(long, value_name = "TIME", value_parser = values::positive_duration, help_heading = "Pace")]
    duration: Option<Duration>,
}

impl PaceArgs {
    /// The pace that they ask for.
    pub fn options(&self) -> PaceOptions {
        PaceOptions {
            speed: match (self.speedup, self.rate, self.fit) {
                (_, Some(rate), _) => Pace::Rate(rate),
                (_, _, Some(time)) => Pace::Fit(time),
                (speedup, ..) => speedup.unwrap_or(Pace::Speedup(1.0)),
            },
            interval: self.interval,
            max_gap: self.max_gap,
            spread: !self.no_spread,
            loops: self.loops,
            duration: self.duration,
            delay: Duration::ZERO,
        }
    }
}
