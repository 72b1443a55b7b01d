//! What a bridge stands between: MQTT on one side, Kafka on the other, and the spool beside it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::druid::{DruidEnd, DruidTables, DruidWatch};
use super::error::BridgeError;
use super::mover::Mover;
use super::route::Routes;
use super::spool::Spool;
use super::thread::spawn;
use crate::kafka::embedded::{Endpoint, Fsync};
use crate::kafka::{KafkaError, ProducerOptions, StreamProducer, check_settings, prepare_topic};
use crate::mqtt::{
    BridgeSource, BridgeSourceOptions, Broker, BrokerOptions, Intake, MqttError, OutsideBroker,
};
use crate::options::{BridgeOptions, KafkaChoice, MqttChoice, Session};
use crate::pipeline::ends::{start_endpoint, start_kept_endpoint, warn_of_network};
use crate::pipeline::new_run_id;
use crate::report::{Screen, counted};

/// How often Kafka is asked again where it did not answer at the start.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Both ends, running.
pub(super) struct BridgeEnds {
    pub intake: Intake,
    broker: Option<(Broker, BrokerOptions)>,
    source: Option<BridgeSource>,
    endpoint: Option<Endpoint>,
    mover: Option<Mover>,
    druid: Option<DruidEnd>,
    /// Addresses, for people.
    pub mqtt: String,
    pub kafka: String,
}

impl BridgeEnds {
    /// Starts all, the way in last: then what comes has a way out.
    pub fn start(options: &BridgeOptions, session: &Session) -> Result<Self, BridgeError> {
        let unsafe_settings =
            check_settings(&options.kafka.properties, true).map_err(BridgeError::Options)?;
        if let Some(words) = unsafe_settings.first() {
            return Err(BridgeError::Options(format!("-X {words}: an answer would promise too much")));
        }
        options.druid.as_ref().map_or(Ok(()), DruidEnd::check_address)?;
        let spool = options.spool.clone().map(Spool::open).transpose()?;
        let (endpoint, brokers) = match &options.kafka.cluster {
            KafkaChoice::Cluster(brokers) => (None, brokers.clone()),
            KafkaChoice::Embedded(kafka) => {
                let endpoint = match options.druid {
                    // Druid continues where it stopped, so the log and its address must be the same.
                    Some(_) => start_kept_endpoint(kafka, options.kafka.partitions)?,
                    None => start_endpoint(kafka, options.kafka.partitions)?,
                };
                let addr = endpoint.addr().to_string();
                (Some(endpoint), addr)
            }
        };
        let own_id = endpoint.as_ref().and_then(Endpoint::own_client_id);
        let run = options.druid.is_some().then(new_run_id);
        let producer = producer_options(options, &brokers, own_id, run.clone());
        let is_ready = prepare(options, &producer, spool.is_some(), &session.stop)?;
        let druid = match (&options.druid, &run) {
            (Some(druid), Some(run)) => {
                let kafka = (brokers.as_str(), endpoint.is_some());
                Some(DruidEnd::new(options, druid, kafka, run, &session.stop)?)
            }
            _ => None,
        };
        let intake = Intake::new(options.memory_bytes);
        let routes = Routes::new(&options.routes, &options.key_from);
        let stream = StreamProducer::new(&producer)?;
        let mut mover = Mover::new(routes, intake.clone(), stream, spool, options.drain);
        mover.is_ready = is_ready;
        let mut ends = Self {
            intake: intake.0,
            broker: None,
            source: None,
            endpoint,
            mover: Some(mover),
            druid,
            mqtt: String::new(),
            kafka: brokers,
        };
        ends.start_mqtt(options)?;
        Ok(ends)
    }

    fn start_mqtt(&mut self, options: &BridgeOptions) -> Result<(), BridgeError> {
        match &options.mqtt.broker {
            MqttChoice::Off => return Err(BridgeError::Options("a bridge needs MQTT".to_owned())),
            MqttChoice::Embedded(listen) => {
                if !options.mqtt.clients.asks_who() {
                    warn_of_network(*listen, "MQTT broker", "publish and read");
                }
                let broker_options = BrokerOptions {
                    listen: listen.addr,
                    fall_back_to_free_port: listen.fall_back,
                    topic: options.mqtt.topic.clone(),
                    clients: options.mqtt.clients,
                    has_replay: false,
                    intake: Some(self.intake.clone()),
                    ..BrokerOptions::default()
                };
                let broker = Broker::start(&broker_options)?;
                self.mqtt = broker.addr().to_string();
                self.broker = Some((broker, broker_options));
            }
            MqttChoice::Outside(broker) => {
                self.mqtt = broker.to_string();
                self.source = Some(self.subscribe(options, broker.clone())?);
            }
        }
        Ok(())
    }

    fn subscribe(&self, options: &BridgeOptions, broker: OutsideBroker) -> Result<BridgeSource, MqttError> {
        let filters: BTreeSet<String> = options.routes.iter().map(|route| route.filter.clone()).collect();
        let (client_id, filters) = (options.session.clone(), filters.into_iter().collect());
        let options = BridgeSourceOptions { broker, client_id, filters };
        BridgeSource::connect(options, self.intake.clone())
    }

    /// The mover, once.
    pub fn take_mover(&mut self) -> Result<Mover, BridgeError> {
        self.mover.take().ok_or(BridgeError::Panic("bridge"))
    }

    /// What reads from an outside broker, once.
    pub fn take_source(&mut self) -> Option<BridgeSource> {
        self.source.take()
    }

    /// Druid's part, once.
    pub fn take_druid(&mut self) -> Option<DruidEnd> {
        self.druid.take()
    }

    /// What Druid has, as it is looked at.
    pub fn druid_tables(&self) -> Option<DruidTables> {
        self.druid.as_ref().map(|druid| druid.tables.clone())
    }

    /// What is said at the start.
    pub fn announcement(&self, options: &BridgeOptions, druid: Option<&DruidWatch>) -> String {
        let log = self.endpoint.as_ref().map_or(String::new(), |endpoint| {
            let kept =
                if endpoint.is_temporary() { ", removed at the end (--kafka-dir keeps it)" } else { "" };
            let tls = endpoint.tls_addr().map_or(String::new(), |addr| format!("  TLS at {addr}"));
            format!("{tls}  log in {}{kept}", endpoint.dir().display())
        });
        let routes = options.routes.iter().map(|route| format!("{} → {}", route.filter, route.topic));
        let spool = options.spool.as_ref().map_or(String::new(), |spool| {
            format!("Spool  {}, synced {}\n", spool.dir.display(), fsync_words(spool.fsync))
        });
        let druid = druid.map_or("", DruidWatch::announcement);
        format!(
            "MQTT   {}\nKafka  {}{log}\nTopics {}; key: {}\n{spool}{druid}bridging until Ctrl-C; kill -USR1 {} shows the \
             ledger\n",
            self.mqtt,
            self.kafka,
            routes.collect::<Vec<_>>().join(", "),
            options.key_from.join("."),
            std::process::id()
        )
    }

    /// Starts another broker at the same address where rumqttd's router has ended. Publishers connect again, and send again
    /// what has no answer.
    pub fn revive(&mut self, screen: &Screen) -> Result<(), BridgeError> {
        if let Some((dead, options)) = self.broker.take_if(|(broker, _)| broker.is_dead()) {
            screen.say(&format!("{}; starting another\n", MqttError::BrokerGone));
            let listen = dead.addr();
            dead.stop();
            let options = BrokerOptions { listen, fall_back_to_free_port: false, ..options };
            self.broker = Some((Broker::start(&options)?, options));
        }
        Ok(())
    }

    /// Ends all, after the mover has ended: publishers get the last answers.
    pub fn close(self) -> Result<(), BridgeError> {
        if let Some((broker, _)) = self.broker {
            broker.stop();
        }
        self.endpoint.map_or(Ok(()), |endpoint| endpoint.close())?;
        Ok(())
    }
}

/// When a spool is synced, in words.
pub(super) fn fsync_words(fsync: Fsync) -> String {
    match fsync {
        Fsync::Never => "never".to_owned(),
        Fsync::Always => "always".to_owned(),
        Fsync::Every(interval) => format!("every {}", crate::report::typed(interval)),
    }
}

fn producer_options(
    options: &BridgeOptions,
    brokers: &str,
    own_id: Option<&str>,
    run: Option<String>,
) -> ProducerOptions {
    let mut properties = options.kafka.properties.clone();
    if let Some(own_id) = own_id {
        properties.insert(0, ("client.id".to_owned(), own_id.to_owned()));
    }
    ProducerOptions {
        brokers: brokers.to_owned(),
        topic: String::new(),
        partitions: options.kafka.partitions,
        replication: options.kafka.replication,
        properties,
        run_in_headers: run,
        producers: 1,
    }
}

/// Makes sure that Kafka answers and the topics are there. With a spool it may also be later: what is returned says when.
fn prepare(
    options: &BridgeOptions,
    producer: &ProducerOptions,
    has_spool: bool,
    stop: &Arc<AtomicBool>,
) -> Result<Arc<AtomicBool>, BridgeError> {
    let topics: BTreeSet<String> = options.routes.iter().map(|route| route.topic.clone()).collect();
    let asked = producer.clone();
    let ask = move || -> Result<(), KafkaError> {
        topics.iter().try_for_each(|topic| {
            let topic = prepare_topic(&ProducerOptions { topic: topic.clone(), ..asked.clone() })?;
            tracing::info!("a topic has {}", counted(topic.partitions as u64, "partition"));
            Ok(())
        })
    };
    let error = match ask() {
        Ok(()) => return Ok(Arc::new(AtomicBool::new(true))),
        Err(error @ (KafkaError::Unreachable { .. } | KafkaError::Silent { .. })) if has_spool => error,
        Err(error) => return Err(error.into()),
    };
    tracing::warn!("{error}; until it answers, messages go to the spool");
    let (is_ready, stop) = (Arc::new(AtomicBool::new(false)), stop.clone());
    let ready = is_ready.clone();
    let ask_again = move || {
        let mut said = String::new();
        while !stop.load(Ordering::Relaxed) {
            std::thread::sleep(ASK_AGAIN);
            match ask() {
                Ok(()) => return ready.store(true, Ordering::Relaxed),
                Err(error @ KafkaError::Refused { .. }) if error.to_string() != said => {
                    said = error.to_string();
                    tracing::error!("{said}; messages go to the spool, and Kafka is asked again");
                }
                Err(error) => tracing::debug!(%error, "Kafka does not answer yet"),
            }
        }
    };
    spawn("ask", ask_again)?;
    Ok(is_ready)
}
