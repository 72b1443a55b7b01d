//! Options of an endpoint.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::EndpointError;
use crate::net::ServerTls;

#[derive(Debug, Clone)]
pub struct EndpointOptions {
    /// Where to listen; with port 0, on a free port.
    pub listen: SocketAddr,
    /// Where to keep messages. `None`: a temporary directory, removed when the endpoint is closed.
    pub dir: Option<PathBuf>,
    /// Host and port given to clients. `None`: the address at which each client reached us, which
    /// is right unless a container or a port mapping is in between.
    pub advertise: Option<(String, u16)>,
    /// Partitions of a topic created without a number.
    pub default_partitions: i32,
    /// When to sync to the device.
    pub fsync: Fsync,
    /// Bytes of messages that each partition keeps at least. Beyond that its oldest are removed, a
    /// tenth at a time, even unread ones, with a warning and a count
    /// ([`Endpoint::removed`](super::Endpoint::removed)). `None`: nothing is ever removed.
    pub retention_bytes: Option<u64>,
    /// Whether to continue without acknowledged messages that are missing or damaged, instead of refusing to start.
    pub repair: bool,
    /// TLS at `listen`; then the endpoint itself is reached without TLS at a free port of this machine alone, for this
    /// process and others here. `None`: no TLS.
    pub tls: Option<&'static ServerTls>,
    /// With TLS, that port of this machine; if another program has it, or with 0, a free one.
    pub plain_port: u16,
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
            repair: false,
            tls: None,
            plain_port: 0,
            limits: Limits::default(),
        }
    }
}

/// When acknowledged messages are synced to the device. They always survive the end of the process,
/// kill -9 too, because the system has them. Syncing protects against a crash of the system or a
/// loss of power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fsync {
    /// When the system sees fit, usually within half a minute. Kafka's default too.
    #[default]
    Never,
    /// At this interval, in the background: a loss of power costs at most this much.
    Every(Duration),
    /// Before each acknowledgement: nothing acknowledged is lost. Costs a round trip to the device
    /// per batch.
    Always,
}

/// Limits on what clients may take. Exceeding one closes the connection, or refuses the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Clients connected at a time. Each takes a thread and an open file.
    pub connections: usize,
    /// Longest request in bytes.
    pub request_bytes: usize,
    /// Longest record batch in bytes, as sent: compressed if it is.
    pub batch_bytes: usize,
    /// Bytes of records in one answer to a fetch, however many the client would accept. A single
    /// longer batch is still sent whole.
    pub fetch_bytes: usize,
    /// Bytes of requests and answers of all connections, except answers to fetches, which are not
    /// held in memory. A third each for small requests, for large ones, and for answers; in each
    /// third, one may exceed it. A request that finds no room waits, for half a minute at most.
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

/// With one batch more, this is still a length that the protocol can express.
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
