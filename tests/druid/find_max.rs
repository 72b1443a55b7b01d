//! `find-max` against a real Druid: it ends, says whose limit it found, and leaves nothing behind.

use serde_json::Value;

use crate::common::{generate, needed, topics, tweetblast};
use crate::stack::Stack;

/// Searches in a datasource of its own; the report, the exit code and standard error.
fn find_max(stack: &Stack, input: &str, arguments: &[&str]) -> (Value, i32, String) {
    let mut command = tweetblast();
    command.args(["find-max", input, "--json", "-", "-t", &stack.name, "--druid", &stack.url]);
    command.args(["--kafka", &stack.kafka]).args(arguments);
    let output = command.output().unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (report, output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// Nothing of the search is left: no supervisor, no topic.
fn assert_dropped(stack: &Stack, search: &Value) {
    let name = search["datasource"].as_str().unwrap();
    assert!(name.starts_with(&format!("{}-max-", stack.name)), "{name}");
    let supervisor = tweetblast::druid::Supervisor::new(stack.client(), name);
    assert_eq!(supervisor.spec().unwrap(), None, "the supervisor is gone");
    assert!(!topics(&stack.kafka).contains(&name.to_owned()), "the topic is gone");
    assert_eq!(
        search["notes"].as_array().unwrap().iter().find(|note| note.to_string().contains("not dropped")),
        None
    );
}

#[test]
#[ignore = "needs a Druid and its Kafka"]
fn an_input_that_is_too_small_is_not_sold_as_the_limit_of_druid() {
    let stack = Stack::new("find-max-small");
    let input = generate(stack.state.path(), "lines", 3_000);
    let (report, code, stderr) = find_max(&stack, &input, &["--loop", "1", "--quick"]);
    assert_eq!(code, 5, "{stderr}\n{report}");
    let search = &report["searches"][0];
    assert_eq!(search["verdict"], "generator_limited");
    assert!(search["words"].as_str().unwrap().contains("the input came to its end"), "{search}");
    assert_eq!(search["sustainable_per_s"], Value::Null);
    assert_dropped(&stack, search);
}

#[test]
#[ignore = "needs a Druid and its Kafka"]
fn a_quick_search_ends_with_a_verdict_and_every_block_and_leaves_nothing_behind() {
    let stack = Stack::new("find-max-quick");
    let input = generate(stack.state.path(), "lines", 20_000);
    let flags = ["--quick", "--task-duration", "1m", "--budget", "100s", "--slo", "queryable.p99<30s"];
    let (report, code, stderr) = find_max(&stack, &input, &flags);
    // Which of them depends on what else runs on this machine.
    assert!([0, 5, 6, 7, 8].contains(&code), "{code}: {stderr}\n{report}");
    assert_eq!(report["exit_code"], code);
    let search = &report["searches"][0];
    let blocks = search["blocks"].as_array().unwrap();
    let saturated = blocks.iter().filter(|block| block["phase"] == "saturate").count();
    assert!(saturated >= 3, "{search}");
    assert!(blocks.iter().all(|block| block["to_s"].as_f64() > block["from_s"].as_f64()), "{search}");
    assert!(search["seconds"].as_f64().unwrap() < 240.0, "{search}");
    assert!(search["acked"].as_u64() >= search["queryable"].as_u64(), "{search}");
    assert_eq!(search["spec"]["spec"]["ioConfig"]["taskDuration"], "PT60S");
    check_schema(&report);
    assert_dropped(&stack, search);
}

#[test]
#[ignore = "needs a Druid and its Kafka"]
fn ctrl_c_shows_what_is_known_and_cleans_up() {
    let stack = Stack::new("find-max-stop");
    let input = generate(stack.state.path(), "lines", 20_000);
    let report = stack.state.path().join("report.json");
    let mut command = tweetblast();
    command.args(["find-max", &input, "--json", report.to_str().unwrap(), "-t", &stack.name, "--quick"]);
    command.args(["--druid", &needed("TWEETBLAST_DRUID"), "--kafka", &stack.kafka]);
    let running = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(30));
    let pid = rustix::process::Pid::from_child(&running);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = running.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stdout));
    let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    assert_eq!(report["searches"][0]["verdict"], "stopped");
    assert_dropped(&stack, &report["searches"][0]);
}

fn check_schema(report: &Value) {
    let schema: Value = serde_json::from_str(include_str!("../../docs/find-max.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> = validator.iter_errors(report).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}
