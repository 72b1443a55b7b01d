//! Both ends without a replay.

use std::time::Duration;

use crate::kafka::embedded::{Endpoint, EndpointUsage};
use crate::metrics::{MqttNow, ServingNow};
use crate::mqtt::{Broker, ClientLimits, MqttError};
use crate::options::{EmbeddedKafka, Listen, Session};
use crate::pipeline::ends::{start_broker, start_endpoint};
use crate::pipeline::error::ReplayError;

/// Time between two looks for a stop.
const LOOK: Duration = Duration::from_millis(50);

#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Where the MQTT broker listens; `None`: no broker.
    pub mqtt: Option<Listen>,
    /// The broker's topic.
    pub mqtt_topic: String,
    /// What its clients may use.
    pub mqtt_clients: ClientLimits,
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
    let start = |listen| start_broker(listen, &options.mqtt_topic, options.mqtt_clients, false);
    let mut broker = options.mqtt.map(start).transpose()?;
    let endpoint = start_endpoint(&options.kafka, options.partitions)?;
    if let Some(broker) = &broker {
        session.screen.say(&format!("MQTT   {}\n", broker.addr()));
    }
    let kept = if endpoint.is_temporary() { ", removed at the end" } else { "" };
    let tls = endpoint.tls_addr().map_or(String::new(), |addr| format!("  TLS at {addr}"));
    session.screen.say(&format!(
        "Kafka  {}{tls}  log in {}{kept}\n",
        endpoint.addr(),
        endpoint.dir().display()
    ));
    if broker.is_some() {
        session
            .screen
            .say("what is published over MQTT does not go to Kafka: `tweetblast bridge` brings it there\n");
    }
    session.screen.say("serving until Ctrl-C\n");
    while !session.is_stopped() {
        std::thread::sleep(LOOK);
        if let Some(metrics) = session.metrics.as_ref().filter(|metrics| metrics.is_due()) {
            metrics.serve(serving_now(broker.as_ref(), &endpoint));
        }
        if let Some(dead) = broker.take_if(|broker| broker.is_dead()) {
            session.screen.say(&format!("{}; starting another\n", MqttError::BrokerGone));
            broker = Some(replace(dead, start)?);
        }
    }
    if let Some(broker) = broker {
        broker.stop();
    }
    Ok(endpoint.close()?)
}

/// What the ends do, as metrics.
fn serving_now(broker: Option<&Broker>, endpoint: &Endpoint) -> ServingNow {
    let EndpointUsage { clients, topics } = endpoint.usage();
    let mqtt = broker.map(|broker| {
        let (delivered, unread_bytes) = broker.progress();
        MqttNow { clients: broker.clients(), delivered, unread_bytes }
    });
    ServingNow { mqtt, kafka_clients: clients, topics }
}

/// A new broker, router and all, at the address of one that has ended.
fn replace(dead: Broker, start: impl Fn(Listen) -> Result<Broker, MqttError>) -> Result<Broker, MqttError> {
    let addr = dead.addr();
    dead.stop();
    start(Listen { addr, fall_back: false })
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn after_the_router_has_ended_a_new_broker_serves_at_the_same_address() {
        let start = |listen| start_broker(listen, "tweets", ClientLimits::default(), false);
        let connect = |broker: &Broker| {
            let mut client = TcpStream::connect(broker.addr()).unwrap();
            client.write_all(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01x").unwrap();
            let mut answer = [0; 4];
            client.read_exact(&mut answer).unwrap();
            (client, answer[3])
        };
        let broker = start(Listen::free_port()).unwrap();
        let (mut client, accepted) = connect(&broker);
        assert_eq!(accepted, 0);
        broker.end_router();
        assert!(broker.is_dead());
        // The connection of a client that is there ends, and nobody waits for an answer that cannot come.
        assert_eq!(client.read(&mut [0; 16]).unwrap(), 0);
        assert_eq!(connect(&broker).1, 3);
        let addr = broker.addr();
        let broker = replace(broker, start).unwrap();
        assert_eq!((broker.addr(), connect(&broker).1), (addr, 0));
    }
}
