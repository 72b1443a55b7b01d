//! Failures are named: at the end of a run, before it, and by `doctor`.

use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use serde_json::json;
use tweetblast::druid::Supervisor;

use crate::common::{Running, SAMPLE, run};
use crate::stack::{Stack, TWEETS, cause, check_schema};

#[test]
#[ignore = "needs a Druid and its Kafka"]
fn a_wrong_port_and_a_missing_topic_are_named_before_anything_is_sent() {
    let stack = Stack::new("wrong");
    let (_, code, stderr) = stack.replay_real(&["--druid-kafka", "127.0.0.1:1", "--druid-timeout", "10s"]);
    assert_eq!(code, 1);
    assert!(
        stderr.contains("nothing listens at 127.0.0.1:1") && stderr.contains("--druid-kafka"),
        "{stderr}"
    );

    let elsewhere = format!("/ioConfig/topic={}-nix", stack.name);
    let other = format!("{}-topic", stack.name);
    let arguments = ["--druid-datasource", &other, "--druid-set", &elsewhere, "--druid-timeout", "20s"];
    let (_, code, stderr) = stack.replay_real(&arguments);
    let _ = Supervisor::new(stack.client(), &other).terminate();
    assert_eq!(code, 1);
    assert!(stderr.contains(&format!("has no topic {}-nix", stack.name)), "{stderr}");
}

#[test]
#[ignore = "needs a Druid and its Kafka"]
fn rows_that_druid_does_not_take_are_counted_missing_and_the_cause_is_named() {
    let stack = Stack::new("lost");
    let (report, code, stderr) = stack.replay_real(&["--druid-set", "/dataSchema/timestampSpec/column=nix"]);
    assert_eq!((code, report["verdict"].as_str()), (3, Some("unbalanced")), "{stderr}");
    assert_eq!(cause(&report), "unparseable");
    assert_eq!(report["druid"]["unparseable"], TWEETS);
    assert_eq!(report["druid"]["missing"], json!({"count": TWEETS, "ranges": [[0, TWEETS - 1]]}));
    assert!(
        report["druid"]["causes"][0]["cause"].as_str().unwrap().contains("Timestamp[null]"),
        "{report:#}"
    );
    check_schema(&report);

    // The same supervisor, corrected, with times that are too old for it.
    let late = ["--druid-set", "/ioConfig/lateMessageRejectionPeriod=PT1H", "--timestamp", "event"];
    let (report, code, stderr) = stack.replay_real(&late);
    assert_eq!(code, 3, "{stderr}");
    assert_eq!((cause(&report), &report["druid"]["thrown_away"]), ("thrown away", &json!(TWEETS)));

    let (page, code) = stack.doctor(&["--kafka", &stack.kafka]);
    assert!(code == 0 && page.contains("have times that the spec does not accept"), "{page}");

    // And fully corrected, with the times of the tweets.
    stack.exact(stack.replay_real(&["--timestamp", "event"]));
}

#[test]
#[ignore = "needs a Druid and its Kafka"]
fn doctor_sends_a_marker_through_all_hops() {
    let stack = Stack::new("doctor");
    let (page, code) = stack.doctor(&["--kafka", &stack.kafka]);
    assert_eq!(code, 0, "{page}");
    let names: Vec<&str> = page.lines().map(|line| line[..13].trim()).collect();
    assert_eq!(
        names,
        [
            "mqtt",
            "kafka",
            "advertised",
            "topic",
            "druid",
            "extension",
            "workers",
            "supervisor",
            "marker tweet",
            "read back",
            "queryable",
            "left behind"
        ]
    );
    assert!(stack.supervisor().spec().unwrap().is_none(), "it was not there before");
    let (page, code) = stack.doctor(&["--kafka", &stack.kafka, "--druid-supervisor", "nobody"]);
    assert!(code == 1 && page.contains("no supervisor nobody"), "{page}");
}

#[test]
#[ignore = "needs a Druid and its Kafka"]
fn a_kafka_that_names_a_host_which_nobody_knows_is_found() {
    let stack = Stack::new("advertised");
    let advertised = ["--kafka-advertise", "no-such-host.invalid:9092"];
    let listen = ["serve", "--no-mqtt", "--kafka-listen", "127.0.0.1:0"];
    let mut elsewhere = Running::start(&[&listen[..], &advertised].concat());
    let line = elsewhere.wait_for("Kafka");
    let kafka = line.split_whitespace().nth(1).unwrap();
    let (page, code) = stack.doctor(&["--kafka", kafka]);
    assert!(code == 1 && page.contains("clients are told no-such-host.invalid:9092"), "{page}");
    assert!(page.contains("advertised.listeners"), "{page}");

    // Only Druid is given that address.
    let (_, code, stderr) = stack.replay_real(&["--druid-kafka", kafka, "--druid-timeout", "10s"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("advertised listener names a host that Druid does not know"), "{stderr}");
}

#[test]
#[ignore = "needs a Druid and its Kafka"]
fn a_supervisor_that_began_at_the_end_is_found() {
    let stack = Stack::new("end");
    let to = ["--speedup", "max", "-t", &stack.name, "--kafka", &stack.kafka, "--mqtt", "off", "-q"];
    assert_eq!(run(&[&[SAMPLE][..], &to].concat()).code, 0);
    let submit = ["druid", "submit", "-t", &stack.name, "--druid-kafka", &stack.kafka, "--druid", &stack.url];
    let from_end = ["--druid-set", "/ioConfig/useEarliestOffset=false"];
    assert_eq!(run(&[&submit[..], &from_end].concat()).code, 0);
    let deadline = Instant::now() + Duration::from_secs(120);
    while stack.supervisor().status().unwrap().is_none_or(|status| status.offsets.is_empty()) {
        assert!(Instant::now() < deadline, "no task of {}", stack.name);
        std::thread::sleep(Duration::from_millis(200));
    }
    let (page, code) = stack.doctor(&["--kafka", &stack.kafka, "--druid-supervisor", &stack.name]);
    assert!(code == 0 && page.contains("began at the end of the topic"), "{page}");
}

#[test]
#[ignore = "needs a Druid and its Kafka"]
fn a_recreated_topic_is_found_and_reset_helps() {
    let stack = Stack::new("recreated");
    stack.exact(stack.replay_real(&[]));
    delete_topic(&stack.kafka, &stack.name);
    let (_, code, stderr) = stack.replay_real(&[]);
    assert_eq!(code, 1, "{stderr}");
    assert!(
        stderr.contains("deleted and created again") && stderr.contains("tweetblast druid reset"),
        "{stderr}"
    );
    let (page, code) = stack.doctor(&["--kafka", &stack.kafka]);
    assert!(code == 1 && page.contains("deleted and created again"), "{page}");
    assert_eq!(run(&["druid", "reset", &stack.name, "--druid", &stack.url]).code, 0);
    stack.exact(stack.replay_real(&[]));
}

fn delete_topic(brokers: &str, topic: &str) {
    let admin: AdminClient<_> = ClientConfig::new().set("bootstrap.servers", brokers).create().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for result in runtime.block_on(admin.delete_topics(&[topic], &AdminOptions::new())).unwrap() {
        result.unwrap();
    }
    let is_there = || {
        let all = admin.inner().fetch_metadata(None, Duration::from_secs(10)).unwrap();
        all.topics().iter().any(|there| there.name() == topic)
    };
    while is_there() {
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
#[ignore = "needs a Druid and its Kafka"]
fn more_tasks_than_worker_slots_are_named() {
    let stack = Stack::alone("slots");
    let more = stack.supervisor().slots(&stack.name).unwrap().total + 1;
    let (partitions, tasks) = (more.to_string(), format!("/ioConfig/taskCount={more}"));
    let (_, code, stderr) = stack.replay_real(&["--partitions", &partitions, "--druid-set", &tasks]);
    assert_eq!(code, 1, "{stderr}");
    assert!(
        stderr.contains("tasks wait for a worker slot") && stderr.contains("druid.worker.capacity"),
        "{stderr}"
    );
}
