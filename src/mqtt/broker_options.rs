//! Options of the embedded broker.

use std::net::SocketAddr;

use super::{ClientLimits, Intake};

/// Where to listen, for what, and how much to keep.
#[derive(Debug, Clone)]
pub struct BrokerOptions {
    /// Where outside clients connect; with port 0, on a free port.
    pub listen: SocketAddr,
    /// Take a free port when the one in `listen` is taken.
    pub fall_back_to_free_port: bool,
    /// The topic of the replay.
    pub topic: String,
    /// What outside clients may use.
    pub clients: ClientLimits,
    /// Whether there will be a replay: until it runs, only as much may be published on its topic as the
    /// broker keeps for it.
    pub has_replay: bool,
    /// Where the messages of clients go, besides to other clients; `None`: nowhere.
    pub intake: Option<Intake>,
    /// Bytes in a segment of the broker's ring. Each topic filter with a subscriber has its own
    /// ring, which stays full once it is. A message costs 232 bytes more than the ring counts: with
    /// 250 bytes of payload, the default 5 MiB take 10 MiB.
    pub segment_bytes: usize,
    /// Segments in a ring. The oldest is dropped as a whole, so all but one always remain.
    pub segments: usize,
}

impl Default for BrokerOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 1883)),
            fall_back_to_free_port: true,
            topic: "tweets".into(),
            clients: ClientLimits::default(),
            has_replay: true,
            intake: None,
            segment_bytes: 1 << 20,
            segments: 5,
        }
    }
}
