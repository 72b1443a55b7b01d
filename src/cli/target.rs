//! Flags of where a replay goes: topic, MQTT, Kafka and Druid. The replay and `doctor` share them.

use clap::Args;

use super::druid::DruidArgs;
use super::ends::EndsArgs;
use super::values;
use crate::mqtt::OutsideBroker;
use crate::options::{DEFAULT_TOPIC, KafkaChoice, KafkaOptions, MqttChoice, MqttOptions, ReplayOptions};

#[derive(Debug, Args)]
pub(super) struct TargetArgs {
    /// Topic, in MQTT and in Kafka
    #[arg(long, short = 't', default_value = DEFAULT_TOPIC, value_name = "NAME", value_parser = values::topic,
        help_heading = "Messages")]
    topic: String,
    /// Use this MQTT 3.1.1 broker instead of the embedded one: mqtt://[USER@]HOST[:PORT]; `off`: no
    /// MQTT
    ///
    /// The password is read from TWEETBLAST_MQTT_PASSWORD.
    #[arg(long, value_name = "URL|off", value_parser = values::mqtt, help_heading = "MQTT",
        conflicts_with = "mqtt_listen")]
    mqtt: Option<MqttChoice>,

    /// Use this Kafka instead of the embedded one: host:port[,host:port...]
    #[arg(long, value_name = "BROKERS", help_heading = "Kafka",
        conflicts_with_all = ["kafka_listen", "kafka_advertise", "kafka_dir", "kafka_fsync", "kafka_retention"])]
    kafka: Option<String>,
    /// Number of partitions, if the topic has to be created
    #[arg(hide_short_help = true, long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(i32).range(1..),
        help_heading = "Kafka")]
    partitions: i32,
    /// Set a librdkafka property: -X linger.ms=20, or -X @FILE with one per line
    ///
    /// They override tweetblast's own. A file keeps secrets off the command line.
    #[arg(hide_short_help = true, short = 'X', value_name = "KEY=VALUE|@FILE", value_parser = values::properties,
        help_heading = "Kafka")]
    properties: Vec<Vec<(String, String)>>,

    #[command(flatten)]
    ends: EndsArgs,

    #[command(flatten)]
    druid: DruidArgs,
}

impl TargetArgs {
    /// Whether the messages go through a broker that is not ours.
    pub fn has_outside_mqtt(&self) -> bool {
        matches!(self.mqtt, Some(MqttChoice::Outside(_)))
    }

    /// A replay without an input that goes there.
    pub fn options(self) -> ReplayOptions {
        let broker = match self.mqtt {
            Some(MqttChoice::Outside(broker)) => {
                let password = std::env::var("TWEETBLAST_MQTT_PASSWORD").ok();
                MqttChoice::Outside(OutsideBroker { password, ..broker })
            }
            Some(choice) => choice,
            None => MqttChoice::Embedded(self.ends.mqtt()),
        };
        let cluster = match self.kafka {
            Some(brokers) => KafkaChoice::Cluster(brokers),
            None => KafkaChoice::Embedded(self.ends.kafka()),
        };
        ReplayOptions {
            mqtt: MqttOptions { broker, topic: self.topic.clone() },
            kafka: KafkaOptions {
                cluster,
                topic: self.topic,
                partitions: self.partitions,
                properties: self.properties.concat(),
                ..KafkaOptions::default()
            },
            druid: self.druid.options(),
            ..ReplayOptions::default()
        }
    }
}
