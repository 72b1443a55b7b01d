//! Flags of the two ends that may live in this process; `serve` and the replay share them.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::values;
use crate::kafka::embedded::Fsync;
use crate::options::{EmbeddedKafka, Listen};

/// Ports of MQTT and Kafka, taken where nothing else listens there.
const MQTT_PORT: u16 = 1883;
const KAFKA_PORT: u16 = 9092;

#[derive(Debug, Args)]
pub(super) struct EndsArgs {
    /// Address of the embedded MQTT broker [default: 127.0.0.1:1883, or a free port]
    #[arg(hide_short_help = true, long, value_name = "ADDR", value_parser = values::listen, help_heading = "MQTT")]
    mqtt_listen: Option<SocketAddr>,

    /// Address of the embedded Kafka [default: 127.0.0.1:9092, or a free port]
    #[arg(hide_short_help = true, long, value_name = "ADDR", value_parser = values::listen, help_heading = "Embedded Kafka")]
    kafka_listen: Option<SocketAddr>,
    /// Host and port that Kafka clients are given, for containers and port mappings [default: the
    /// address they connected to]
    #[arg(hide_short_help = true, long, value_name = "HOST:PORT", value_parser = values::host_port, help_heading = "Embedded Kafka")]
    kafka_advertise: Option<(String, u16)>,
    /// Keep the embedded Kafka's log in this folder [default: a temporary folder, removed at the end]
    #[arg(hide_short_help = true, long, value_name = "DIR", help_heading = "Embedded Kafka")]
    kafka_dir: Option<PathBuf>,
    /// When to sync to disk: never, always (before each acknowledgement), or a time between two syncs
    ///
    /// What was acknowledged survives kill -9 in any case; syncing is for a power cut.
    #[arg(hide_short_help = true, long, value_name = "WHEN", value_parser = values::fsync, default_value = "never",
        help_heading = "Embedded Kafka")]
    kafka_fsync: Fsync,
    /// Remove the oldest messages of a partition beyond this size, unread ones too [default: keep all]
    ///
    /// Unread messages that are removed are counted, with a warning.
    #[arg(hide_short_help = true, long, value_name = "SIZE", value_parser = values::big_size, help_heading = "Embedded Kafka")]
    kafka_retention: Option<u64>,
}

impl EndsArgs {
    /// Where the MQTT broker listens.
    pub fn mqtt(&self) -> Listen {
        listen(self.mqtt_listen, MQTT_PORT)
    }

    /// How the Kafka endpoint is to be started.
    pub fn kafka(self) -> EmbeddedKafka {
        EmbeddedKafka {
            listen: listen(self.kafka_listen, KAFKA_PORT),
            advertise: self.kafka_advertise,
            dir: self.kafka_dir,
            fsync: self.kafka_fsync,
            retention_bytes: self.kafka_retention,
        }
    }
}

/// A default port may be taken by another program; then any free one will do.
fn listen(named: Option<SocketAddr>, port: u16) -> Listen {
    Listen { addr: named.unwrap_or_else(|| ([127, 0, 0, 1], port).into()), fall_back: named.is_none() }
}
