//! One TCP connection to a broker: the handshake, and packets parsed from its bytes. The codec is
//! rumqttc's. Its event loop is not used, because it forgets unacknowledged messages when the
//! broker has forgotten the session, and flushes after each message.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rumqttc::mqttbytes::v4::{Connect, ConnectReturnCode, Packet, Subscribe, SubscribeReasonCode};
use rumqttc::mqttbytes::{Error as CodecError, QoS};

use super::OutsideBroker;
use crate::net;

/// Longest wait for a connection to one address.
const DIAL_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest wait for the broker to answer CONNECT and SUBSCRIBE.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest wait for a broker that does not read what we write.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// Largest packet: what MQTT itself allows (3.1.1, section 2.2.3).
const PACKET_MAX_BYTES: usize = 268_435_455;

/// A broker may end the connection after one and a half times this long without a packet from us.
/// Pings are far more frequent, unless Kafka blocks the subscriber.
const KEEP_ALIVE_S: u16 = 60;

/// Bytes read at a time.
const READ_BYTES: usize = 64 << 10;

/// Why there is no connection, or no longer one.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// An error of the system.
    #[error("{}", net::words(.0))]
    Io(#[from] io::Error),
    /// Bytes that are not MQTT.
    #[error("what answers there does not speak MQTT 3.1.1 ({0})")]
    NotMqtt(CodecError),
    /// Not a CONNACK in answer to CONNECT (3.1.1, section 3.2).
    #[error("what answers there does not speak MQTT 3.1.1 (it does not begin with CONNACK)")]
    NoConnAck,
    /// CONNECT was refused.
    #[error("{}", refusal(*.0))]
    Refused(ConnectReturnCode),
    /// SUBSCRIBE was refused.
    #[error("it does not let us subscribe to the topic")]
    NoSubscription,
}

fn refusal(code: ConnectReturnCode) -> &'static str {
    match code {
        ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized => {
            "it does not let us in: name a user with mqtt://USER@HOST and set TWEETBLAST_MQTT_PASSWORD"
        }
        ConnectReturnCode::RefusedProtocolVersion => "it does not take MQTT 3.1.1",
        ConnectReturnCode::BadClientId => "it does not take our client id",
        _ => "it takes no connections now",
    }
}

/// The reading side of a connection.
pub(super) struct Wire {
    stream: TcpStream,
    bytes: BytesMut,
    scratch: Box<[u8]>,
    /// Packets that came before the expected answer.
    early: VecDeque<Packet>,
    timeout: Duration,
}

impl Wire {
    /// Connects as `client_id`, to the session of that name or to a new one.
    pub fn connect(broker: &OutsideBroker, client_id: &str, clean_session: bool) -> Result<Self, Lost> {
        let stream = dial(broker)?;
        let _ = stream.set_nodelay(true);
        stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
        let mut wire = Self {
            stream,
            bytes: BytesMut::new(),
            scratch: vec![0; READ_BYTES].into_boxed_slice(),
            early: VecDeque::new(),
            timeout: Duration::ZERO,
        };
        let mut connect = Connect::new(client_id);
        connect.clean_session = clean_session;
        connect.keep_alive = KEEP_ALIVE_S;
        if let Some(user) = &broker.user {
            connect.set_login(user, broker.password.as_deref().unwrap_or_default());
        }
        wire.write(&Packet::Connect(connect))?;
        let code = wire.wait_for(|packet| match packet {
            Packet::ConnAck(ack) => Some(Ok(ack.code)),
            _ => Some(Err(Lost::NoConnAck)),
        })?;
        if code != ConnectReturnCode::Success { Err(Lost::Refused(code)) } else { Ok(wire) }
    }

    /// Subscribes at QoS 1; in force when this returns.
    pub fn subscribe(&mut self, topic: &str) -> Result<(), Lost> {
        let mut subscribe = Subscribe::new(topic, QoS::AtLeastOnce);
        subscribe.pkid = u16::MAX;
        self.write(&Packet::Subscribe(subscribe))?;
        self.wait_for(|packet| match packet {
            Packet::SubAck(ack) if ack.return_codes.contains(&SubscribeReasonCode::Failure) => {
                Some(Err(Lost::NoSubscription))
            }
            Packet::SubAck(_) => Some(Ok(())),
            // Messages may come before the answer.
            _ => None,
        })
    }

    /// A second handle on the connection, for writing.
    pub fn writer(&self) -> io::Result<TcpStream> {
        self.stream.try_clone()
    }

    pub fn disconnect(mut self) {
        // The broker may be gone already.
        let _ = self.write(&Packet::Disconnect);
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// The next packet; `None` when none has come within `wait`.
    pub fn read(&mut self, wait: Duration) -> Result<Option<Packet>, Lost> {
        let before = self.buffered()?;
        if before.is_some() {
            return Ok(before);
        }
        if self.timeout != wait {
            self.stream.set_read_timeout(Some(wait))?;
            self.timeout = wait;
        }
        match self.stream.read(&mut self.scratch) {
            Ok(0) => Err(io::Error::new(ErrorKind::UnexpectedEof, "the broker ended the connection").into()),
            Ok(read) => {
                self.bytes.extend_from_slice(&self.scratch[..read]);
                self.buffered()
            }
            Err(error) if is_timeout(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The next packet that has already been read.
    pub fn buffered(&mut self) -> Result<Option<Packet>, Lost> {
        if let Some(packet) = self.early.pop_front() {
            return Ok(Some(packet));
        }
        match Packet::read(&mut self.bytes, PACKET_MAX_BYTES) {
            Ok(packet) => Ok(Some(packet)),
            Err(CodecError::InsufficientBytes(_)) => Ok(None),
            Err(error) => Err(Lost::NotMqtt(error)),
        }
    }

    fn wait_for<T>(&mut self, wanted: impl Fn(&Packet) -> Option<Result<T, Lost>>) -> Result<T, Lost> {
        let deadline = Instant::now() + ANSWER_TIMEOUT;
        let mut early = VecDeque::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(
                    io::Error::new(ErrorKind::TimedOut, "it does not answer as an MQTT broker does").into()
                );
            }
            let Some(packet) = self.read(left.max(Duration::from_millis(1)))? else { continue };
            match wanted(&packet) {
                Some(answer) => {
                    self.early = early;
                    return answer;
                }
                None => early.push_back(packet),
            }
        }
    }

    fn write(&mut self, packet: &Packet) -> Result<(), Lost> {
        let mut bytes = BytesMut::new();
        packet.write(&mut bytes, PACKET_MAX_BYTES).map_err(Lost::NotMqtt)?;
        Ok(self.stream.write_all(&bytes)?)
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

/// Tries each address of a name in turn.
fn dial(broker: &OutsideBroker) -> io::Result<TcpStream> {
    let mut error = io::Error::from(ErrorKind::NotFound);
    for addr in net::resolve(&broker.host, broker.port)?.take(3) {
        match TcpStream::connect_timeout(&addr, DIAL_TIMEOUT) {
            Ok(stream) => return Ok(stream),
            Err(refused) => error = refused,
        }
    }
    Err(error)
}
