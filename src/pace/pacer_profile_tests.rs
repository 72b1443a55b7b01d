//! What a profile sends when the next hop stalls, against arithmetic.

use proptest::prelude::*;

use super::end_tests::StalledReplay;
use super::*;
use crate::pace::{Arrivals, Profile, Segment, Shape};

/// Rates at the start and at the end of a part, and its seconds.
type Part = (f64, f64, f64);

fn parts() -> impl Strategy<Value = Vec<Part>> {
    let rate = || prop_oneof![1 => Just(0.0), 9 => 1.0f64..300.0];
    let part = (rate(), 1.0f64..300.0, 0.5f64..5.0, any::<bool>());
    let part = part.prop_map(|(from, to, seconds, is_ramp)| (if is_ramp { from } else { to }, to, seconds));
    prop::collection::vec(part, 1..5)
}

/// When each tweet is due: the time before which the area under the rates is its number.
fn dues_us(parts: &[Part]) -> Vec<u64> {
    let (mut dues_us, mut begin_s, mut before) = (Vec::new(), 0.0, 0.0);
    for (from, to, seconds) in parts {
        let slope = (to - from) / seconds;
        let after = before + (from + to) / 2.0 * seconds;
        while (dues_us.len() as f64) < after - 1e-6 {
            let area = dues_us.len() as f64 - before;
            // area = from t + slope t² / 2
            let time_s = match slope == 0.0 {
                true => area / from,
                false => 2.0 * area / (from + (from * from + 2.0 * slope * area).max(0.0).sqrt()),
            };
            let time_s = if time_s.is_nan() { 0.0 } else { time_s };
            dues_us.push(((begin_s + time_s) * 1e6) as u64);
        }
        (begin_s, before) = (begin_s + seconds, after);
    }
    dues_us
}

/// The lag of each tweet, in rising order, if those that come due in a stall leave at its end.
fn lags_us(dues_us: &[u64], stalls_us: &[(u64, u64)]) -> Vec<u64> {
    let stall =
        |due_us: u64| stalls_us.iter().find(|(from_us, until_us)| (*from_us..*until_us).contains(&due_us));
    let mut lags_us: Vec<u64> =
        dues_us.iter().map(|due_us| stall(*due_us).map_or(0, |(_, until_us)| until_us - due_us)).collect();
    lags_us.sort_unstable();
    lags_us
}

proptest! {
    #[test]
    fn all_of_a_profile_is_sent_and_what_came_due_in_a_stall_is_as_late_as_its_end(
        parts in parts(),
        stalls in prop::collection::vec((0.0f64..5.0, 0.01f64..8.0), 0..4),
    ) {
        let dues_us = dues_us(&parts);
        let mut end_us = 0;
        let stalls_us: Vec<(u64, u64)> = stalls
            .iter()
            .map(|(after_s, lasts_s)| {
                let from_us = end_us + (after_s * 1e6) as u64;
                end_us = from_us + (lasts_s * 1e6) as u64;
                (from_us, end_us)
            })
            .collect();
        let ramp = |(from, to, seconds): &Part| {
            Segment::Ramp { from: *from, to: *to, time: Duration::from_secs_f64(*seconds) }
        };
        let profile = Profile::new(parts.iter().map(ramp).collect()).unwrap().forever();
        prop_assert!(profile.tweets().unwrap().abs_diff(dues_us.len() as u64) <= 1);
        let shape = Shape { profile, arrivals: Arrivals::Even, factor: 1.0 };
        let seen = StalledReplay {
            speed: Speed::Shaped(shape),
            tweets: dues_us.len() as u64,
            loops: 1,
            duration_us: 3_600_000_000,
            stalls_us: stalls_us.clone(),
            keys: Vec::new(),
        }
        .run();
        prop_assert_eq!(seen.sent, dues_us.len() as u64);
        let histogram = seen.stats.lag_us.unwrap();
        let seen_us: Vec<u64> = histogram
            .iter_recorded()
            .flat_map(|at| std::iter::repeat_n(at.value_iterated_to(), at.count_at_value() as usize))
            .collect();
        let lags_us = lags_us(&dues_us, &stalls_us);
        for (seen_us, lag_us) in seen_us.iter().zip(&lags_us) {
            // A bucket of the histogram, and the rounding of a due time.
            prop_assert!(seen_us.abs_diff(*lag_us) <= lag_us / 500 + 3, "{seen_us} {lag_us}");
        }
        prop_assert_eq!(seen_us.len(), lags_us.len());
    }
}
