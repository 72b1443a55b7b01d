//! `tweetblast serve`.

use clap::Args;

use super::ends::EndsArgs;
use super::metrics::MetricsArgs;
use super::signals::stop_on_signals;
use super::{resources, values};
use crate::kafka::embedded::PARTITIONS_MAX;
use crate::metrics::MetricsEndpoint;
use crate::options::{DEFAULT_TOPIC, Session};
use crate::pipeline::{ServeOptions, serve};
use crate::report::Screen;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tweetblast serve --kafka-dir data --kafka-listen 9092
  tweetblast serve --mqtt off --kafka-dir data")]
#[command(mut_args(|argument| {
    // The rarest, so that -h fits one screen.
    let rare = ["mqtt_unread", "mqtt_retained", "kafka_advertise", "kafka_retention", "kafka_repair"];
    let name = argument.get_id().as_str();
    let is_rare = rare.contains(&name) || name.contains("_tls_");
    argument.hide_short_help(is_rare)
}))]
pub(super) struct ServeArgs {
    #[command(flatten)]
    ends: EndsArgs,
    #[command(flatten)]
    metrics: MetricsArgs,
    /// off: Kafka without an MQTT broker
    #[arg(long, value_name = "off", value_parser = off, help_heading = "Embedded MQTT and Kafka",
        conflicts_with_all = ["mqtt_listen", "mqtt_clients", "mqtt_unread", "mqtt_retained", "mqtt_users", "mqtt_tls_cert"])]
    mqtt: Option<Off>,
    #[arg(long, hide = true, conflicts_with = "mqtt_listen")]
    no_mqtt: bool,
    /// Topic of the MQTT broker [default: tweets]
    #[arg(long, short = 't', default_value = DEFAULT_TOPIC, hide_default_value = true, value_name = "NAME",
        value_parser = values::topic, help_heading = "Embedded MQTT and Kafka")]
    topic: String,
    /// Partitions of a topic created without a number [default: 1]
    #[arg(long, default_value = "1", hide_default_value = true, value_name = "N",
        value_parser = values::count::<i32>(1..=PARTITIONS_MAX as u64), help_heading = "Embedded MQTT and Kafka")]
    partitions: i32,
}

/// That there is to be no MQTT broker.
#[derive(Debug, Clone, Copy)]
struct Off;

fn off(text: &str) -> Result<Off, String> {
    match text.eq_ignore_ascii_case("off") {
        true => Ok(Off),
        false => {
            Err("must be off: serve has an MQTT broker of its own, and --mqtt-listen says where".to_owned())
        }
    }
}

impl ServeArgs {
    /// Serves until Ctrl-C.
    pub fn run(self) -> anyhow::Result<()> {
        self.ends.check()?;
        resources::ensure(0)?;
        let session = Session { stop: stop_on_signals()?, ..Session::new(Screen::new(false, false)) };
        let endpoint = self.metrics.start()?;
        if let Some(endpoint) = &endpoint {
            session.screen.say(&format!("metrics http://{}/metrics\n", endpoint.addr()));
        }
        let session = Session { metrics: endpoint.as_ref().map(MetricsEndpoint::metrics), ..session };
        let options = ServeOptions {
            mqtt: (self.mqtt.is_none() && !self.no_mqtt).then(|| self.ends.mqtt()),
            mqtt_topic: self.topic,
            mqtt_clients: self.ends.mqtt_clients(),
            kafka: self.ends.kafka(),
            partitions: self.partitions,
        };
        Ok(serve(&options, &session)?)
    }
}
