//! One test per line of the table; the answers were recorded from Druid 33.

use serde_json::{Value, json};

use super::*;

fn seen(payload: &Value) -> Symptoms {
    Symptoms {
        supervisor: "tweets".into(),
        kafka: "127.0.0.1:9092".into(),
        kafka_listens: Some(true),
        status: Some(SupervisorStatus::of(&json!({ "payload": payload }))),
        from_earliest: true,
        ..Symptoms::default()
    }
}

/// A supervisor that reads, up to offset 100.
fn running() -> Symptoms {
    seen(&json!({"partitions":1,"activeTasks":[{"id":"t","currentOffsets":{"0":100},"lag":{"0":0}}],
        "latestOffsets":{"0":100},"aggregateLag":0,"suspended":false,"healthy":true,"state":"RUNNING",
        "detailedState":"RUNNING","recentErrors":[]}))
}

/// The one cause found.
fn only(seen: &Symptoms) -> Cause {
    let mut found = diagnose(seen);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
fn a_supervisor_that_reads_has_nothing_wrong() {
    assert_eq!(diagnose(&running()), []);
}

#[test]
fn a_missing_topic() {
    let recorded = json!({"stream":"tweets","partitions":0,"activeTasks":[],"latestOffsets":{},"aggregateLag":0,"healthy":false,
        "state":"UNHEALTHY_SUPERVISOR","detailedState":"UNABLE_TO_CONNECT_TO_STREAM","recentErrors":[
        {"exceptionClass":"org.apache.druid.java.util.common.ISE","streamException":true,
        "message":"org.apache.druid.java.util.common.ISE: No partitions found for stream [tweets]"}]});
    let found = only(&seen(&recorded));
    assert_eq!(found.name, CauseName::TopicMissing);
    assert!(found.cause.contains("127.0.0.1:9092 has no topic tweets"), "{found}");
}

#[test]
fn a_topic_that_was_missing_and_is_there_now_is_no_cause_although_the_error_stays_listed() {
    let mut healed = running();
    let error = "No partitions found for stream [tweets]".to_owned();
    healed.status.as_mut().unwrap().errors.push(error);
    assert_eq!(diagnose(&healed), []);
}

#[test]
fn a_wrong_port_is_healthy_for_a_minute_and_has_no_latest_offsets() {
    let recorded = json!({"partitions":0,"activeTasks":[],"healthy":true,"state":"RUNNING",
        "detailedState":"CONNECTING_TO_STREAM","recentErrors":[]});
    let mut wrong = seen(&recorded);
    wrong.kafka_listens = Some(false);
    let found = only(&wrong);
    assert_eq!(found.name, CauseName::KafkaUnreachable);
    assert!(found.to_string().contains("--druid-kafka"), "{found}");
}

#[test]
fn an_advertised_host_that_druid_does_not_know() {
    let recorded = json!({"partitions":0,"activeTasks":[],"healthy":false,"state":"UNHEALTHY_SUPERVISOR",
        "detailedState":"UNABLE_TO_CONNECT_TO_STREAM","recentErrors":[{"message":
        "org.apache.kafka.common.errors.TimeoutException: Timeout expired while fetching topic metadata"}]});
    let found = only(&seen(&recorded));
    assert_eq!(found.name, CauseName::KafkaMisadvertised);
    assert!(found.remedy.contains("--kafka-advertise"), "{found}");
}

#[test]
fn messages_without_a_time_or_without_json() {
    let mut bad = running();
    bad.rows = TaskRows { processed: 11, unparseable: 19, ..TaskRows::default() };
    let recorded = json!([{"input":"{user_id=3, tweet=no ts}","errorType":"unparseable",
        "details":["Timestamp[null] is unparseable! Event: {user_id=3, tweet=no ts} (Record: 1)"]}]);
    bad.parse_errors = ParseError::all(&recorded);
    let found = only(&bad);
    assert_eq!(found.name, CauseName::Unparseable);
    assert!(found.cause.starts_with("19 messages") && found.cause.contains("Timestamp[null]"), "{found}");
}

#[test]
fn messages_that_are_too_late() {
    let mut late = running();
    late.rows = TaskRows { thrown_away: 50, ..TaskRows::default() };
    let found = only(&late);
    assert_eq!(found.name, CauseName::ThrownAway);
    assert!(found.remedy.contains("lateMessageRejectionPeriod"));
}

#[test]
fn a_supervisor_that_began_at_the_end() {
    let mut end = running();
    end.from_earliest = false;
    assert_eq!(only(&end).name, CauseName::ReadsFromTheEnd);
    end.rows.processed = 1;
    assert_eq!(diagnose(&end), [], "what came after it began is read");
}

#[test]
fn a_recreated_topic_with_fewer_messages() {
    // 100 read, then 10 new: healthy, lag 0.
    let mut recreated = running();
    recreated.ends = BTreeMap::from([(0, 10)]);
    let found = only(&recreated);
    assert_eq!(found.name, CauseName::TopicRecreated);
    assert!(found.cause.contains("offset 100 of partition 0, which ends at 10"), "{found}");
    assert!(found.remedy.contains("reset"));
}

#[test]
fn tasks_that_wait_for_a_slot() {
    let mut full =
        seen(&json!({"partitions":8,"activeTasks":[{"id":"t","currentOffsets":{}}],"latestOffsets":{"0":0},
        "healthy":true,"state":"RUNNING","detailedState":"RUNNING","recentErrors":[]}));
    full.slots = Some(WorkerSlots { used: 4, total: 4, waiting: 4 });
    full.holders.reading = [("tweets".to_owned(), 1), ("wp".to_owned(), 3)].into();
    full.druid = "http://druid:8888".into();
    let found = only(&full);
    assert_eq!(found.name, CauseName::TooFewWorkerSlots);
    assert!(found.cause.ends_with("all 4 are taken (tweets 1, wp 3)"), "{found}");
    assert!(found.remedy.starts_with("`tweetblast druid suspend wp --druid http://druid:8888` "), "{found}");
    full.slots = Some(WorkerSlots { used: 3, total: 4, waiting: 1 });
    assert_eq!(diagnose(&full), [], "one is free: it is about to start");
}

#[test]
fn suspended_gone_failed_and_merely_unhealthy() {
    let mut other = running();
    other.status.as_mut().unwrap().suspended = true;
    other.supervisor = "a b".into();
    let found = only(&other);
    assert_eq!(
        (found.name, found.remedy.as_str()),
        (CauseName::Suspended, "`tweetblast druid resume 'a b'` resumes it")
    );
    assert_eq!(only(&Symptoms::default()).name, CauseName::SupervisorGone);
    let mut failed = running();
    failed.failed_tasks = vec![("index_kafka_x".into(), "java.lang.OutOfMemoryError".into())];
    assert!(only(&failed).cause.contains("OutOfMemoryError"));
    let unhealthy = json!({"partitions":1,"latestOffsets":{},"healthy":false,"state":"UNHEALTHY_TASKS",
        "detailedState":"UNHEALTHY_TASKS","recentErrors":[]});
    assert!(only(&seen(&unhealthy)).cause.contains("UNHEALTHY_TASKS"));
}

#[test]
fn a_recreated_topic_that_is_as_long_as_the_old_one() {
    let mut seen = running();
    (seen.delivered, seen.ends) = (100, [(0, 100)].into());
    assert_eq!(only(&seen).name, CauseName::TopicRecreated);
    seen.rows.processed = 1;
    assert_eq!(diagnose(&seen), []);
    (seen.rows.processed, seen.ends) = (0, [(0, 150)].into());
    assert_eq!(diagnose(&seen), [], "still to be read");
}

#[test]
fn a_worker_that_is_away() {
    let mut gone = running();
    gone.tasks_silent = true;
    assert!(only(&gone).cause.contains("do not answer"));
    gone.workers_gone = vec!["127.0.0.1:8091".into()];
    let found = only(&gone);
    assert_eq!(found.name, CauseName::WorkerGone);
    assert!(
        found.to_string().contains("127.0.0.1:8091") && found.remedy.contains("stack up indexer"),
        "{found}"
    );
    (gone.workers_gone, gone.tasks_silent) = (Vec::new(), false);
    gone.slots = Some(WorkerSlots { used: 0, total: 0, waiting: 1 });
    assert!(only(&gone).cause.contains("no worker"));
}

#[test]
fn secrets_that_druid_does_not_have() {
    let refused = json!({"partitions":0,"activeTasks":[],"healthy":false,"state":"UNHEALTHY_SUPERVISOR",
        "detailedState":"UNABLE_TO_CONNECT_TO_STREAM","recentErrors":[{"message":
        "Could not find a 'KafkaClient' entry in the JAAS configuration. System property 'java.security.auth.login.config' is not set"}]});
    let found = only(&seen(&refused));
    assert_eq!(found.name, CauseName::KafkaRefuses);
    assert!(found.cause.contains("JAAS") && found.remedy.contains("tweetblast druid secrets"), "{found}");
}

#[test]
fn a_worker_without_the_secrets() {
    let mut failed = running();
    failed.failed_tasks = vec![("t".into(), "java.lang.NullPointerException".into())];
    assert_eq!(only(&failed).name, CauseName::TaskFailed);
    failed.secrets = true;
    let found = only(&failed);
    assert_eq!(found.name, CauseName::KafkaRefuses);
    assert!(found.remedy.contains("every worker"), "{found}");
}
