//! The two ends that may be in this process: the MQTT broker and the Kafka endpoint. Started before
//! anything that takes time, so that a taken port is reported at once.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use crate::event::PayloadForm;
use crate::kafka::embedded::{Endpoint, EndpointError, EndpointOptions};
use crate::kafka::{KafkaError, ProducerOptions, Topic, check_settings, end_offsets, prepare_topic};
use crate::mqtt::{
    Broker, BrokerOptions, ClientLimits, MqttError, OutsideBroker, OutsideLink, OutsideOptions,
};
use crate::net::ServerTls;
use crate::options::{DRAIN_AFTER_STOP, EmbeddedKafka, KafkaChoice, Listen, MqttChoice, ReplayOptions};
use crate::pipeline::error::ReplayError;
use crate::pipeline::unless_stopped::unless_stopped;
use crate::report::{Endpoints, counted};

/// The running ends, and how to reach them.
pub(crate) struct Ends {
    pub broker: Option<Broker>,
    pub outside: Option<OutsideOptions>,
    pub endpoint: Option<Endpoint>,
    pub producer: ProducerOptions,
    /// Properties with which "acknowledged" does not mean "there, once".
    pub unsafe_settings: Vec<String>,
    /// Partitions of the topic.
    pub partitions: usize,
    /// The offset behind the last message of each partition, before the run.
    pub starts: BTreeMap<i32, i64>,
    /// Whether the topic was missing.
    pub topic_created: bool,
    /// What there is to say of the topic in a cluster that is not ours.
    pub topic_words: Vec<String>,
    pub addresses: Endpoints,
}

impl Ends {
    /// Starts what is asked for, makes sure that Kafka answers, and makes the topic, unless `stop` is set.
    pub fn start(options: &ReplayOptions, run: &str, stop: &AtomicBool) -> Result<Self, ReplayError> {
        let unsafe_settings = check_settings(&options.kafka.properties, options.kafka.allow_unsafe)
            .map_err(ReplayError::Options)?;
        let (broker, outside) = match &options.mqtt.broker {
            MqttChoice::Off => (None, None),
            MqttChoice::Embedded(listen) => {
                let mqtt = &options.mqtt;
                (Some(start_broker(*listen, &mqtt.topic, mqtt.clients, true)?), None)
            }
            MqttChoice::Outside(broker) => (None, Some(check_outside(broker, options, run, stop)?)),
        };
        let (endpoint, brokers) = match &options.kafka.cluster {
            KafkaChoice::Cluster(brokers) => (None, brokers.clone()),
            KafkaChoice::Embedded(kafka) => {
                let endpoint = match options.druid {
                    // Druid continues where it stopped, so the log and its address must be the
                    // same.
                    Some(_) => start_kept_endpoint(kafka, options.kafka.partitions)?,
                    None => start_endpoint(kafka, options.kafka.partitions)?,
                };
                let addr = endpoint.addr().to_string();
                (Some(endpoint), addr)
            }
        };
        let mut producer = producer_options(options, &brokers, run);
        if let Some(client_id) = endpoint.as_ref().and_then(Endpoint::own_client_id) {
            producer.properties.insert(0, ("client.id".to_owned(), client_id.to_owned()));
        }
        let asked = producer.clone();
        let (topic, starts) = unless_stopped(stop, move || topic_and_starts(&asked))??;
        let topic_words = if endpoint.is_none() { topic_words(&topic) } else { Vec::new() };
        let Topic { partitions, created: topic_created, .. } = topic;
        let embedded = broker.as_ref().map(|broker| broker.addr().to_string());
        let mqtt = embedded.or_else(|| outside.as_ref().map(|outside| outside.broker.to_string()));
        let addresses = Endpoints {
            mqtt_topic: mqtt.as_ref().map(|_| options.mqtt.topic.clone()),
            mqtt,
            kafka: brokers,
            kafka_topic: options.kafka.topic.clone(),
            kafka_embedded: endpoint.is_some(),
            kafka_dir: endpoint.as_ref().map(|endpoint| endpoint.dir().display().to_string()),
            ..Endpoints::default()
        };
        Ok(Self {
            broker,
            outside,
            endpoint,
            producer,
            unsafe_settings,
            partitions,
            starts,
            topic_created,
            topic_words,
            addresses,
        })
    }
}

/// Partitions and copies of a topic, and a remark where one copy is too few.
fn topic_words(topic: &Topic) -> Vec<String> {
    let Topic { partitions, replicas, min_insync, brokers, created } = *topic;
    let made = if created { "created with" } else { "has" };
    let min_insync = min_insync.map_or(String::new(), |copies| format!(", min.insync.replicas {copies}"));
    let mut words = vec![format!(
        "topic {made} {}, {} of each{min_insync}",
        counted(partitions as u64, "partition"),
        if replicas == 1 { "1 copy".to_owned() } else { format!("{replicas} copies") }
    )];
    if replicas == 1 && brokers > 1 {
        words.push(format!(
            "one copy in a cluster of {brokers} brokers: a broker that is lost takes its messages with it"
        ));
    }
    words
}

/// The producer's options for the Kafka at `brokers`.
pub(crate) fn producer_options(options: &ReplayOptions, brokers: &str, run: &str) -> ProducerOptions {
    ProducerOptions {
        brokers: brokers.to_owned(),
        topic: options.kafka.topic.clone(),
        partitions: options.kafka.partitions,
        replication: options.kafka.replication,
        properties: options.kafka.properties.clone(),
        run_in_headers: (options.message.payload != PayloadForm::Tweet).then(|| run.to_owned()),
        producers: options.kafka.producers,
    }
}

/// The topic, and where each of its partitions ends.
fn topic_and_starts(producer: &ProducerOptions) -> Result<(Topic, BTreeMap<i32, i64>), KafkaError> {
    let topic = prepare_topic(producer)?;
    let starts = match topic.created {
        true => (0..topic.partitions as i32).map(|partition| (partition, 0)).collect(),
        false => end_offsets(producer, topic.partitions)?,
    };
    Ok((topic, starts))
}

/// Checks that an outside broker accepts the connection, and that its messages can be told apart.
pub(crate) fn check_outside(
    broker: &OutsideBroker,
    options: &ReplayOptions,
    run: &str,
    stop: &AtomicBool,
) -> Result<OutsideOptions, ReplayError> {
    if options.message.payload != PayloadForm::Tweet {
        return Err(ReplayError::Options(PAYLOAD_WITHOUT_RUN.into()));
    }
    let outside = OutsideOptions {
        broker: broker.clone(),
        topic: options.mqtt.topic.clone(),
        run: run.to_owned(),
        names: options.message.names,
        after_stop: options.kafka.drain_timeout.unwrap_or(DRAIN_AFTER_STOP),
    };
    let asked = outside.clone();
    unless_stopped(stop, move || OutsideLink::check(&asked))??;
    Ok(outside)
}

/// Why an outside broker accepts one form of payload only.
pub const PAYLOAD_WITHOUT_RUN: &str = "--payload raw and minimal do not go with an outside MQTT broker: over \
     MQTT 3.1.1 a tweet is known by the run and seq in its payload, which they do not have; use --payload \
     tweet, or the embedded broker";

/// Starts the broker, on a free port if the default one is taken.
pub(crate) fn start_broker(
    listen: Listen,
    topic: &str,
    clients: ClientLimits,
    has_replay: bool,
) -> Result<Broker, MqttError> {
    if !clients.asks_who() {
        warn_of_network(listen, "MQTT broker", "publish and read");
    }
    Broker::start(&BrokerOptions {
        clients,
        has_replay,
        listen: listen.addr,
        fall_back_to_free_port: listen.fall_back,
        topic: topic.to_owned(),
        ..BrokerOptions::default()
    })
}

/// Neither of the two asks who its clients are.
pub(crate) fn warn_of_network(listen: Listen, what: &str, may: &str) {
    if !listen.addr.ip().is_loopback() {
        tracing::warn!(
            "the embedded {what} listens on {}, and asks for no password: anybody who reaches this machine may {may}",
            listen.addr
        );
    }
}

/// Starts the endpoint, on a free port if the default one is taken.
pub(crate) fn start_endpoint(kafka: &EmbeddedKafka, partitions: i32) -> Result<Endpoint, EndpointError> {
    start_endpoint_at(kafka, partitions, 0)
}

/// The same; with TLS, this port is the one without it.
fn start_endpoint_at(
    kafka: &EmbeddedKafka,
    partitions: i32,
    plain_port: u16,
) -> Result<Endpoint, EndpointError> {
    let EmbeddedKafka { listen, advertise, dir, fsync, retention_bytes, repair, tls } = kafka.clone();
    if !tls.is_some_and(ServerTls::asks_clients) {
        warn_of_network(listen, "Kafka", "read, write and delete");
    }
    let options = EndpointOptions {
        listen: listen.addr,
        dir,
        advertise,
        default_partitions: partitions,
        fsync,
        retention_bytes,
        repair,
        tls,
        plain_port,
        ..EndpointOptions::default()
    };
    match Endpoint::start(options.clone()) {
        Err(EndpointError::AddressInUse { .. }) if listen.fall_back => {
            Endpoint::start(EndpointOptions { listen: SocketAddr::new(listen.addr.ip(), 0), ..options })
        }
        started => started,
    }
}

/// Starts the endpoint with a permanent log, in the user's state directory unless another is named, and if possible on the
/// ports that it had before. Druid reads without TLS, others may come over it.
pub(crate) fn start_kept_endpoint(kafka: &EmbeddedKafka, partitions: i32) -> Result<Endpoint, ReplayError> {
    let dir = match &kafka.dir {
        Some(dir) => dir.clone(),
        None => state_dir()?.join("kafka"),
    };
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| ReplayError::StateDir { path, source }
    };
    std::fs::create_dir_all(&dir).map_err(failed(&dir))?;
    // Next to it, because the directory itself belongs to the endpoint.
    let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let beside = |what: &str| dir.with_file_name(format!("{name}.{what}"));
    let (plain_file, tls_file) = (beside("port"), beside("tls-port"));
    let remembered = |file: &Path| std::fs::read_to_string(file).ok()?.trim().parse::<u16>().ok();
    let mut plain_port = remembered(&plain_file).unwrap_or(0);
    let mut kept = EmbeddedKafka { dir: Some(dir.clone()), ..kafka.clone() };
    let (listen, is_free) = (&mut kept.listen.addr, kafka.listen.fall_back);
    let before = if kafka.tls.is_some() { remembered(&tls_file) } else { Some(plain_port) };
    if let Some(port) = before.filter(|port| is_free && *port > 0) {
        listen.set_port(port);
    }
    // One port for both: the one that was asked for stays, or else the one that Druid knows.
    match kafka.tls.is_some() && plain_port == listen.port() {
        true if is_free => listen.set_port(0),
        true => plain_port = 0,
        false => {}
    }
    let endpoint = start_endpoint_at(&kept, partitions, plain_port)?;
    let note = |file: &Path, addr: SocketAddr| {
        std::fs::write(file, format!("{}\n", addr.port())).map_err(failed(file))
    };
    if is_free || kafka.tls.is_some() {
        note(&plain_file, endpoint.addr())?;
    }
    if let Some(addr) = endpoint.tls_addr().filter(|_| is_free) {
        note(&tls_file, addr)?;
    }
    Ok(endpoint)
}

/// Where programs keep files that must survive a restart, according to the XDG base directory
/// specification.
fn state_dir() -> Result<PathBuf, ReplayError> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")));
    state.map(|state| state.join("tweetblast")).ok_or_else(|| {
        ReplayError::Options(
            "neither XDG_STATE_HOME nor HOME is set: --kafka-dir DIR says where Kafka's log is kept for Druid"
                .to_owned(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::embedded::Fsync;
    use crate::net::TlsFiles;

    #[test]
    fn one_copy_in_a_cluster_of_several_is_remarked_on() {
        let topic = |replicas, brokers, min_insync| Topic {
            partitions: 6,
            replicas,
            min_insync,
            brokers,
            created: true,
        };
        let words = topic_words(&topic(3, 3, Some(2)));
        assert_eq!(words, ["topic created with 6 partitions, 3 copies of each, min.insync.replicas 2"]);
        let words = topic_words(&Topic { partitions: 1, created: false, ..topic(1, 3, None) });
        assert_eq!(words[0], "topic has 1 partition, 1 copy of each");
        assert!(words[1].contains("cluster of 3 brokers"), "{words:?}");
        assert_eq!(topic_words(&topic(1, 1, None)).len(), 1);
    }

    /// A port that neither the system gives to clients nor other tests take.
    fn free_port(from: u16) -> u16 {
        let is_free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
        let first = from + (std::process::id() % 500) as u16;
        (first..first + 500).find(is_free).unwrap()
    }

    fn ports(kafka: &EmbeddedKafka) -> (u16, Option<u16>) {
        let endpoint = start_kept_endpoint(kafka, 1).unwrap();
        (endpoint.addr().port(), endpoint.tls_addr().map(|addr| addr.port()))
    }

    #[test]
    fn druids_port_and_the_one_with_tls_are_the_same_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/common/tls").join(name);
        let files = TlsFiles { cert: file("server.pem"), key: file("server.key"), client_ca: None };
        let with_tls = ServerTls::load(&files).unwrap();
        let (plain, tls, named) = (free_port(14_000), free_port(15_000), free_port(16_000));
        let log = dir.path().join("kafka");
        let kafka = |port, fall_back, tls| EmbeddedKafka {
            listen: Listen { addr: SocketAddr::from(([127, 0, 0, 1], port)), fall_back },
            advertise: None,
            dir: Some(log.clone()),
            fsync: Fsync::Never,
            retention_bytes: None,
            repair: false,
            tls,
        };
        let with_tls: Option<&'static ServerTls> = Some(Box::leak(Box::new(with_tls)));
        assert_eq!(ports(&kafka(plain, true, None)), (plain, None));
        assert_eq!(ports(&kafka(tls, true, with_tls)), (plain, Some(tls)), "TLS from now on");
        assert_eq!(ports(&kafka(named, true, with_tls)), (plain, Some(tls)), "another default");
        assert_eq!(ports(&kafka(named, false, with_tls)), (plain, Some(named)), "a port that is named");
        assert_eq!(ports(&kafka(named, true, None)), (plain, None), "no TLS any more");
        // One of the two has to give way.
        let (other, given) = ports(&kafka(plain, false, with_tls));
        assert!(other != plain && given == Some(plain), "the one that is named stays");
        std::fs::write(log.with_file_name("kafka.port"), format!("{tls}\n")).unwrap();
        let (given, other) = ports(&kafka(named, true, with_tls));
        assert!(given == tls && other != Some(tls), "or else Druid's");
    }
}
