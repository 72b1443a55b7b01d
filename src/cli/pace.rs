//! Flags that say when tweets are sent; `inspect` and the replay share them.

use std::time::Duration;

use clap::Args;

use super::exit::{UsageError, no_effect};
use super::values;
use crate::options::{Loops, Pace, PaceOptions, parse_arrivals};
use crate::pace::{Arrivals, Profile};

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Pace")]
pub(super) struct PaceArgs {
    /// Times faster than written: 100x, max [default: 1x]
    ///
    /// 100x is 100 times faster than the tweets were written, 0.5x half as fast. max sends as fast as MQTT
    /// and Kafka take it.
    #[arg(long, alias = "speed", value_name = "Nx|max", value_parser = values::speedup,
        conflicts_with_all = ["rate", "fit", "profile"])]
    speedup: Option<Pace>,
    /// Constant rate, ignoring the tweets' times: 5k/s
    ///
    /// 5000/s, 5k/s, 300/m, 20/h; a number alone is per second.
    #[arg(long, value_name = "N/s", value_parser = values::rate, conflicts_with_all = ["fit", "interval", "profile"])]
    rate: Option<f64>,
    /// Scale the replay so that a loop takes this long: 5m
    #[arg(long, value_name = "TIME", value_parser = values::duration,
        conflicts_with_all = ["interval", "max_gap", "profile"])]
    fit: Option<Duration>,
    /// Rates that change over time: 'ramp 1k/s..50k/s 10m; hold 5m'
    ///
    /// Parts with ; between them: ramp FROM..TO TIME, hold TIME, hold RATE TIME, spike RATE TIME, and step FROM..TO by
    /// RATE each TIME. A hold without a rate has that of the part before, after a spike that from before it. The
    /// replay ends with the profile; --loop forever repeats an input that is too short for it.
    #[arg(hide_short_help = true, long, value_name = "PARTS", value_parser = values::profile,
        conflicts_with_all = ["interval", "max_gap"])]
    profile: Option<&'static Profile>,
    /// How tweets of a rate lie in time: even, poisson or poisson:SEED [default: even]
    ///
    /// poisson: at random, independently of each other, as many on average. The same seed gives the same times; it is 1
    /// where none is given. With --rate and --profile.
    #[arg(hide_short_help = true, long, value_name = "HOW", value_parser = parse_arrivals)]
    arrivals: Option<Arrivals>,
    /// Gap between tweets without times, divided by --speedup [default: 4s]
    ///
    /// If it is given, it spaces tweets with times too.
    #[arg(hide_short_help = true, long, value_name = "TIME", value_parser = values::duration)]
    interval: Option<Duration>,
    /// Cut silences: never wait longer than this for the next tweet
    ///
    /// In wall time, after --speedup.
    #[arg(hide_short_help = true, long, value_name = "TIME", value_parser = values::duration)]
    max_gap: Option<Duration>,
    /// Send tweets of one second at once instead of spreading them over it
    ///
    /// Matters only for input whose times are whole seconds.
    #[arg(hide_short_help = true, long)]
    no_spread: bool,
    /// Repeat the input N times, or forever [default: 1]
    #[arg(long = "loop", alias = "loops", value_name = "N|forever", value_parser = values::loops,
        default_value = "1", hide_default_value = true)]
    loops: Loops,
    /// Stop after this time; later tweets are skipped
    ///
    /// Tweets that are due before are sent, however late. At --speedup max nothing is sent after it. Pauses
    /// do not count.
    #[arg(hide_short_help = true, long, value_name = "TIME", value_parser = values::duration)]
    duration: Option<Duration>,
}

impl PaceArgs {
    /// Refuses flags that would be ignored.
    pub fn check(&self) -> Result<(), UsageError> {
        let (spread, max_gap) = (("--no-spread", self.no_spread), ("--max-gap", self.max_gap.is_some()));
        if self.rate.is_some() {
            no_effect(&[spread, max_gap], "with --rate, which spaces tweets evenly")?;
        }
        if self.profile.is_some() {
            no_effect(&[spread], "with --profile, which has rates of its own")?;
        }
        if self.rate.is_none() && self.profile.is_none() {
            no_effect(&[("--arrivals", self.arrivals.is_some())], "without --rate or --profile")?;
        }
        if self.speedup == Some(Pace::Max) {
            let interval = ("--interval", self.interval.is_some());
            no_effect(&[spread, max_gap, interval], "at --speedup max, which waits for nothing")?;
        }
        if self.interval.is_some() {
            no_effect(&[spread], "with --interval, which spaces tweets evenly")?;
        }
        Ok(())
    }

    /// The pace that they ask for.
    pub fn options(&self) -> PaceOptions {
        PaceOptions {
            speed: match (self.speedup, self.rate, self.fit, self.profile) {
                (.., Some(profile)) => Pace::Profile(profile),
                (_, Some(rate), ..) => Pace::Rate(rate),
                (_, _, Some(time), _) => Pace::Fit(time),
                (speedup, ..) => speedup.unwrap_or(Pace::Speedup(1.0)),
            },
            arrivals: self.arrivals.unwrap_or_default(),
            warmup: Duration::ZERO,
            interval: self.interval,
            max_gap: self.max_gap,
            spread: !self.no_spread,
            loops: self.loops,
            duration: self.duration,
            delay: Duration::ZERO,
        }
    }

    /// How long the profile is; `None` without one.
    pub fn profile_time(&self) -> Option<Duration> {
        self.profile.and_then(Profile::duration)
    }
}
