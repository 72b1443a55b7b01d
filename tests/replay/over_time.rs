//! What a report keeps of time: the series, profiles, the warm-up, runs that are repeated.

use std::time::Duration;

use serde_json::Value;

use crate::common::{FREE_PORTS, Running, SAMPLE, replay, run};

fn numbers(list: &Value) -> Vec<u64> {
    list.as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect()
}

/// Kafka is stopped for 5 s while 400 tweets per second are sent for 15 s.
#[test]
fn a_kafka_that_stops_for_five_seconds_is_in_the_series_the_percentiles_and_the_maximum() {
    let (per_s, tweets) = (400.0, 6_000.0);
    let mut kafka = Running::start(&["serve", "--mqtt", "off", "--kafka-listen", "127.0.0.1:0"]);
    let address = kafka.wait_for("Kafka ").split_whitespace().nth(1).unwrap().to_owned();
    let flags = ["--rate", "400/s", "--mqtt", "off", "--kafka", &address, "--json", "-"];
    let sending = Running::start(&[&[SAMPLE][..], &flags].concat());
    std::thread::sleep(Duration::from_secs(5));
    kafka.signal("STOP");
    std::thread::sleep(Duration::from_secs(5));
    kafka.signal("CONT");
    let report = sending.finish().report();
    assert_eq!(report["verdict"], "balanced", "{report:#}");

    let series = &report["series"];
    assert_eq!(series["every_s"], 1);
    let (published, delivered) = (numbers(&series["published"]), numbers(&series["delivered"]));
    // The longest run of seconds in which tweets were sent and none was acknowledged.
    let silent = published.iter().zip(&delivered).map(|(sent, acked)| *sent > 0 && *acked == 0);
    let (longest, _) = silent.fold((0, 0), |(longest, now): (usize, usize), silent| {
        let now = if silent { now + 1 } else { 0 };
        (longest.max(now), now)
    });
    assert!(longest >= 4, "a stop of 5 s has 4 whole seconds in it: {delivered:?}");
    // All of this is the report's own time: a tweet sent as the silence began waited for all of it, and the slowest of 100
    // are those that were sent within the following tweets / 100 / rate seconds.
    let silence_s = longest as f64;
    let acked = |key: &str| report["hops"]["kafka"]["acked_ms"][key].as_f64().unwrap() / 1e3;
    assert!(acked("max") > silence_s - 1.0, "{longest} s: {report:#}");
    assert!(acked("p99") > silence_s - 1.0 - tweets / 100.0 / per_s, "{longest} s: {report:#}");
    let slowest = series["acked_max_ms"].as_array().unwrap();
    let slowest = slowest.iter().filter_map(Value::as_f64).fold(0.0, f64::max);
    assert_eq!(slowest / 1e3, acked("max"), "the series has the maximum");
    let in_flight = numbers(&series["in_flight"]).into_iter().max().unwrap();
    assert!(in_flight as f64 > (silence_s - 1.0) * per_s * 0.5, "{in_flight} in flight");
}

#[test]
fn a_profile_sends_what_its_rates_add_up_to_and_ends() {
    let profile = "ramp 100/s..500/s 2s; hold 1s; spike 1k/s 500ms; step 100/s..300/s by 100/s each 500ms";
    let (report, code) = replay(SAMPLE, &["--profile", profile, "--arrivals", "even"]);
    assert_eq!((code, &report["verdict"]), (0, &"balanced".into()), "{report:#}");
    let sent = report["ledger"]["published"].as_u64().unwrap();
    assert_eq!(sent, 600 + 500 + 500 + 300);
    assert_eq!(report["ledger"]["skipped_by"]["duration"], 6_000 - sent, "the profile is over");
    let phases = report["phases"].as_array().unwrap();
    let tweets: Vec<u64> = phases.iter().map(|phase| phase["tweets"].as_u64().unwrap()).collect();
    assert_eq!(tweets, [600, 500, 500, 50, 100, 150]);
    let names: Vec<&str> = phases.iter().map(|phase| phase["name"].as_str().unwrap()).collect();
    assert_eq!(names[..3], ["ramp 100/s..500/s", "hold 500/s", "spike 1,000/s"]);
    assert!(
        phases.iter().all(|phase| phase["acked_ms"]["p50"].is_number() && phase["lag_ms"]["max"].is_number())
    );
    let requested = report["pace"]["requested"].as_str().unwrap();
    assert!(
        requested.starts_with("--profile 'ramp 100/s..500/s 2s; hold 1s; spike 1000/s 500ms;"),
        "{requested}"
    );
    assert_eq!(numbers(&report["series"]["intended"]).iter().sum::<u64>(), sent);
}

#[test]
fn random_arrivals_send_all_and_a_warmup_is_in_no_figure() {
    let flags = ["--rate", "3k/s", "--arrivals", "poisson:7", "--warmup", "500ms"];
    let (report, code) = replay(SAMPLE, &flags);
    assert_eq!((code, &report["ledger"]["published"]), (0, &6_000.into()), "{report:#}");
    let [warmup, rest] = &report["phases"].as_array().unwrap()[..] else { panic!("{report:#}") };
    let tweets = |phase: &Value| phase["tweets"].as_u64().unwrap();
    assert_eq!((warmup["is_warmup"].as_bool(), tweets(warmup) + tweets(rest)), (Some(true), 6_000));
    // 1,500 on average, with a standard deviation of 39: the seed decides.
    assert!((1_300..1_700).contains(&tweets(warmup)), "{warmup}");
    assert_eq!((&report["pace"]["warmup_s"], &report["pace"]["lag_ms"]), (&0.5.into(), &rest["lag_ms"]));
    assert_eq!(report["hops"]["kafka"]["acked_ms"], rest["acked_ms"]);
}

#[test]
fn a_run_that_is_repeated_writes_a_report_for_each_and_they_can_be_compared() {
    let dir = tempfile::tempdir().unwrap();
    let name = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    for side in ["a", "b"] {
        let json = name(&format!("{side}-{{number}}.json"));
        let flags = [SAMPLE, "--speedup", "max", "--repeat", "2", "--json", &json];
        let finished = run(&[&flags[..], FREE_PORTS].concat());
        assert_eq!(finished.code, 0, "{}", finished.stderr);
    }
    let [a1, a2, b1, b2] = ["a-1.json", "a-2.json", "b-1.json", "b-2.json"].map(&name);
    let compared = run(&["compare", &a1, &a2, "--fail-if", "delivered<-1%", "--", &b1, &b2]);
    assert_eq!(compared.code, 0, "{}", compared.stderr);
    for words in ["comparable: the same input", "too short to compare: A ", "fail if delivered<-1%: held"] {
        assert!(compared.stdout.contains(words), "{words}: {}", compared.stdout);
    }
    let json = run(&["compare", "--json", "-", &a1, &a2, "--", &b1, &b2]).report();
    let runs: Vec<&Value> = json["a_runs"].as_array().unwrap().iter().map(|run| &run["run"]).collect();
    assert!(runs.len() == 2 && runs[0] != runs[1], "{runs:?}");
    assert_eq!(run(&["compare", &a1, &a2, &b1]).code, 2, "which side is it?");
    let markdown = run(&["compare", "--markdown", "--fail-if", "delivered>+1%", &a1, &b1]);
    assert!(markdown.code == 0 && markdown.stdout.starts_with("| figure | A | B |"), "{}", markdown.stdout);
    let missing = run(&[SAMPLE, "--repeat", "2", "--json", &name("one.json")]);
    assert!(missing.code == 2 && missing.stderr.contains("run-{number}.json"), "{}", missing.stderr);
}
