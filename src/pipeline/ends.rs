//! The two ends that may live in this process: the MQTT broker and the Kafka endpoint. Started
//! before anything else takes time, so that a port that is taken is known at once.

use std::net::SocketAddr;

use super::{KafkaChoice, Listen, MqttChoice, ReplayError, ReplayOptions};
use crate::kafka::embedded::{Endpoint, EndpointError, EndpointOptions};
use crate::kafka::{ProducerOptions, prepare_topic};
use crate::mqtt::{Broker, BrokerOptions};
use crate::report::Endpoints;
use crate::tweet::PayloadForm;

/// What is up, and how to reach it.
pub(super) struct Ends {
    pub broker: Option<Broker>,
    pub endpoint: Option<Endpoint>,
    pub producer: ProducerOptions,
    pub addresses: Endpoints,
}

impl Ends {
    /// Starts what is asked for, makes sure that Kafka answers, and makes the topic.
    pub fn start(options: &ReplayOptions, run: &str) -> Result<Self, ReplayError> {
        let broker = match options.mqtt {
            MqttChoice::Off => None,
            MqttChoice::Embedded(listen) => Some(Broker::start(&BrokerOptions {
                listen: listen.addr,
                fall_back_to_free_port: listen.fall_back,
                topic: options.mqtt_topic.clone(),
                ..BrokerOptions::default()
            })?),
        };
        let (endpoint, brokers) = match &options.kafka {
            KafkaChoice::Cluster(brokers) => (None, brokers.clone()),
            KafkaChoice::Embedded { listen, dir } => {
                let endpoint = start_endpoint(*listen, dir.as_deref())?;
                let addr = endpoint.addr().to_string();
                (Some(endpoint), addr)
            }
        };
        let producer = ProducerOptions {
            brokers: brokers.clone(),
            topic: options.kafka_topic.clone(),
            partitions: options.partitions,
            properties: options.kafka_properties.clone(),
            run_in_headers: (options.payload != PayloadForm::Tweet).then(|| run.to_owned()),
            producers: options.producers,
        };
        prepare_topic(&producer)?;
        let addresses = Endpoints {
            mqtt: broker.as_ref().map(|broker| broker.addr().to_string()),
            mqtt_topic: broker.as_ref().map(|_| options.mqtt_topic.clone()),
            kafka: brokers,
            kafka_topic: options.kafka_topic.clone(),
            kafka_embedded: endpoint.is_some(),
            kafka_dir: endpoint.as_ref().map(|endpoint| endpoint.dir().display().to_string()),
            ..Endpoints::default()
        };
        Ok(Self { broker, endpoint, producer, addresses })
    }
}

fn start_endpoint(listen: Listen, dir: Option<&std::path::Path>) -> Result<Endpoint, EndpointError> {
    let options = |listen| EndpointOptions { listen, dir: dir.map(Into::into), ..EndpointOptions::default() };
    match Endpoint::start(options(listen.addr)) {
        Err(EndpointError::AddressInUse { .. }) if listen.fall_back => {
            Endpoint::start(options(SocketAddr::new(listen.addr.ip(), 0)))
        }
        started => started,
    }
}
