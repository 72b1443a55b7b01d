//! Shared by the tests: a broker, a run on it, clients.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rumqttc::{Client, Connection, Incoming, MqttOptions, QoS};
use tweetblast::count::Counters;
use tweetblast::event::{Event, Trace};
use tweetblast::mqtt::{Broker, BrokerOptions, FlightWindow, MqttError, Publisher, Subscriber};

/// Longest wait for anything here.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub fn options() -> BrokerOptions {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    BrokerOptions { listen, fall_back_to_free_port: false, ..BrokerOptions::default() }
}

pub fn start() -> Broker {
    Broker::start(&options()).unwrap()
}

pub struct Run {
    pub publisher: Publisher,
    pub subscriber: Subscriber,
    pub counters: Arc<Counters>,
    pub stop: Arc<AtomicBool>,
}

pub fn connect(broker: &Broker, window: FlightWindow) -> Run {
    let (counters, stop) = (Arc::new(Counters::default()), Arc::new(AtomicBool::new(false)));
    let (publisher, subscriber) = broker.connect(77, window, counters.clone(), stop.clone()).unwrap();
    Run { publisher, subscriber, counters, stop }
}

pub fn event(seq: u64, payload: impl Into<Bytes>) -> Event {
    let key = Bytes::from(format!("user {}", seq % 7));
    Event {
        trace: Trace {
            seq: Some(seq),
            intended: Some(Instant::now()),
            sent: Instant::now(),
            kafka_time_ms: None,
        },
        key,
        payload: payload.into(),
    }
}

pub fn batch(from: u64, count: u64) -> Vec<Event> {
    (from..from + count).map(|seq| event(seq, format!("{{\"tweet\":\"number {seq}\"}}"))).collect()
}

/// Publishes `count` events in batches of 100 and returns what came out, with a sink that sleeps
/// `nap` on each batch.
pub fn replay(run: Run, count: u64, nap: Duration) -> (Vec<Event>, Arc<Counters>) {
    let Run { mut publisher, subscriber, counters, .. } = run;
    let publishing = thread::spawn(move || {
        for from in (0..count).step_by(100) {
            publisher.publish(&mut batch(from, 100.min(count - from))).unwrap();
        }
        publisher.finish();
    });
    let mut seen = Vec::new();
    let sink = |events: &mut Vec<Event>| {
        thread::sleep(nap);
        seen.append(events);
        Ok::<(), MqttError>(())
    };
    subscriber.run(sink).unwrap();
    publishing.join().unwrap();
    (seen, counters)
}

/// Everything that comes out of a subscriber.
pub fn receive(subscriber: Subscriber) -> Vec<Event> {
    let mut seen = Vec::new();
    let sink = |events: &mut Vec<Event>| {
        seen.append(events);
        Ok::<(), MqttError>(())
    };
    subscriber.run(sink).unwrap();
    seen
}

pub fn own_seqs(events: &[Event]) -> Vec<u64> {
    events.iter().filter_map(|event| event.trace.seq).collect()
}

pub fn client(broker: &Broker, id: &str) -> (Client, Connection) {
    let mut options = MqttOptions::new(id, "127.0.0.1", broker.addr().port());
    options.set_keep_alive(Duration::from_secs(30)).set_max_packet_size(64 << 20, 64 << 20);
    Client::new(options, 1_000)
}

pub fn client_v5(broker: &Broker, id: &str) -> (rumqttc::v5::Client, rumqttc::v5::Connection) {
    let mut options = rumqttc::v5::MqttOptions::new(id, "127.0.0.1", broker.addr().port());
    options.set_keep_alive(Duration::from_secs(30)).set_max_packet_size(Some(64 << 20));
    rumqttc::v5::Client::new(options, 1_000)
}

/// Subscribes and waits for the broker's confirmation.
pub fn watch(broker: &Broker, id: &str) -> (Client, Connection) {
    let (client, mut connection) = client(broker, id);
    client.subscribe("tweets", QoS::AtMostOnce).unwrap();
    while !matches!(next(&mut connection), Incoming::SubAck(_)) {}
    (client, connection)
}

/// The next packet from the broker.
pub fn next(connection: &mut Connection) -> Incoming {
    loop {
        match connection.recv_timeout(PATIENCE).unwrap().unwrap() {
            rumqttc::Event::Incoming(packet) => return packet,
            rumqttc::Event::Outgoing(_) => {}
        }
    }
}

pub fn next_publish(connection: &mut Connection) -> rumqttc::Publish {
    loop {
        if let Incoming::Publish(publish) = next(connection) {
            return publish;
        }
    }
}

/// Drives a client's connection until it ends.
pub fn drive(mut connection: Connection) -> thread::JoinHandle<()> {
    thread::spawn(move || for _ in connection.iter().take_while(Result::is_ok) {})
}

/// A ring of 2 × 16 KiB holds about 300 of these messages.
pub fn tiny_ring() -> Broker {
    Broker::start(&BrokerOptions { segment_bytes: 16 << 10, segments: 2, ..options() }).unwrap()
}

/// Replays as long as `meanwhile` takes, and until everything is received.
pub fn replay_while(broker: &Broker, meanwhile: impl FnOnce()) -> Arc<Counters> {
    let Run { mut publisher, subscriber, counters, .. } = connect(broker, FlightWindow::default());
    let over = Arc::new(AtomicBool::new(false));
    let publishing = {
        let over = over.clone();
        thread::spawn(move || {
            for from in (0..).step_by(100).take_while(|_| !over.load(Ordering::Relaxed)) {
                publisher.publish(&mut batch(from, 100)).unwrap();
            }
        })
    };
    let discard = |events: &mut Vec<Event>| {
        events.clear();
        Ok::<(), MqttError>(())
    };
    let receiving = thread::spawn(move || subscriber.run(discard));
    meanwhile();
    over.store(true, Ordering::Relaxed);
    publishing.join().unwrap();
    receiving.join().unwrap().unwrap();
    counters
}

/// A hand-made client, for what no client library does: connects with `level` and subscribes.
pub fn raw_client(addr: SocketAddr, id: &str, level: u8) -> TcpStream {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let no_properties: &[u8] = if level == 5 { &[0] } else { &[] };
    let mut connect = b"\x00\x04MQTT".to_vec();
    connect.extend([level, 2, 0, 0]);
    connect.extend(no_properties);
    connect.extend([0, id.len() as u8]);
    connect.extend(id.as_bytes());
    let mut subscribe = vec![0, 1];
    subscribe.extend(no_properties);
    subscribe.extend(b"\x00\x06tweets\x00");
    for (packet_type, body) in [(0x10, connect), (0x82, subscribe)] {
        stream.write_all(&[packet_type, body.len() as u8]).unwrap();
        stream.write_all(&body).unwrap();
    }
    stream
}
