//! The plan as arithmetic: which event is due when, counted from the start of the replay.
//!
//! Nothing here remembers what was sent before, so a late event cannot shift the ones behind it,
//! and a stamp that steps back is due at once instead of causing a wait.

use std::time::Duration;

/// How fast to replay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Speed {
    /// As fast as the hops take it; there is no schedule.
    Max,
    /// This many times faster than the tweets were written; below 1: slower.
    Factor(f64),
    /// This many a second, evenly, whatever their times.
    PerSecond(f64),
}

impl Speed {
    /// The speed at which `count` events spread over `span` of event time take `target`; evenly
    /// where the tweets have no times or all the same one.
    pub fn to_fit(target: Duration, span: Duration, count: u64) -> Self {
        let target_s = target.as_secs_f64();
        if target.is_zero() {
            Speed::Max
        } else if span.is_zero() {
            Speed::PerSecond(count as f64 / target_s)
        } else {
            Speed::Factor(span.as_secs_f64() / target_s)
        }
    }
}

/// A [`Speed`] and the event time that stands at the start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// How fast.
    pub speed: Speed,
    /// Event time of the first event, in milliseconds since 1970 UTC.
    pub first_event_time_ms: i64,
}

impl Schedule {
    /// Intended send time, counted from the start; `None` at full speed, where there is none.
    ///
    /// `seq` counts from 0 in send order. An event older than the first is due at the start.
    pub fn due(&self, seq: u64, event_time_ms: i64) -> Option<Duration> {
        let seconds = match self.speed {
            Speed::Max => return None,
            Speed::Factor(factor) => {
                // Exact: differences of event times stay far below 2^53 ms.
                event_time_ms.saturating_sub(self.first_event_time_ms) as f64 / 1_000.0 / factor
            }
            Speed::PerSecond(rate) => seq as f64 / rate,
        };
        Some(Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX))
    }

    /// How long `count` events up to `last_event_time_ms` will take; `None` at full speed.
    pub fn duration(&self, count: u64, last_event_time_ms: i64) -> Option<Duration> {
        self.due(count.saturating_sub(1), last_event_time_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(speed: Speed) -> Schedule {
        Schedule { speed, first_event_time_ms: 1_000_000 }
    }

    #[test]
    fn a_multiplier_below_one_is_slower() {
        assert_eq!(at(Speed::Factor(0.5)).due(9, 1_003_000), Some(Duration::from_secs(6)));
        assert_eq!(at(Speed::Factor(100.0)).due(9, 1_600_000), Some(Duration::from_secs(6)));
    }

    #[test]
    fn out_of_order_stamps_are_due_at_once_and_cause_no_wait() {
        let schedule = at(Speed::Factor(1.0));
        assert_eq!(schedule.due(1, 1_005_000), Some(Duration::from_secs(5)));
        assert_eq!(schedule.due(2, 1_004_000), Some(Duration::from_secs(4)));
        assert_eq!(schedule.due(3, 0), Some(Duration::ZERO));
        assert_eq!(schedule.due(4, i64::MIN), Some(Duration::ZERO));
    }

    #[test]
    fn to_fit_takes_the_whole_span_in_the_time_asked_for() {
        let span = Duration::from_secs(600);
        assert_eq!(Speed::to_fit(Duration::from_secs(6), span, 10), Speed::Factor(100.0));
        assert_eq!(Speed::to_fit(Duration::from_secs(5), Duration::ZERO, 10), Speed::PerSecond(2.0));
        assert_eq!(Speed::to_fit(Duration::ZERO, span, 10), Speed::Max);
    }

    proptest! {
        #[test]
        fn due_times_are_the_gaps_divided_by_the_factor(ms in 0i64..1_000_000_000_000, factor in 0.01f64..1e6) {
            let due = at(Speed::Factor(factor)).due(0, 1_000_000 + ms).unwrap().as_secs_f64();
            let exact = ms as f64 / 1_000.0 / factor;
            prop_assert!((due - exact).abs() <= exact * 1e-9 + 1e-9);
        }

        #[test]
        fn a_fixed_rate_does_not_drift(seq in 0u64..1_000_000_000, rate in 0.001f64..1e7) {
            let due = at(Speed::PerSecond(rate)).due(seq, 0).unwrap().as_secs_f64();
            let exact = seq as f64 / rate;
            prop_assert!((due - exact).abs() <= exact * 1e-9 + 1e-9);
        }
    }
}
