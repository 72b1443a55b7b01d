//! What makes the faults.

use std::process::{Command, Stdio};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use super::log::{self, Stored, TopicFiles};

/// Longest wait for a Kafka that may have gone.
const WAIT: Duration = Duration::from_secs(3);

/// What another client writes into the topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forgery {
    /// Messages of its own.
    Foreign,
    /// The run's messages, with the id of another run.
    OtherRun,
    /// The run's messages once more.
    Copies,
    /// A message with the number of the run's last tweet, before that is sent.
    Future,
}

impl Forgery {
    pub const ALL: [Self; 4] = [Self::Foreign, Self::OtherRun, Self::Copies, Self::Future];

    fn times(self) -> usize {
        if self == Self::Future { 1 } else { 3 }
    }

    /// Whether the topic then has a tweet of the run twice.
    pub fn doubles(self) -> bool {
        matches!(self, Self::Copies | Self::Future)
    }
}

pub fn signal(pid: u32, name: &str) {
    // It may be over.
    let _ = Command::new("kill").args(["-s", name, &pid.to_string()]).stderr(Stdio::null()).status();
}

/// No file of a process may become longer than this; `None`: any length.
pub fn limit_files(pid: u32, bytes: Option<u64>) {
    let limit = bytes.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
    let _ = Command::new("prlimit")
        .args(["--pid", &pid.to_string(), &format!("--fsize={limit}:")])
        .stderr(Stdio::null())
        .status()
        .unwrap();
}

fn config(port: u16) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", format!("127.0.0.1:{port}")).set("message.timeout.ms", "3000");
    config.set_log_level(RDKafkaLogLevel::Emerg);
    config
}

/// Deletes a topic, and makes it again with so many partitions.
pub fn delete_topic(port: u16, topic: &str, made_again: Option<i32>) {
    let admin: AdminClient<DefaultClientContext> = config(port).create().unwrap();
    let options = AdminOptions::new().operation_timeout(Some(WAIT)).request_timeout(Some(WAIT));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    // The Kafka may be over, or the producer may have been quicker.
    let _ = runtime.block_on(admin.delete_topics(&[topic], &options));
    if let Some(partitions) = made_again {
        let topic = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
        let _ = runtime.block_on(admin.create_topics([&topic], &options));
    }
}

/// Writes messages into partition 0, made of one that lies there. `tweets`: how many the run has.
pub fn forge(port: u16, topic: &str, forgery: Forgery, files: &TopicFiles, tweets: u64) {
    let Some(found) = log::records(files).into_iter().find(|record| record.of_run().is_some()) else {
        return;
    };
    let forged = forged(&found, forgery, tweets);
    let producer: BaseProducer = config(port).create().unwrap();
    for _ in 0..forgery.times() {
        let mut headers = OwnedHeaders::new();
        for (key, value) in &forged.headers {
            headers = headers.insert(Header { key, value: Some(value) });
        }
        let record = BaseRecord::<(), [u8]>::to(topic).partition(0).payload(&forged.value).headers(headers);
        let _ = producer.send(record);
    }
    let _ = producer.flush(WAIT);
}

/// The same as messages that another client publishes; those have no headers.
pub fn forge_through_mqtt(port: u16, topic: &str, forgery: Forgery, files: &TopicFiles, tweets: u64) {
    let Some(found) = log::records(files).into_iter().find(|record| record.of_run().is_some()) else {
        return;
    };
    let forged = forged(&found, forgery, tweets);
    let (client, mut connection) =
        rumqttc::Client::new(rumqttc::MqttOptions::new("forger", "127.0.0.1", port), 10);
    for _ in 0..forgery.times() {
        let _ = client.publish(topic, rumqttc::QoS::AtLeastOnce, false, forged.value.clone());
    }
    // The broker may be over.
    let acknowledged = |event| matches!(event, Ok(rumqttc::Event::Incoming(rumqttc::Incoming::PubAck(_))));
    for _ in 0..forgery.times() {
        while let Ok(event) = connection.recv_timeout(WAIT) {
            if event.is_err() {
                return;
            }
            if acknowledged(event) {
                break;
            }
        }
    }
}

fn forged(found: &Stored, forgery: Forgery, tweets: u64) -> Stored {
    let (run, seq) = found.of_run().unwrap();
    let mut forged = found.clone();
    let text = String::from_utf8_lossy(&found.value).into_owned();
    let in_value = found.headers.is_empty();
    match forgery {
        Forgery::Foreign => {
            forged.value = b"a message of somebody else".to_vec();
            forged.headers.clear();
        }
        Forgery::Copies => {}
        Forgery::OtherRun if in_value => forged.value = text.replace(&run, "another").into_bytes(),
        Forgery::OtherRun => drop(forged.headers.insert("run".to_owned(), "another".to_owned())),
        Forgery::Future if in_value => {
            let last = format!("\"seq\":{}}}", tweets - 1);
            forged.value = text.replace(&format!("\"seq\":{seq}}}"), &last).into_bytes();
        }
        Forgery::Future => drop(forged.headers.insert("seq".to_owned(), (tweets - 1).to_string())),
    }
    forged
}
