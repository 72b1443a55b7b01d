//! Against programs written by others: kcat, mosquitto_sub, and a real Kafka.

use std::collections::{BTreeMap, HashMap};
use std::process::Command;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use serde_json::Value;

use crate::common::{FREE_PORTS, Record, Running, SAMPLE, generate, needed, read_topic, run, tweet, write};

/// Tests share the real Kafka; the one that stops it for a while uses it alone.
static REAL_KAFKA: RwLock<()> = RwLock::new(());

pub struct RealKafka {
    pub address: String,
    _guard: RwLockReadGuard<'static, ()>,
}

impl RealKafka {
    pub fn shared() -> Self {
        let _guard = REAL_KAFKA.read().unwrap_or_else(PoisonError::into_inner);
        Self { address: needed("TWEETBLAST_REAL_KAFKA"), _guard }
    }
}

/// A replay with `--hold`, and the address of its Kafka.
fn hold(arguments: &[&str]) -> (Running, String) {
    let mut held = Running::start(&[arguments, &["--hold"], FREE_PORTS].concat());
    let line = held.wait_for("holding:");
    let kafka = line.split("Kafka ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    (held, kafka)
}

#[test]
#[ignore = "needs kcat"]
fn kcat_reads_exactly_what_was_delivered_with_each_users_order() {
    let (_held, kafka) = hold(&[SAMPLE, "--speedup", "max", "--partitions", "3"]);
    let read = Command::new("kcat").args(["-b", &kafka, "-t", "tweets", "-C", "-e", "-q"]).output().unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let read = String::from_utf8(read.stdout).unwrap();
    assert_eq!(read.lines().count(), 6_000);
    let mut last_of_user: HashMap<i64, u64> = HashMap::new();
    for line in read.lines() {
        let tweet: Value = serde_json::from_str(line).unwrap();
        let (user, seq) = (tweet["user_id"].as_i64().unwrap(), tweet["seq"].as_u64().unwrap());
        assert!(last_of_user.insert(user, seq).is_none_or(|last| last < seq), "user {user}");
    }
}

#[test]
#[ignore = "needs mosquitto-clients"]
fn mosquitto_sub_sees_the_same_tweets_live() {
    let dir = tempfile::tempdir().unwrap();
    // 3 s after the first tweet, in which the watcher connects: 1,000 tweets in a second.
    let lines: Vec<String> =
        (0..1_001).map(|i| tweet(i + 1, i % 7, if i == 0 { 0 } else { 300 + i / 10 }, "tweet é")).collect();
    let file = write(dir.path(), "gap.json", lines.join("\n"));
    let mut replay = Running::start(&[&[&file, "--speedup", "100x", "--hold"][..], FREE_PORTS].concat());
    let line = replay.wait_for("mosquitto_sub");
    let command: Vec<&str> = line.split("watch: ").nth(1).unwrap().split_whitespace().collect();
    let watched = Command::new(command[0])
        .args(&command[1..])
        .args(["-C", "1000", "-W", "30", "-q", "1"])
        .output()
        .unwrap();
    assert!(watched.status.success(), "{}", String::from_utf8_lossy(&watched.stderr));
    let line = replay.wait_for("holding:");
    let kafka = line.split("Kafka ").nth(1).unwrap().split(' ').next().unwrap();
    let in_kafka: Vec<Vec<u8>> =
        read_topic(kafka, "tweets").into_iter().map(|record| record.payload).collect();
    let seen: Vec<Vec<u8>> = watched.stdout.split(|b| *b == b'\n').map(<[u8]>::to_vec).take(1_000).collect();
    // A quick watcher sees the first tweet, too.
    let first = usize::from(seen[0] != in_kafka[0]);
    assert!(seen == in_kafka[first..first + 1_000], "what was seen live is not what Kafka holds");
}

/// More than all queues together hold.
const TWEETS: u64 = 200_000;

/// Replays at full speed into a Kafka that is stopped for a while.
fn replay_with_a_pause(kafka: &str, topic: &str, stop_pid: &str, pause: Duration) -> Value {
    let dir = tempfile::tempdir().unwrap();
    let file = generate(dir.path(), "lines", TWEETS);
    let json = dir.path().join("report.json");
    let arguments = [&file, "--speedup", "max", "--order", "file", "--kafka", kafka, "-t", topic];
    let arguments = [&arguments[..], &["--mqtt-listen", "127.0.0.1:0", "--json", json.to_str().unwrap()]];
    let mut replay = Running::start(&arguments.concat());
    replay.wait_for("kafka ");
    let signal = |name: &str| {
        assert!(Command::new("kill").args(["-s", name, stop_pid]).status().unwrap().success());
    };
    std::thread::sleep(Duration::from_millis(200));
    signal("STOP");
    std::thread::sleep(pause);
    signal("CONT");
    let finished = replay.finish();
    assert_eq!(finished.code, 0, "{}\n{}", finished.stdout, finished.stderr);
    serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap()
}

fn lost_nothing(report: &Value) {
    let ledger = &report["ledger"];
    assert_eq!(report["verdict"], "balanced");
    assert_eq!((ledger["mqtt_lost"].as_u64(), ledger["delivered"].as_u64()), (Some(0), Some(TWEETS)));
    let blocked = ["pace", "mqtt", "kafka"].map(|hop| report["hops"][hop]["blocked_s"].as_f64().unwrap());
    assert!(blocked.iter().sum::<f64>() > 1.0, "nobody waited: {blocked:?}");
    let memory = report["memory"]["own_mib"].as_f64().unwrap();
    assert!(memory < 150.0, "{memory} MiB");
}

#[test]
fn a_kafka_that_is_stopped_for_a_while_loses_nothing_and_memory_stays_bounded() {
    let (held, kafka) = hold(&[SAMPLE, "--limit", "1", "--speedup", "max", "-t", "other"]);
    lost_nothing(&replay_with_a_pause(&kafka, "tweets", &held.pid(), Duration::from_secs(5)));
    assert_eq!(read_topic(&kafka, "tweets").len() as u64, TWEETS);
}

#[test]
#[ignore = "needs a real Kafka"]
fn a_real_kafka_gets_the_same_records_and_the_same_ledger() {
    let kafka = RealKafka::shared();
    let topic = format!("tweets-{}", std::process::id());
    let options = ["--speedup", "max", "--partitions", "3", "--timestamp", "event", "-t", &topic];
    let replayed = |arguments: &[&str]| {
        let finished = run(&[&[SAMPLE, "--json", "-"], &options[..], arguments].concat());
        assert_eq!(finished.code, 0, "{}", finished.stderr);
        finished.report()
    };
    let report = replayed(&["--kafka", &kafka.address, "--verify", "--mqtt-listen", "127.0.0.1:0"]);
    let in_real = read_topic(&kafka.address, &topic);

    let dir = tempfile::tempdir().unwrap();
    let json = dir.path().join("report.json");
    let (_held, embedded) = hold(&[&[SAMPLE, "--json", json.to_str().unwrap()], &options[..]].concat());
    let embedded_report: Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    // Retention is that of the embedded one alone.
    let ledger = |report: &Value| {
        let mut ledger = report["ledger"].clone();
        ledger.as_object_mut().unwrap().remove("removed_unread");
        ledger
    };
    assert_eq!(ledger(&report), ledger(&embedded_report));

    // The same except for the run's id; each key in the same partition, since both hash like Java.
    let by_partition = |records: Vec<Record>| {
        let mut all: BTreeMap<i32, Vec<Value>> = BTreeMap::new();
        for record in records {
            let mut payload = record.json();
            payload.as_object_mut().unwrap().remove("run");
            all.entry(record.partition).or_default().push(payload);
        }
        all
    };
    assert!(by_partition(in_real) == by_partition(read_topic(&embedded, &topic)));
}

#[test]
#[ignore = "needs a real Kafka"]
fn a_real_kafka_that_is_stopped_for_20_s_loses_nothing() {
    let _alone = REAL_KAFKA.write().unwrap_or_else(PoisonError::into_inner);
    let (kafka, pid) = (needed("TWEETBLAST_REAL_KAFKA"), needed("TWEETBLAST_REAL_KAFKA_PID"));
    let topic = format!("pause-{}", std::process::id());
    lost_nothing(&replay_with_a_pause(&kafka, &topic, &pid, Duration::from_secs(20)));
    assert_eq!(read_topic(&kafka, &topic).len() as u64, TWEETS);
}
