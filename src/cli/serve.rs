//! `tweetblast serve`.

use clap::Args;

use super::ends::EndsArgs;
use super::signals::stop_on_signals;
use super::values;
use crate::options::{DEFAULT_TOPIC, Session};
use crate::pipeline::{ServeOptions, serve};
use crate::report::Screen;

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  tweetblast serve --kafka-dir data --kafka-listen 127.0.0.1:9092\n  \
    tweetblast serve --no-mqtt --kafka-fsync always --kafka-dir data")]
pub(super) struct ServeArgs {
    #[command(flatten)]
    ends: EndsArgs,
    /// Only the Kafka endpoint
    #[arg(long, help_heading = "MQTT", conflicts_with = "mqtt_listen")]
    no_mqtt: bool,
    /// Topic of the MQTT broker
    #[arg(long, short = 't', default_value = DEFAULT_TOPIC, value_name = "NAME", value_parser = values::topic,
        help_heading = "MQTT")]
    topic: String,
    /// Partitions of a topic that a client creates without a number
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(i32).range(1..),
        help_heading = "Embedded Kafka")]
    partitions: i32,
}

impl ServeArgs {
    /// Serves until Ctrl-C.
    pub fn run(self) -> anyhow::Result<()> {
        let session = Session { stop: stop_on_signals()?, ..Session::new(Screen::new(false, false)) };
        let options = ServeOptions {
            mqtt: (!self.no_mqtt).then(|| self.ends.mqtt()),
            mqtt_topic: self.topic,
            kafka: self.ends.kafka(),
            partitions: self.partitions,
        };
        Ok(serve(&options, &session)?)
    }
}
