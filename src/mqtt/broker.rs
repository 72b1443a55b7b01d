//! rumqttd in this process, assembled from its parts: router, links, listener.
//!
//! rumqttd's own `Broker` only logs that a port is taken, and never stops. One thing outlives
//! [`Broker::stop`]: the router's sleeping thread with its ring. rumqttd has no way to end it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::clients::{Hub, Log, OTHER_TOPICS, Reader, UNDER_WAY_BYTES_MAX, spawn_outlet};
use super::codec::Reason;
use super::flight::Flight;
use super::link::{Connect, Pinger, Subscription, subscribe};
use super::listener::listen;
use super::router::{OTHERS_SEGMENT_BYTES, start_router};
use super::subscriber::SubscriberState;
use super::topic::check_topic;
use super::{BrokerOptions, FlightWindow, MqttError, Publisher, Subscriber};
use crate::count::Counters;

/// Longest wait for watchers to receive the last messages when the broker stops.
const WATCHERS_MAX: Duration = Duration::from_secs(2);

/// After this long without a message to any watcher, they have everything or have stopped reading.
const WATCHERS_QUIET: Duration = Duration::from_millis(100);

/// How often to look whether all clients have been told that the broker stops.
const LAST_WORDS: Duration = Duration::from_millis(1);

/// The broker, listening.
pub struct Broker {
    topic: Bytes,
    segment_bytes: usize,
    segments: usize,
    addr: SocketAddr,
    hub: Arc<Hub>,
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
        let connect = start_router(*segment_bytes, *segments);
        // All links that clients depend on are made before the first of them can come.
        let first = match options.has_replay {
            true => Some(subscribe(&connect, "tweetblast subscriber", topic, Some(0))?),
            false => None,
        };
        let (inlet, _) = connect("tweetblast inlet")?;
        let outlet = subscribe(&connect, "tweetblast outlet", OTHER_TOPICS, None)?;
        // Never freed: a clone of a static slice costs nothing, and the router makes several
        // for each message.
        let topic = Bytes::from_static(topic.clone().leak().as_bytes());
        // A quarter of what the ring is guaranteed to hold, as the replay's window: they are in it together.
        let replay_bytes = ((segments - 1) * segment_bytes / 4).min(UNDER_WAY_BYTES_MAX);
        let inlet = (inlet, [replay_bytes, OTHERS_SEGMENT_BYTES / 4]);
        let bridge = options.intake.clone();
        let hub = Hub::new(topic.clone(), options.clients, inlet, outlet.tx, options.has_replay, bridge);
        let hub = Arc::new(hub);
        spawn_outlet(hub.clone(), outlet.rx).map_err(MqttError::Runtime)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("mqtt-listener")
            .enable_all()
            .build()
            .map_err(MqttError::Runtime)?;
        let (addr, listener) = listen(&runtime, options, hub.clone())?;
        Ok(Self {
            topic,
            segment_bytes: *segment_bytes,
            segments: *segments,
            addr,
            hub,
            connect,
            links: AtomicU64::new(0),
            subscription: Mutex::new(first),
            listener: Some((runtime, listener)),
        })
    }

    /// The address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Outside clients that are connected.
    pub fn clients(&self) -> usize {
        self.hub.connected()
    }

    /// Messages handed to outside clients so far, and bytes that they have not read.
    pub fn progress(&self) -> (u64, usize) {
        self.hub.progress()
    }

    /// Whether rumqttd's router has ended. Nothing passes through this broker any more.
    pub fn is_dead(&self) -> bool {
        self.hub.is_router_gone()
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
        self.hub.set_run_nonce(run_nonce);
        let topic = String::from_utf8_lossy(&self.topic);
        let number = self.links.fetch_add(1, Ordering::Relaxed);
        let subscription = self.subscription.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Subscription { tx, rx, first_offset } = match subscription {
            Some(first) => first,
            None => {
                let id = format!("tweetblast subscriber {number}");
                let subscription = subscribe(&self.connect, &id, &topic, None)?;
                self.hub.set_reading(Log::Replay, Reader::Replay, true);
                subscription
            }
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
            hub: self.hub.clone(),
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
        while self.hub.is_anybody_connected() && Instant::now() < deadline {
            let progress = Some(self.hub.progress());
            if before == progress {
                break;
            }
            before = progress;
            std::thread::sleep(WATCHERS_QUIET);
        }
        self.hub.everybody_leaves(Reason::SHUTTING_DOWN);
        let deadline = Instant::now() + WATCHERS_QUIET;
        while self.hub.is_anybody_connected() && Instant::now() < deadline {
            std::thread::sleep(LAST_WORDS);
        }
        self.close();
    }

    /// Ends the router, as a client of its own would: one that is gone says that it is ready.
    #[cfg(test)]
    pub(crate) fn end_router(&self) {
        use super::link::{disconnect, push};
        let (mut tx, rx) = (self.connect)("gone").expect("a router");
        push(&mut tx, disconnect()).expect("a router");
        rx.ready().expect("a router");
        while !self.is_dead() {
            std::thread::sleep(LAST_WORDS);
        }
    }

    fn close(&mut self) {
        let Some((runtime, listener)) = self.listener.take() else { return };
        listener.abort();
        // The port closes when the listener's task ends.
        let _ = runtime.block_on(async { tokio::time::timeout(Duration::from_secs(1), listener).await });
        runtime.shutdown_timeout(Duration::from_secs(1));
        self.hub.end();
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
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
        broker.end_router();
        let event = Event {
            trace: Trace { seq: Some(0), intended: None, sent: Instant::now(), kafka_time_ms: None },
            key: Bytes::new(),
            payload: Bytes::from_static(b"x"),
        };
        let error = (0..).find_map(|_| publisher.publish(&mut vec![event.clone()]).err()).unwrap();
        assert!(matches!(error, MqttError::BrokerGone | MqttError::SubscriberGone));
        assert!(matches!(receiving.join().unwrap(), Err(MqttError::BrokerGone)));
        assert!(matches!(
            broker.connect(2, window, Arc::default(), Arc::default()).err(),
            Some(MqttError::BrokerGone)
        ));
        // Where it happened, in rumqttd.
        assert!(MqttError::BrokerGone.to_string().contains("scheduler.rs:"), "{}", MqttError::BrokerGone);
        broker.stop();
    }
}
