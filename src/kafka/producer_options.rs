//! Where a replay produces to, and librdkafka's properties for it.

use rdkafka::ClientConfig;

/// Where to and how to produce.
#[derive(Debug, Clone, Default)]
pub struct ProducerOptions {
    /// Bootstrap servers, `host:port[,host:port…]`.
    pub brokers: String,
    pub topic: String,
    /// Partitions of the topic when it has to be created.
    pub partitions: i32,
    /// Copies of each partition when the topic has to be created; `None`: as many as the cluster makes by default.
    pub replication: Option<i32>,
    /// librdkafka properties that stand over ours.
    pub properties: Vec<(String, String)>,
    /// Run id to send along as the headers `run` and `seq`, for payloads that do not carry them.
    pub run_in_headers: Option<String>,
    /// How many producers share the memory of the queue.
    pub producers: usize,
}

/// Bytes of keys and payloads that all producers together have given to librdkafka and that it has not
/// reported on: far below its default of 1 GiB, since what waits there adds to the memory of the run and
/// to what a kill would cost. The limit is ours, as librdkafka's would never take a larger message.
///
/// Two batches (`batch.size`, 1 MB): the one in flight, as an idempotent librdkafka has no second to a
/// partition, and the one that fills up. What waits behind them only grows older than `linger.ms`, and then
/// the broker thread spins until Kafka answers: with 4 MiB, 15 to 20 % of the CPU of the whole hop. Shared by
/// 2 or 4 producers, or between 4 partitions, it is as good as 4 MiB.
pub const QUEUE_BYTES: usize = 2 << 20;

/// Largest record in bytes: the largest value the source lets through, and room around it.
const MESSAGE_MAX_BYTES: usize = 20 * 1024 * 1024;

impl ProducerOptions {
    /// The properties as librdkafka gets them.
    pub fn client_config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", "tweetblast")
            .set("enable.idempotence", "true")
            .set("acks", "all")
            // The default gives a record up after 5 minutes, silently but for its report.
            .set("message.timeout.ms", "0")
            .set("compression.type", "lz4")
            .set("linger.ms", "5")
            .set("partitioner", "murmur2_random")
            .set("message.max.bytes", MESSAGE_MAX_BYTES.to_string())
            .set("queue.buffering.max.kbytes", ((QUEUE_BYTES + MESSAGE_MAX_BYTES) / 1024).to_string())
            .set("log_level", "3");
        for (name, value) in &self.properties {
            config.set(one_name(name), value);
        }
        config
    }

    /// `security.protocol` in capitals, as Kafka writes it.
    pub(super) fn security_protocol(&self) -> String {
        let given = self.properties.iter().rev().find(|(name, _)| name == "security.protocol");
        given.map_or_else(|| "PLAINTEXT".to_owned(), |(_, value)| value.to_ascii_uppercase())
    }
}

/// The name that is used here of a property that has two: librdkafka takes both, and a map of them has no order.
fn one_name(name: &str) -> &str {
    match name {
        "metadata.broker.list" => "bootstrap.servers",
        "request.required.acks" => "acks",
        "delivery.timeout.ms" => "message.timeout.ms",
        "retries" => "message.send.max.retries",
        "compression.codec" => "compression.type",
        "queue.buffering.max.ms" => "linger.ms",
        "max.in.flight" => "max.in.flight.requests.per.connection",
        name => name,
    }
}
