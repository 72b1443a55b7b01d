//! The plan: how fast and how long, resolved from the options and what phase one found.

use std::time::Duration;

use super::phases::{Phase, phases};
use super::prepared::Prepared;
use crate::options::{DEFAULT_INTERVAL, Loops, Pace, ReplayOptions, profile_words};
use crate::pace::{Arrivals, Order, Profile, Schedule, Shape, Speed};
use crate::report::{rate_over_gaps, typed};

/// A schedule and its description.
pub(crate) struct Plan {
    pub schedule: Schedule,
    /// What was requested, as the flags: it can be typed.
    pub requested: String,
    /// How many tweets in all loops; `None` without an end, or in file order, where they were not
    /// counted.
    pub tweets: Option<u64>,
    /// First to last intended send; `None` at full speed, or if it is not known.
    pub duration: Option<Duration>,
    /// Tweets per second as planned; `None` at full speed, or when it is not known.
    pub rate_per_s: Option<f64>,
    /// Whether tweets of one second are spread over it.
    pub spread: bool,
    /// The phases that the report shows one by one.
    pub phases: Vec<Phase>,
}

impl Plan {
    /// The plan for what phase one found.
    pub fn new(options: &ReplayOptions, prepared: &Prepared) -> Self {
        let survey = prepared.survey.unwrap_or_default();
        let is_timed = prepared.times_ms.is_some();
        let is_shuffled = matches!(prepared.order, Order::Shuffle { .. });
        let spreads = options.pace.spread && prepared.order == Order::Time && survey.whole_seconds;
        let pass = if spreads { survey.spread_duration } else { survey.duration };
        let even = |factor: f64| {
            let interval = options.pace.interval.unwrap_or(DEFAULT_INTERVAL);
            let words = format!("--interval {} --speedup {factor}x", typed(interval));
            (Speed::PerSecond(factor / interval.as_secs_f64()), words)
        };
        let arrivals = options.pace.arrivals;
        let (speed, requested) = match options.pace.speed {
            Pace::Max => (Speed::Max, "--speedup max".to_owned()),
            Pace::Rate(rate) if arrivals == Arrivals::Even => {
                (Speed::PerSecond(rate), format!("--rate {rate}/s"))
            }
            Pace::Rate(rate) => (
                shaped(Profile::steady(rate).forever(), arrivals),
                format!("--rate {rate}/s{}", arrivals_words(arrivals)),
            ),
            Pace::Profile(profile) => (
                shaped(profile, arrivals),
                format!("--profile '{}'{}", profile_words(profile), arrivals_words(arrivals)),
            ),
            Pace::Speedup(factor) if options.pace.interval.is_some() || !is_timed => even(factor),
            // In any other order than their own, their times say only how many come in which time.
            Pace::Speedup(factor) if is_shuffled => {
                let span_s = survey.last_ms.saturating_sub(survey.first_ms) as f64 / 1_000.0 / factor;
                match span_s > 0.0 {
                    true => (
                        Speed::PerSecond(survey.tweets as f64 / span_s),
                        format!("--speedup {factor}x, evenly spaced"),
                    ),
                    false => even(factor),
                }
            }
            Pace::Speedup(factor) => (Speed::Factor(factor), format!("--speedup {factor}x")),
            Pace::Fit(target) => {
                let span = pass.filter(|_| is_timed && !is_shuffled).unwrap_or_default();
                let words = format!("--fit {}", typed(target));
                (Speed::to_fit(target, span, survey.tweets), words)
            }
        };
        let max_gap = options.pace.max_gap.filter(|_| !matches!(options.pace.speed, Pace::Fit(_)));
        let loops = match options.pace.loops {
            Loops::Times(times) => Some(times),
            Loops::Forever => None,
        };
        let tweets =
            loops.filter(|_| prepared.survey.is_some()).map(|loops| survey.tweets * u64::from(loops));
        let tweets = match speed {
            // Without an end of the input, the profile is the end.
            Speed::Shaped(shape) if loops.is_none() || tweets.is_some() => {
                tweets.into_iter().chain(shape.profile.tweets()).min()
            }
            _ => tweets,
        };
        let duration = match speed {
            Speed::Max => None,
            Speed::PerSecond(rate) => tweets.map(|tweets| {
                let gap = Duration::try_from_secs_f64(1.0 / rate).unwrap_or(Duration::MAX);
                times(max_gap.unwrap_or(gap).min(gap), tweets.saturating_sub(1) as f64)
            }),
            Speed::Shaped(shape) => {
                let last = tweets.and_then(|tweets| shape.profile.due_s(tweets.saturating_sub(1) as f64));
                let last = last.and_then(|due_s| Duration::try_from_secs_f64(due_s).ok());
                last.or_else(|| shape.profile.duration())
            }
            Speed::Factor(factor) => loops.zip(pass).map(|(loops, pass)| {
                let pass = match options.pace.speed {
                    Pace::Fit(_) => times(pass, 1.0 / factor),
                    _ => pass,
                };
                match pass.is_zero() {
                    // As in `Timeline`: a loop without a span takes a second.
                    true => times(Duration::from_secs(1), f64::from(loops.saturating_sub(1)) / factor),
                    false => times(pass, f64::from(loops)),
                }
            }),
        };
        let rate_per_s = match speed {
            Speed::Max => None,
            Speed::PerSecond(rate) => Some(rate),
            // It is not known how many come before an earlier end.
            Speed::Factor(_) | Speed::Shaped(_) => tweets.zip(duration).and_then(|(tweets, duration)| {
                let is_whole = options.pace.duration.is_none_or(|end| end > duration);
                rate_over_gaps(tweets, duration.as_secs_f64()).filter(|_| is_whole)
            }),
        };
        let longest = options.pace.duration.filter(|_| speed != Speed::Max && prepared.survey.is_some());
        let duration = duration.into_iter().chain(longest).min();
        let spread = spreads && matches!(speed, Speed::Factor(_));
        let (schedule, phases) = (Schedule { speed, max_gap }, phases(&options.pace));
        Self { schedule, requested, tweets, duration, rate_per_s, spread, phases }
    }
}

fn shaped(profile: &'static Profile, arrivals: Arrivals) -> Speed {
    Speed::Shaped(Shape { profile, arrivals, factor: 1.0 })
}

fn arrivals_words(arrivals: Arrivals) -> String {
    match arrivals {
        Arrivals::Even => String::new(),
        Arrivals::Poisson { seed } => format!(" --arrivals poisson:{seed}"),
    }
}

/// A duration times `times`.
fn times(duration: Duration, times: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * times).unwrap_or(Duration::MAX)
}
