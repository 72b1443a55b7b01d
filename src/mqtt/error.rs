//! What can go wrong in the MQTT hop, with messages that say what to do.

use std::io;
use std::net::SocketAddr;

use indicatif::HumanCount;

use super::outside::Lost;
use super::router_panic::why_it_ended;

/// Why the broker cannot start, or why a replay through it cannot continue.
#[derive(Debug, thiserror::Error)]
pub enum MqttError {
    #[error(
        "cannot listen for MQTT on {listen}: the port is taken; stop the program that has it, or name \
         another one with --mqtt-listen"
    )]
    AddressInUse { listen: SocketAddr },
    #[error("cannot listen for MQTT on {listen}; name another address with --mqtt-listen")]
    Listen { listen: SocketAddr, source: io::Error },
    #[error("cannot start the MQTT listener")]
    Runtime(#[source] io::Error),
    /// rumqttd cannot carry this topic.
    #[error("{topic:?} cannot be the MQTT topic: {reason}")]
    Topic { topic: String, reason: &'static str },
    /// rumqttd panics on this ring, in one of its threads.
    #[error(
        "an MQTT ring of {segments} segments of {segment_bytes} bytes does not work: it takes at least 2 of \
         1024 bytes"
    )]
    Ring { segment_bytes: usize, segments: usize },
    /// The ring may not hold this window.
    #[error(
        "an MQTT window of {messages} messages and {bytes} bytes does not work: it takes at least 1 message, \
         and less than the {retained_bytes} bytes that the ring is guaranteed to hold"
    )]
    Window { messages: usize, bytes: usize, retained_bytes: usize },
    /// No client could receive this message.
    #[error(
        "a message of {} bytes is too large for MQTT here: {} is the most (see --max-record)",
        HumanCount(*bytes as u64),
        HumanCount(*max_bytes as u64)
    )]
    TooLarge { bytes: usize, max_bytes: usize },
    /// rumqttd's router thread has ended.
    #[error("the MQTT broker inside has ended unexpectedly{}; what was in flight is lost", why_it_ended())]
    BrokerGone,
    /// The receiving side is gone.
    #[error("the MQTT subscriber ended while there was more to publish")]
    SubscriberGone,
    #[error(
        "cannot connect to the MQTT broker at {broker}: {why}; is it running there? \
         `tweetblast doctor --mqtt mqtt://{broker}` checks each hop"
    )]
    Unreachable { broker: String, why: Lost },
    /// The outside broker did not answer the request to delete the run's session.
    #[error("the MQTT broker keeps the session {session}: {why}")]
    Session { session: String, why: Lost },
    /// The broker accepts messages, and returns none.
    #[error(
        "the MQTT broker at {broker} drops the messages: none was returned for {seconds} s; check that it accepts \
         messages as long as a tweet (mosquitto: message_size_limit), and that this user may read the topic"
    )]
    Dropped { broker: String, seconds: u64 },
    /// The broker ends the connection whenever something is published.
    #[error(
        "the MQTT broker at {broker} refuses the messages: it ended {times} connections after something was \
         published, and returned nothing; its log says why (mosquitto: max_qos must be at least 1, and \
         max_packet_size and message_size_limit larger than a tweet)"
    )]
    Refused {
        broker: String,
        times: u32,
        #[source]
        why: Lost,
    },
    /// MQTT cannot carry this message.
    #[error("a message cannot be written as MQTT")]
    Codec(#[source] rumqttc::mqttbytes::Error),
}
