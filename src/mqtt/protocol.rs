//! Both MQTT versions on one port: looks at the version in CONNECT, then speaks rumqttd's 3.1.1 or
//! 5 with that client.
//!
//! It also shields the router. rumqttd 0.20's router is one thread for all clients, and panics on
//! packets that are wrong or merely unlucky; comments below name each case.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{BufMut, Bytes, BytesMut};
use rumqttd::protocol::v4::{self, V4};
use rumqttd::protocol::v5::V5;
use rumqttd::protocol::{
    Connect, Error, Packet, Protocol, Publish, PublishProperties, Subscribe, valid_filter, valid_topic,
};

/// Length of the mark by which own messages are known: the run's nonce and the place in the stream.
pub(super) const MARK_BYTES: usize = 16;

/// What all connections count, and the nonce of the replay's marks.
#[derive(Debug, Default, Clone)]
pub(super) struct Traffic {
    connections: Arc<AtomicU64>,
    sent: Arc<AtomicU64>,
    /// How the marks of the replay's messages begin.
    run_nonce: Arc<AtomicU64>,
}

impl Traffic {
    /// Messages sent to outside clients so far.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// From now on marks begin like this.
    pub fn set_run_nonce(&self, nonce: u64) {
        self.run_nonce.store(nonce, Ordering::Relaxed);
    }

    /// Takes the replay's mark off a message: outside clients neither see nor set it. Correlation data of their own
    /// stays.
    fn strip_mark(&self, correlation_data: &mut Option<Bytes>) {
        let nonce = self.run_nonce.load(Ordering::Relaxed);
        let is_mark = |data: &Bytes| data.len() == MARK_BYTES && data.starts_with(&nonce.to_be_bytes());
        if correlation_data.as_ref().is_some_and(is_mark) {
            *correlation_data = None;
        }
    }

    /// Each connection has a clone of this, besides the broker and its listener.
    pub fn is_anybody_connected(&self) -> bool {
        Arc::strong_count(&self.sent) > 2
    }
}

/// One connection's protocol. The server clones a new one for each connection.
#[derive(Debug, Clone)]
pub(super) struct AnyVersion {
    traffic: Traffic,
    version: Version,
    /// The last read gave a packet, so there may be packets of which the router has not been notified.
    mid_batch: bool,
    has_will: bool,
    left: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Unknown,
    V4,
    V5,
}

const CONNECT: u8 = 1;
const DISCONNECT: u8 = 14;

impl AnyVersion {
    pub fn new(traffic: Traffic) -> Self {
        Self { traffic, version: Version::Unknown, mid_batch: false, has_will: false, left: false }
    }

    fn read(&mut self, stream: &mut BytesMut, max_size: usize) -> Result<Packet, Error> {
        let packet_type = stream.first().map(|byte| byte >> 4);
        if self.version == Version::Unknown {
            self.version = version(stream, max_size)?;
        } else if packet_type == Some(CONNECT) {
            return Err(Error::InvalidPacketType(CONNECT));
        }
        let mut packet = match (self.version, packet_type) {
            // V5 panics on packets that only servers send.
            (Version::V5, Some(kind @ (2 | 9 | 11))) => return Err(Error::InvalidPacketType(kind)),
            (Version::V5, _) => V5.read_mut(stream, max_size)?,
            _ => V4.read_mut(stream, max_size)?,
        };
        match &mut packet {
            Packet::Connect(connect, _, will, will_properties, _) => {
                self.admit(connect);
                self.has_will = will.is_some();
                if will.as_ref().is_some_and(|will| !is_routable(&will.topic)) {
                    return Err(Error::MalformedPacket);
                }
                if let Some(properties) = will_properties {
                    properties.message_expiry_interval = None;
                    self.traffic.strip_mark(&mut properties.correlation_data);
                }
            }
            Packet::Publish(publish, properties) => {
                check_publish(publish, properties.as_mut())?;
                if let Some(properties) = properties {
                    self.traffic.strip_mark(&mut properties.correlation_data);
                }
            }
            Packet::Subscribe(subscribe, properties) => {
                check_subscribe(subscribe)?;
                if properties.as_ref().is_some_and(|properties| properties.id == Some(0)) {
                    return Err(Error::MalformedPacket);
                }
            }
            _ => {}
        }
        Ok(packet)
    }

    /// Gives every connection a new session and client id. A second client with the same id would
    /// make the router drop the first one's state while its connection still uses it: a panic in
    /// the router. And a replay has no sessions to resume.
    fn admit(&self, connect: &mut Connect) {
        connect.clean_session = true;
        if !connect.client_id.is_empty() {
            let number = self.traffic.connections.fetch_add(1, Ordering::Relaxed);
            let known = connect.client_id.replace(['+', '$', '#', '/'], "_");
            connect.client_id = format!("{known}-{number}");
        }
        // rumqttd rejects clients without keep-alive.
        if connect.keep_alive == 0 {
            connect.keep_alive = u16::MAX;
        }
    }
}

impl Protocol for AnyVersion {
    fn read_mut(&mut self, stream: &mut BytesMut, max_size: usize) -> Result<Packet, Error> {
        if self.left {
            return Err(Error::InvalidPacketType(DISCONNECT));
        }
        // The router must not see DISCONNECT. It would forget the client at once, while the
        // client's connection may still ask for more: a panic in the router, which a watcher
        // triggers by leaving in the middle of a fast replay. An error here ends the connection
        // first. A will is the exception: only the router can discard it.
        if stream.first().is_some_and(|byte| byte >> 4 == DISCONNECT) && !self.has_will {
            self.left = true;
            stream.clear();
            // An error in the middle of a batch would discard the batch: ask for more, so that its
            // packets reach the router, and fail at the next call.
            let end = if self.mid_batch {
                Error::InsufficientBytes(1)
            } else {
                Error::InvalidPacketType(DISCONNECT)
            };
            return Err(end);
        }
        let read = self.read(stream, max_size);
        self.mid_batch = !matches!(read, Err(_) | Ok(Packet::Connect(..)));
        read
    }

    fn write(&self, mut packet: Packet, buffer: &mut BytesMut) -> Result<usize, Error> {
        if let Packet::Publish(_, properties) = &mut packet {
            self.traffic.sent.fetch_add(1, Ordering::Relaxed);
            if let Some(properties) = properties {
                self.traffic.strip_mark(&mut properties.correlation_data);
            }
        }
        if self.version == Version::V5 {
            return V5.write(packet, buffer);
        }
        // V4 panics on properties, even on our own, and on UNSUBACK.
        let packet = match packet {
            Packet::Publish(publish, _) => Packet::Publish(publish, None),
            Packet::PubAck(ack, _) => Packet::PubAck(ack, None),
            Packet::PubRec(ack, _) => Packet::PubRec(ack, None),
            Packet::PubRel(ack, _) => Packet::PubRel(ack, None),
            Packet::PubComp(ack, _) => Packet::PubComp(ack, None),
            Packet::SubAck(ack, _) => Packet::SubAck(ack, None),
            Packet::UnsubAck(ack, _) => {
                buffer.put_slice(&[0xB0, 2]);
                buffer.put_u16(ack.pkid);
                return Ok(4);
            }
            // A 3.1.1 server just closes the connection.
            Packet::Disconnect(..) => return Ok(0),
            Packet::ConnAck(..) | Packet::PingResp(_) => packet,
            // A server sends nothing else to a client.
            _ => return Err(Error::MalformedPacket),
        };
        V4.write(packet, buffer)
    }
}

/// The version a client asks for, once its CONNECT has arrived.
fn version(stream: &BytesMut, max_size: usize) -> Result<Version, Error> {
    let header = v4::check(stream.iter(), max_size)?;
    if header.byte1 >> 4 != CONNECT {
        return Err(Error::InvalidPacketType(header.byte1 >> 4));
    }
    let body = &stream[header.fixed_header_len..header.frame_length()];
    let (name_bytes, rest) = body.split_first_chunk::<2>().ok_or(Error::MalformedPacket)?;
    match rest.get(usize::from(u16::from_be_bytes(*name_bytes))) {
        Some(4) => Ok(Version::V4),
        Some(5) => Ok(Version::V5),
        Some(level) => Err(Error::InvalidProtocolLevel(*level)),
        None => Err(Error::MalformedPacket),
    }
}

fn check_publish(publish: &Publish, properties: Option<&mut PublishProperties>) -> Result<(), Error> {
    // Empty where a version 5 topic alias replaces it.
    if !publish.topic.is_empty() && !is_routable(&publish.topic) {
        return Err(Error::MalformedPacket);
    }
    if let Some(properties) = properties {
        // The router stops reading for a subscriber that meets a run of expired messages, until a
        // new one arrives. Besides, every published message has to be accounted for.
        properties.message_expiry_interval = None;
        if !properties.subscription_identifiers.is_empty() {
            return Err(Error::MalformedPacket);
        }
    }
    Ok(())
}

/// Refuses what the router would drop the client for, with the same risk as DISCONNECT.
fn check_subscribe(subscribe: &Subscribe) -> Result<(), Error> {
    let is_shared = |path: &str| path.starts_with("$share/");
    let is_good = |path: &str| valid_filter(path) && (!path.starts_with('$') || is_shared(path));
    match subscribe.filters.iter().all(|filter| is_good(&filter.path)) {
        true => Ok(()),
        false => Err(Error::MalformedPacket),
    }
}

/// A topic that the router can match: it slices off the first byte as if it were a character.
fn is_routable(topic: &[u8]) -> bool {
    topic.first().is_some_and(u8::is_ascii)
        && std::str::from_utf8(topic).is_ok_and(|topic| valid_topic(topic) && !topic.contains('\0'))
}

/// As [`is_routable`], with the reason.
pub(super) fn check_topic(topic: &str) -> Result<(), &'static str> {
    match topic.as_bytes() {
        [] => Err("it is empty"),
        [b'$', ..] => Err("topics that start with $ belong to the broker"),
        bytes if bytes.len() > usize::from(u16::MAX) => Err("it is longer than 65535 bytes"),
        [first, ..] if !first.is_ascii() => {
            Err("the broker takes no topic that starts with a non-ASCII letter")
        }
        _ if topic.contains('\0') => Err("it has a zero byte in it"),
        _ if !valid_topic(topic) => Err("it has a wildcard (+ or #) in it"),
        _ => Ok(()),
    }
}
