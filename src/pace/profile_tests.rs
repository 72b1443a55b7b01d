use proptest::prelude::*;

use super::*;
use crate::pace::{Moment, Schedule, Shape, Speed, Timeline};

fn s(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn profile(segments: &[Segment]) -> Profile {
    Profile::new(segments.to_vec()).unwrap()
}

/// Tweets due until a time: the area under the rates, which rise and fall evenly in each part.
fn area(profile: &Profile, until_s: f64) -> f64 {
    let part = |span: &Span| {
        let time_s = (until_s - span.start_s).clamp(0.0, span.seconds);
        let rate = span.from + (span.to - span.from) * time_s / span.seconds;
        (span.from + rate) / 2.0 * time_s
    };
    profile.spans().iter().map(part).sum()
}

#[test]
fn a_ramp_sends_the_area_under_its_line() {
    let ramp = profile(&[Segment::Ramp { from: 0.0, to: 100.0, time: s(10.0) }]);
    assert_eq!(ramp.tweets(), Some(500));
    assert_eq!(ramp.due_s(0.0), Some(0.0));
    // After t seconds 5 t² are due.
    for place in [5.0, 20.0, 320.0, 499.0_f64] {
        let due_s = ramp.due_s(place).unwrap();
        assert!((due_s - (place / 5.0).sqrt()).abs() < 1e-9, "{place}: {due_s}");
    }
    assert_eq!(ramp.due_s(500.0), None, "it is over");
    let down = profile(&[Segment::Ramp { from: 100.0, to: 0.0, time: s(10.0) }]);
    assert!((down.due_s(499.9).unwrap() - (10.0 - 0.02_f64.sqrt())).abs() < 1e-6);
}

#[test]
fn steps_end_where_they_say_and_a_spike_ends_where_it_began() {
    let parts = profile(&[
        Segment::Step { from: 10.0, to: 45.0, by: 10.0, each: s(60.0) },
        Segment::Spike { rate: 500.0, time: s(1.0) },
        Segment::Hold { rate: None, time: s(5.0) },
        Segment::Step { from: 3.0, to: 1.0, by: 1.0, each: s(1.0) },
    ]);
    let rates: Vec<f64> = parts.spans().iter().map(|span| span.from).collect();
    assert_eq!(rates, [10.0, 20.0, 30.0, 40.0, 45.0, 500.0, 45.0, 3.0, 2.0, 1.0]);
    assert_eq!(parts.duration(), Some(s(309.0)));
    assert_eq!(parts.tweets(), Some(60 * 145 + 500 + 5 * 45 + 6));
}

#[test]
fn what_has_no_rate_and_what_has_no_end_of_steps_is_an_error() {
    let hold = Profile::new(vec![Segment::Hold { rate: None, time: s(1.0) }]).unwrap_err();
    assert!(hold.contains("needs a rate"), "{hold}");
    let steps = Segment::Step { from: 1.0, to: 1e6, by: 1.0, each: s(1.0) };
    assert!(Profile::new(vec![steps]).unwrap_err().contains("too many steps"));
    assert!(Profile::new(Vec::new()).unwrap_err().contains("1 to 100"));
}

#[test]
fn random_arrivals_are_as_many_on_average_and_the_same_for_the_same_seed() {
    let places = |seed| -> Vec<f64> {
        let mut places = Places::new(Arrivals::Poisson { seed });
        (0..100_000).map(|seq| places.of(seq)).collect()
    };
    let first = places(1);
    assert_eq!(first, places(1));
    assert_ne!(first, places(2));
    let gaps: Vec<f64> = first.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
    // An exponential distribution: both are 1. Five standard errors of 100,000 gaps.
    assert!((mean - 1.0).abs() < 0.016 && (variance - 1.0).abs() < 0.045, "{mean} {variance}");
    // The numbers of arrivals in intervals of 10 are as the Poisson distribution has them: variance = mean.
    let mut counts = vec![0_f64; 9_900];
    for place in &first {
        if let Some(count) = counts.get_mut((place / 10.0) as usize) {
            *count += 1.0;
        }
    }
    let mean = counts.iter().sum::<f64>() / counts.len() as f64;
    let variance = counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / counts.len() as f64;
    assert!((variance / mean - 1.0).abs() < 0.1, "{mean} {variance}");
}

#[test]
fn a_steady_rate_has_no_end() {
    let steady = Profile::steady(1_000.0);
    assert_eq!((steady.duration(), steady.tweets()), (None, None));
    assert_eq!(steady.due_s(5e9), Some(5e6));
}

fn segments() -> impl Strategy<Value = Vec<Segment>> {
    let rate = || prop_oneof![Just(0.5), 1.0f64..2_000.0];
    let time = || (0.1f64..20.0).prop_map(s);
    let segment = prop_oneof![
        (0.0f64..2_000.0, rate(), time()).prop_map(|(from, to, time)| Segment::Ramp { from, to, time }),
        (rate(), time()).prop_map(|(rate, time)| Segment::Hold { rate: Some(rate), time }),
        (rate(), time()).prop_map(|(rate, time)| Segment::Spike { rate, time }),
        (rate(), rate(), 100.0f64..900.0, (0.1f64..3.0).prop_map(s))
            .prop_map(|(from, to, by, each)| Segment::Step { from, to, by, each }),
    ];
    let hold = time().prop_map(|time| Segment::Hold { rate: None, time });
    prop::collection::vec(segment, 1..5).prop_flat_map(move |segments| {
        (Just(segments), prop::option::of(hold.clone()))
            .prop_map(|(segments, hold)| segments.into_iter().chain(hold).collect())
    })
}

proptest! {
    /// Each tweet is due when as many as its number were due before it.
    #[test]
    fn a_tweet_is_due_when_the_area_under_the_rates_is_its_number(segments in segments()) {
        let profile = profile(&segments);
        let end_s = profile.duration().unwrap().as_secs_f64();
        let all = area(&profile, end_s);
        prop_assert!((profile.tweets().unwrap() as f64 - all).abs() < 1.0 + 1e-6);
        for part in 0..1_000 {
            let place = all * f64::from(part) / 1_000.0;
            let due_s = profile.due_s(place).unwrap();
            prop_assert!((area(&profile, due_s) - place).abs() <= 1e-6 + place * 1e-9, "{place}: {due_s}");
        }
        prop_assert_eq!(profile.due_s(all), None);
    }

    #[test]
    fn dues_never_step_back_and_end_with_the_profile(segments in segments(), poisson in any::<bool>()) {
        let profile = profile(&segments).forever();
        let arrivals = if poisson { Arrivals::Poisson { seed: 7 } } else { Arrivals::Even };
        let shape = Shape { profile, arrivals, factor: 1.0 };
        let mut timeline = Timeline::new(Schedule { speed: Speed::Shaped(shape), max_gap: None });
        let end = profile.duration().unwrap();
        let (mut last, mut within) = (Duration::ZERO, 0);
        for seq in 0..profile.tweets().unwrap() + 10 {
            let due = timeline.advance(Moment { seq, ..Moment::default() }).unwrap();
            prop_assert!(due >= last);
            last = due;
            within += u64::from(due < end);
        }
        if !poisson {
            prop_assert_eq!(within, profile.tweets().unwrap());
        }
    }
}
