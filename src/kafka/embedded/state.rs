//! What all connections share: the storage, the limits, and the connected clients.

use std::collections::HashMap;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::front::Arrivals;
use super::groups::Groups;
use super::memory::Memory;
use super::options::Limits;
use super::own_producers::OwnProducers;
use super::store::Store;
use super::waiters::Waiter;

/// From this size on, a request counts as large: above the batches that clients make by default.
const LARGE_REQUEST_BYTES: usize = 2 << 20;

/// The shared state of an endpoint.
#[derive(Debug)]
pub(crate) struct EndpointState {
    pub store: Store,
    pub groups: Groups,
    pub limits: Limits,
    pub default_partitions: i32,
    /// Memory for requests of usual size, for large ones, and for answers with messages. Separate,
    /// so that clients who hold one kind for long do not block the others.
    pub small_requests: Memory,
    pub large_requests: Memory,
    pub answers: Memory,
    /// The address given to clients; `None`: the one at which they reached us.
    pub advertise: Option<(String, u16)>,
    /// Who comes over TLS; `None`: nobody can.
    pub arrivals: Option<Arc<Arrivals>>,
    pub own_producers: OwnProducers,
    /// Closed at the end: for threads that wait for nothing but time.
    pub timer: Waiter,
    peers: Mutex<HashMap<u64, Arc<Peer>>>,
    stopping: AtomicBool,
    cut: AtomicU64,
    forged: AtomicU64,
}

/// One connected client.
#[derive(Debug)]
pub(crate) struct Peer {
    pub stream: TcpStream,
    pub addr: SocketAddr,
    /// The address at which it reached us over TLS.
    pub at: Option<SocketAddr>,
    pub waiter: Arc<Waiter>,
}

/// A client's place among the connected ones; freed on drop.
#[derive(Debug)]
pub(crate) struct PeerPlace<'a> {
    broker: &'a EndpointState,
    number: u64,
    pub peer: Arc<Peer>,
}

impl EndpointState {
    pub fn new(
        store: Store,
        groups: Groups,
        limits: Limits,
        default_partitions: i32,
        advertise: Option<(String, u16)>,
        arrivals: Option<Arc<Arrivals>>,
    ) -> Self {
        Self {
            store,
            groups,
            limits,
            default_partitions,
            small_requests: Memory::new(limits.memory_bytes / 3),
            large_requests: Memory::new(limits.memory_bytes / 3),
            answers: Memory::new(limits.memory_bytes / 3),
            advertise,
            arrivals,
            own_producers: OwnProducers::default(),
            timer: Waiter::default(),
            peers: Mutex::default(),
            stopping: AtomicBool::new(false),
            cut: AtomicU64::new(0),
            forged: AtomicU64::new(0),
        }
    }

    /// Admits a client; `None` when there are too many, or at the end.
    pub fn admit(&self, stream: TcpStream, addr: SocketAddr, number: u64) -> Option<PeerPlace<'_>> {
        let arrival = self.arrivals.as_ref().and_then(|arrivals| arrivals.get(addr));
        let addr = arrival.map_or(addr, |arrival| arrival.from);
        let at = arrival.map(|arrival| arrival.at);
        let peer = Arc::new(Peer { stream, addr, at, waiter: Arc::default() });
        let mut peers = self.peers();
        if self.is_stopping() || peers.len() >= self.limits.connections {
            return None;
        }
        peers.insert(number, peer.clone());
        Some(PeerPlace { broker: self, number, peer })
    }

    /// The memory for a request of this length.
    pub fn memory_for(&self, request_bytes: usize) -> &Memory {
        if request_bytes < LARGE_REQUEST_BYTES { &self.small_requests } else { &self.large_requests }
    }

    /// Whether the endpoint is being closed.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Ends every connection, including those that wait.
    pub fn stop(&self) {
        let peers = self.peers();
        self.stopping.store(true, Ordering::Release);
        for memory in [&self.small_requests, &self.large_requests, &self.answers] {
            memory.close();
        }
        self.timer.close();
        for peer in peers.values() {
            let _ = peer.stream.shutdown(Shutdown::Both); // may be gone already
            peer.waiter.close();
        }
    }

    /// Says that somebody wrote in the name of another producer; of many, only the 1st, 2nd, 4th, 8th … aloud.
    pub fn report_forged(&self, topic: &str, reason: &str) {
        let count = self.forged.fetch_add(1, Ordering::Relaxed) + 1;
        if count.is_power_of_two() {
            tracing::warn!(
                topic,
                reason,
                count,
                "Kafka endpoint: refused a batch in the name of another producer"
            );
        }
    }

    /// How many batches in the name of another producer were refused.
    pub fn forged(&self) -> u64 {
        self.forged.load(Ordering::Relaxed)
    }

    /// Says why a client was cut off; of many, only the 1st, 2nd, 4th, 8th … aloud.
    pub fn report_cut(&self, addr: SocketAddr, reason: &dyn std::fmt::Display) {
        let count = self.cut.fetch_add(1, Ordering::Relaxed) + 1;
        if count.is_power_of_two() {
            tracing::warn!(client = %addr, %reason, count, "Kafka endpoint: closed a connection");
        } else {
            tracing::debug!(client = %addr, %reason, "Kafka endpoint: closed a connection");
        }
    }

    /// Clients that are connected.
    pub fn clients(&self) -> usize {
        self.peers().len()
    }

    fn peers(&self) -> MutexGuard<'_, HashMap<u64, Arc<Peer>>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Peer {
    /// The advertised address, or the one at which this client reached us. What is advertised speaks TLS where there is
    /// TLS: who came without it stays where it is.
    pub fn our_address(&self, broker: &EndpointState) -> std::io::Result<(String, u16)> {
        match &broker.advertise {
            Some(advertised) if broker.arrivals.is_none() || self.at.is_some() => Ok(advertised.clone()),
            _ => {
                let local = self.at.map_or_else(|| self.stream.local_addr(), Ok)?;
                Ok((local.ip().to_canonical().to_string(), local.port()))
            }
        }
    }
}

impl Drop for PeerPlace<'_> {
    fn drop(&mut self) {
        self.broker.peers().remove(&self.number);
    }
}
