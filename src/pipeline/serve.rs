//! Both ends without a replay.

use std::time::Duration;

use crate::options::{EmbeddedKafka, Listen, Session};
use crate::pipeline::ends::{start_broker, start_endpoint};
use crate::pipeline::error::ReplayError;

#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Where the MQTT broker listens; `None`: no broker.
    pub mqtt: Option<Listen>,
    /// The broker's topic.
    pub mqtt_topic: String,
    /// The Kafka endpoint.
    pub kafka: EmbeddedKafka,
    /// Partitions of a topic that a client creates without a number.
    pub partitions: i32,
}

/// Serves until the session is stopped, then ends every connection. What was acknowledged is in the
/// files.
///
/// # Errors
/// When an end cannot be started, or a temporary directory cannot be removed.
pub fn serve(options: &ServeOptions, session: &Session) -> Result<(), ReplayError> {
    let broker = options.mqtt.map(|listen| start_broker(listen, &options.mqtt_topic)).transpose()?;
    let endpoint = start_endpoint(&options.kafka, options.partitions)?;
    if let Some(broker) = &broker {
        session.screen.say(&format!("MQTT   {}\n", broker.addr()));
    }
    let kept = if endpoint.is_temporary() { ", removed at the end" } else { "" };
    session.screen.say(&format!("Kafka  {}  log in {}{kept}\n", endpoint.addr(), endpoint.dir().display()));
    session.screen.say("serving until Ctrl-C\n");
    while !session.is_stopped() {
        std::thread::sleep(Duration::from_millis(50));
    }
    if let Some(broker) = broker {
        broker.stop();
    }
    Ok(endpoint.close()?)
}
