//! rumqttd in this process, put together from its parts: router, links, listener.
//!
//! rumqttd's own `Broker` only logs a port that is taken, and never stops. One thing stays after
//! [`Broker::stop`]: the router's thread, asleep, with its ring (it cannot be told to end).

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rumqttd::local::{LinkBuilder, LinkRx, LinkTx};
use rumqttd::protocol::Packet;
use rumqttd::{ConnectionSettings, LinkType, Notification, Router, RouterConfig, Server, ServerSettings};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::flight::Flight;
use super::protocol::{AnyVersion, Traffic, check_topic};
use super::subscriber::State;
use super::{MqttError, Publisher, Subscriber, Window};
use crate::report::Counters;

/// Where to listen, for what, and how much to keep.
#[derive(Debug, Clone)]
pub struct BrokerOptions {
    /// Where outside clients connect; port 0: a free one.
    pub listen: SocketAddr,
    /// Take a free port when the one in `listen` is taken.
    pub fall_back_to_free_port: bool,
    /// The topic of the replay.
    pub topic: String,
    /// Bytes in a segment of the broker's ring; each topic filter that anybody subscribes to has
    /// a ring. A message costs about 250 bytes more than the ring counts.
    pub segment_bytes: usize,
    /// Segments in a ring. The oldest goes as a whole, so all but one are sure to be there.
    pub segments: usize,
}

impl Default for BrokerOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 1883)),
            fall_back_to_free_port: true,
            topic: "tweets".into(),
            segment_bytes: 2 << 20,
            segments: 5,
        }
    }
}

/// Largest packet taken from outside clients: a value of 16 MiB, its topic and properties. What
/// is larger ends that client's connection.
const PACKET_MAX_BYTES: usize = 17 << 20;

/// Outside clients at a time, and our links. The router looks at 100 connections in a row; with
/// more, one that has just left can stall it.
const CONNECTIONS_MAX: usize = 64;

/// Messages handed to a connection at a time.
const FORWARD_MAX: u64 = 200;

/// Tries to get a free port before somebody else takes it again.
const FREE_PORT_TRIES: usize = 16;

/// Longest wait for watchers to get the last messages, when the broker stops.
const WATCHERS_MAX: Duration = Duration::from_secs(2);

/// The broker, listening.
pub struct Broker {
    topic: Bytes,
    segment_bytes: usize,
    segments: usize,
    addr: SocketAddr,
    traffic: Arc<Traffic>,
    connect: Box<Connect>,
    links: AtomicU64,
    /// The first replay's subscription, made before anybody could publish.
    subscription: Mutex<Option<Subscription>>,
    listener: Option<(Runtime, JoinHandle<()>)>,
}

/// Makes a link to the router. The type of the router's channel has no public name.
type Connect = dyn Fn(&str) -> Result<(LinkTx, LinkRx), MqttError> + Send + Sync;

struct Subscription {
    tx: LinkTx,
    rx: LinkRx,
    /// Log offset of the first message it gets, where it is known.
    first_offset: Option<u64>,
}

impl Broker {
    /// Starts the broker; when this returns, it listens.
    ///
    /// # Errors
    /// When the topic or the ring will not do, or the address cannot be listened on.
    pub fn start(options: &BrokerOptions) -> Result<Self, MqttError> {
        let BrokerOptions { topic, segment_bytes, segments, .. } = options;
        check_topic(topic).map_err(|reason| MqttError::Topic { topic: topic.clone(), reason })?;
        if *segment_bytes < 1024 || *segments < 2 {
            return Err(MqttError::Ring { segment_bytes: *segment_bytes, segments: *segments });
        }
        let router = Router::new(
            0,
            RouterConfig {
                max_connections: CONNECTIONS_MAX,
                max_outgoing_packet_count: FORWARD_MAX,
                max_segment_size: *segment_bytes,
                max_segment_count: *segments,
                ..RouterConfig::default()
            },
        )
        .spawn();
        let link_router = router.clone();
        let connect = move |client_id: &str| match LinkBuilder::new(client_id, link_router.clone()).build() {
            Ok((tx, rx, _)) => Ok((tx, rx)),
            Err(_) => Err(MqttError::BrokerGone),
        };
        let first = subscribe(&connect, "tweetblast subscriber", topic, Some(0))?;
        let traffic = Arc::new(Traffic::default());
        let serve = |listen| Server::new(settings(listen), router.clone(), AnyVersion::new(traffic.clone()));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("mqtt-listener")
            .enable_all()
            .build()
            .map_err(MqttError::Runtime)?;
        let (addr, server) = listen(&runtime, options, serve)?;
        Ok(Self {
            // Kept for good: a clone of a static slice costs nothing, and the router makes
            // several for each message.
            topic: Bytes::from_static(topic.clone().leak().as_bytes()),
            segment_bytes: *segment_bytes,
            segments: *segments,
            addr,
            traffic,
            connect: Box::new(connect),
            links: AtomicU64::new(0),
            subscription: Mutex::new(Some(first)),
            listener: Some((runtime, server)),
        })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Publisher and subscriber of one run, on links inside this process. The subscription is in
    /// force when this returns. The first call gets what was published since the start, too.
    ///
    /// `run_nonce` tells this run's messages from all others: it is to be random.
    ///
    /// # Errors
    /// When the ring cannot hold the window, or the broker is gone.
    pub fn connect(
        &self,
        run_nonce: u64,
        window: Window,
        counters: Arc<Counters>,
        stop: Arc<AtomicBool>,
    ) -> Result<(Publisher, Subscriber), MqttError> {
        let retained_bytes = (self.segments - 1).saturating_mul(self.segment_bytes);
        if window.messages == 0 || (window.bytes >= retained_bytes && window != Window::OFF) {
            let Window { messages, bytes } = window;
            return Err(MqttError::Window { messages, bytes, retained_bytes });
        }
        let topic = String::from_utf8_lossy(&self.topic);
        // No outside client id ends like this: they all get `-` and a number.
        let number = self.links.fetch_add(1, Ordering::Relaxed);
        let subscription = self.subscription.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Subscription { tx, rx, first_offset } = match subscription {
            Some(first) => first,
            None => subscribe(&self.connect, &format!("tweetblast subscriber {number}"), &topic, None)?,
        };
        let (link, _) = (self.connect)(&format!("tweetblast publisher {number}"))?;
        let subscriber_link = Arc::new(Mutex::new(tx));
        let flight = Arc::new(Flight::new(window));
        let publisher = Publisher {
            link,
            subscriber_link: subscriber_link.clone(),
            flight: flight.clone(),
            topic: self.topic.clone(),
            ring_bytes: self.segments.saturating_mul(self.segment_bytes),
            run_nonce,
            published: 0,
            counters: counters.clone(),
            stop,
            stopped: false,
        };
        let subscriber = Subscriber {
            link: rx,
            own_link: subscriber_link,
            flight,
            counters,
            run_nonce,
            segments: self.segments as u64,
            next_offset: first_offset,
            state: State::default(),
        };
        Ok((publisher, subscriber))
    }

    /// Stops listening and closes all outside connections, once those that still receive have got
    /// what was published. Waits at most a few seconds. The port is free when this returns.
    pub fn stop(mut self) {
        let deadline = Instant::now() + WATCHERS_MAX;
        let mut sent = None;
        while sent != Some(self.traffic.sent.load(Ordering::Relaxed)) && Instant::now() < deadline {
            sent = Some(self.traffic.sent.load(Ordering::Relaxed));
            std::thread::sleep(Duration::from_millis(50));
        }
        self.close();
    }

    fn close(&mut self) {
        let Some((runtime, server)) = self.listener.take() else { return };
        server.abort();
        // The listener is closed when its task is gone, which a task that blocks could delay.
        let _ = runtime.block_on(async { tokio::time::timeout(Duration::from_secs(1), server).await });
        runtime.shutdown_timeout(Duration::from_secs(1));
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.close();
    }
}

/// Subscribes over a new link. A publish before that would be dropped.
fn subscribe(
    connect: &Connect,
    client_id: &str,
    topic: &str,
    first_offset: Option<u64>,
) -> Result<Subscription, MqttError> {
    let (mut tx, mut rx) = connect(client_id)?;
    tx.subscribe(topic).map_err(|_| MqttError::BrokerGone)?;
    loop {
        // The router answers before it forwards anything.
        if let Some(Notification::DeviceAck(ack)) = rx.recv().map_err(|_| MqttError::BrokerGone)?
            && let Packet::SubAck(..) = ack.into()
        {
            return Ok(Subscription { tx, rx, first_offset });
        }
    }
}

/// Starts a server on the address asked for, or on a free port where that is allowed.
fn listen(
    runtime: &Runtime,
    options: &BrokerOptions,
    serve: impl Fn(SocketAddr) -> Server<AnyVersion>,
) -> Result<(SocketAddr, JoinHandle<()>), MqttError> {
    let asked = options.listen;
    let failed = |source: io::Error| match source.kind() {
        ErrorKind::AddrInUse => MqttError::AddressInUse { listen: asked },
        _ => MqttError::Listen { listen: asked, source },
    };
    if asked.port() != 0 {
        match spawn_listening(runtime, serve(asked)).map_err(failed) {
            Err(MqttError::AddressInUse { .. }) if options.fall_back_to_free_port => {}
            result => return Ok((asked, result?)),
        }
    }
    // rumqttd does not tell which port it got for 0.
    let mut tries = 0;
    loop {
        let free = TcpListener::bind((asked.ip(), 0)).and_then(|probe| probe.local_addr()).map_err(failed)?;
        match spawn_listening(runtime, serve(free)) {
            Ok(server) => return Ok((free, server)),
            Err(error) if error.kind() == ErrorKind::AddrInUse && tries < FREE_PORT_TRIES => tries += 1,
            Err(error) => return Err(failed(error)),
        }
    }
}

/// Runs a server that has bound its port.
fn spawn_listening(runtime: &Runtime, mut server: Server<AnyVersion>) -> Result<JoinHandle<()>, io::Error> {
    let mut task = Box::pin(async move { server.start(LinkType::Remote).await });
    // The server binds, then waits for connections for ever: at its first wait, it listens.
    let bound = runtime.block_on(poll_fn(|context| Poll::Ready(task.as_mut().poll(context))));
    match bound {
        Poll::Pending => Ok(runtime.spawn(async move {
            if let Err(error) = task.await {
                tracing::error!(%error, "the MQTT listener ended");
            }
        })),
        Poll::Ready(Ok(())) => Err(ErrorKind::Other.into()),
        Poll::Ready(Err(error)) => Err(io_error(&error)),
    }
}

/// rumqttd's error type has no public name; the system's error is its source.
fn io_error(error: &dyn std::error::Error) -> io::Error {
    match error
        .source()
        .and_then(|source| source.downcast_ref::<io::Error>())
        .and_then(io::Error::raw_os_error)
    {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::other(error.to_string()),
    }
}

fn settings(listen: SocketAddr) -> ServerSettings {
    ServerSettings {
        name: "mqtt".into(),
        listen,
        tls: None,
        next_connection_delay_ms: 0,
        connections: ConnectionSettings {
            connection_timeout_ms: 10_000,
            max_payload_size: PACKET_MAX_BYTES,
            max_inflight_count: 1_000,
            auth: None,
            external_auth: None,
            dynamic_filters: false,
        },
    }
}
