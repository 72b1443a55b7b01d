//! Starts and stops the endpoint: one thread that accepts, and one per connection.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::connection::serve;
use super::data_dir::DataDir;
use super::follower::Follower;
use super::front::Front;
use super::groups::Groups;
use super::log::LogSettings;
use super::state::{EndpointState, PeerPlace};
use super::store::Store;
use super::{EndpointError, EndpointOptions, Fsync};

/// Stack of a connection's thread; small, because requests are decoded without recursion.
const STACK_BYTES: usize = 256 << 10;
/// Time between two looks at the files: what came in the last one is not in the manifest.
const KEEP_INTERVAL: Duration = Duration::from_secs(1);
/// Wait after a failed accept: usually no file can be opened until some connection ends.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A running Kafka endpoint. Dropping it closes it.
#[derive(Debug)]
pub struct Endpoint {
    addr: SocketAddr,
    dir: PathBuf,
    temporary: bool,
    /// `None` once it is closed.
    broker: Option<Arc<EndpointState>>,
    /// The accepting thread is the last one.
    threads: Vec<JoinHandle<()>>,
    /// TLS in front of it, if there is.
    front: Option<Front>,
}

/// Messages that retention has removed from all topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RemovedMessages {
    pub messages: u64,
    /// Those that no client had fetched since the endpoint started. Above 0, a consumer may have
    /// lost messages.
    pub unread: u64,
}

/// What an endpoint holds and whom it serves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndpointUsage {
    /// Clients that are connected.
    pub clients: usize,
    /// Of each topic its name, the messages that it has got, and the bytes that it keeps of them.
    pub topics: Vec<(String, u64, u64)>,
}

impl Endpoint {
    /// Listens, opens the directory with all its topics, and then serves clients. Takes as long as
    /// reading all messages in the directory once.
    ///
    /// # Errors
    /// When the address or the directory cannot be used, a log is damaged, or an option makes no
    /// sense. A refused directory stays unchanged.
    pub fn start(options: EndpointOptions) -> Result<Self, EndpointError> {
        options.check()?;
        let listen = options.listen;
        let bind = |addr| {
            TcpListener::bind(addr).map_err(|source| match source.kind() {
                ErrorKind::AddrInUse => EndpointError::AddressInUse { addr, source },
                _ => EndpointError::Listen { addr, source },
            })
        };
        let outside = bind(listen)?;
        let (outside, listener) = match options.tls {
            Some(tls) => {
                let plain = |port| bind((Ipv4Addr::LOCALHOST, port).into());
                let listener = match plain(options.plain_port) {
                    Err(EndpointError::AddressInUse { .. }) => plain(0)?,
                    bound => bound?,
                };
                (Some((outside, tls)), listener)
            }
            None => (None, outside),
        };
        let failed = |source| EndpointError::Listen { addr: listen, source };
        let addr = listener.local_addr().map_err(failed)?;
        let temporary = options.dir.is_none();
        let dir = match &options.dir {
            Some(path) => DataDir::open(path)?,
            None => DataDir::temporary()?,
        };
        let path = dir.path().to_owned();
        let EndpointOptions { limits, default_partitions, advertise, fsync, retention_bytes, repair, .. } =
            options;
        let settings = LogSettings { fsync, retention_bytes, repair, ..LogSettings::default() };
        let store = Store::open(dir, settings)?;
        let groups = Groups::open(store.dir().path(), &store.dir().scratch(), fsync)?;
        let arrivals = outside.is_some().then(Arc::default);
        let state =
            EndpointState::new(store, groups, limits, default_partitions, advertise, arrivals.clone());
        let broker = Arc::new(state);
        let threads = Vec::new();
        let mut endpoint =
            Self { addr, dir: path, temporary, broker: Some(broker.clone()), threads, front: None };
        if let Some(((listener, tls), arrivals)) = outside.zip(arrivals) {
            endpoint.front = Some(Front::start(listener, tls, addr, arrivals).map_err(failed)?);
        }
        if let Fsync::Every(interval) = fsync {
            let shared = broker.clone();
            endpoint.spawn("kafka-sync", move || sync_every(interval, &shared))?;
        }
        let shared = broker.clone();
        endpoint.spawn("kafka-keep", move || keep(&shared))?;
        endpoint.spawn("kafka-accept", move || accept(listener, &broker))?;
        Ok(endpoint)
    }

    fn spawn(&mut self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), EndpointError> {
        let thread = thread::Builder::new().name(name.into()).spawn(work);
        self.threads.push(thread.map_err(|source| EndpointError::Thread { source })?);
        Ok(())
    }

    /// The address it listens on, without TLS.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The address at which it speaks TLS, if there is one.
    #[must_use]
    pub fn tls_addr(&self) -> Option<SocketAddr> {
        self.front.as_ref().map(|front| front.addr)
    }

    /// The directory that holds the messages.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whether the messages are removed with the endpoint.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.temporary
    }

    /// Why messages cannot be written at the moment (a full disk); `None` if they can. Producers
    /// get a retriable error meanwhile.
    #[must_use]
    pub fn fault(&self) -> Option<EndpointError> {
        self.broker.as_ref()?.store.fault()
    }

    /// A reader of what comes into a topic from now on; `None`: the endpoint is closed. To be dropped before the
    /// endpoint is.
    #[must_use]
    pub fn follow(&self, topic: &str) -> Option<Follower> {
        Some(Follower::new(self.broker.clone()?, topic))
    }

    /// The client id by which the endpoint knows the producers of this process: nobody else may write under their
    /// producer ids.
    #[must_use]
    pub fn own_client_id(&self) -> Option<&str> {
        Some(self.broker.as_ref()?.own_producers.client_id())
    }

    /// How many batches in the name of another producer were refused.
    #[must_use]
    pub fn forged(&self) -> u64 {
        self.broker.as_ref().map_or(0, |broker| broker.forged())
    }

    /// Whether every file still holds what was written into it; looks at each of them.
    ///
    /// # Errors
    /// When one was removed, replaced or cut: acknowledged messages are gone.
    pub fn check_files(&self) -> Result<(), EndpointError> {
        self.broker.as_ref().map_or(Ok(()), |broker| broker.store.check_files())
    }

    /// What retention has removed since the start.
    #[must_use]
    pub fn removed(&self) -> RemovedMessages {
        let (messages, unread) = self.broker.as_ref().map_or((0, 0), |broker| broker.store.removed());
        RemovedMessages { messages, unread }
    }

    /// What it holds and whom it serves at this moment.
    #[must_use]
    pub fn usage(&self) -> EndpointUsage {
        self.broker.as_ref().map_or_else(EndpointUsage::default, |broker| EndpointUsage {
            clients: broker.clients(),
            topics: broker.store.usage(),
        })
    }

    /// Ends all connections and threads, and removes a temporary directory. When this returns, what
    /// was acknowledged is in the files.
    ///
    /// # Errors
    /// When the temporary directory cannot be removed.
    pub fn close(mut self) -> Result<(), EndpointError> {
        self.stop()
    }

    fn stop(&mut self) -> Result<(), EndpointError> {
        self.front = None;
        let Some(broker) = self.broker.take() else { return Ok(()) };
        broker.stop();
        let threads = std::mem::take(&mut self.threads);
        while let Some(acceptor) = threads.last()
            && !acceptor.is_finished()
            // Wakes the accepting thread.
            && TcpStream::connect_timeout(&reachable(self.addr), Duration::from_secs(1)).is_err()
        {
            thread::sleep(Duration::from_millis(10));
        }
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("Kafka endpoint: one of its threads panicked");
            }
        }
        if !self.temporary
            && let Err(error) = broker.store.note_end()
        {
            tracing::warn!(%error, "Kafka endpoint: cannot note what it holds");
        }
        broker.store.sync_at_end();
        match Arc::into_inner(broker) {
            Some(broker) => broker.store.into_dir().close(),
            None => Ok(()), // not reached: every thread is gone
        }
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            tracing::warn!(%error, "Kafka endpoint: not closed well");
        }
    }
}

/// Looks after the files until the broker stops.
fn keep(broker: &EndpointState) {
    let mut is_noted = true;
    while !broker.timer.is_closed() {
        broker.timer.wait_until(Instant::now() + KEEP_INTERVAL);
        // A log whose files are gone says so itself.
        let _ = broker.store.check_files();
        let noted = broker.store.note_extents();
        if let (true, Err(error)) = (is_noted, &noted) {
            tracing::warn!(
                error = error as &dyn std::error::Error,
                "Kafka endpoint: cannot note what it holds"
            );
        }
        is_noted = noted.is_ok();
    }
}

/// Syncs what was appended, again and again until the broker stops.
fn sync_every(interval: Duration, broker: &EndpointState) {
    while !broker.timer.is_closed() {
        broker.timer.wait_until(Instant::now() + interval);
        broker.store.sync();
    }
}

/// An address to connect to, given the one listened on.
fn reachable(mut addr: SocketAddr) -> SocketAddr {
    if addr.ip().is_unspecified() {
        addr.set_ip(match addr.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    addr
}

/// Accepts clients until the broker stops, and ends when the last connection has ended.
fn accept(listener: TcpListener, broker: &EndpointState) {
    thread::scope(|scope| {
        let mut failures = 0u64;
        for number in 0.. {
            let (stream, addr) = match listener.accept() {
                Ok(accepted) => accepted,
                Err(_) if broker.is_stopping() => break,
                Err(error) => {
                    if !matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::Interrupted) {
                        failures += 1;
                        if failures.is_power_of_two() {
                            tracing::warn!(%error, failures, "Kafka endpoint: cannot accept a connection");
                        }
                        thread::sleep(ACCEPT_PAUSE);
                    }
                    continue;
                }
            };
            if broker.is_stopping() {
                break;
            }
            let Some(place) = broker.admit(stream, addr, number) else {
                broker.report_cut(addr, &"the limit on connections is reached");
                continue;
            };
            let thread = thread::Builder::new().name("kafka-client".into()).stack_size(STACK_BYTES);
            if let Err(error) = thread.spawn_scoped(scope, || converse(broker, place)) {
                broker.report_cut(addr, &format!("no thread for it: {error}"));
            }
        }
        drop(listener); // from now on clients are refused, not kept waiting
    });
}

/// Runs one connection, from its first request to its end.
fn converse(broker: &EndpointState, place: PeerPlace<'_>) {
    let peer = &place.peer;
    // A panic is a bug of ours. It ends this connection, but not the others and not the process.
    match catch_unwind(AssertUnwindSafe(|| serve(broker, peer))) {
        Ok(Ok(())) => {}
        Ok(Err(_)) if broker.is_stopping() => {}
        Ok(Err(error)) if error.is_clients_leaving() => {
            tracing::debug!(client = %peer.addr, %error, "Kafka endpoint: a client left");
        }
        Ok(Err(error)) => broker.report_cut(peer.addr, &error),
        Err(_) => tracing::error!(client = %peer.addr, "Kafka endpoint: a connection's thread panicked"),
    }
}
