//! The search on simulated systems of many kinds: what it may not get wrong, and how often.

use super::found::{Found, GeneratorLimit, Phase, Verdict};
use super::settings::Settings;
use super::simulated::{Random, System, SystemModel, search, search_and_watch};

/// How often each kind of system is searched.
const SYSTEMS: u64 = 150;

/// An hour, as by default.
const BUDGET_S: f64 = 3_600.0;

/// One search that is over.
struct Searched {
    seed: u64,
    model: SystemModel,
    /// Rows per second that the system takes in the long run, as it was at the start.
    capacity: f64,
    found: Found,
    took_s: f64,
}

impl Searched {
    /// The rate that it called sustainable, as a share of what the system takes.
    fn share(&self) -> Option<f64> {
        match self.found.verdict {
            Some(Verdict::Sustainable { rate } | Verdict::BreaksAtRollovers { rate }) => {
                Some(rate / self.capacity)
            }
            _ => None,
        }
    }

    fn is_not_stable(&self) -> bool {
        matches!(self.found.verdict, Some(Verdict::NotStable { .. }))
    }
}

/// Searches as many systems as `make` makes, of a speed between 3,000 and 300,000 rows per second.
fn all(kind: u64, make: impl Fn(f64, &mut Random) -> SystemModel) -> Vec<Searched> {
    let one = |number: u64| {
        let seed = kind * 1_000_003 + number;
        let mut random = Random::new(seed);
        let per_task = 3_000.0 * 100_f64.powf(random.unit());
        let model = make(per_task, &mut random);
        let settings =
            Settings { segment_rows: model.segment.0, ..Settings::thorough(model.rollover_s.0, BUDGET_S) };
        let (found, took_s) = search(&model, seed, settings);
        let capacity = System::capacity_per_s(&model, seed);
        Searched { seed, model, capacity, found, took_s }
    };
    (0..SYSTEMS).map(one).collect()
}

fn percent(searched: &[Searched], is_so: impl Fn(&Searched) -> bool) -> f64 {
    let count = searched.iter().filter(|each| is_so(each)).count();
    100.0 * count as f64 / searched.len() as f64
}

/// A system that stays as it is: too much is not called sustainable, enough is not refused.
fn assert_right(name: &str, searched: &[Searched]) {
    let too_much = percent(searched, |each| each.share().is_some_and(|share| share > 1.05));
    let refused = percent(searched, |each| each.share().is_none_or(|share| share < 0.90));
    let mut minutes: Vec<f64> = searched.iter().map(|each| each.took_s / 60.0).collect();
    minutes.sort_by(f64::total_cmp);
    let worst: Vec<String> = searched
        .iter()
        .filter(|each| each.share().is_none_or(|share| !(0.90..=1.05).contains(&share)))
        .take(5)
        .map(|each| {
            let holds: Vec<_> =
                each.found.holds.iter().map(|hold| (hold.rate / each.capacity, hold.end)).collect();
            let measured = each.found.capacity.map(|capacity| capacity.per_s.value / each.capacity);
            let (seed, verdict) = (each.seed, each.found.verdict);
            format!(
                "seed {seed}: {verdict:?}, capacity {:.0}, measured {measured:.3?}, holds {holds:.3?}",
                each.capacity
            )
        })
        .collect();
    let mut shares: Vec<f64> = searched.iter().filter_map(Searched::share).collect();
    shares.sort_by(f64::total_cmp);
    let words = format!(
        "{name}: called sustainable at more than 1.05 of the capacity {too_much:.1} %, refused at 0.90 {refused:.1} %, \
         answer ÷ capacity {:.3} to {:.3}; {:.0} minutes, at most {:.0}; {worst:#?}",
        shares.first().unwrap_or(&0.0),
        shares.last().unwrap_or(&0.0),
        minutes[minutes.len() / 2],
        minutes[minutes.len() - 1]
    );
    assert!(too_much <= 5.0 && refused <= 5.0, "{words}");
}

#[test]
fn a_steady_system_is_judged_rightly() {
    assert_right("steady", &all(1, |per_task, _| SystemModel::steady(per_task)));
}

#[test]
fn a_system_that_stalls_is_judged_rightly() {
    let stalling = |per_task, random: &mut Random| SystemModel {
        noise: random.between(0.05, 0.15),
        stall_every_s: random.between(60.0, 180.0),
        ..SystemModel::stalling(per_task)
    };
    assert_right("stalling", &all(2, stalling));
}

#[test]
fn a_system_that_rolls_over_is_judged_rightly() {
    let rolling =
        |per_task, random: &mut Random| SystemModel::rolling(per_task, random.between(200.0, 600.0));
    assert_right("rolling over", &all(3, rolling));
}

#[test]
fn a_system_that_stops_reading_to_hand_over_segments_is_judged_rightly() {
    let handing_over = |per_task, random: &mut Random| {
        let model =
            SystemModel::handing_over(per_task, random.between(50.0, 100.0), random.between(8.0, 25.0));
        let share = random.between(0.3, 0.5);
        let shares = if random.unit() < 0.3 { vec![share, 1.0 - share] } else { vec![1.0] };
        SystemModel { shares, ..model }
    };
    assert_right("handing over segments", &all(11, handing_over));
}

#[test]
fn a_system_whose_segments_take_half_a_tasks_time_is_judged_rightly() {
    let handing_over = |per_task, random: &mut Random| {
        SystemModel::handing_over(per_task, random.between(100.0, 160.0), random.between(20.0, 45.0))
    };
    assert_right("long segments", &all(12, handing_over));
}

#[test]
fn two_tasks_with_uneven_partitions_are_judged_by_the_slower_one() {
    let uneven = |per_task: f64, random: &mut Random| {
        let share = random.between(0.3, 0.5);
        SystemModel { shares: vec![share, 1.0 - share], ..SystemModel::stalling(per_task) }
    };
    assert_right("two uneven tasks", &all(4, uneven));
}

#[test]
fn a_system_that_gets_slower_with_each_segment_is_not_called_faster_than_it_is() {
    let slower = |per_task, random: &mut Random| SystemModel {
        slower: random.between(0.08, 0.2),
        ..SystemModel::rolling(per_task, random.between(120.0, 300.0))
    };
    let searched = all(5, slower);
    // As fast as it was in the middle of the hold, at most.
    let too_much = percent(&searched, |each| {
        let middle_s = each.took_s - 300.0;
        let rollovers = (middle_s / each.model.rollover_s.0).floor();
        let then = each.model.per_task * (1.0 - each.model.slower).powf(rollovers);
        matches!(each.found.verdict, Some(Verdict::Sustainable { rate } | Verdict::BreaksAtRollovers { rate }) if rate > 1.05 * then)
    });
    let not_stable = percent(&searched, Searched::is_not_stable);
    assert!(too_much <= 5.0 && not_stable >= 50.0, "too much {too_much} %, not stable {not_stable} %");
}

#[test]
fn a_system_that_is_scaled_while_it_is_measured_is_not_stable_or_judged_as_it_is_then() {
    let scaled = |per_task, random: &mut Random| SystemModel {
        scaled: (random.between(60.0, 700.0), if random.unit() < 0.5 { 2.0 } else { 0.5 }),
        ..SystemModel::stalling(per_task)
    };
    let searched = all(6, scaled);
    let wrong = percent(&searched, |each| {
        let (scaled_s, times) = each.model.scaled;
        let now = each.capacity * if each.took_s >= scaled_s { times } else { 1.0 };
        // What `capacity` measures is scaled for most of its time.
        let now = if scaled_s < 3_000.0 { now / (times + (1.0 - times) * scaled_s / 3_000.0) } else { now };
        match each.found.verdict {
            Some(Verdict::NotStable { .. } | Verdict::Undecided { .. }) => false,
            Some(Verdict::Sustainable { rate }) => !(0.90..=1.05).contains(&(rate / now)),
            _ => true,
        }
    });
    let not_stable = percent(&searched, Searched::is_not_stable);
    assert!(wrong <= 5.0 && not_stable >= 30.0, "wrong {wrong} %, not stable {not_stable} %");
}

#[test]
fn a_limit_of_the_generator_is_always_named() {
    let limited = |per_task, random: &mut Random| SystemModel {
        generator: per_task * random.between(0.1, 0.75),
        ..match random.unit() {
            kind if kind < 0.3 => SystemModel::steady(per_task),
            kind if kind < 0.6 => SystemModel::stalling(per_task),
            _ => SystemModel::rolling(per_task, 300.0),
        }
    };
    for each in all(7, limited) {
        let Some(Verdict::GeneratorLimited { above, limit }) = each.found.verdict else {
            panic!("seed {}: {:?} of {:?}", each.seed, each.found.verdict, each.model);
        };
        assert_eq!(limit, GeneratorLimit::TooSlow);
        let share = above / each.model.generator;
        assert!(share > 0.8 && share < 1.1, "seed {}: {share} of the generator's rate", each.seed);
        assert!(
            above < each.capacity * 1.02,
            "seed {}: above {above}, capacity {}",
            each.seed,
            each.capacity
        );
    }
}

#[test]
fn a_generator_that_cannot_confirm_the_capacity_is_named_and_its_rate_is_not_sold() {
    // Enough to saturate, and not enough for the cross-check.
    let barely = |per_task, random: &mut Random| SystemModel {
        generator: per_task * random.between(1.0, 1.03),
        ..SystemModel::steady(per_task)
    };
    for each in all(10, barely) {
        let Some(Verdict::GeneratorLimited { above, .. }) = each.found.verdict else {
            panic!("seed {}: {:?}", each.seed, each.found.verdict);
        };
        assert!(
            above < 1.03 * each.capacity,
            "seed {}: above {above}, capacity {}",
            each.seed,
            each.capacity
        );
    }
}

#[test]
fn a_quick_search_is_over_in_minutes_and_never_far_too_high() {
    for kind in 0..2_u64 {
        for number in 0..SYSTEMS {
            let seed = (8 + kind) * 1_000_003 + number;
            let mut random = Random::new(seed);
            let per_task = 3_000.0 * 100_f64.powf(random.unit());
            let model = match kind {
                0 => SystemModel::steady(per_task),
                _ => SystemModel::rolling(per_task, 45.0),
            };
            let settings = Settings { budget_s: 300.0, ..Settings::quick(model.rollover_s.0, 300.0) };
            let (found, took_s) = search(&model, seed, settings);
            assert!(took_s <= 302.0, "seed {seed}: {took_s} s");
            let capacity = System::capacity_per_s(&model, seed);
            if let Some(Verdict::Sustainable { rate }) = found.verdict {
                assert!(rate < 1.2 * capacity, "seed {seed}: {}", rate / capacity);
            }
        }
    }
}

#[test]
fn the_check_takes_as_long_as_is_said_when_it_begins() {
    let kinds: [fn(f64) -> SystemModel; 4] = [
        SystemModel::steady,
        |per_task| SystemModel::rolling(per_task, 300.0),
        |per_task| SystemModel::handing_over(per_task, 60.0, 12.0),
        |per_task| SystemModel::handing_over(per_task, 150.0, 40.0),
    ];
    for (kind, make) in kinds.into_iter().enumerate() {
        // How long each took, as a share of the shortest time that was said.
        let mut shares = Vec::new();
        for seed in 0..10 {
            let model = make(20_000.0);
            let settings = Settings {
                segment_rows: model.segment.0,
                ..Settings::thorough(model.rollover_s.0, BUDGET_S)
            };
            let block_s = settings.block_s;
            let mut said = None;
            let (_, over_s) = search_and_watch(&model, seed, settings, |search, at_s| {
                if search.phase() == Phase::CrossCheck && said.is_none() {
                    said = Some((at_s, search.time_left_s(at_s)));
                }
            });
            let Some((began_s, (least_s, most_s))) = said else { continue };
            let took_s = over_s - began_s;
            shares.push(took_s / least_s);
            // What is known of a segment's time is as good as the capacity.
            assert!(
                (0.9 * least_s - block_s..=most_s + block_s).contains(&took_s),
                "kind {kind}, seed {seed}: {took_s} s, and {least_s} to {most_s} were said"
            );
        }
        let shortest = shares.iter().copied().fold(f64::INFINITY, f64::min);
        assert!(
            shares.len() >= 8 && shortest < 1.3,
            "kind {kind}: {shares:.2?} of the shortest time that was said"
        );
    }
}
