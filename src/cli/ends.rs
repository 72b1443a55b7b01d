//! Flags of the two ends that may live in this process; `serve` and the replay share them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::OnceLock;

use clap::Args;

use super::exit::UsageError;
use super::values;
use crate::kafka::embedded::Fsync;
use crate::mqtt::{ClientLimits, MqttUsers, OutsideBroker};
use crate::net::{ServerTls, TlsFiles};
use crate::options::{EmbeddedKafka, Listen, MqttChoice};

/// Ports of MQTT and Kafka, taken where nothing else listens there.
const MQTT_PORT: u16 = 1883;
const KAFKA_PORT: u16 = 9092;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Embedded MQTT and Kafka")]
pub(super) struct EndsArgs {
    /// Address of the embedded MQTT broker [default: 127.0.0.1:1883, or a free port]
    ///
    /// A port alone is on this machine; port 0 is any free one.
    #[arg(hide_short_help = true, long, value_name = "HOST:PORT", value_parser = |text: &str| values::listen(text, MQTT_PORT))]
    mqtt_listen: Option<SocketAddr>,
    /// How many MQTT clients may be connected at a time [default: 64]
    #[arg(hide_short_help = true, long, value_name = "N", value_parser = values::count::<usize>(1..=10_000))]
    mqtt_clients: Option<usize>,
    /// Disconnect an MQTT client for which more than this waits to be read [default: 34MiB]
    ///
    /// All clients together may have one and a half times as much.
    #[arg(hide_short_help = true, long, value_name = "SIZE", value_parser = values::size)]
    mqtt_unread: Option<u64>,
    /// Keep at most this much in retained MQTT messages [default: 16MiB]
    #[arg(hide_short_help = true, long, value_name = "SIZE", value_parser = values::size)]
    mqtt_retained: Option<u64>,
    /// Let in only MQTT clients with a user and password in this file; `tweetblast passwd` makes its lines
    #[arg(hide_short_help = true, long, value_name = "FILE", value_parser = values::mqtt_users)]
    mqtt_users: Option<&'static MqttUsers>,
    /// Speak TLS at --mqtt-listen, with the certificate chain in this file (PEM)
    #[arg(hide_short_help = true, long, value_name = "FILE", requires = "mqtt_tls_key")]
    mqtt_tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(hide_short_help = true, long, value_name = "FILE", requires = "mqtt_tls_cert")]
    mqtt_tls_key: Option<PathBuf>,
    /// Let in only MQTT clients with a certificate from an authority in this file (PEM)
    #[arg(hide_short_help = true, long, value_name = "FILE", requires = "mqtt_tls_cert")]
    mqtt_tls_client_ca: Option<PathBuf>,
    /// Listen on other addresses than this machine's own without asking who comes in
    #[arg(hide_short_help = true, long)]
    insecure: bool,
    /// Address of the embedded Kafka [default: 127.0.0.1:9092, or a free port]
    #[arg(hide_short_help = true, long, value_name = "HOST:PORT", value_parser = |text: &str| values::listen(text, KAFKA_PORT))]
    kafka_listen: Option<SocketAddr>,
    /// Speak TLS at --kafka-listen, with the certificate chain in this file (PEM)
    ///
    /// Without TLS the embedded Kafka is then reached at another port, of this machine alone.
    #[arg(hide_short_help = true, long, value_name = "FILE", requires = "kafka_tls_key")]
    kafka_tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(hide_short_help = true, long, value_name = "FILE", requires = "kafka_tls_cert")]
    kafka_tls_key: Option<PathBuf>,
    /// Let in only Kafka clients with a certificate from an authority in this file (PEM)
    #[arg(hide_short_help = true, long, value_name = "FILE", requires = "kafka_tls_cert")]
    kafka_tls_client_ca: Option<PathBuf>,
    /// What is in the files of TLS, once they are checked.
    #[arg(skip)]
    tls: OnceLock<[Option<&'static ServerTls>; 2]>,
    /// Address that Kafka clients are told [default: the one they connected to]
    ///
    /// For containers and port mappings.
    #[arg(hide_short_help = true, long, value_name = "HOST:PORT", value_parser = values::advertised)]
    kafka_advertise: Option<(String, u16)>,
    /// Keep the embedded Kafka's log in this folder [default: a temporary folder, removed at the end]
    #[arg(hide_short_help = true, long, value_name = "DIR")]
    kafka_dir: Option<PathBuf>,
    /// When to sync to disk: never, always, or a time between two syncs [default: never]
    ///
    /// always syncs before each acknowledgement. What was acknowledged survives kill -9 in any case; syncing
    /// is for a power cut.
    #[arg(hide_short_help = true, long, value_name = "WHEN", value_parser = values::fsync, default_value = "never",
        hide_default_value = true)]
    kafka_fsync: Fsync,
    /// Remove the oldest messages of a partition beyond this size [default: keep all]
    ///
    /// Unread messages that are removed are counted, with a warning.
    #[arg(hide_short_help = true, long, value_name = "SIZE", value_parser = values::size)]
    kafka_retention: Option<u64>,
    /// Start without messages that are missing or damaged in --kafka-dir, and cut off what follows them
    #[arg(hide_short_help = true, long, requires = "kafka_dir", help_heading = "Embedded MQTT and Kafka")]
    kafka_repair: bool,
}

impl EndsArgs {
    /// Refuses to let everybody in who reaches this machine, unless it is asked for.
    pub fn check(&self) -> Result<(), UsageError> {
        let is_open =
            |addr: Option<SocketAddr>| addr.filter(|addr| !addr.ip().is_loopback() && !self.insecure);
        let asks_mqtt = self.mqtt_users.is_some() || self.mqtt_tls_client_ca.is_some();
        if let Some(addr) = is_open(self.mqtt_listen).filter(|_| !asks_mqtt) {
            return Err(UsageError::value(format!(
                "--mqtt-listen {addr} lets everybody in who reaches this machine: --mqtt-users FILE asks for a password, \
                 --mqtt-tls-client-ca FILE for a certificate, --insecure allows it"
            )));
        }
        if let Some(addr) = is_open(self.kafka_listen).filter(|_| self.kafka_tls_client_ca.is_none()) {
            return Err(UsageError::value(format!(
                "--kafka-listen {addr} lets everybody in who reaches this machine, and the embedded Kafka knows no \
                 passwords: --kafka-tls-client-ca FILE asks for a certificate, --insecure allows it"
            )));
        }
        let mqtt = load("--mqtt-tls", &self.mqtt_tls_cert, &self.mqtt_tls_key, &self.mqtt_tls_client_ca)?;
        let kafka =
            load("--kafka-tls", &self.kafka_tls_cert, &self.kafka_tls_key, &self.kafka_tls_client_ca)?;
        let _ = self.tls.set([mqtt, kafka]);
        Ok(())
    }

    /// Where the MQTT broker listens.
    pub fn mqtt(&self) -> Listen {
        listen(self.mqtt_listen, MQTT_PORT)
    }

    /// The broker that was asked for, with the password of the environment, or else the embedded one.
    pub fn or_outside(&self, asked: Option<MqttChoice>) -> MqttChoice {
        match asked {
            Some(MqttChoice::Outside(broker)) => {
                let password = std::env::var("TWEETBLAST_MQTT_PASSWORD").ok();
                MqttChoice::Outside(OutsideBroker { password, ..broker })
            }
            Some(choice) => choice,
            None => MqttChoice::Embedded(self.mqtt()),
        }
    }

    /// What MQTT clients may use of the broker.
    pub fn mqtt_clients(&self) -> ClientLimits {
        let default = ClientLimits::default();
        let bytes = |named: Option<u64>, default| named.map_or(default, |bytes| bytes as usize);
        ClientLimits {
            clients: self.mqtt_clients.unwrap_or(default.clients),
            unread_bytes: bytes(self.mqtt_unread, default.unread_bytes),
            retained_bytes: bytes(self.mqtt_retained, default.retained_bytes),
            users: self.mqtt_users,
            tls: self.tls.get().and_then(|[mqtt, _]| *mqtt),
        }
    }

    /// How the Kafka endpoint is to be started.
    pub fn kafka(self) -> EmbeddedKafka {
        EmbeddedKafka {
            listen: listen(self.kafka_listen, KAFKA_PORT),
            advertise: self.kafka_advertise,
            dir: self.kafka_dir,
            fsync: self.kafka_fsync,
            retention_bytes: self.kafka_retention,
            repair: self.kafka_repair,
            tls: self.tls.get().and_then(|[_, kafka]| *kafka),
        }
    }
}

/// What TLS needs, from its files. It stays in memory until the process ends.
fn load(
    flag: &str,
    cert: &Option<PathBuf>,
    key: &Option<PathBuf>,
    client_ca: &Option<PathBuf>,
) -> Result<Option<&'static ServerTls>, UsageError> {
    let (Some(cert), Some(key)) = (cert.clone(), key.clone()) else { return Ok(None) };
    let tls = ServerTls::load(&TlsFiles { cert, key, client_ca: client_ca.clone() });
    let tls = tls.map_err(|words| UsageError::value(format!("{flag}-*: {words}")))?;
    Ok(Some(Box::leak(Box::new(tls))))
}

/// A default port may be taken by another program; then any free one will do.
fn listen(named: Option<SocketAddr>, port: u16) -> Listen {
    Listen { addr: named.unwrap_or_else(|| ([127, 0, 0, 1], port).into()), fall_back: named.is_none() }
}
