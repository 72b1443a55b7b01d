//! Checks each hop in the order in which a tweet passes them, and sends one marker tweet through
//! all of them: what is wrong, and what to do.
//!
//! The checks before the marker change nothing. The marker is a message in the topic and a row in
//! the datasource, like one tweet of a replay; and as in a replay, a missing topic is created. A supervisor
//! that was missing or suspended is so again afterwards; one of ours that reads stays unchanged.

mod druid;
mod exam;
mod marker;
mod superset;

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::kafka::look_at_cluster;
use crate::net::{self, reach};
use crate::options::{KafkaChoice, Listen, MqttChoice, ReplayOptions};
use crate::pipeline::new_run_id;
use crate::pipeline::{check_outside, producer_options};
pub use crate::report::{Check, CheckState};
use crate::report::{counted, with_causes};
use druid::MarkerWay;
use exam::Exam;

/// What to check.
#[derive(Debug, Clone)]
pub struct DoctorOptions {
    /// The replay that should work. Its input is not read.
    pub replay: ReplayOptions,
    /// Address of Superset.
    pub superset: Option<String>,
}

/// Longest wait for a connection to an advertised address.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Checks everything, and reports each check as it ends. Returns whether none failed. Blocks for
/// seconds, with Druid until the marker can be queried.
pub fn doctor(options: &DoctorOptions, stop: &Arc<AtomicBool>, tell: &mut dyn FnMut(&Check)) -> bool {
    let mut exam = Exam { tell, failed: false };
    let replay = &options.replay;
    mqtt(replay, stop, &mut exam);
    kafka(replay, &mut exam);
    let mut marked = replay.clone();
    let way = match &mut marked.druid {
        None => MarkerWay::Submit,
        Some(choice) => {
            let way = druid::check(replay, choice, stop, &mut exam);
            match &way {
                MarkerWay::AsItIs(name) => choice.supervisor = Some(name.clone()),
                MarkerWay::Passing(after) => choice.after = choice.after.or(Some(*after)),
                MarkerWay::Submit | MarkerWay::None => {}
            }
            way
        }
    };
    match way {
        _ if exam.failed => exam.skip("marker tweet", "not sent: fix the failures above first"),
        MarkerWay::None => {
            exam.skip("marker tweet", "not sent: the supervisor reads those of --payload minimal or raw");
        }
        MarkerWay::Submit | MarkerWay::Passing(_) | MarkerWay::AsItIs(_) => {
            marker::send(&marked, stop, &mut exam);
        }
    }
    if let Some(url) = &options.superset {
        superset::check(url, replay, &mut exam);
    }
    !exam.failed
}

fn mqtt(options: &ReplayOptions, stop: &AtomicBool, exam: &mut Exam<'_>) {
    match &options.mqtt.broker {
        MqttChoice::Off => exam.skip("mqtt", "skipped (--mqtt off)"),
        MqttChoice::Embedded(listen) => port("mqtt port", *listen, "--mqtt-listen", exam),
        MqttChoice::Outside(broker) => match check_outside(broker, options, &new_run_id(), stop) {
            Ok(_) => exam.ok("mqtt broker", format!("{broker} accepts connections")),
            Err(error) => exam.fail("mqtt broker", with_causes(&error)),
        },
    }
}

/// Whether the embedded broker or endpoint can listen there.
fn port(name: &'static str, listen: Listen, flag: &str, exam: &mut Exam<'_>) {
    let addr = listen.addr;
    match TcpListener::bind(addr) {
        Ok(_) => exam.ok(name, format!("{addr} is free for the embedded one")),
        Err(error) if listen.fall_back => {
            let why = net::words(&error);
            exam.warn(name, format!("{addr} is not free ({why}): the embedded one takes another port"));
        }
        Err(error) => {
            let why = net::words(&error);
            exam.fail(name, format!("cannot listen on {addr} ({why}): name another with {flag}"))
        }
    }
}

fn kafka(options: &ReplayOptions, exam: &mut Exam<'_>) {
    let brokers = match &options.kafka.cluster {
        KafkaChoice::Cluster(brokers) => brokers,
        KafkaChoice::Embedded(kafka) => return port("kafka port", kafka.listen, "--kafka-listen", exam),
    };
    let producer = producer_options(options, brokers, "");
    let cluster = match look_at_cluster(&producer) {
        Ok(cluster) => cluster,
        Err(error) => return exam.fail("kafka", with_causes(&error)),
    };
    exam.ok("kafka", format!("{brokers} answers: {}", counted(cluster.advertised.len() as u64, "broker")));
    for (host, port) in &cluster.advertised {
        match reach(host, *port, CONNECT_TIMEOUT) {
            Ok(()) => exam.ok("advertised", format!("clients are told {host}:{port}, which can be reached")),
            Err(reason) => exam.fail(
                "advertised",
                format!(
                    "clients are told {host}:{port}, which cannot be reached from here ({reason}): set Kafka's \
                     advertised.listeners to a name that its clients can resolve"
                ),
            ),
        }
    }
    let topic = &options.kafka.topic;
    match cluster.partitions {
        0 => exam.ok(
            "topic",
            format!(
                "{topic} is missing: a replay creates it with {}",
                counted(options.kafka.partitions as u64, "partition")
            ),
        ),
        partitions => {
            exam.ok("topic", format!("{topic} is there, {}", counted(partitions as u64, "partition")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{KafkaOptions, MqttOptions};

    fn checks(options: ReplayOptions) -> (Vec<Check>, bool) {
        let mut checks = Vec::new();
        let options = DoctorOptions { replay: options, superset: None };
        let well = doctor(&options, &Arc::default(), &mut |check| checks.push(check.clone()));
        (checks, well)
    }

    #[test]
    fn a_marker_passes_the_ends_of_our_own() {
        let (checks, well) = checks(ReplayOptions::default());
        assert!(well, "{checks:#?}");
        let names: Vec<&str> = checks.iter().map(|check| check.name).collect();
        assert_eq!(names, ["mqtt port", "kafka port", "marker tweet", "read back"]);
        assert!(checks.iter().all(|check| check.state == CheckState::Ok), "{checks:#?}");
    }

    #[test]
    fn what_is_wrong_is_said_and_no_marker_is_sent() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = taken.local_addr().unwrap();
        let options = ReplayOptions {
            mqtt: MqttOptions {
                broker: MqttChoice::Embedded(Listen { addr, fall_back: false }),
                ..MqttOptions::default()
            },
            kafka: KafkaOptions {
                cluster: KafkaChoice::Cluster(addr.to_string()),
                ..KafkaOptions::default()
            },
            ..ReplayOptions::default()
        };
        let (checks, well) = checks(options);
        assert!(!well);
        let states: Vec<_> = checks.iter().map(|check| (check.name, check.state)).collect();
        use CheckState::{Failed, Skipped};
        assert_eq!(states, [("mqtt port", Failed), ("kafka", Failed), ("marker tweet", Skipped)]);
        assert!(checks[0].words.contains("--mqtt-listen"), "{checks:#?}");
        assert!(checks.iter().all(|check| !check.words.contains("tweetblast doctor")), "{checks:#?}");
    }
}
