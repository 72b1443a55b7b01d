//! rumqttd in this process, assembled from its parts: router, links, listener.
//!
//! rumqttd's own `Broker` only logs that a port is taken, and never stops. One thing outlives
//! [`Broker::stop`]: the router's sleeping thread with its ring. rumqttd has no way to end it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rumqttd::local::LinkBuilder;
use rumqttd::{Router, RouterConfig, Server};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::flight::Flight;
use super::link::{Connect, Pinger, Subscription, subscribe};
use super::listener::{listen, settings};
use super::protocol::{AnyVersion, Traffic, check_topic};
use super::subscriber::SubscriberState;
use super::{BrokerOptions, FlightWindow, MqttError, Publisher, Subscriber};
use crate::count::Counters;

/// Outside clients at a time, plus our links. The router looks at up to 100 connections in a row;
/// with more than that, one that has just disconnected can stall it.
const CONNECTIONS_MAX: usize = 64;

/// Messages handed to a connection at a time. With rumqttd's usual 200, the subscriber wakes up
/// four times as often, at 10 % more CPU per message.
const FORWARD_MAX: u64 = 1_000;

/// Longest wait for watchers to receive the last messages when the broker stops.
const WATCHERS_MAX: Duration = Duration::from_secs(2);

/// After this long without a message to any watcher, they have everything or have stopped reading.
const WATCHERS_QUIET: Duration = Duration::from_millis(100);

/// The broker, listening.
pub struct Broker {
    topic: Bytes,
    segment_bytes: usize,
    segments: usize,
    addr: SocketAddr,
    traffic: Traffic,
    connect: Box<Connect>,
    links: AtomicU64,
    /// The first replay's subscription, made before any client could publish.
    subscription: Mutex<Option<Subscription>>,
    listener: Option<(Runtime, JoinHandle<()>)>,
}

impl Broker {
    /// Starts the broker; when this returns, it listens.
    ///
    /// # Errors
    /// When the topic or the ring is unsuitable, or the address cannot be listened on.
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
        let traffic = Traffic::default();
        let serve = |listen| Server::new(settings(listen), router.clone(), AnyVersion::new(traffic.clone()));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("mqtt-listener")
            .enable_all()
            .build()
            .map_err(MqttError::Runtime)?;
        let (addr, server) = listen(&runtime, options, serve)?;
        Ok(Self {
            // Never freed: a clone of a static slice costs nothing, and the router makes several
            // for each message.
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

    /// The address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Publisher and subscriber of one run, on links inside this process. The subscription is in
    /// force when this returns. The first call also gets what was published since the start.
    ///
    /// `run_nonce` tells this run's messages from all others, so it must be random.
    ///
    /// # Errors
    /// When the ring cannot hold the window, or the broker is gone.
    pub fn connect(
        &self,
        run_nonce: u64,
        window: FlightWindow,
        counters: Arc<Counters>,
        stop: Arc<AtomicBool>,
    ) -> Result<(Publisher, Subscriber), MqttError> {
        let retained_bytes = (self.segments - 1).saturating_mul(self.segment_bytes);
        if window.messages == 0 || (window.bytes >= retained_bytes && window != FlightWindow::OFF) {
            let FlightWindow { messages, bytes } = window;
            return Err(MqttError::Window { messages, bytes, retained_bytes });
        }
        self.traffic.set_run_nonce(run_nonce);
        let topic = String::from_utf8_lossy(&self.topic);
        // No outside client id ends like this: they all get `-` and a number.
        let number = self.links.fetch_add(1, Ordering::Relaxed);
        let subscription = self.subscription.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Subscription { tx, rx, first_offset } = match subscription {
            Some(first) => first,
            None => subscribe(&self.connect, &format!("tweetblast subscriber {number}"), &topic, None)?,
        };
        let (link, _) = (self.connect)(&format!("tweetblast publisher {number}"))?;
        let pinger = Arc::new(Pinger::new(tx));
        let flight = Arc::new(Flight::new(window));
        let publisher = Publisher {
            link,
            pinger: pinger.clone(),
            flight: flight.clone(),
            topic: self.topic.clone(),
            run_nonce,
            published: 0,
            counters: counters.clone(),
            stop,
            stopped: false,
        };
        let subscriber = Subscriber {
            link: rx,
            pinger,
            flight,
            counters,
            run_nonce,
            segments: self.segments as u64,
            state: SubscriberState::new(first_offset),
        };
        Ok((publisher, subscriber))
    }

    /// Stops listening and closes all outside connections, after those that still receive have got
    /// what was published. Waits at most a few seconds, and not at all if no client is connected.
    /// The port is free when this returns.
    pub fn stop(mut self) {
        let deadline = Instant::now() + WATCHERS_MAX;
        let mut before = None;
        while self.traffic.is_anybody_connected() && Instant::now() < deadline {
            let sent = self.traffic.sent();
            if before == Some(sent) {
                break;
            }
            before = Some(sent);
            std::thread::sleep(WATCHERS_QUIET);
        }
        self.close();
    }

    fn close(&mut self) {
        let Some((runtime, server)) = self.listener.take() else { return };
        server.abort();
        // The port closes when the listener's task ends, which a blocking task could delay.
        let _ = runtime.block_on(async { tokio::time::timeout(Duration::from_secs(1), server).await });
        runtime.shutdown_timeout(Duration::from_secs(1));
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use super::super::link::{disconnect, push};
    use super::*;
    use crate::event::{Event, Trace};

    #[test]
    fn when_the_router_dies_both_sides_end_with_an_error() {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let broker = Broker::start(&BrokerOptions { listen, ..BrokerOptions::default() }).unwrap();
        let window = FlightWindow { messages: 10, ..FlightWindow::default() };
        let (mut publisher, subscriber) = broker.connect(1, window, Arc::default(), Arc::default()).unwrap();
        let receiving = std::thread::spawn(move || {
            subscriber.run(|events| {
                events.clear();
                Ok::<(), MqttError>(())
            })
        });
        // This kills the router: a client that is gone says that it is ready.
        let (mut tx, rx) = (broker.connect)("gone").unwrap();
        push(&mut tx, disconnect()).unwrap();
        rx.ready().unwrap();

        let event = Event {
            trace: Trace { seq: Some(0), intended: None, sent: Instant::now() },
            key: Bytes::new(),
            payload: Bytes::from_static(b"x"),
        };
        let error = (0..).find_map(|_| publisher.publish(&mut vec![event.clone()]).err()).unwrap();
        assert!(matches!(error, MqttError::BrokerGone | MqttError::SubscriberGone));
        assert!(matches!(receiving.join().unwrap(), Err(MqttError::BrokerGone)));
        // The links are cut shortly before the router's thread ends; a new link made in between
        // would wait forever for an answer.
        let gone = (0..1_000).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            push(&mut tx, disconnect()).is_err()
        });
        assert!(gone, "the router's thread is still there");
        assert!(matches!(
            broker.connect(2, window, Arc::default(), Arc::default()).err(),
            Some(MqttError::BrokerGone)
        ));
    }
}
