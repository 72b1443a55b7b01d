//! How an endpoint is to be started.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::EndpointError;

/// How to start an [`Endpoint`](super::Endpoint).
#[derive(Debug, Clone)]
pub struct EndpointOptions {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where to keep messages. `None`: a temporary directory, removed when the endpoint is closed.
    pub dir: Option<PathBuf>,
    /// Host and port that clients are told. `None`: the address that each client reached us at,
    /// which is right unless a container or a port mapping lies between.
    pub advertise: Option<(String, u16)>,
    /// Partitions of a topic whose creator names no number.
    pub default_partitions: i32,
    /// When to sync to the device.
    pub fsync: Fsync,
    /// Bytes of messages that each partition keeps at least before its oldest ones are removed, a
    /// tenth at a time; also those that nobody has read, with a warning and a count
    /// ([`Endpoint::removed`](super::Endpoint::removed)). `None`: nothing is ever removed.
    pub retention_bytes: Option<u64>,
    /// Bounds on what clients may take.
    pub limits: Limits,
}

impl Default for EndpointOptions {
    /// A free port on 127.0.0.1, a temporary directory, 4 partitions.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            dir: None,
            advertise: None,
            default_partitions: 4,
            fsync: Fsync::default(),
            retention_bytes: None,
            limits: Limits::default(),
        }
    }
}

/// When what was acknowledged is synced to the device. In every case it survives the end of the
/// process, kill -9 too: the system has it. Syncing is for a crash of the system, or a loss of
/// power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fsync {
    /// The system does it when it sees fit, usually within half a minute. Kafka's default too.
    #[default]
    Never,
    /// At this interval, in the background: a loss of power costs at most so much.
    Every(Duration),
    /// Before each acknowledgement: nothing acknowledged is lost. Costs a device's round trip a
    /// batch.
    Always,
}

/// Bounds on what clients may take; beyond them one connection is closed, or one batch refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Clients connected at a time. Each takes a thread and an open file.
    pub connections: usize,
    /// Longest request in bytes.
    pub request_bytes: usize,
    /// Longest record batch in bytes, as sent: compressed if it is.
    pub batch_bytes: usize,
    /// Records in one answer to a fetch in bytes, however much the client would take. A single
    /// longer batch still comes whole.
    pub fetch_bytes: usize,
    /// Requests and answers of all connections in bytes, those to fetches not counted, as they are
    /// not held in memory: a third each for small requests, for large ones, and for answers; in each,
    /// one may go over it. Who finds no room waits, for half a minute at most.
    pub memory_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 2_000,
            // Kafka's `socket.request.max.bytes`.
            request_bytes: 100 << 20,
            // Above the largest record that the producer hop sends.
            batch_bytes: 32 << 20,
            // What Java clients ask for; it costs no memory.
            fetch_bytes: 50 << 20,
            memory_bytes: 256 << 20,
        }
    }
}

/// With one batch more, still a length that the protocol can say.
const TRANSFER_BYTES_MAX: usize = 1 << 30;

impl EndpointOptions {
    pub(crate) fn check(&self) -> Result<(), EndpointError> {
        let Limits { connections, request_bytes, batch_bytes, fetch_bytes, memory_bytes } = self.limits;
        let refuse = |reason: &str| Err(EndpointError::Options(reason.to_owned()));
        if self.default_partitions < 1 {
            return refuse("the number of partitions must be 1 or more");
        }
        if connections == 0 || memory_bytes == 0 || fetch_bytes == 0 {
            return refuse("limits on connections, memory and fetches must be above 0");
        }
        if request_bytes <= batch_bytes {
            return refuse("the longest request must be above the longest record batch");
        }
        if request_bytes.max(fetch_bytes) > TRANSFER_BYTES_MAX {
            return refuse("requests and answers to fetches end at 1 GiB");
        }
        if self.retention_bytes == Some(0) {
            return refuse("retention needs a size above 0; leave it out to keep everything");
        }
        if self.fsync == Fsync::Every(Duration::ZERO) {
            return refuse("the interval between syncs must be above 0");
        }
        if self.advertise.as_ref().is_some_and(|(host, port)| host.is_empty() || *port == 0) {
            return refuse("the advertised address needs a host and a port above 0");
        }
        Ok(())
    }
}
