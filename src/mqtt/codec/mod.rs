//! Packets between outside clients and us, MQTT 3.1.1 and 5: what a server reads and what it writes.
//!
//! Not rumqttd's codecs: their `Publish` hides its QoS and packet id, the reader for version 5 panics on
//! packets that only servers send, and the writer for 3.1.1 panics on properties. Whatever the bytes,
//! decoding ends in a packet or a [`Reason`], and takes nothing but the packet's own memory.

mod decode;
mod encode;
mod fields;

pub(super) use decode::{Frame, decode, frame};
pub(super) use encode::{
    ConnAckLimits, MessageHead, connack, connack_refused_before_4, disconnect, pub_reply, publish, suback,
    unsuback,
};
pub use fields::is_filter;
pub(super) use fields::is_topic;

/// The version a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    V4,
    V5,
}

/// Why a connection is refused or ended, or an answer to a packet: a reason code of MQTT 5, section 2.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reason(pub u8);

impl Reason {
    pub const SUCCESS: Self = Self(0x00);
    pub const WITH_WILL: Self = Self(0x04);
    pub const NO_SUBSCRIPTION: Self = Self(0x11);
    pub const MALFORMED: Self = Self(0x81);
    pub const PROTOCOL_ERROR: Self = Self(0x82);
    pub const UNSUPPORTED_VERSION: Self = Self(0x84);
    pub const BAD_CLIENT_ID: Self = Self(0x85);
    /// "Implementation specific error".
    pub const NOT_TAKEN: Self = Self(0x83);
    pub const BAD_LOGIN: Self = Self(0x86);
    pub const NOT_AUTHORIZED: Self = Self(0x87);
    pub const UNAVAILABLE: Self = Self(0x88);
    pub const BUSY: Self = Self(0x89);
    pub const SHUTTING_DOWN: Self = Self(0x8B);
    pub const BAD_AUTH_METHOD: Self = Self(0x8C);
    pub const KEEP_ALIVE: Self = Self(0x8D);
    pub const TAKEN_OVER: Self = Self(0x8E);
    pub const BAD_FILTER: Self = Self(0x8F);
    pub const BAD_TOPIC: Self = Self(0x90);
    pub const ID_NOT_FOUND: Self = Self(0x92);
    pub const RECEIVE_MAX_EXCEEDED: Self = Self(0x93);
    pub const BAD_ALIAS: Self = Self(0x94);
    pub const TOO_LARGE: Self = Self(0x95);
    pub const QUOTA: Self = Self(0x97);
}

/// A packet from a client. It borrows from the bytes that it was read from.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Packet<'a> {
    Connect(Connect<'a>),
    Publish(Publish<'a>),
    PubAck { id: u16, reason: Reason },
    PubRec { id: u16, reason: Reason },
    PubRel { id: u16 },
    PubComp { id: u16 },
    Subscribe { id: u16, subscription_id: Option<u32>, filters: Vec<Subscription<'a>> },
    Unsubscribe { id: u16, filters: Vec<&'a str> },
    PingReq,
    Disconnect { reason: Reason },
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Connect<'a> {
    pub version: Version,
    pub clean: bool,
    /// Seconds; 0: never.
    pub keep_alive: u16,
    pub client_id: &'a str,
    pub will: Option<Publish<'a>>,
    /// Messages above QoS 0 that the client takes at a time.
    pub receive_max: u16,
    /// The largest packet that the client takes, in bytes.
    pub packet_max: u32,
    pub has_auth_method: bool,
    pub user: Option<&'a str>,
    pub password: Option<&'a [u8]>,
}

/// A message; also a will, which has no packet id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Publish<'a> {
    pub topic: &'a str,
    pub payload: &'a [u8],
    pub qos: u8,
    pub retain: bool,
    /// 0 at QoS 0.
    pub id: u16,
    /// The number that stands for the topic from now on, or for the one before if the topic is empty.
    pub alias: Option<u16>,
    /// Seconds that the message is good for.
    pub expiry_s: Option<u32>,
    pub correlation_data: Option<&'a [u8]>,
    /// Its other properties that subscribers see, as they were sent.
    pub properties: Vec<u8>,
}

/// One filter of a SUBSCRIBE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Subscription<'a> {
    pub filter: &'a str,
    pub qos: u8,
    pub no_local: bool,
    pub retain_as_published: bool,
    /// 0: retained messages now; 1: only if the subscription is new; 2: none.
    pub retain_handling: u8,
}
