//! Flags of where a replay goes: topic, MQTT, Kafka and Druid. The replay and `doctor` share them.

use clap::Args;

use super::druid::DruidArgs;
use super::ends::EndsArgs;
use super::exit::UsageError;
use super::values;
use crate::kafka::embedded::PARTITIONS_MAX;
use crate::kafka::{check_properties, check_settings};
use crate::options::{DEFAULT_TOPIC, KafkaChoice, KafkaOptions, MqttChoice, MqttOptions, ReplayOptions};

/// Most partitions to request from a real Kafka: clusters have a few thousand in all.
const MOST_PARTITIONS: u64 = 10_000;

/// Most copies: Kafka counts them in 16 bits.
const MOST_REPLICAS: u64 = i16::MAX as u64;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Send to")]
pub(super) struct TargetArgs {
    /// Topic, in MQTT and in Kafka [default: tweets]
    #[arg(long, short = 't', alias = "topic-name", default_value = DEFAULT_TOPIC, hide_default_value = true,
        value_name = "NAME", value_parser = values::topic)]
    topic: String,
    /// Use an outside MQTT broker: host:1883; off: no MQTT
    ///
    /// host, host:1883 or mqtt://user@host:1883; it must speak MQTT 3.1.1. The password is read from TWEETBLAST_MQTT_PASSWORD.
    #[arg(long, aliases = ["mqtt-broker", "mqtt-url"], value_name = "HOST|off", value_parser = values::mqtt,
        conflicts_with_all = ["mqtt_listen", "mqtt_clients", "mqtt_unread", "mqtt_retained", "mqtt_users", "mqtt_tls_cert"])]
    mqtt: Option<MqttChoice>,
    /// Use a real Kafka, not the embedded one: host:9092
    ///
    /// Several brokers have commas between them: host1:9092,host2:9092.
    #[arg(long, aliases = ["bootstrap-server", "bootstrap-servers", "brokers", "kafka-broker", "kafka-brokers"],
        value_name = "HOST:PORT", value_parser = values::kafka,
        conflicts_with_all = ["kafka_listen", "kafka_advertise", "kafka_dir", "kafka_fsync", "kafka_retention", "kafka_repair",
            "kafka_tls_cert"])]
    kafka: Option<String>,
    #[command(flatten)]
    druid: DruidArgs,

    /// Number of partitions, if the topic has to be created [default: 1]
    #[arg(hide_short_help = true, long, default_value = "1", hide_default_value = true, value_name = "N",
        value_parser = values::count::<i32>(1..=MOST_PARTITIONS), help_heading = "Kafka")]
    partitions: i32,
    /// Number of copies of each partition, if the topic has to be created [default: the cluster's]
    #[arg(hide_short_help = true, long, value_name = "N", value_parser = values::count::<i32>(1..=MOST_REPLICAS),
        requires = "kafka", help_heading = "Kafka")]
    replication: Option<i32>,
    /// Set a librdkafka property, such as linger.ms=20; @FILE has one per line
    ///
    /// They override tweetblast's own. A file keeps secrets off the command line.
    #[arg(hide_short_help = true, short = 'X', value_name = "KEY=VALUE|@FILE", value_parser = values::properties,
        help_heading = "Kafka")]
    properties: Vec<Vec<(String, String)>>,

    #[command(flatten)]
    ends: EndsArgs,
}

impl TargetArgs {
    /// Refuses what cannot be, and flags that would be ignored.
    pub fn check(&self) -> Result<(), UsageError> {
        if self.kafka.is_none() && self.partitions > PARTITIONS_MAX as i32 {
            let words = format!(
                "--partitions {}: the embedded Kafka holds at most {PARTITIONS_MAX} in all; --kafka HOST:PORT is for more",
                self.partitions
            );
            return Err(UsageError::value(words));
        }
        check_properties(&self.properties.concat()).map_err(|error| UsageError::value(error.to_string()))?;
        self.ends.check()?;
        self.druid.check()
    }

    /// Whether the messages go through a broker that is not ours.
    pub fn has_outside_mqtt(&self) -> bool {
        matches!(self.mqtt, Some(MqttChoice::Outside(_)))
    }

    /// Whether MQTT was asked for.
    pub fn names_mqtt(&self) -> bool {
        self.mqtt.is_some()
    }

    /// Whether neither end lives in this process.
    pub fn is_all_outside(&self) -> bool {
        self.mqtt.is_some() && self.kafka.is_some()
    }

    /// Refuses properties that a ledger cannot rest on, unless they are allowed.
    pub fn check_safety(&self, allow_unsafe: bool) -> Result<(), UsageError> {
        check_settings(&self.properties.concat(), allow_unsafe).map(drop).map_err(UsageError::conflict)
    }

    /// A replay without an input that goes there.
    pub fn options(self) -> ReplayOptions {
        let broker = self.ends.or_outside(self.mqtt);
        let clients = self.ends.mqtt_clients();
        let cluster = match self.kafka {
            Some(brokers) => KafkaChoice::Cluster(brokers),
            None => KafkaChoice::Embedded(self.ends.kafka()),
        };
        ReplayOptions {
            mqtt: MqttOptions { broker, topic: self.topic.clone(), clients },
            kafka: KafkaOptions {
                cluster,
                topic: self.topic,
                partitions: self.partitions,
                replication: self.replication,
                properties: self.properties.concat(),
                ..KafkaOptions::default()
            },
            druid: self.druid.options(),
            ..ReplayOptions::default()
        }
    }
}
