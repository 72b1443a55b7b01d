use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, LogNormal, Normal};
use serde_json::{Value, json};

use super::*;
use crate::report::REPORT_VERSION;

fn saved(name: &str, mut json: Value) -> SavedReport {
    json["report_version"] = REPORT_VERSION.into();
    json["run"] = name.into();
    SavedReport::read(name, json.to_string().as_bytes()).unwrap()
}

#[test]
fn changes_are_in_percent_of_the_first() {
    let report = |name: &str, failed: u32| saved(name, json!({"pace": {}, "ledger": {"failed": failed}}));
    let compared = Comparison::of(&[report("x", 4)], &[report("y", 5)], &[]);
    let failed = &compared.metrics[0];
    assert_eq!(
        (failed.name, failed.a, failed.b, failed.change_percent),
        ("failed", Some(4.0), Some(5.0), Some(25.0))
    );
    assert_eq!((failed.low_percent, failed.beyond_noise), (None, None), "one run a side has no noise");
    assert_eq!((&*compared.a.file, &*compared.b.run, &compared.b.label), ("x", "y", &None));
    assert!(!compared.comparable && compared.differences.iter().any(|words| words.contains("input")));
    let from_nothing = Comparison::of(&[report("x", 0)], &[report("y", 5)], &[]);
    assert_eq!(from_nothing.metrics[0].change_percent, None);
}

/// A run as one on a shared machine: CPU within 1 %, its parts within 2 %, latencies with long tails.
fn noisy(random: &mut ChaCha8Rng, name: &str, cpu_times: f64) -> SavedReport {
    let mut about = |mean: f64, share: f64| Normal::new(mean, mean * share).unwrap().sample(&mut *random);
    let cpu = about(4.2, 0.01) * cpu_times;
    let hop = |us: f64, blocked: f64| json!({"cpu_us_per_tweet": us, "blocked_s": blocked});
    let mut report = json!({
        "pace": {"rate_per_s": about(20_000.0, 0.000_1), "duration_s": about(60.0, 0.000_1),
            "delivered_after_s": about(60.1, 0.000_1)},
        "cpu": {"us_per_tweet": cpu},
        "hops": {"feed": hop(about(1.1, 0.02), about(50.0, 0.02)), "pace": hop(about(0.9, 0.02), about(0.2, 0.1)),
            "mqtt": hop(about(0.8, 0.02), about(0.1, 0.2)), "kafka": hop(about(1.2, 0.02), 0.0)},
        "memory": {"own_mib": about(90.0, 0.02), "resident_mib": about(120.0, 0.02)},
        "ledger": {"tweets": 1_200_000, "delivered": 1_200_000, "failed": 0},
    });
    for place in ["/pace/lag_ms", "/hops/kafka/acked_ms"] {
        let mut tail =
            |median: f64, width: f64| LogNormal::new(median.ln(), width).unwrap().sample(&mut *random);
        let latency = json!({"p50": tail(1.0, 0.05), "p90": tail(2.0, 0.1), "p99": tail(8.0, 0.3),
            "p999": tail(20.0, 0.5), "max": tail(60.0, 0.8)});
        let (parent, key) = place.rsplit_once('/').unwrap();
        report.pointer_mut(parent).unwrap()[key] = latency;
    }
    saved(name, report)
}

/// Twenty comparisons of five runs a side; B needs this many times the CPU of A.
fn changed_figures(cpu_times: f64) -> Vec<Vec<&'static str>> {
    let mut random = ChaCha8Rng::seed_from_u64(24);
    let mut side = |name: &str, times: f64| -> Vec<SavedReport> {
        (0..5).map(|_| noisy(&mut random, name, times)).collect()
    };
    (0..20)
        .map(|_| {
            let (a, b) = (side("a", 1.0), side("b", cpu_times));
            let compared = Comparison::of(&a, &b, &[]);
            let changed = compared.metrics.iter().filter(|metric| metric.beyond_noise == Some(true));
            changed.map(|metric| metric.name).collect()
        })
        .collect()
}

#[test]
fn of_twenty_pairs_of_unchanged_runs_nothing_is_found_in_at_least_nineteen() {
    let found = changed_figures(1.0);
    let quiet = found.iter().filter(|names| names.is_empty()).count();
    assert!(quiet >= 19, "{quiet}: {found:?}");
}

#[test]
fn five_percent_more_cpu_is_found_in_at_least_nineteen_of_twenty() {
    let found = changed_figures(1.05);
    let right = found.iter().filter(|names| names.contains(&"cpu")).count();
    assert!(right >= 19, "{right}: {found:?}");
    let others = found.iter().flatten().filter(|name| **name != "cpu").count();
    assert!(others <= 1, "{found:?}");
}

#[test]
fn runs_too_short_to_compare_are_named() {
    let run = |name: &str, seconds: f64| saved(name, json!({"pace": {"duration_s": seconds}, "ledger": {}}));
    let compared = Comparison::of(&[run("x", 0.2), run("z", 30.0)], &[run("y", 60.0)], &[]);
    assert_eq!(compared.too_short.len(), 1);
    assert!(
        compared.too_short[0].starts_with("A x") && compared.too_short[0].contains("0.20 s"),
        "{compared:?}"
    );
}

#[test]
fn a_threshold_fails_on_a_change_that_is_beyond_noise_or_was_not_measured() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut side = |name: &str, times: f64| -> Vec<SavedReport> {
        (0..5).map(|_| noisy(&mut random, name, times)).collect()
    };
    let (a, same, more) = (side("a", 1.0), side("b", 1.0), side("b", 1.12));
    let failed = |b: &[SavedReport], expression: &str| {
        let compared = Comparison::of(&a, b, &[expression.parse().unwrap()]);
        assert_eq!(compared.fails(), compared.thresholds[0].failed);
        compared.thresholds[0].failed
    };
    assert!(failed(&more, "cpu>+5%") && failed(&more, "cpu > 5 %"));
    assert!(!failed(&more, "cpu>+20%") && !failed(&same, "cpu>+5%") && !failed(&more, "cpu<-5%"));
    assert!(failed(&same, "queryable.p99>+5%"), "nobody measured it");
    for wrong in ["cpu", "cpu>5", "cpus>+5%", "cpu>+x%", "cpu==5%", "cpu<+5%", "cpu>-5%"] {
        assert!(wrong.parse::<ChangeThreshold>().is_err(), "{wrong}");
    }
}
