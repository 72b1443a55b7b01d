//! The hold over the backlog of a real Druid, second by second, as `perf/find-max --record` writes it.

use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use serde_json::Value;

use super::blocks::Sample;
use super::found::HoldEnd;
use super::search::Search;
use super::settings::Settings;

/// Shares of the capacity at which a rate is held, and at which it is not.
const HELD: f64 = 0.90;
const NOT_HELD: f64 = 1.05;

fn sample(line: &Value) -> Sample {
    let count = |key: &str| line[key].as_u64().unwrap();
    Sample {
        at_s: line["at_s"].as_f64().unwrap(),
        intended: count("intended"),
        // Kafka was no limit: what was due had been acknowledged.
        acked: count("intended"),
        processed: count("processed"),
        queryable: count("queryable"),
        rolling: line["rolling"].as_bool().unwrap(),
        rollovers: count("rollovers"),
        ..Sample::default()
    }
}

#[test]
#[ignore = "needs a recording: perf/find-max --record"]
fn a_recorded_rate_is_held_below_the_capacity_and_grows_above_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/find-max");
    let mut judged = 0;
    for file in std::fs::read_dir(folder).expect("perf/find-max --record makes it") {
        let path = file.unwrap().path();
        let mut text = String::new();
        GzDecoder::new(std::fs::File::open(&path).unwrap()).read_to_string(&mut text).unwrap();
        let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let head = lines.next().unwrap();
        let (rate, share) = (head["rate_per_s"].as_f64().unwrap(), head["share"].as_f64().unwrap());
        let mut samples = lines.map(|line| sample(&line));
        let mut search = Search::holding(Settings::thorough(300.0, 3_600.0), rate, &samples.next().unwrap());
        let hold = samples.find_map(|sample| {
            search.observe(&sample);
            search.found().holds.first().cloned()
        });
        let hold = hold.expect("20 minutes are enough for a hold");
        match share {
            share if share <= HELD => assert_eq!(hold.end, HoldEnd::Held, "{}: {hold:?}", path.display()),
            share if share >= NOT_HELD => {
                assert_eq!(hold.end, HoldEnd::Growing, "{}: {hold:?}", path.display())
            }
            _ => {}
        }
        judged += 1;
    }
    assert!(judged >= 3, "{judged} recordings");
}
