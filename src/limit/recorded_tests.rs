//! The search over overload as a real Druid was seen to take it: Druid 33 on two cores, one task of five minutes, which stops reading
//! for 20 s each time that it has read 5 million rows. Means of 10 s, from the reports of two searches on 2026-11-30.

use serde_json::Value;

use super::blocks::Sample;
use super::found::Capacity;
use super::search::{Order, Search};
use super::settings::Settings;

const SEARCHES: [&str; 2] = [
    include_str!("../../tests/data/find-max/overload-1.json"),
    include_str!("../../tests/data/find-max/overload-2.json"),
];

/// A sample per second of what was acknowledged, of which this many rows wait at least, and processed.
fn samples(recorded: &Value) -> Vec<Sample> {
    const WAIT: f64 = 500_000.0;
    let number = |value: &Value| value.as_f64().unwrap();
    let rollovers: Vec<f64> = recorded["rollovers_at_s"].as_array().unwrap().iter().map(number).collect();
    let (mut acked, mut processed) = (WAIT, 0.0);
    let mut samples = Vec::new();
    for row in recorded["rows"].as_array().unwrap() {
        let row: Vec<f64> = row.as_array().unwrap().iter().map(number).collect();
        let [from_s, to_s, acked_per_s, processed_per_s, rolling] = row[..] else { panic!("{row:?}") };
        for second in 1..=(to_s - from_s).round() as u32 {
            (acked, processed) = (acked + acked_per_s, processed + processed_per_s);
            let at_s = from_s + f64::from(second);
            samples.push(Sample {
                at_s,
                acked: acked as u64,
                processed: processed as u64,
                queryable: processed as u64,
                rolling: rolling > 0.0,
                rollovers: rollovers.iter().filter(|rollover_s| **rollover_s <= at_s).count() as u64,
                ..Sample::default()
            });
        }
    }
    samples
}

fn capacity(recorded: &str) -> Capacity {
    let recorded: Value = serde_json::from_str(recorded).unwrap();
    let number = |key: &str| recorded[key].as_f64().unwrap();
    let settings = Settings::thorough(number("task_duration_s"), 3_600.0);
    let mut search = Search::new(Settings { segment_rows: number("segment_rows"), ..settings }, Vec::new());
    for sample in samples(&recorded) {
        if search.observe(&sample) == Order::Drain {
            break;
        }
    }
    search.found().capacity.unwrap_or_else(|| panic!("{:?}", search.found().verdict))
}

#[test]
fn two_searches_of_a_real_druid_find_the_same_capacity() {
    let [first, second] = SEARCHES.map(capacity);
    let mean = (first.per_s.value + second.per_s.value) / 2.0;
    assert!((first.per_s.value - second.per_s.value).abs() <= 0.05 * mean, "{first:?} {second:?}");
    for capacity in [first, second] {
        assert!(capacity.per_s.relative() <= 0.06, "{capacity:?}");
        // The pauses are in it: between them 70,000 rows per second are taken.
        assert!((50_000.0..58_000.0).contains(&capacity.per_s.value), "{capacity:?}");
    }
}
