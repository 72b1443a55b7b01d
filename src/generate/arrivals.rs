//! When made-up tweets are written: a Poisson process whose rate follows the hour of the day and
//! rises in bursts.
//!
//! In: the mean rate. Out: one [`Arrival`] after another, in order, until tweet ids end (2080). The
//! mean is kept: the daily curve averages to 1 over a day and *is* 1 at the hour the data starts,
//! and what bursts add is taken from the time between them. So ten minutes have about the requested
//! number of tweets, and so have ten days.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1};

use super::snowflake;
use super::words::BURST_TOPICS;

/// Event time at which all made-up data starts: 2024-03-09T18:00:00Z, in Unix milliseconds. A
/// constant, because the same seed has to give the same bytes on any day.
pub const START_MS: u64 = 1_710_007_200_000;

/// Hour of the day (UTC) at [`START_MS`].
const START_HOUR: f64 = 18.0;

/// Relative rate at each full hour UTC, linear in between: quiet at European noon, loud in the
/// American evening. Adds up to 24; hour 18 is 1.
const DAILY_CURVE_PERCENT: [u32; 24] = [
    140, 148, 146, 140, 125, 108, 92, 80, 72, 66, 62, 60, 62, 66, 72, 78, 85, 92, 100, 107, 116, 122, 127,
    134,
];

/// One burst falls into each stretch of this length, in event time.
const BURST_EVERY_S: f64 = 200.0;
/// A burst starts at its height and falls linearly to nothing.
const BURST_LENGTH_S: f64 = 25.0;
/// Height of a burst in multiples of the mean rate, evenly distributed between these two.
const BURST_HEIGHT_MIN: f64 = 2.0;
const BURST_HEIGHT_MAX: f64 = 6.0;
/// The rate left for the time between bursts, so that the mean stays 1.
const BASE: f64 = 1.0 - (BURST_HEIGHT_MIN + BURST_HEIGHT_MAX) / 2.0 * (BURST_LENGTH_S / 2.0) / BURST_EVERY_S;
/// The rate never exceeds this many times the mean: the top of the daily curve plus the highest
/// burst.
const PEAK: f64 = 1.48 * (BASE + BURST_HEIGHT_MAX);

/// One tweet to be written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    /// Event time, Unix milliseconds.
    pub ms: u64,
    /// The hashtag of the burst that this tweet belongs to.
    pub topic: Option<&'static str>,
}

#[derive(Debug, Clone, Copy)]
struct Burst {
    start_s: f64,
    height: f64,
    topic: &'static str,
}

/// Iterator over [`Arrival`]s, oldest first; ends only where tweet ids do.
#[derive(Debug)]
pub(super) struct Arrivals {
    rng: ChaCha8Rng,
    rate_per_s: f64,
    /// Seconds since [`START_MS`].
    now_s: f64,
    /// Number of the stretch that contains `burst`.
    stretch: u64,
    burst: Burst,
}

impl Arrivals {
    /// `rate_per_s` is above 0 and finite.
    pub fn new(rate_per_s: f64, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(super::STREAM_ARRIVALS);
        let burst = draw_burst(&mut rng, 0);
        Self { rng, rate_per_s, now_s: 0.0, stretch: 0, burst }
    }

    /// Rate at `now_s` in multiples of the mean, and how much of it is due to a burst.
    fn rate_now(&mut self) -> (f64, f64) {
        let stretch = (self.now_s / BURST_EVERY_S) as u64;
        if stretch != self.stretch {
            self.stretch = stretch;
            self.burst = draw_burst(&mut self.rng, stretch);
        }
        let age = (self.now_s - self.burst.start_s) / BURST_LENGTH_S;
        let burst = if (0.0..1.0).contains(&age) { self.burst.height * (1.0 - age) } else { 0.0 };
        let daily = daily_factor(self.now_s);
        (daily * (BASE + burst), daily * burst)
    }
}

impl Iterator for Arrivals {
    type Item = Arrival;

    /// Thinning (Lewis and Shedler 1979): candidates at the peak rate, each kept with probability
    /// rate / peak. Exact for a rate of any shape, and equally cheap at one tweet per day and at a
    /// million per second.
    fn next(&mut self) -> Option<Arrival> {
        loop {
            let gap: f64 = Exp1.sample(&mut self.rng);
            self.now_s += gap / (self.rate_per_s * PEAK);
            // A tiny rate may step beyond it at once, even to infinity, where the curve has no
            // value.
            if self.now_s * 1000.0 >= (snowflake::END_MS - START_MS) as f64 {
                return None;
            }
            let (rate, of_burst) = self.rate_now();
            let draw = self.rng.random::<f64>() * PEAK;
            if draw < rate {
                let ms = START_MS + (self.now_s * 1000.0) as u64;
                return Some(Arrival { ms, topic: (draw < of_burst).then_some(self.burst.topic) });
            }
        }
    }
}

fn draw_burst(rng: &mut ChaCha8Rng, stretch: u64) -> Burst {
    let start_s = stretch as f64 * BURST_EVERY_S + rng.random_range(0.0..BURST_EVERY_S - BURST_LENGTH_S);
    Burst {
        start_s,
        height: rng.random_range(BURST_HEIGHT_MIN..BURST_HEIGHT_MAX),
        topic: BURST_TOPICS[rng.random_range(0..BURST_TOPICS.len())],
    }
}

/// The daily curve at a time given in seconds since [`START_MS`].
fn daily_factor(now_s: f64) -> f64 {
    let hours = (START_HOUR + now_s / 3600.0) % 24.0;
    let hour = (hours as usize).min(23);
    let from = f64::from(DAILY_CURVE_PERCENT[hour]);
    let to = f64::from(DAILY_CURVE_PERCENT[(hour + 1) % 24]);
    (from + (to - from) * (hours - hour as f64)) / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_daily_curve_averages_to_one_and_is_one_at_the_start() {
        assert_eq!(DAILY_CURVE_PERCENT.iter().sum::<u32>(), 2400);
        assert_eq!(daily_factor(0.0), 1.0);
        assert_eq!(daily_factor(24.0 * 3600.0), 1.0);
        let highest = f64::from(*DAILY_CURVE_PERCENT.iter().max().unwrap()) / 100.0;
        assert!(highest * (BASE + BURST_HEIGHT_MAX) <= PEAK);
    }

    #[test]
    fn the_mean_rate_is_kept_over_a_day_and_over_minutes() {
        for (rate_per_s, count, tolerance) in [(1.0, 86_400, 0.02), (20.0, 12_000, 0.10)] {
            let last = Arrivals::new(rate_per_s, 7).nth(count - 1).unwrap();
            let span_s = (last.ms - START_MS) as f64 / 1000.0;
            let asked_s = count as f64 / rate_per_s;
            assert!((span_s / asked_s - 1.0).abs() < tolerance, "{span_s} s instead of {asked_s} s");
        }
    }

    #[test]
    fn bursts_stand_out_and_have_a_topic() {
        let mut per_second = [0_u32; 600];
        let mut with_topic = 0;
        for arrival in Arrivals::new(50.0, 3).take_while(|arrival| arrival.ms < START_MS + 600_000) {
            per_second[((arrival.ms - START_MS) / 1000) as usize] += 1;
            with_topic += u32::from(arrival.topic.is_some());
        }
        let mut sorted = per_second;
        sorted.sort_unstable();
        assert!(sorted[599] > 2 * sorted[300], "median {}, peak {}", sorted[300], sorted[599]);
        assert!(with_topic > 0);
    }
}
