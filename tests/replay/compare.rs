//! Two runs that can be compared: thresholds with their own exit code, the environment in the
//! report, and both reports side by side.

use std::path::Path;

use serde_json::{Value, json};

use crate::common::{FREE_PORTS, Finished, Running, SAMPLE, replay, run, tweet, write};

fn run_with(arguments: &[&str]) -> Finished {
    run(&[&[SAMPLE, "--speedup", "max"][..], FREE_PORTS, arguments].concat())
}

/// A report of the sample, in a file of `dir`.
fn saved(dir: &Path, name: &str, file: &str, arguments: &[&str]) -> String {
    let path = dir.join(name).to_str().unwrap().to_owned();
    let finished = run(&[&[file, "--json", &path, "--label", name], FREE_PORTS, arguments].concat());
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    path
}

#[test]
fn a_threshold_that_is_crossed_ends_with_4_and_is_named_everywhere() {
    let (report, code) = replay(
        SAMPLE,
        &[
            "--speedup",
            "max",
            "--fail-if",
            "delivered >= 6000",
            "--fail-if",
            "failed>0",
            "--fail-if",
            "rate<1/h",
        ],
    );
    assert_eq!((code, &report["exit_code"], &report["verdict"]), (4, &json!(4), &json!("balanced")));
    assert_eq!(
        report["thresholds"][0],
        json!({"expression": "delivered >= 6000", "value": 6_000.0, "failed": true, "not_measured": null})
    );
    assert_eq!(
        (&report["thresholds"][1]["value"], &report["thresholds"][1]["failed"]),
        (&json!(0.0), &json!(false))
    );
    assert_eq!(report["thresholds"][2]["failed"], false);
    assert_eq!(report["thresholds"][2]["value"], report["pace"]["rate_per_s"]);

    let finished = run_with(&["--fail-if", "delivered>=6000", "--fail-if", "failed>0"]);
    assert_eq!(finished.code, 4);
    let line = |words: &str| finished.stdout.lines().find(|line| line.contains(words)).unwrap().to_owned();
    assert!(line("delivered>=6000").contains("FAILED: 6,000"), "{}", finished.stdout);
    assert!(line("failed>0").contains("held: 0"), "{}", finished.stdout);
    assert!(finished.stderr.contains("--fail-if delivered>=6000: it was 6,000"), "{}", finished.stderr);
    let last = finished.stdout.lines().last().unwrap();
    assert!(
        last.starts_with("failed: delivered>=6000; every tweet accounted for: ")
            && last.contains("exit code 4"),
        "{last}"
    );
}

#[test]
fn thresholds_that_hold_change_nothing_and_what_was_not_measured_does_not_pass() {
    let finished = run_with(&["--json", "-", "--fail-if", "lag.p99>1us", "--fail-if", "memory>1000GiB"]);
    assert_eq!(finished.code, 4, "{}", finished.stderr);
    let report = finished.report();
    let why = "lag is not measured at --speedup max";
    assert_eq!(
        report["thresholds"][0],
        json!({"expression": "lag.p99>1us", "value": null, "failed": true, "not_measured": why}),
        "full speed has no schedule"
    );
    assert_eq!(report["thresholds"][1]["value"], report["memory"]["own_mib"]);
    assert_eq!(report["thresholds"][1]["failed"], false);
    let line = finished.stderr.lines().find(|line| line.contains("fail if    lag.p99>1us")).unwrap();
    assert!(line.ends_with(&format!("SKIPPED: {why}")), "{line}");

    let (paced, code) =
        replay(SAMPLE, &["--fit", "300ms", "--fail-if", "lag.max>=0", "--fail-if", "acked.p50<=0"]);
    assert_eq!(
        (code, &paced["thresholds"][0]["failed"]),
        (4, &json!(true)),
        "with a schedule it is measured"
    );
    assert_eq!(paced["thresholds"][1]["value"], paced["hops"]["kafka"]["acked_ms"]["p50"]);
}

#[test]
fn a_mistyped_threshold_is_a_usage_error_before_anything_starts() {
    let dir = tempfile::tempdir().unwrap();
    let json = dir.path().join("report.json");
    for (wrong, words) in [
        ("lagp99>500ms", "lag.p99"),
        ("lag.p99>500", "500ms"),
        ("lag.p99", "lag.p99>500ms"),
        ("failed>many", "a number"),
    ] {
        let finished = run_with(&["--json", json.to_str().unwrap(), "--fail-if", wrong]);
        assert_eq!(finished.code, 2, "{wrong}: {}", finished.stderr);
        assert!(finished.stderr.contains(words), "{wrong}: {}", finished.stderr);
        assert_eq!(finished.stdout, "");
    }
    assert!(!json.exists());
    let help = run(&["--help"]).stdout;
    for metric in
        ["rate<900/s", "lag.p50|p90|p99|p999|max", "acked.p50", "cpu.feed", "memory.resident", "mqtt_lost"]
    {
        assert!(help.contains(metric), "{metric} is missing in --help");
    }
}

#[test]
fn an_unbalanced_run_ends_with_3_and_a_stopped_one_with_4_when_a_threshold_is_crossed() {
    let dir = tempfile::tempdir().unwrap();
    let file = write(dir.path(), "long.jsonl", tweet(1, 7, 0, &"long ".repeat(1_000)));
    // librdkafka refuses a longer message.
    let refused = ["--speedup", "max", "-X", "message.max.bytes=2000", "--fail-if", "failed>0"];
    let (report, code) = replay(&file, &refused);
    assert_eq!((code, &report["verdict"]), (3, &json!("unbalanced")));
    assert_eq!(
        (&report["thresholds"][0]["value"], &report["thresholds"][0]["failed"]),
        (&json!(1.0), &json!(true))
    );

    let mut running = Running::start(
        &[&[SAMPLE, "--speedup", "1x", "--fail-if", "delivered<6000", "--hold"][..], FREE_PORTS].concat(),
    );
    running.wait_for("kafka ");
    running.signal("INT");
    let stopped = running.finish();
    assert_eq!(stopped.code, 4, "{}\n{}", stopped.stdout, stopped.stderr);
    assert!(!stopped.stdout.contains("holding:"), "{}", stopped.stdout);
}

#[test]
fn the_report_says_where_and_how_it_was_made_and_keeps_no_secret() {
    let dir = tempfile::tempdir().unwrap();
    let file = write(dir.path(), "a.json", format!("{}\n{}\n", tweet(1, 7, 0, "a"), tweet(2, 7, 1, "b")));
    let secret = ["-X", "sasl.password=geheim", "-Xsasl.password=geheim", "-X", "linger.ms=7"];
    let (report, code) =
        replay(&file, &[&["--speedup", "max", "--label", "with a secret"], &secret[..]].concat());
    assert_eq!((code, &report["label"]), (0, &json!("with a secret")));
    assert!(!report.to_string().contains("geheim"), "{report}");
    let environment = &report["environment"];
    let command: Vec<&str> =
        environment["command"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    assert_eq!(&command[..2], ["tweetblast", &file]);
    assert_eq!(
        &command[command.len() - 5..],
        ["-X", "sasl.password=***", "-Xsasl.password=***", "-X", "linger.ms=7"]
    );
    assert_eq!(report["tweetblast_version"], env!("CARGO_PKG_VERSION"));
    assert!(environment["rustc"].as_str().unwrap().starts_with("rustc 1."));
    assert!(environment["librdkafka"].as_str().unwrap().starts_with("2."), "{environment}");
    assert!(environment["cores"].as_u64().unwrap() > 0 && environment["memory_mib"].as_f64().unwrap() > 0.0);

    let hash = |bytes: &[u8]| json!(format!("crc32c:{:08x}", crc32c::crc32c(bytes)));
    let bytes = std::fs::read(&file).unwrap();
    assert_eq!(environment["input_hash"], hash(&bytes));
    let other = write(dir.path(), "b.json", format!("{}\n", tweet(3, 7, 2, "c")));
    let both = run(&[&[&file, &other, "--speedup", "max", "--json", "-"][..], FREE_PORTS].concat()).report();
    let all = [bytes, std::fs::read(&other).unwrap()].concat();
    assert_eq!(both["environment"]["input_hash"], hash(&all), "of several files, one after the other");
}

#[test]
fn two_reports_are_put_side_by_side_with_their_differences() {
    let dir = tempfile::tempdir().unwrap();
    let a = saved(dir.path(), "before.json", SAMPLE, &["--speedup", "max", "-q"]);
    let b = saved(dir.path(), "after.json", SAMPLE, &["--speedup", "max"]);
    let compared = run(&["compare", &a, &b]);
    assert_eq!((compared.code, compared.stderr.as_str()), (0, ""));
    let line = |name: &str| -> Vec<&str> {
        let mut lines = compared.stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        lines
            .find(|words| words.first() == Some(&name))
            .unwrap_or_else(|| panic!("{name}: {}", compared.stdout))
    };
    assert_eq!(line("label"), ["label", "before.json", "after.json"]);
    assert_eq!(line("requested"), ["requested", "--speedup", "max", "--speedup", "max"]);
    assert_eq!(line("delivered"), ["delivered", "6,000", "6,000", "same"]);
    let number = |path: &str, pointer: &str| {
        let report: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        report.pointer(pointer).unwrap().as_f64().unwrap()
    };
    let [cpu_a, cpu_b] = [&a, &b].map(|path| number(path, "/cpu/us_per_tweet"));
    let per_cent = match cpu_a == cpu_b {
        true => "same".to_owned(),
        false => format!("{:+.1} %", (cpu_b - cpu_a) / cpu_a * 100.0),
    };
    assert!(line("cpu").join(" ").ends_with(&format!(" µs {per_cent}")), "{:?}", line("cpu"));
    assert!(
        compared.stdout.contains("\ncomparable: the same input, machine and command\n"),
        "{}",
        compared.stdout
    );
    assert!(!compared.stdout.contains("not comparable") && !compared.stdout.contains("lag.p99"));
}

#[test]
fn what_keeps_two_runs_from_being_compared_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let small = write(dir.path(), "small.jsonl", format!("{}\n", tweet(1, 7, 0, "a")));
    let a = saved(dir.path(), "a.json", SAMPLE, &["--speedup", "max"]);
    let b = saved(dir.path(), "b.json", &small, &["--rate", "1000/s"]);
    let mut report: Value = serde_json::from_slice(&std::fs::read(&b).unwrap()).unwrap();
    report["environment"]["cpu_model"] = json!("Abacus 1");
    std::fs::write(&b, report.to_string()).unwrap();
    let compared = run(&["compare", &a, &b]);
    assert_eq!(compared.code, 0, "{}", compared.stderr);
    for words in
        ["another input: A crc32c:", "another machine: A", "B Abacus 1, ", "another command:", "1000/s"]
    {
        assert!(compared.stdout.contains(words), "{words}: {}", compared.stdout);
    }
    let counts = compared.stdout.lines().find(|line| line.trim_start().starts_with("delivered ")).unwrap();
    assert!(counts.ends_with("-100.0 %"), "{counts}");
}

#[test]
fn a_file_that_is_not_a_report_is_one_clear_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str, bytes: &[u8]| write(dir.path(), name, bytes);
    let missing = dir.path().join("missing.json").to_str().unwrap().to_owned();
    for (file, words) in [
        (missing.as_str(), "cannot open"),
        (&path("text.json", b"no report"), "it is not JSON"),
        (&path("empty.json", b""), "it is not JSON"),
        (&path("other.json", b"{\"run\": 1}"), "is JSON, but not a report of a replay"),
        (SAMPLE, "not a report of a replay"),
        (dir.path().to_str().unwrap(), "cannot be read"),
    ] {
        for arguments in [["compare", file, SAMPLE], ["compare", file, file]] {
            let finished = run(&arguments);
            assert_eq!((finished.code, finished.stdout.as_str()), (1, ""), "{file}: {}", finished.stderr);
            assert!(finished.stderr.contains(words) && finished.stderr.contains(file), "{}", finished.stderr);
            assert_eq!(finished.stderr.lines().count(), 1, "{}", finished.stderr);
        }
    }
    assert_eq!(run(&["compare", SAMPLE]).code, 2, "two are needed");
}

/// The document that a command writes with `--json -`, which is as its schema says.
fn document(arguments: &[&str], schema: &str) -> (Value, i32) {
    let finished = run(&[arguments, &["--json", "-"]].concat());
    let document = finished.report();
    let validator = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{arguments:?}: {errors:#?}");
    (document, finished.code)
}

#[test]
fn a_comparison_and_what_the_doctor_finds_can_be_had_as_json() {
    let dir = tempfile::tempdir().unwrap();
    let small = write(dir.path(), "small.json", tweet(1, 5, 0, "a"));
    let (a, b) = (saved(dir.path(), "a.json", &small, &[]), saved(dir.path(), "b.json", &small, &[]));
    let schema = include_str!("../../docs/compare.schema.json");
    let (compared, code) = document(&["compare", &a, &b], schema);
    assert_eq!((code, &compared["comparable"], &compared["a"]["label"]), (0, &json!(true), &json!("a.json")));
    let delivered =
        compared["metrics"].as_array().unwrap().iter().find(|metric| metric["name"] == "delivered");
    let same = json!({"name": "delivered", "a": 1.0, "b": 1.0, "change_percent": 0.0, "low_percent": null,
        "high_percent": null, "beyond_noise": null});
    assert_eq!(delivered, Some(&same));
    // To a file, and not over one that is there.
    let out = dir.path().join("out.json").to_str().unwrap().to_owned();
    assert_eq!(run(&["compare", &a, &b, "--json", &out]).code, 0);
    assert_eq!(serde_json::from_slice::<Value>(&std::fs::read(&out).unwrap()).unwrap(), compared);
    assert_eq!(run(&["compare", &a, &b, "--json", &out]).code, 1);
    assert_eq!(run(&["compare", &a, &b, "--json", &a, "--force"]).code, 2);

    let schema = include_str!("../../docs/doctor.schema.json");
    let (found, code) = document(&[&["doctor"][..], FREE_PORTS].concat(), schema);
    assert_eq!((code, &found["ok"]), (0, &json!(true)), "{found}");
    assert!(found["checks"].as_array().unwrap().iter().all(|check| check["state"] == "ok"), "{found}");
    let (found, code) = document(&["doctor", "--kafka", "127.0.0.1:9", "--mqtt", "off"], schema);
    assert_eq!((code, &found["ok"]), (1, &json!(false)), "{found}");
    assert_eq!(found["checks"][0]["state"], "skipped");
}
