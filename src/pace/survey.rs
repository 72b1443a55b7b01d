//! Facts about tweets in the order of sending, before they are sent: collected one by one, so that
//! the tweets need not be kept.

use std::time::Duration;

use super::spread::{is_whole_second, spread_us, whole_us};
use super::{Moment, Schedule, Timeline};

/// The collected facts.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Survey {
    /// Number of tweets.
    pub tweets: u64,
    /// Times of the oldest and the newest, in milliseconds since 1970 UTC; 0 if there are none.
    pub first_ms: i64,
    /// Time of the newest.
    pub last_ms: i64,
    /// Longest time between two consecutive tweets.
    pub longest_gap: Duration,
    /// Most tweets in one second of event time.
    pub peak_per_s: u64,
    /// Hours of event time that contain a tweet.
    pub hours: u64,
    /// Whether no time is finer than a second.
    pub whole_seconds: bool,
    /// First to last intended send; `None` at full speed.
    pub duration: Option<Duration>,
    /// The same if those of one second are spread over it; `None` if some time is finer.
    pub spread_duration: Option<Duration>,
}

/// Collects a [`Survey`].
#[derive(Debug, Clone)]
pub struct Surveyor {
    survey: Survey,
    run_ms: i64,
    run_length: u64,
    peak: Bucket,
    hour: Option<i64>,
    exact: Timeline,
    spread: Timeline,
}

/// Tweets in the current second.
#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    second: i64,
    tweets: u64,
}

impl Surveyor {
    /// Nothing seen yet.
    pub fn new(schedule: Schedule) -> Self {
        Self {
            survey: Survey { whole_seconds: true, ..Survey::default() },
            run_ms: 0,
            run_length: 0,
            peak: Bucket::default(),
            hour: None,
            exact: Timeline::new(schedule),
            spread: Timeline::new(schedule),
        }
    }

    /// Adds the next tweet.
    pub fn add(&mut self, time_ms: i64) {
        let is_first = self.survey.tweets == 0;
        if !is_first && time_ms != self.run_ms {
            self.end_run();
        }
        let survey = &mut self.survey;
        survey.tweets += 1;
        survey.whole_seconds &= is_whole_second(time_ms);
        if is_first {
            (survey.first_ms, survey.last_ms) = (time_ms, time_ms);
        } else if time_ms > self.run_ms {
            let gap_ms = time_ms.saturating_sub(self.run_ms).unsigned_abs();
            survey.longest_gap = survey.longest_gap.max(Duration::from_millis(gap_ms));
        }
        survey.first_ms = survey.first_ms.min(time_ms);
        survey.last_ms = survey.last_ms.max(time_ms);
        let second = time_ms.div_euclid(1_000);
        if second != self.peak.second {
            self.peak = Bucket { second, tweets: 0 };
        }
        self.peak.tweets += 1;
        survey.peak_per_s = survey.peak_per_s.max(self.peak.tweets);
        let hour = time_ms.div_euclid(3_600_000);
        if self.hour != Some(hour) {
            self.hour = Some(hour);
            survey.hours += 1;
        }
        self.run_ms = time_ms;
        self.run_length += 1;
    }

    /// The collected facts.
    pub fn finish(mut self) -> Survey {
        self.end_run();
        self.survey
    }

    fn end_run(&mut self) {
        let first_seq = self.survey.tweets.saturating_sub(self.run_length);
        for k in 0..self.run_length {
            let at = |event_time_us| Moment { seq: first_seq + k, event_time_us, pass: 0 };
            let survey = &mut self.survey;
            survey.duration = self.exact.advance(at(whole_us(self.run_ms)));
            if !survey.whole_seconds {
                // Then they are not spread.
                survey.spread_duration = None;
                continue;
            }
            survey.spread_duration = self.spread.advance(at(spread_us(self.run_ms, k, self.run_length)));
        }
        self.run_length = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::super::Speed;
    use super::*;

    fn survey(times_ms: &[i64], speed: Speed, max_gap: Option<Duration>) -> Survey {
        let mut surveyor = Surveyor::new(Schedule { speed, max_gap });
        times_ms.iter().for_each(|time_ms| surveyor.add(*time_ms));
        surveyor.finish()
    }

    #[test]
    fn gaps_peaks_hours_and_how_long_it_will_take() {
        let found = survey(&[0, 0, 0, 1_000, 7_200_000], Speed::Factor(10.0), None);
        assert_eq!((found.tweets, found.first_ms, found.last_ms), (5, 0, 7_200_000));
        assert_eq!((found.peak_per_s, found.hours, found.whole_seconds), (3, 2, true));
        assert_eq!(found.longest_gap, Duration::from_millis(7_199_000));
        assert_eq!(found.duration, Some(Duration::from_secs(720)));
        // From 1/6 s to half a second into the last one.
        let spread_s = found.spread_duration.unwrap().as_secs_f64();
        assert!((spread_s - (7_200.5 - 1.0 / 6.0) / 10.0).abs() < 1e-6, "{spread_s}");
    }

    #[test]
    fn the_longest_gap_the_rate_and_full_speed_are_planned_with() {
        let times_ms = [0, 1, 3_600_000];
        let capped = survey(&times_ms, Speed::Factor(1.0), Some(Duration::from_secs(2)));
        assert_eq!(capped.duration, Some(Duration::from_millis(2_001)));
        assert_eq!(survey(&times_ms, Speed::PerSecond(4.0), None).duration, Some(Duration::from_millis(500)));
        let max = survey(&times_ms, Speed::Max, None);
        assert_eq!((max.duration, max.whole_seconds), (None, false));
        assert_eq!(survey(&[], Speed::Factor(1.0), None).tweets, 0);
    }
}
