//! A replay into a real cluster of three brokers, of which some are killed in the middle.
//!
//! The cluster is the one whose state is in the folder `TWEETBLAST_CLUSTER_DIR`, from
//! `docker/native/stack up kafka --brokers 3`.

use std::collections::BTreeSet;
use std::time::Duration;

use rdkafka::consumer::Consumer;
use serde_json::Value;

use crate::client::{Client, PATIENCE};
use crate::common::native_stack::Stack;
use crate::common::{Finished, Running, SAMPLE, read_topic};

/// The brokers, and where their state is.
struct Cluster {
    stack: Stack,
    addresses: Vec<String>,
}

impl Cluster {
    fn shared() -> Self {
        let stack = Stack::at("TWEETBLAST_CLUSTER_DIR");
        let address = |name: &str| format!("127.0.0.1:{}", stack.port(name));
        let addresses = ["KAFKA_PORT", "KAFKA2_PORT", "KAFKA3_PORT"].map(address).into();
        Self { stack, addresses }
    }

    fn all(&self) -> String {
        self.addresses.join(",")
    }

    /// `stack COMMAND kafkaN` for each of these brokers.
    fn stack(&self, command: &str, brokers: &[i32]) {
        self.stack.run(command, brokers.iter().map(|broker| format!("kafka{broker}")));
    }

    /// The brokers that lead the partitions of a topic, from partition 0.
    fn leaders(&self, client: &Client, topic: &str) -> Vec<i32> {
        let (consumer, mut partitions) = (client.consumer(), Vec::new());
        // A broker that was asked too early knows fewer partitions, or no leader (-1) of them.
        client.wait_for("the leaders of all partitions", || {
            let metadata = consumer.fetch_metadata(Some(topic), PATIENCE).unwrap();
            partitions =
                metadata.topics()[0].partitions().iter().map(|found| (found.id(), found.leader())).collect();
            partitions.len() == 3 && partitions.iter().all(|(_, leader)| *leader >= 0)
        });
        partitions.sort_unstable();
        partitions.into_iter().map(|(_, leader)| leader).collect()
    }
}

/// Replays the sample at this rate, has `act` do its work when some tweets are there, and gives the end.
fn replayed(cluster: &Cluster, topic: &str, rate: &str, act: impl FnOnce(&Client)) -> (Value, Finished) {
    let dir = tempfile::tempdir().unwrap();
    let json = dir.path().join("report.json");
    let to = ["--kafka", &cluster.all(), "-t", topic, "--partitions", "3", "--verify", "--mqtt", "off"];
    let how = [SAMPLE, "--rate", rate, "--json", json.to_str().unwrap()];
    let running = Running::start(&[&how[..], &to].concat());
    let client = Client::new(cluster.all());
    client.wait_for("the topic", || client.partitions(topic) == Some(3));
    client.wait_for("messages", || (0..3).all(|partition| client.watermarks(topic, partition).1 > 50));
    act(&client);
    let finished = running.finish();
    (serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap(), finished)
}

/// Every tweet once, by the verdict and by what lies there.
fn is_exact(cluster: &Cluster, topic: &str, report: &Value, finished: &Finished) {
    let said = format!("{}\n{}", finished.stdout, finished.stderr);
    assert_eq!((&report["verdict"], finished.code), (&"balanced".into(), 0), "{said}\n{report:#}");
    assert_eq!(report["ledger"]["read_back"], 6_000, "{said}");
    let records = read_topic(&cluster.all(), topic);
    let seqs: BTreeSet<u64> = records.iter().map(|record| record.json()["seq"].as_u64().unwrap()).collect();
    assert_eq!((records.len(), seqs.len()), (6_000, 6_000));
}

fn lines(said: &str, words: &str) -> usize {
    said.lines().filter(|line| line.contains(words)).count()
}

#[test]
#[ignore = "needs a cluster of three Kafka brokers"]
fn a_leader_that_is_killed_costs_no_tweet_and_is_one_line_and_one_when_that_is_over() {
    let cluster = Cluster::shared();
    let topic = format!("leader-{}", std::process::id());
    let mut killed = 0;
    let (report, finished) = replayed(&cluster, &topic, "600/s", |client| {
        killed = cluster.leaders(client, &topic)[0];
        cluster.stack("kill", &[killed]);
    });
    cluster.stack("up", &[killed]);
    is_exact(&cluster, &topic, &report, &finished);
    let outages = report["outages"].as_array().unwrap();
    let what = format!("broker {killed} of Kafka");
    assert_eq!((outages.len(), &outages[0]["hop"]), (1, &"kafka".into()), "{outages:#?}");
    assert!(outages[0]["what"].as_str().unwrap().starts_with(&what), "{outages:#?}");
    assert!(outages[0]["duration_s"].as_f64().unwrap() > 0.0, "{outages:#?}");
    let said = &finished.stderr;
    assert_eq!(lines(said, &format!("no word from {what}")), 1, "{said}");
    assert_eq!(lines(said, " after "), 1, "{said}");
    assert_eq!((lines(said, "WARN"), lines(said, "ERROR"), lines(said, "rdkafka")), (0, 0, 0), "{said}");
    assert!(finished.stdout.contains("outage"), "{}", finished.stdout);
}

#[test]
#[ignore = "needs a cluster of three Kafka brokers, and two minutes"]
fn a_minority_and_then_a_majority_away_cost_no_tweet_either() {
    let cluster = Cluster::shared();
    let topic = format!("majority-{}", std::process::id());
    let (report, finished) = replayed(&cluster, &topic, "150/s", |client| {
        let leaders = cluster.leaders(client, &topic);
        cluster.stack("kill", &leaders[..1]);
        std::thread::sleep(Duration::from_secs(15));
        cluster.stack("kill", &leaders[1..2]);
        std::thread::sleep(Duration::from_secs(15));
        cluster.stack("up", &leaders[..2]);
    });
    is_exact(&cluster, &topic, &report, &finished);
    let outages = report["outages"].as_array().unwrap();
    assert!(outages.iter().all(|outage| !outage["ended"].is_null()), "{outages:#?}");
    assert_eq!(report["bottleneck"], "kafka away", "{report:#}");
    let said = &finished.stderr;
    assert_eq!(lines(said, ": what is sent waits"), outages.len(), "{said}\n{outages:#?}");
    assert_eq!(lines(said, " after "), outages.len(), "{said}\n{outages:#?}");
    println!("{said}");
}
