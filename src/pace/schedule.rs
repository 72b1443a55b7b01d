//! The plan as arithmetic: which event is due when, counted from the start of the replay.
//!
//! A [`Timeline`] advances with the events in the order of sending. It depends on the plan only,
//! never on a clock, so a late event cannot delay the events after it. It is anchored once, and
//! re-anchored only where a silence is cut short, where a loop begins, and where the user pauses or
//! changes the speed.

use std::time::Duration;

use super::profile::{Arrivals, Places, Profile};

/// How fast to replay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Speed {
    /// As fast as the hops allow; there is no schedule.
    Max,
    /// This many times faster than the tweets were written; below 1: slower.
    Factor(f64),
    /// This many per second, at equal intervals, whatever their times.
    PerSecond(f64),
    /// As a profile says, whatever their times.
    Shaped(Shape),
}

/// A profile, and how it is gone through.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    pub profile: &'static Profile,
    pub arrivals: Arrivals,
    /// How many times faster than it says.
    pub factor: f64,
}

impl Speed {
    /// The speed at which `count` events spread over `span` of event time take `target`; at equal
    /// intervals if the tweets have no times or all the same one.
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

    /// This speed times `times`.
    pub fn times(self, times: f64) -> Self {
        match self {
            Speed::Max => Speed::Max,
            Speed::Factor(factor) => Speed::Factor(factor * times),
            Speed::PerSecond(rate) => Speed::PerSecond(rate * times),
            Speed::Shaped(shape) => Speed::Shaped(Shape { factor: shape.factor * times, ..shape }),
        }
    }
}

/// A [`Speed`], and the longest silence to keep.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    pub speed: Speed,
    /// Longest time between two sends.
    pub max_gap: Option<Duration>,
}

/// The position of an event in the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moment {
    /// Place in the order of sending, from 0, counted through all loops.
    pub seq: u64,
    /// Event time in microseconds since 1970 UTC.
    pub event_time_us: i64,
    /// Which loop, from 0.
    pub pass: u32,
}

/// How long a loop takes, in event time, if all its tweets have the same time.
const PASS_WITHOUT_SPAN_US: f64 = 1e6;

/// Advances with the events and says when each is due.
#[derive(Debug, Clone, Copy)]
pub struct Timeline {
    schedule: Schedule,
    anchor: Option<PlanAnchor>,
    /// In a profile.
    places: Places,
}

/// From here the plan is a straight line.
#[derive(Debug, Clone, Copy)]
struct PlanAnchor {
    /// Event time in microseconds, sequence number, or nanoseconds of a profile, whichever the speed counts.
    position: i64,
    due: Duration,
    /// Position of the previous event.
    last_position: i64,
    last_due: Duration,
    pass: u32,
    pass_due: Duration,
}

impl Timeline {
    /// A timeline that starts with the first event passed to it.
    pub fn new(schedule: Schedule) -> Self {
        let arrivals = match schedule.speed {
            Speed::Shaped(shape) => shape.arrivals,
            _ => Arrivals::Even,
        };
        Self { schedule, anchor: None, places: Places::new(arrivals) }
    }

    /// The current speed.
    pub fn speed(&self) -> Speed {
        self.schedule.speed
    }

    /// Intended send time of the next event, counted from the start; `None` at full speed, which
    /// has no schedule. An event older than the previous one is due together with it.
    pub fn advance(&mut self, at: Moment) -> Option<Duration> {
        let per_s = self.per_s()?;
        let position = self.position(at)?;
        let Some(anchor) = &mut self.anchor else {
            self.anchor = Some(PlanAnchor::at(position, Duration::ZERO, at.pass));
            return Some(Duration::ZERO);
        };
        if at.pass != anchor.pass && matches!(self.schedule.speed, Speed::Factor(_)) {
            let mut due = anchor.last_due;
            if due == anchor.pass_due {
                due = due.saturating_add(seconds(PASS_WITHOUT_SPAN_US / per_s));
            }
            *anchor = PlanAnchor::at(position, due, at.pass);
            return Some(due);
        }
        let position = position.max(anchor.last_position);
        if let Some(max_gap) = self.schedule.max_gap {
            let gap = seconds((position - anchor.last_position) as f64 / per_s);
            if gap > max_gap {
                anchor.position = position;
                anchor.due = anchor.last_due.saturating_add(max_gap);
            }
        }
        // Exact: differences of positions stay far below 2^53.
        let since_anchor = (position - anchor.position) as f64 / per_s;
        let due = match since_anchor < 0.0 {
            true => anchor.due.saturating_sub(seconds(-since_anchor)),
            false => anchor.due.saturating_add(seconds(since_anchor)),
        };
        anchor.last_position = position;
        anchor.last_due = due.max(anchor.last_due);
        Some(anchor.last_due)
    }

    /// Continues at another speed from `now` on, counted from the start: what is already due stays
    /// due.
    pub fn change_speed(&mut self, times: f64, now: Duration) {
        if let (Some(per_s), Some(anchor)) = (self.per_s(), &mut self.anchor) {
            let since_anchor = now.as_secs_f64() - anchor.due.as_secs_f64();
            anchor.position = anchor.position.saturating_add((since_anchor * per_s).round() as i64);
            anchor.due = now;
        }
        self.schedule.speed = self.schedule.speed.times(times);
    }

    /// Makes everything still to come due this much later.
    pub fn pause(&mut self, pause: Duration) {
        if let Some(anchor) = &mut self.anchor {
            for due in [&mut anchor.due, &mut anchor.last_due, &mut anchor.pass_due] {
                *due = due.saturating_add(pause);
            }
        }
    }

    /// How far into its profile the last event was; `None` without one.
    pub fn profile_time(&self) -> Option<Duration> {
        let is_shaped = matches!(self.schedule.speed, Speed::Shaped(_));
        let position = self.anchor.filter(|_| is_shaped)?.last_position;
        Some(Duration::from_nanos(u64::try_from(position).unwrap_or(0)))
    }

    /// Whether its profile ended before the last event.
    pub fn is_over(&self) -> bool {
        let is_shaped = matches!(self.schedule.speed, Speed::Shaped(_));
        is_shaped && self.anchor.is_some_and(|anchor| anchor.last_position >= NEVER)
    }

    fn position(&mut self, at: Moment) -> Option<i64> {
        match self.schedule.speed {
            Speed::Max => None,
            Speed::Factor(_) => Some(at.event_time_us),
            Speed::PerSecond(_) => i64::try_from(at.seq).ok(),
            // After its end nothing is due any more.
            Speed::Shaped(shape) => {
                let due_s = shape.profile.due_s(self.places.of(at.seq));
                Some(due_s.map_or(NEVER, |due_s| (due_s * NANOS) as i64))
            }
        }
    }

    /// Positions per second.
    fn per_s(&self) -> Option<f64> {
        match self.schedule.speed {
            Speed::Max => None,
            Speed::Factor(factor) => Some(factor * 1e6),
            Speed::PerSecond(rate) => Some(rate),
            Speed::Shaped(shape) => Some(shape.factor * NANOS),
        }
    }
}

/// Position of an event that is never due: 73 years, which sums and differences do not overflow.
const NEVER: i64 = i64::MAX / 4;

/// Nanoseconds of a second.
const NANOS: f64 = 1e9;

impl PlanAnchor {
    fn at(position: i64, due: Duration, pass: u32) -> Self {
        Self { position, due, last_position: position, last_due: due, pass, pass_due: due }
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn timeline(speed: Speed) -> Timeline {
        Timeline::new(Schedule { speed, max_gap: None })
    }

    /// Due times, in seconds, of events at these milliseconds, repeated `passes` times.
    fn due(mut timeline: Timeline, times_ms: &[i64], passes: u32) -> Vec<f64> {
        let mut seq = 0;
        let mut all = Vec::new();
        for pass in 0..passes {
            for time_ms in times_ms {
                let at = Moment { seq, event_time_us: time_ms * 1_000, pass };
                all.push(timeline.advance(at).unwrap().as_secs_f64());
                seq += 1;
            }
        }
        all
    }

    /// tcpreplay #674.
    #[test]
    fn a_multiplier_below_one_is_slower() {
        assert_eq!(due(timeline(Speed::Factor(0.5)), &[1_000_000, 1_003_000], 1), [0.0, 6.0]);
        assert_eq!(due(timeline(Speed::Factor(100.0)), &[1_000_000, 1_600_000], 1), [0.0, 6.0]);
        assert_eq!(due(timeline(Speed::Factor(1e6)), &[0, 1_000_000], 1), [0.0, 0.001]);
    }

    /// GoReplay #680: 1.5 s took 76 s.
    #[test]
    fn out_of_order_stamps_cause_no_wait() {
        let times_ms = [0, 500, 100, 1_000, 0, 1_500, -90_000, i64::MIN / 1_000];
        assert_eq!(
            due(timeline(Speed::Factor(1.0)), &times_ms, 1),
            [0.0, 0.5, 0.5, 1.0, 1.0, 1.5, 1.5, 1.5],
            "1.5 s stay 1.5 s"
        );
    }

    /// tcpreplay #172, #472: later loops ran at full speed, or slept for ages.
    #[test]
    fn loops_are_re_anchored_and_last_equally_long() {
        let times_ms = [1_000, 1_300, 2_000];
        let once = due(timeline(Speed::Factor(2.0)), &times_ms, 1);
        let thrice = due(timeline(Speed::Factor(2.0)), &times_ms, 3);
        assert_eq!(once, [0.0, 0.15, 0.5]);
        assert_eq!(thrice, [0.0, 0.15, 0.5, 0.5, 0.65, 1.0, 1.0, 1.15, 1.5]);
        let even = due(timeline(Speed::PerSecond(4.0)), &times_ms, 3);
        assert_eq!(even.last(), Some(&2.0), "9 tweets, evenly");
    }

    #[test]
    fn loops_over_one_moment_do_not_become_full_speed() {
        assert_eq!(due(timeline(Speed::Factor(2.0)), &[7, 7], 3), [0.0, 0.0, 0.5, 0.5, 1.0, 1.0]);
    }

    #[test]
    fn a_silence_is_cut_to_the_longest_gap_in_wall_time() {
        let schedule = Schedule { speed: Speed::Factor(10.0), max_gap: Some(Duration::from_secs(1)) };
        let times_ms = [0, 5_000, 86_400_000, 86_409_000, 86_420_000];
        assert_eq!(due(Timeline::new(schedule), &times_ms, 1), [0.0, 0.5, 1.5, 2.4, 3.4]);
        assert_eq!(due(Timeline::new(schedule), &times_ms, 2).last(), Some(&6.8));
    }

    /// tcpreplay #679: it did after 8 hours, and after 2^32 packets.
    #[test]
    fn the_rate_does_not_change_after_hours() {
        let mut even = timeline(Speed::PerSecond(100_000.0));
        let mut at = |seq| even.advance(Moment { seq, ..Moment::default() }).unwrap();
        assert_eq!(at(0), Duration::ZERO);
        for seq in [1 << 32, (1 << 32) + 1, 5_370_000_000, 1 << 40] {
            let exact = Duration::from_nanos(seq * 10_000);
            assert!(at(seq).abs_diff(exact) < Duration::from_micros(1), "{seq}");
        }
        let times_ms: Vec<i64> = (0..31).map(|day| day * 86_400_000).collect();
        let days = due(timeline(Speed::Factor(7.0)), &times_ms, 1);
        assert!((days[30] - 30.0 * 86_400.0 / 7.0).abs() < 1e-6);
    }

    #[test]
    fn a_change_of_speed_continues_from_where_it_is() {
        let mut timeline = timeline(Speed::Factor(1.0));
        let mut at = |ms: i64, change: Option<(f64, u64)>| {
            if let Some((times, now_s)) = change {
                timeline.change_speed(times, Duration::from_secs(now_s));
            }
            timeline.advance(Moment { event_time_us: ms * 1_000, ..Moment::default() }).unwrap().as_secs_f64()
        };
        assert_eq!(at(0, None), 0.0);
        assert_eq!(at(10_000, None), 10.0);
        // At 12 s the plan is at event second 12; 8 more at double speed take 4 s.
        assert_eq!(at(20_000, Some((2.0, 12))), 16.0);
        // Late: at 30 s nothing that is overdue moves into the future.
        assert_eq!(at(21_000, Some((0.5, 30))), 16.0);
        assert_eq!(at(50_000, None), 32.0);
    }

    #[test]
    fn a_pause_moves_what_is_still_to_come() {
        let mut timeline = timeline(Speed::Factor(1.0));
        let at = |ms: i64| Moment { event_time_us: ms * 1_000, ..Moment::default() };
        timeline.advance(at(0));
        timeline.pause(Duration::from_secs(5));
        assert_eq!(timeline.advance(at(3_000)), Some(Duration::from_secs(8)));
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
            let last = due(timeline(Speed::Factor(factor)), &[1_000, 1_000 + ms], 1)[1];
            let exact = ms as f64 / 1_000.0 / factor;
            prop_assert!((last - exact).abs() <= exact * 1e-9 + 1e-9);
        }

        #[test]
        fn due_times_never_step_back_and_never_pass_the_longest_gap(
            times_ms in prop::collection::vec(-10_000i64..10_000, 1..50),
            factor in 0.01f64..100.0,
            max_gap_ms in 0u64..5_000,
        ) {
            let max_gap = Duration::from_millis(max_gap_ms);
            let schedule = Schedule { speed: Speed::Factor(factor), max_gap: Some(max_gap) };
            let all = due(Timeline::new(schedule), &times_ms, 1);
            for pair in all.windows(2) {
                prop_assert!(pair[0] <= pair[1] && pair[1] - pair[0] <= max_gap.as_secs_f64() + 1e-9);
            }
        }
    }
}
