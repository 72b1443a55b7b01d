//! The search over what a real Druid was seen to do: Druid 33 on two cores, one task of five minutes, which stops reading
//! each time that it has read 5 million rows. Overload: means of 10 s, from the reports of searches on 2026-11-30; it stops for
//! 20 s, on a slower machine for 40 s. Rates that were held for 7 or 10 minutes (`perf/find-max --held --record`): by second, on such a machine,
//! where it stops for 40 to 60 s and takes 21,000 to 24,000 rows per second in the long run.

use std::io::{BufRead, BufReader};

use flate2::read::GzDecoder;
use serde_json::Value;

use super::blocks::Sample;
use super::found::{Capacity, HoldEnd};
use super::search::{Order, Search};
use super::settings::Settings;
use super::stats::Estimate;

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

#[test]
fn where_a_task_has_time_for_two_segments_the_capacity_is_that_of_whole_tasks() {
    let capacity = capacity(include_str!("../../tests/data/find-max/overload-3.json"));
    // Two segments and their pauses take each task's 300 s: 33,300 to 35,000 rows per second.
    assert!(capacity.of_tasks && (34_000.0..34_700.0).contains(&capacity.per_s.value), "{capacity:?}");
    assert!(capacity.per_s.relative() < 0.07, "{capacity:?}");
}

/// How the search takes a rate that is held for so long at most, as if what such a machine takes had been measured before.
fn end_of_hold(rate: f64, longest_s: f64, recorded: &[u8]) -> Option<HoldEnd> {
    let per_s = Estimate { value: 24_000.0, half_width: 1_000.0 };
    let capacity =
        Capacity { per_s, of_tasks: false, with_rollovers_per_s: per_s.value, blocks: 0, warm_up: 0 };
    let settings = Settings::thorough(300.0, 3_600.0);
    let hold_s = (settings.hold_s.0, longest_s);
    let mut search =
        Search::from_capacity(Settings { hold_s, segment_rows: 5e6, ..settings }, capacity, rate);
    let lines = BufReader::new(GzDecoder::new(recorded)).lines();
    for line in lines.skip(1) {
        let sample: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let count = |key: &str| sample[key].as_u64().unwrap();
        // All were acknowledged within a quarter of a second after they were due.
        search.observe(&Sample {
            at_s: sample["at_s"].as_f64().unwrap(),
            intended: count("intended"),
            acked: count("intended"),
            processed: count("processed"),
            queryable: count("queryable"),
            rolling: sample["rolling"].as_bool().unwrap(),
            rollovers: count("rollovers"),
            ..Sample::default()
        });
    }
    search.found().holds.first().map(|hold| hold.end)
}

#[test]
fn rates_that_a_real_druid_was_given_are_held_below_its_limit_and_refused_above() {
    let held = include_bytes!("../../tests/data/find-max/backlog-15000.jsonl.gz");
    assert_eq!(end_of_hold(15_000.0, 590.0, held), Some(HoldEnd::Held));
    // At this rate one pause takes longer to catch up than it is until the next.
    let limit = include_bytes!("../../tests/data/find-max/backlog-22000.jsonl.gz");
    assert_eq!(end_of_hold(22_000.0, 410.0, limit), Some(HoldEnd::Growing));
    let grows = include_bytes!("../../tests/data/find-max/backlog-31000.jsonl.gz");
    // It goes on until the last pause is over, which the recording does not show.
    assert_eq!(end_of_hold(31_000.0, 290.0, grows), Some(HoldEnd::Growing));
}
