//! What outside clients may use: each of them, and all together.
//!
//! Three bounds are the user's; the others are here, each with its reason. What is above a bound is
//! refused, or the connection ends, and the log says so. A client that is gone leaves nothing behind.

use std::time::Duration;

use super::super::users::MqttUsers;
use crate::net::ServerTls;

/// The bounds that a user may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientLimits {
    /// Clients at a time.
    pub clients: usize,
    /// Bytes that may wait for one client to read them. One that reads more slowly loses its connection.
    pub unread_bytes: usize,
    /// Bytes of retained messages in all, with their topics.
    pub retained_bytes: usize,
    /// Who may come in; `None`: everybody. As the topic, it stays until the process ends.
    pub users: Option<&'static MqttUsers>,
    /// TLS with each client; `None`: none.
    pub tls: Option<&'static ServerTls>,
}

impl Default for ClientLimits {
    /// Two messages of the largest size may wait for a client; 64 are as many as rumqttd's router took.
    fn default() -> Self {
        Self {
            clients: 64,
            unread_bytes: 2 * PACKET_MAX_BYTES,
            retained_bytes: 16 << 20,
            users: None,
            tls: None,
        }
    }
}

impl ClientLimits {
    /// Whether clients need a password or a certificate.
    pub fn asks_who(&self) -> bool {
        self.users.is_some() || self.tls.is_some_and(ServerTls::asks_clients)
    }

    /// Bytes that may wait for all clients together: one may have all that it is allowed, and many share
    /// no more than twice that.
    pub(in crate::mqtt) fn unread_in_all_bytes(&self) -> usize {
        self.unread_bytes.saturating_mul(3) / 2
    }
}

/// Largest packet, from the replay or from outside: a record of 16 MiB with its topic and
/// properties. An outside client that sends a larger one loses its connection.
pub(in crate::mqtt) const PACKET_MAX_BYTES: usize = 17 << 20;

/// Largest packet of any kind but PUBLISH. A CONNECT with a will, a user and a password of the largest size
/// takes 192 KiB.
pub(super) const CONTROL_MAX_BYTES: usize = 256 << 10;

/// What is read of a connection at once. A larger packet waits until there is room for it below.
pub(super) const READ_BYTES: usize = 64 << 10;

/// Unfinished packets above [`READ_BYTES`], of all clients: two of the largest size.
pub(super) const LARGE_BYTES: usize = 2 * PACKET_MAX_BYTES;

/// Longest wait for the rest of such a packet: 300 KB a second are enough.
pub(super) const LARGE_WAIT: Duration = Duration::from_secs(60);

/// Connections that have not said who they are.
pub(super) const HALF_OPEN_MAX: usize = 1_024;

/// Longest wait for CONNECT, as rumqttd was set up.
pub(super) const CONNECT_WAIT: Duration = Duration::from_secs(10);

/// Longest wait for a client that was told to leave to read its last bytes.
pub(super) const LEAVE_WAIT: Duration = Duration::from_secs(1);

/// MQTT only asks for 23 characters.
pub(super) const CLIENT_ID_MAX_BYTES: usize = 1_024;

/// MQTT Explorer and dashboards subscribe to a handful; each message is compared with each filter.
pub(super) const FILTERS_MAX: usize = 64;

/// Topics and filters. MQTT allows 64 KiB; longer than this is a mistake or an attack.
pub(super) const TOPIC_MAX_BYTES: usize = 4 << 10;

/// Topic aliases that a client of MQTT 5 may set: each holds a topic.
pub(super) const ALIASES_MAX: u16 = 16;

/// Retained messages; a new subscription is compared with each of them.
pub(super) const RETAINED_MAX: usize = 2_048;

/// Messages above QoS 0 that a client has not acknowledged: what rumqttd has. More wait.
pub(super) const INFLIGHT_MAX: usize = 100;

/// Messages of QoS 2 that a client of MQTT 5 may have begun and not released. (3.1.1 cannot be told: there it
/// is as many as there are packet ids, of two bytes each.)
pub(super) const RECEIVE_MAX: u16 = 1_024;

/// Messages of outside clients on their way through the router, for each of its two logs.
pub(super) const UNDER_WAY_MAX: usize = 4_096;

/// Their bytes, at most; a single larger one goes alone.
pub(in crate::mqtt) const UNDER_WAY_BYTES_MAX: usize = 1 << 20;

/// Messages that a connection hands to the router at once.
pub(super) const BATCH_MAX: usize = 256;
