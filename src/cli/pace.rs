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
    /// Constant rate, ignoring the tweets' times: 5000/s, 300/m, 20/h
    #[arg(long, value_name = "N/s", value_parser = values::rate, help_heading = "Pace",
        conflicts_with_all = ["fit", "interval"])]
    rate: Option<f64>,
    /// Scale the replay so that each loop takes this long: 30s, 5m
    #[arg(long, value_name = "TIME", value_parser = values::duration, help_heading = "Pace",
        conflicts_with_all = ["interval", "max_gap"])]
    fit: Option<Duration>,
    /// Gap between tweets without times, divided by --speedup; if given, used for all tweets [default:
    /// 4s]
    #[arg(hide_short_help = true, long, value_name = "TIME", value_parser = values::duration, help_heading = "Pace")]
    interval: Option<Duration>,
    /// Cut silences: never wait longer than this for the next tweet, in wall time
    #[arg(long, value_name = "TIME", value_parser = values::duration, help_heading = "Pace")]
    max_gap: Option<Duration>,
    /// Send tweets of one second at once instead of spreading them over it
    ///
    /// Matters only for input whose times are whole seconds.
    #[arg(hide_short_help = true, long, help_heading = "Pace")]
    no_spread: bool,
    /// Repeat the input N times, or forever
    #[arg(long = "loop", value_name = "N|forever", value_parser = values::loops, default_value = "1",
        help_heading = "Pace")]
    loops: Loops,
    /// End after this time: what is intended later is left out
    ///
    /// All that is intended before is sent, however late. At full speed nothing is sent after it.
    /// Pauses do not count.
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
