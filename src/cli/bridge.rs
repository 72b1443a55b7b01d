//! `tweetblast bridge`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args};

use super::bridge_druid::BridgeDruidArgs;
use super::ends::EndsArgs;
use super::exit::UsageError;
use super::json::{JsonArgs, write_report};
use super::metrics::{MetricsArgs, announce};
use super::signals::{note_requests, stop_on_signals};
use super::{resources, values};
use crate::kafka::check_properties;
use crate::kafka::embedded::{Fsync, PARTITIONS_MAX};
use crate::metrics::MetricsEndpoint;
use crate::options::{
    BridgeOptions, DEFAULT_MEMORY_BYTES, DEFAULT_SESSION, DEFAULT_SPOOL_BYTES, DEFAULT_TOPIC,
    DRAIN_AFTER_STOP, KafkaChoice, KafkaOptions, MqttChoice, MqttOptions, Quiet, Session, SpoolOptions,
    TopicRoute,
};
use crate::pipeline::bridge;
use crate::report::{Screen, bridge_page};

/// Least memory: a message of the largest size, and some.
const MEMORY_MIN_BYTES: u64 = 1 << 20;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tweetblast bridge --kafka localhost:9092
  tweetblast bridge --kafka localhost:9092 --spool spool
  tweetblast bridge --druid localhost:8888
  tweetblast bridge --topic-map 'sensors/+/tweets=tweets'")]
pub(super) struct BridgeArgs {
    /// Topic of Kafka for all messages [default: tweets]
    #[arg(long, short = 't', default_value = DEFAULT_TOPIC, hide_default_value = true, value_name = "NAME",
        value_parser = values::topic, conflicts_with = "topic_map", help_heading = "Send to")]
    topic: String,
    /// Messages on these MQTT topics go to this topic of Kafka; others go nowhere
    ///
    /// May be given several times; the first that matches counts. + stands for one level, # for the rest.
    #[arg(long, value_name = "FILTER=TOPIC", value_parser = values::topic_route, help_heading = "Send to")]
    topic_map: Vec<TopicRoute>,
    /// Where a message has its key: names from the outside in, with dots [default: user_id]
    ///
    /// A number is an index into an array. A message without it has its publisher's client id as its key.
    #[arg(long, value_name = "PATH", default_value = "user_id", hide_default_value = true,
        value_parser = values::json_path, help_heading = "Send to")]
    key_from: values::JsonPath,
    /// Read from an outside MQTT broker: host:1883
    ///
    /// As for a replay. It is subscribed to at QoS 1, in a session that it keeps while the bridge is down.
    #[arg(long, value_name = "HOST", value_parser = values::mqtt,
        conflicts_with_all = ["mqtt_listen", "mqtt_clients", "mqtt_unread", "mqtt_retained", "mqtt_users", "mqtt_tls_cert"], help_heading = "Send to")]
    mqtt: Option<MqttChoice>,
    /// Name of the session at the outside broker; two bridges need two [default: tweetblast-bridge]
    #[arg(hide_short_help = true, long, value_name = "NAME", requires = "mqtt", default_value = DEFAULT_SESSION,
        hide_default_value = true, help_heading = "Send to")]
    mqtt_session: String,
    /// Use a real Kafka, not the embedded one: host:9092
    #[arg(long, value_name = "HOST:PORT", value_parser = values::kafka,
        conflicts_with_all = ["kafka_listen", "kafka_advertise", "kafka_dir", "kafka_fsync", "kafka_retention", "kafka_repair", "kafka_tls_cert"],
        help_heading = "Send to")]
    kafka: Option<String>,
    /// Number of partitions, if a topic has to be created [default: 1]
    #[arg(hide_short_help = true, long, default_value = "1", hide_default_value = true, value_name = "N",
        value_parser = values::count::<i32>(1..=PARTITIONS_MAX as u64), help_heading = "Kafka")]
    partitions: i32,
    /// Number of copies of each partition, if a topic has to be created [default: the cluster's]
    #[arg(hide_short_help = true, long, value_name = "N", value_parser = values::count::<i32>(1..=i16::MAX as u64),
        requires = "kafka", help_heading = "Kafka")]
    replication: Option<i32>,
    /// Set a librdkafka property, such as linger.ms=20; @FILE has one per line
    #[arg(hide_short_help = true, short = 'X', value_name = "KEY=VALUE|@FILE", value_parser = values::properties,
        help_heading = "Kafka")]
    properties: Vec<Vec<(String, String)>>,
    /// How long to wait for Kafka's acknowledgements after a stop [default: 20s]
    #[arg(hide_short_help = true, long, value_name = "TIME", value_parser = values::wait, help_heading = "Kafka")]
    drain_timeout: Option<Duration>,

    /// Keep messages in this folder while Kafka is away
    ///
    /// Their publishers are answered then. Without it they wait, and publish no more, until Kafka is back.
    #[arg(long, value_name = "DIR", help_heading = "While Kafka is away")]
    spool: Option<PathBuf>,
    /// When to sync the spool: never, always, or a time between two syncs [default: always]
    ///
    /// always syncs before a publisher is answered. What was answered survives kill -9 in any case; syncing is for a
    /// power cut.
    #[arg(long, value_name = "WHEN", value_parser = values::fsync, default_value = "always", hide_default_value = true,
        help_heading = "While Kafka is away")]
    spool_fsync: Fsync,
    /// Most bytes in the spool; then publishers wait [default: 4GiB]
    #[arg(long, value_name = "SIZE", value_parser = values::size, help_heading = "While Kafka is away")]
    spool_max: Option<u64>,
    /// Most bytes of messages in memory; then publishers wait [default: 32MiB]
    #[arg(long, value_name = "SIZE", value_parser = values::size, help_heading = "While Kafka is away")]
    memory: Option<u64>,

    #[command(flatten)]
    druid: BridgeDruidArgs,

    #[command(flatten)]
    metrics: MetricsArgs,
    #[command(flatten)]
    json: JsonArgs,
    /// Say less: -q the verdict alone, -qq nothing
    #[arg(long, short, action = ArgAction::Count, help_heading = "Report")]
    quiet: u8,
    #[command(flatten)]
    ends: EndsArgs,
}

impl BridgeArgs {
    /// Bridges until Ctrl-C.
    pub fn run(self) -> anyhow::Result<u8> {
        self.check()?;
        resources::ensure(1)?;
        let quiet = Quiet::of(self.quiet);
        let mut json = self.json.open(&[])?;
        let screen = match quiet {
            Quiet::All => Screen::none(),
            quiet => Screen::new(self.json.is_on_stdout(), quiet != Quiet::No),
        };
        let (stop, is_asked) = (stop_on_signals()?, note_requests()?);
        let endpoint = self.metrics.start()?;
        let metrics = endpoint.as_ref().map(MetricsEndpoint::metrics);
        let session = Session { stop, quiet, metrics, ..Session::new(screen) };
        announce(endpoint.as_ref(), &session.screen);
        let report = bridge(&self.options(), &session, &is_asked)?;
        if let Some(out) = &mut json {
            write_report(&report, out)?;
        }
        session.screen.say(&bridge_page(&report, session.screen.layout(), true));
        Ok(report.exit_code)
    }

    pub(super) fn check(&self) -> Result<(), UsageError> {
        if self.mqtt == Some(MqttChoice::Off) {
            return Err(UsageError::value(
                "--mqtt off: a bridge needs MQTT; without --mqtt it has a broker of its own",
            ));
        }
        if self.memory.is_some_and(|bytes| bytes < MEMORY_MIN_BYTES) {
            return Err(UsageError::value("--memory: at least 1MiB"));
        }
        super::exit::no_effect(
            &[("--spool-max", self.spool_max.is_some() && self.spool.is_none())],
            "without --spool",
        )?;
        self.druid.check()?;
        self.ends.check()?;
        check_properties(&self.properties.concat()).map_err(|error| UsageError::value(error.to_string()))
    }

    fn options(self) -> BridgeOptions {
        let broker = self.ends.or_outside(self.mqtt);
        let routes = match self.topic_map.is_empty() {
            true => vec![TopicRoute { filter: "#".to_owned(), topic: self.topic.clone() }],
            false => self.topic_map,
        };
        let max_bytes = self.spool_max.unwrap_or(DEFAULT_SPOOL_BYTES);
        let fsync = self.spool_fsync;
        BridgeOptions {
            mqtt: MqttOptions { broker, topic: DEFAULT_TOPIC.to_owned(), clients: self.ends.mqtt_clients() },
            session: self.mqtt_session,
            kafka: KafkaOptions {
                cluster: match self.kafka {
                    Some(brokers) => KafkaChoice::Cluster(brokers),
                    None => KafkaChoice::Embedded(self.ends.kafka()),
                },
                topic: self.topic,
                partitions: self.partitions,
                replication: self.replication,
                properties: self.properties.concat(),
                ..KafkaOptions::default()
            },
            routes,
            key_from: self.key_from.to_vec(),
            memory_bytes: self.memory.map_or(DEFAULT_MEMORY_BYTES, |bytes| bytes as usize),
            spool: self.spool.map(|dir| SpoolOptions { dir, fsync, max_bytes }),
            drain: self.drain_timeout.unwrap_or(DRAIN_AFTER_STOP),
            druid: self.druid.options(),
        }
    }
}
