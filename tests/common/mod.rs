//! Runs the binary as a user does, and reads Kafka back.
#![allow(clippy::unwrap_used, dead_code)]

pub mod mutate;
pub mod native_stack;
pub mod scrape;
pub mod secured_kafka;
pub mod tls;

use std::collections::{BTreeMap, VecDeque};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use serde_json::Value;

/// The repository's sample.
pub const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/tweets.json");

/// Free ports: the default ones may be in use on a developer's machine.
pub const FREE_PORTS: &[&str] = &["--mqtt-listen", "127.0.0.1:0", "--kafka-listen", "127.0.0.1:0"];

/// How many of its ports a test program keeps for itself.
const PORTS_KEPT: usize = 256;

/// A port that a program can listen on more than once, run after run: below those that the system gives to clients
/// (Linux: 32768 to 60999), any of which may be in use for a moment. Its UDP twin stays bound here, so that no other
/// test, of this program or another, is given the same.
pub fn free_port() -> u16 {
    static KEPT: Mutex<VecDeque<UdpSocket>> = Mutex::new(VecDeque::new());
    let random = || RandomState::new().build_hasher().finish();
    let ports = std::iter::repeat_with(|| 20_000 + (random() % 12_000) as u16);
    let (port, twin) = ports
        .filter_map(|port| Some((port, UdpSocket::bind(("127.0.0.1", port)).ok()?)))
        .find(|(port, _)| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .unwrap();
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    kept.push_back(twin);
    if kept.len() > PORTS_KEPT {
        kept.pop_front();
    }
    port
}

pub fn tweetblast() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tweetblast"));
    for name in ["RUST_LOG", "CI", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command
}

/// What a finished run printed and reported.
pub struct Finished {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Finished {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The report of a run with `--json -`.
    pub fn report(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|_| panic!("no report: {}\n{}", self.stdout, self.stderr))
    }
}

/// Runs to the end.
pub fn run(arguments: &[&str]) -> Finished {
    Finished::of(tweetblast().args(arguments).output().unwrap())
}

/// Runs to the end, with the file coming through a pipe.
pub fn run_piped(file: &str, arguments: &[&str]) -> Finished {
    let mut cat = Command::new("cat").arg(file).stdout(Stdio::piped()).spawn().unwrap();
    let piped = cat.stdout.take().unwrap();
    let finished = Finished::of(tweetblast().args(arguments).stdin(piped).output().unwrap());
    cat.wait().unwrap();
    finished
}

/// Replays `file` on free ports and returns the report, validated against its schema, with the exit
/// code.
pub fn replay(file: &str, arguments: &[&str]) -> (Value, i32) {
    let finished = run(&[&[file, "--json", "-"][..], FREE_PORTS, arguments].concat());
    let report = finished.report();
    let schema: Value = serde_json::from_str(include_str!("../../docs/report.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = schema.iter_errors(&report).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{arguments:?}: {errors:#?}");
    (report, finished.code)
}

/// A run in the background; killed on drop.
pub struct Running {
    child: Child,
    stdout: BufReader<std::process::ChildStdout>,
}

impl Running {
    pub fn start(arguments: &[&str]) -> Self {
        Self::spawn(tweetblast().args(arguments))
    }

    /// The program with this environment too.
    pub fn spawn(command: &mut Command) -> Self {
        // Not the developer's terminal, where keys would be read.
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdout }
    }

    /// Reads standard output up to a line that contains `words`, and returns that line.
    pub fn wait_for(&mut self, words: &str) -> String {
        let mut seen = String::new();
        loop {
            let mut line = String::new();
            if self.stdout.read_line(&mut line).unwrap() == 0 {
                let mut stderr = String::new();
                self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
                panic!("ended before {words:?}:\n{seen}\n{stderr}");
            }
            if line.contains(words) {
                return line;
            }
            seen.push_str(&line);
        }
    }

    pub fn pid(&self) -> String {
        self.child.id().to_string()
    }

    pub fn signal(&self, name: &str) {
        assert!(Command::new("kill").args(["-s", name, &self.pid()]).status().unwrap().success());
    }

    /// Whether it ends within this time.
    pub fn ends_within(&mut self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while self.child.try_wait().unwrap().is_none() {
            if Instant::now() > deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        true
    }

    /// Waits for the end.
    pub fn finish(mut self) -> Finished {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.stdout.read_to_string(&mut stdout).unwrap();
        if let Some(mut pipe) = self.child.stderr.take() {
            pipe.read_to_string(&mut stderr).unwrap();
        }
        Finished { code: self.child.wait().unwrap().code().unwrap_or(-1), stdout, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One Kafka record.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    pub partition: i32,
    pub offset: i64,
    pub key: String,
    pub payload: Vec<u8>,
    pub headers: BTreeMap<String, String>,
    /// The time that Kafka stored with it, in milliseconds since 1970.
    pub time_ms: i64,
}

impl Record {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.payload).unwrap()
    }
}

/// The names of all topics.
pub fn topics(brokers: &str) -> Vec<String> {
    let client: BaseConsumer = ClientConfig::new().set("bootstrap.servers", brokers).create().unwrap();
    let metadata = client.fetch_metadata(None, Duration::from_secs(20)).unwrap();
    metadata.topics().iter().map(|topic| topic.name().to_owned()).collect()
}

/// The first offset of a partition, and the one after its last. Of a topic made a moment ago, or while its leader
/// changes, some brokers of a cluster do not know the partition: asks again until one does.
pub fn watermarks(consumer: &BaseConsumer, topic: &str, partition: i32) -> (i64, i64) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match consumer.fetch_watermarks(topic, partition, Duration::from_secs(20)) {
            Ok(found) => return found,
            Err(error) => assert!(Instant::now() < deadline, "partition {partition} of {topic}: {error}"),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// All records in a topic, from its start to its current end.
pub fn read_topic(brokers: &str, topic: &str) -> Vec<Record> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "reader")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    let metadata = consumer.fetch_metadata(Some(topic), Duration::from_secs(20)).unwrap();
    let mut left = 0;
    let mut list = TopicPartitionList::new();
    for partition in metadata.topics()[0].partitions() {
        let (low, high) = watermarks(&consumer, topic, partition.id());
        left += high - low;
        list.add_partition_offset(topic, partition.id(), Offset::Beginning).unwrap();
    }
    consumer.assign(&list).unwrap();
    let (mut records, deadline) = (Vec::new(), Instant::now() + Duration::from_secs(60));
    while left > 0 {
        assert!(Instant::now() < deadline, "{left} records are missing");
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => {
                left -= 1;
                records.push(record(&message));
            }
            // A broker that is away for a while is not an error here.
            Some(Err(KafkaError::MessageConsumption(_))) | None => {}
            Some(Err(error)) => panic!("{error}"),
        }
    }
    records.sort_by_key(|record| (record.partition, record.offset));
    records
}

fn record(message: &rdkafka::message::BorrowedMessage<'_>) -> Record {
    use rdkafka::message::Headers;
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
    Record {
        partition: message.partition(),
        offset: message.offset(),
        key: message.key().map(text).unwrap_or_default(),
        payload: message.payload().unwrap_or_default().to_vec(),
        headers: headers
            .map(|header| (header.key.to_owned(), header.value.map(text).unwrap_or_default()))
            .collect(),
        time_ms: message.timestamp().to_millis().unwrap_or(-1),
    }
}

/// An environment variable that names something which a test needs besides the toolchain.
///
/// Such a test is marked `#[ignore = "needs ..."]`: `cargo test` counts it as ignored and
/// `tests/skipped.rs` says how to run it. When it is run, a missing variable is a failure.
pub fn needed(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set"))
}

/// The folder of real tweet files; they are not part of the repository.
pub fn real_data() -> PathBuf {
    std::env::var_os("TWEETBLAST_REAL_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from)
}

const OWN_PROCESS: &str = "TWEETBLAST_TEST_OWN_PROCESS";

/// Whether this process was started by `in_own_process`.
pub fn is_own_process() -> bool {
    std::env::var_os(OWN_PROCESS).is_some()
}

/// Runs one test of this program again, in a separate process; `path` is `module_path!()` and the
/// test's name.
pub fn in_own_process(path: &str, change: impl FnOnce(&mut Command)) -> Output {
    let (_, name) = path.split_once("::").unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture"]).env(OWN_PROCESS, "1");
    change(&mut command);
    let output = command.output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("running 1 test"), "no test {name}");
    output
}

/// Writes a file into `dir` and returns its path.
pub fn write(dir: &Path, name: &str, bytes: impl AsRef<[u8]>) -> String {
    let path: PathBuf = dir.join(name);
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A made-up file of tweets.
pub fn generate(dir: &Path, form: &str, tweets: u64) -> String {
    let path = dir.join(format!("{form}.json")).to_str().unwrap().to_owned();
    let made = run(&["generate", "--tweets", &tweets.to_string(), "--form", form, "-o", &path]);
    assert_eq!(made.code, 0, "{}", made.stderr);
    path
}

/// A v1.1 tweet on one line; `second` is added to 2020-01-01 00:00:00 UTC.
pub fn tweet(id: u64, user: u64, second: u64, text: &str) -> String {
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    serde_json::json!({
        "created_at": format!("Wed Jan 01 {hour:02}:{minute:02}:{second:02} +0000 2020"),
        "id": id, "id_str": id.to_string(), "text": text,
        "user": {"id": user, "id_str": user.to_string(), "screen_name": format!("u{user}")},
    })
    .to_string()
}
