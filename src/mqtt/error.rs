//! What can go wrong in the MQTT hop, in words that say what to do.

use std::io;
use std::net::SocketAddr;

use super::outside::Lost;

/// Why the broker cannot start, or a replay cannot go on through it.
#[derive(Debug, thiserror::Error)]
pub enum MqttError {
    #[error(
        "cannot listen for MQTT on {listen}: the port is taken; stop the program that has it, or name \
         another one with --mqtt-listen"
    )]
    AddressInUse { listen: SocketAddr },
    /// The system does not let us listen there.
    #[error("cannot listen for MQTT on {listen}; name another address with --mqtt-listen")]
    Listen { listen: SocketAddr, source: io::Error },
    /// No thread for the listener.
    #[error("cannot start the MQTT listener")]
    Runtime(#[source] io::Error),
    /// A topic that rumqttd cannot carry.
    #[error("{topic:?} cannot be the MQTT topic: {reason}")]
    Topic { topic: String, reason: &'static str },
    /// A ring that rumqttd refuses, by a panic in a thread of its own.
    #[error(
        "an MQTT ring of {segments} segments of {segment_bytes} bytes does not work: it takes at least 2 of \
         1024 bytes"
    )]
    Ring { segment_bytes: usize, segments: usize },
    /// A window that the ring may not hold.
    #[error(
        "an MQTT window of {messages} messages and {bytes} bytes does not work: it takes at least 1 message, \
         and less than the {retained_bytes} bytes that the ring surely holds"
    )]
    Window { messages: usize, bytes: usize, retained_bytes: usize },
    /// A message that no client could get.
    #[error(
        "a message of {bytes} bytes is too large for MQTT here: {max_bytes} is the most (see --max-record)"
    )]
    TooLarge { bytes: usize, max_bytes: usize },
    /// rumqttd's router thread has ended.
    #[error("the MQTT broker inside has ended unexpectedly; what was in flight is lost")]
    BrokerGone,
    /// Nobody takes out what goes in.
    #[error("the MQTT subscriber ended while there was more to publish")]
    SubscriberGone,
    /// No connection to an outside broker.
    #[error("cannot connect to the MQTT broker at {broker}: {why}; is it running there? (see --mqtt)")]
    Unreachable { broker: String, why: Lost },
    /// An outside broker could not be told to forget a run.
    #[error("the MQTT broker keeps the session {session}: {why}")]
    Session { session: String, why: Lost },
    /// A message that MQTT cannot carry.
    #[error("a message cannot be written as MQTT")]
    Codec(#[source] rumqttc::mqttbytes::Error),
}
