//! The embedded Kafka endpoint as other clients see it: kcat, and the Java client. The same checks
//! run against real Kafka.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::client::endpoint;
use crate::outside::RealKafka;

/// Runs kcat with some input, and returns its output.
fn kcat(brokers: &str, args: &[&str], input: &str) -> String {
    let mut child = Command::new("kcat")
        .args(["-b", brokers, "-q"])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input.as_bytes()).unwrap());
        child.wait_with_output().unwrap()
    });
    assert!(output.status.success(), "kcat {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn kcat_checks(brokers: &str) {
    let life = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let topic = format!("kcat-{life}");
    let lines: String = (0..20_000).map(|i| format!("message {i}\n")).collect();
    for (partition, compression) in ["none", "gzip", "snappy", "lz4"].iter().enumerate() {
        let partition = partition.to_string();
        let args = ["-P", "-t", &topic, "-p", &partition, "-z", compression, "-X", "enable.idempotence=true"];
        kcat(brokers, &args, &lines);
        let read = kcat(brokers, &["-C", "-t", &topic, "-p", &partition, "-o", "beginning", "-e"], "");
        assert!(read == lines, "{compression}");
    }
    let listed = kcat(brokers, &["-L", "-t", &topic], "");
    assert!(listed.contains("4 partitions") && listed.contains("1 brokers"), "{listed}");
    // From the middle, with offsets; the end of the log by time.
    let some = kcat(brokers, &["-C", "-t", &topic, "-p", "1", "-o", "777", "-c", "2", "-f", "%o %s\n"], "");
    assert_eq!(some, "777 message 777\n778 message 778\n");
    let query = kcat(brokers, &["-Q", "-t", &format!("{topic}:0:-1"), "-t", &format!("{topic}:1:0")], "");
    assert!(query.contains(&format!("{topic} [0] offset 20000")), "{query}");
    assert!(query.contains(&format!("{topic} [1] offset 0")), "{query}");
    // A group reads everything once; a second run finds nothing new.
    let group = format!("{topic}-group");
    let run = || kcat(brokers, &["-G", &group, "-X", "auto.offset.reset=earliest", "-e", &topic], "");
    assert_eq!(run().lines().count(), 80_000);
    assert_eq!(run().lines().count(), 0);
}

#[test]
#[ignore = "needs kcat"]
fn kcat_writes_reads_asks_and_joins_groups() {
    let endpoint = endpoint();
    kcat_checks(&endpoint.addr().to_string());
}

#[test]
#[ignore = "needs kcat and a real Kafka"]
fn kcat_does_the_same_with_real_kafka() {
    kcat_checks(&RealKafka::shared().address);
}

/// What the Java program prints with Kafka, line by line.
const JAVA: &str = "createTopics: made
createTopics again: TopicExistsException
describeCluster: 1 node
describeTopics: 3 partitions, leader 1
describeConfigs: delete
default producer: offset 0 in partition 1
none: 1000 in order true, 1777 ms at 777
gzip: 1000 in order true, 1777 ms at 777
snappy: 1000 in order true, 1777 ms at 777
zstd: 1000 in order true, 1777 ms at 777
partitionsFor: 3
beginningOffsets: 0
endOffsets: 20000
read: 20000 in order true, position 20000
seek: value 12345
beyond the end: 0
offsetsForTimes: 4000 at 5000
listOffsets, greatest time: 19999 at 20999
two in a group: [1, 2]
describeConsumerGroups: Stable, 2 members
commitSync: 777
go on: 777
listConsumerGroupOffsets: 777 note
listGroups: 1
deleteConsumerGroups: gone
static member: reads
transactions: committed
deleteTopics: gone
";

/// `folder`: where it is compiled.
fn java(brokers: &str, folder: &str) -> String {
    let output = format!("-Doutput={}/kafka_java/{folder}", env!("CARGO_TARGET_TMPDIR"));
    let run = Command::new("mvn")
        .args(["-q", "-B", "-f", "tests/kafka/java/pom.xml", &output, "compile", "exec:java"])
        .arg(format!("-Dexec.args={brokers}"))
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
    String::from_utf8(run.stdout).unwrap().replace("\u{1b}[0m", "") // Maven's, around ours
}

#[test]
#[ignore = "needs Maven and a JDK"]
fn the_java_client_sees_what_it_sees_of_kafka_but_for_what_is_refused() {
    let endpoint = endpoint();
    let refused = JAVA
        .replace("static member: reads", "static member: UnsupportedVersionException")
        .replace("transactions: committed", "transactions: TransactionalIdAuthorizationException");
    assert_eq!(java(&endpoint.addr().to_string(), "endpoint"), refused);
}

#[test]
#[ignore = "needs Maven, a JDK and a real Kafka"]
fn the_java_client_sees_the_same_of_real_kafka() {
    assert_eq!(java(&RealKafka::shared().address, "kafka"), JAVA);
}
