//! The MQTT hop with real clients: what goes in comes out, nothing is lost, outside clients of
//! both versions watch and join in, and none of them can end a replay.

#![allow(clippy::unwrap_used)]

use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rumqttc::{Client, Connection, Incoming, MqttOptions, QoS};
use tweetblast::event::Event;
use tweetblast::mqtt::{Broker, BrokerOptions, MqttError, Publisher, Subscriber, Window};
use tweetblast::report::Counters;

/// Longest wait for anything here.
const PATIENCE: Duration = Duration::from_secs(60);

fn options() -> BrokerOptions {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    BrokerOptions { listen, fall_back_to_free_port: false, ..BrokerOptions::default() }
}

fn start() -> Broker {
    Broker::start(&options()).unwrap()
}

struct Run {
    publisher: Publisher,
    subscriber: Subscriber,
    counters: Arc<Counters>,
    stop: Arc<AtomicBool>,
}

fn connect(broker: &Broker, window: Window) -> Run {
    let (counters, stop) = (Arc::new(Counters::default()), Arc::new(AtomicBool::new(false)));
    let (publisher, subscriber) = broker.connect(77, window, counters.clone(), stop.clone()).unwrap();
    Run { publisher, subscriber, counters, stop }
}

fn event(seq: u64, payload: impl Into<Bytes>) -> Event {
    let key = Bytes::from(format!("user {}", seq % 7));
    Event {
        seq: Some(seq),
        intended: Some(Instant::now()),
        sent: Instant::now(),
        key,
        payload: payload.into(),
    }
}

fn batch(from: u64, count: u64) -> Vec<Event> {
    (from..from + count).map(|seq| event(seq, format!("{{\"tweet\":\"number {seq}\"}}"))).collect()
}

/// Publishes `count` events in batches of 100 and gives what came out, the sink sleeping
/// `nap` on each batch.
fn replay(run: Run, count: u64, nap: Duration) -> (Vec<Event>, Arc<Counters>) {
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

/// All that comes out of a subscriber.
fn receive(subscriber: Subscriber) -> Vec<Event> {
    let mut seen = Vec::new();
    let sink = |events: &mut Vec<Event>| {
        seen.append(events);
        Ok::<(), MqttError>(())
    };
    subscriber.run(sink).unwrap();
    seen
}

fn own_seqs(events: &[Event]) -> Vec<u64> {
    events.iter().filter_map(|event| event.seq).collect()
}

fn client(broker: &Broker, id: &str) -> (Client, Connection) {
    let mut options = MqttOptions::new(id, "127.0.0.1", broker.addr().port());
    options.set_keep_alive(Duration::from_secs(30)).set_max_packet_size(64 << 20, 64 << 20);
    Client::new(options, 1_000)
}

fn client_v5(broker: &Broker, id: &str) -> (rumqttc::v5::Client, rumqttc::v5::Connection) {
    let mut options = rumqttc::v5::MqttOptions::new(id, "127.0.0.1", broker.addr().port());
    options.set_keep_alive(Duration::from_secs(30)).set_max_packet_size(Some(64 << 20));
    rumqttc::v5::Client::new(options, 1_000)
}

/// Subscribes and waits until the broker says so.
fn watch(broker: &Broker, id: &str) -> (Client, Connection) {
    let (client, mut connection) = client(broker, id);
    client.subscribe("tweets", QoS::AtMostOnce).unwrap();
    while !matches!(next(&mut connection), Incoming::SubAck(_)) {}
    (client, connection)
}

/// The next packet from the broker.
fn next(connection: &mut Connection) -> Incoming {
    loop {
        match connection.recv_timeout(PATIENCE).unwrap().unwrap() {
            rumqttc::Event::Incoming(packet) => return packet,
            rumqttc::Event::Outgoing(_) => {}
        }
    }
}

fn next_publish(connection: &mut Connection) -> rumqttc::Publish {
    loop {
        if let Incoming::Publish(publish) = next(connection) {
            return publish;
        }
    }
}

/// Drives a client's connection until it ends.
fn drive(mut connection: Connection) -> thread::JoinHandle<()> {
    thread::spawn(move || for _ in connection.iter().take_while(Result::is_ok) {})
}

#[test]
fn events_come_out_as_they_went_in_and_payloads_are_not_copied() {
    let broker = start();
    let Run { mut publisher, subscriber, counters, .. } = connect(&broker, Window::default());
    let mut sent = batch(0, 1_000);
    sent.push(event(1_000, Bytes::new()));
    publisher.publish(&mut sent.clone()).unwrap();
    publisher.publish(&mut Vec::new()).unwrap();
    publisher.finish();
    let seen = receive(subscriber);
    assert_eq!(seen.len(), sent.len());
    for (sent, seen) in sent.iter().zip(&seen) {
        assert_eq!((seen.seq, seen.intended, seen.sent), (sent.seq, sent.intended, sent.sent));
        assert_eq!((&seen.key, &seen.payload), (&sent.key, &sent.payload));
        assert!(sent.payload.is_empty() || seen.payload.as_ptr() == sent.payload.as_ptr());
    }
    assert_eq!((counters.published.get(), counters.received.get()), (1_001, 1_001));
    assert_eq!((counters.mqtt_lost.get(), counters.foreign.get()), (0, 0));
}

#[test]
fn a_run_of_nothing_ends_and_a_second_run_on_the_same_broker_gets_its_own_events_only() {
    let broker = start();
    let (seen, _) = replay(connect(&broker, Window::default()), 0, Duration::ZERO);
    assert!(seen.is_empty());
    for _ in 0..2 {
        let (seen, counters) = replay(connect(&broker, Window::default()), 500, Duration::ZERO);
        assert_eq!(own_seqs(&seen), (0..500).collect::<Vec<_>>());
        assert_eq!(counters.foreign.get() + counters.foreign_lost.get(), 0);
    }
}

/// A ring of 2 × 16 KiB holds about 300 of these messages.
fn tiny_ring() -> Broker {
    Broker::start(&BrokerOptions { segment_bytes: 16 << 10, segments: 2, ..options() }).unwrap()
}

#[test]
fn without_the_window_a_slow_subscriber_loses_messages_and_every_one_is_counted() {
    let (seen, counters) = replay(connect(&tiny_ring(), Window::OFF), 50_000, Duration::from_millis(1));
    let lost = counters.mqtt_lost.get();
    assert!(lost > 0, "the ring is far too small");
    assert_eq!(seen.len() as u64, counters.received.get());
    assert_eq!(counters.published.get() - counters.received.get(), lost);
    assert_eq!(counters.foreign_lost.get(), 0);
}

#[test]
fn with_the_window_the_same_subscriber_gets_everything_and_the_publisher_waits() {
    let window = Window { messages: 1_000, bytes: 12 << 10 };
    let (seen, counters) = replay(connect(&tiny_ring(), window), 50_000, Duration::from_millis(1));
    assert_eq!(own_seqs(&seen), (0..50_000).collect::<Vec<_>>());
    assert_eq!(counters.mqtt_lost.get(), 0);
    assert!(counters.mqtt_blocked_ns.get() > 0);
}

#[test]
fn outside_publishers_of_both_versions_come_out_as_foreign_events() {
    let broker = start();
    let Run { mut publisher, subscriber, counters, .. } = connect(&broker, Window::default());
    let (v4, connection) = client(&broker, "sensor");
    let v4_driver = drive(connection);
    // The same client id on purpose: both stay.
    let (v5, mut connection) = client_v5(&broker, "sensor");
    let v5_driver = thread::spawn(move || for _ in connection.iter().take_while(Result::is_ok) {});
    let receiving = thread::spawn(move || receive(subscriber));
    for number in 0..100 {
        let qos = if number % 2 == 0 { QoS::AtMostOnce } else { QoS::AtLeastOnce };
        v4.publish("tweets", qos, false, format!("v4 {number}")).unwrap();
        let qos = if number % 2 == 0 {
            rumqttc::v5::mqttbytes::QoS::AtMostOnce
        } else {
            rumqttc::v5::mqttbytes::QoS::AtLeastOnce
        };
        let properties = rumqttc::v5::mqttbytes::v5::PublishProperties {
            user_properties: vec![("from".into(), "outside".into())],
            // Expired at once, for a broker that does not have to account for it.
            message_expiry_interval: Some(0),
            ..Default::default()
        };
        v5.publish_with_properties("tweets", qos, false, format!("v5 {number}"), properties).unwrap();
        publisher.publish(&mut batch(number * 10, 10)).unwrap();
    }
    // A client's packets before its DISCONNECT count.
    v4.disconnect().unwrap();
    v5.disconnect().unwrap();
    let since = Instant::now();
    while counters.foreign.get() < 200 && since.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(5));
    }
    publisher.finish();
    let seen = receiving.join().unwrap();
    assert_eq!(own_seqs(&seen), (0..1_000).collect::<Vec<_>>());
    let foreign: HashSet<_> =
        seen.iter().filter(|event| event.seq.is_none()).map(|event| &event.payload[..]).collect();
    assert_eq!((foreign.len(), counters.foreign.get()), (200, 200));
    assert!(foreign.contains(&b"v4 99"[..]) && foreign.contains(&b"v5 99"[..]));
    v4_driver.join().unwrap();
    v5_driver.join().unwrap();
}

#[test]
fn watchers_of_both_versions_see_every_tweet_and_each_other() {
    let broker = start();
    let (watcher, mut watched) = watch(&broker, "watcher");
    let (watcher_v5, mut connection) = client_v5(&broker, "watcher");
    watcher_v5.subscribe("tweets", rumqttc::v5::mqttbytes::QoS::AtLeastOnce).unwrap();
    let (ready, is_ready) = std::sync::mpsc::channel();
    let watching_v5 = thread::spawn(move || {
        use rumqttc::v5::{Event, Incoming};
        let mut publishes = Vec::new();
        while publishes.len() < 2_001 {
            match connection.recv_timeout(PATIENCE).unwrap().unwrap() {
                Event::Incoming(Incoming::SubAck(_)) => ready.send(()).unwrap(),
                Event::Incoming(Incoming::Publish(publish)) => publishes.push(publish),
                _ => {}
            }
        }
        publishes
    });
    is_ready.recv_timeout(PATIENCE).unwrap();

    let (seen, counters) = replay(connect(&broker, Window::default()), 2_000, Duration::from_micros(200));
    assert_eq!((seen.len(), counters.mqtt_lost.get()), (2_000, 0));
    // Version 5 properties reach one and do not harm the other.
    let properties = rumqttc::v5::mqttbytes::v5::PublishProperties {
        user_properties: vec![("mood".into(), "good".into())],
        ..Default::default()
    };
    let qos = rumqttc::v5::mqttbytes::QoS::AtMostOnce;
    watcher_v5.publish_with_properties("tweets", qos, false, "the end", properties).unwrap();

    for seq in 0..2_000 {
        let expected = format!("{{\"tweet\":\"number {seq}\"}}");
        assert_eq!(next_publish(&mut watched).payload, expected.as_bytes());
    }
    assert_eq!(next_publish(&mut watched).payload, b"the end"[..]);
    let publishes = watching_v5.join().unwrap();
    let own: HashSet<_> = publishes.iter().map(|publish| publish.payload.clone()).collect();
    assert_eq!(own.len(), 2_001);
    let properties = publishes[2_000].properties.clone().unwrap();
    assert_eq!(properties.user_properties, [("mood".to_owned(), "good".to_owned())]);

    watcher.unsubscribe("tweets").unwrap();
    while !matches!(next(&mut watched), Incoming::UnsubAck(_)) {}
}

/// Replays as long as `meanwhile` takes, and until all is received.
fn replay_while(broker: &Broker, meanwhile: impl FnOnce()) -> Arc<Counters> {
    let Run { mut publisher, subscriber, counters, .. } = connect(broker, Window::default());
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

/// A client by hand, for what no client library does: connects with `level` and subscribes.
fn raw_client(addr: SocketAddr, id: &str, level: u8) -> TcpStream {
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

#[test]
fn watchers_that_leave_in_a_fast_replay_do_not_end_it() {
    let broker = start();
    let addr = broker.addr();
    let come_and_go = move |id: usize| {
        let mut buffer = vec![0; 1 << 20];
        for round in 0..100 {
            let mut stream = raw_client(addr, &format!("client {id}"), 4 + (round % 2) as u8);
            for _ in 0..5 + round % 10 {
                assert!(stream.read(&mut buffer).unwrap() > 0);
            }
            stream.write_all(&[0xE0, 0]).unwrap();
            // What was on its way, then the end.
            while stream.read(&mut buffer).is_ok_and(|read| read > 0) {}
        }
    };
    let counters = replay_while(&broker, || {
        let clients: Vec<_> = (0..4).map(|id| thread::spawn(move || come_and_go(id))).collect();
        clients.into_iter().for_each(|client| client.join().unwrap());
    });
    assert_eq!(counters.received.get(), counters.published.get());
}

#[test]
fn packets_that_would_break_the_broker_end_one_connection_at_most() {
    let broker = start();
    let addr = broker.addr();
    let hostile: [(u8, &[u8]); 10] = [
        // A topic that starts with a letter of two bytes, one that is no UTF-8, one with a wildcard.
        (4, b"\x30\x07\x00\x05\xc3\xa9abc"),
        (4, b"\x30\x05\x00\x03a\xff\xfe"),
        (4, b"\x30\x05\x00\x03a/#"),
        // A filter of the broker's own, a malformed one, an id of 0.
        (4, b"\x82\x0b\x00\x02\x00\x06$SYS/#\x00"),
        (4, b"\x82\x0a\x00\x02\x00\x05a#/bc\x00"),
        (5, b"\x82\x09\x00\x02\x02\x0b\x00\x00\x01a\x00"),
        // An acknowledgement of nothing, a packet for clients only, a second CONNECT, half a packet.
        (4, b"\x40\x02\x00\x09"),
        (5, b"\x90\x04\x00\x01\x00\x00"),
        (4, b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01x"),
        (4, b"\x30\xff\xff\x7f\x00"),
    ];
    let counters = replay_while(&broker, || {
        for (level, bytes) in hostile {
            let mut stream = raw_client(addr, "hostile", level);
            stream.read_exact(&mut [0; 4]).unwrap();
            stream.write_all(bytes).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            while stream.read(&mut [0; 4_096]).is_ok_and(|read| read > 0) {}
        }
        // Not MQTT at all, a version of the past, and a connection without a word.
        for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\x10\x0f\x00\x06MQIsdp\x03\x02\x00\x00\x00\x01x", b""]
        {
            let mut stream = TcpStream::connect(addr).unwrap();
            stream.write_all(bytes).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            while stream.read(&mut [0; 64]).is_ok_and(|read| read > 0) {}
        }
        watch(&broker, "a good client is still served");
    });
    assert_eq!(counters.received.get(), counters.published.get());
    assert_eq!(counters.foreign.get(), 0);
}

#[test]
fn large_messages_pass_and_too_large_ones_are_turned_away() {
    let broker = start();
    let Run { mut publisher, subscriber, counters, .. } = connect(&broker, Window::default());
    let (_watcher, mut watched) = watch(&broker, "watcher");
    let (outside, connection) = client(&broker, "outside");
    let driver = drive(connection);
    let receiving = thread::spawn(move || receive(subscriber));
    // Larger than the window, and with its topic than the ring: each passes alone.
    let large = Bytes::from(vec![b'x'; 16 << 20]);
    publisher
        .publish(&mut vec![event(0, large.clone()), event(1, large.clone()), event(2, "small")])
        .unwrap();
    for length in [16 << 20, 16 << 20, 5] {
        assert_eq!(next_publish(&mut watched).payload.len(), length);
    }
    outside.publish("tweets", QoS::AtMostOnce, false, &large[..]).unwrap();
    assert_eq!(next_publish(&mut watched).payload.len(), 16 << 20);
    // The limit for outside clients ends that one's connection.
    outside.publish("tweets", QoS::AtMostOnce, false, vec![b'x'; 18 << 20]).unwrap();
    driver.join().unwrap();
    let error = publisher.publish(&mut vec![event(3, "good"), event(4, vec![b'x'; 18 << 20])]).unwrap_err();
    assert!(matches!(error, MqttError::TooLarge { .. }), "{error}");
    publisher.publish(&mut vec![event(3, "good")]).unwrap();
    assert_eq!(next_publish(&mut watched).payload, b"good"[..]);
    publisher.finish();
    let seen = receiving.join().unwrap();
    assert_eq!((own_seqs(&seen), counters.foreign.get()), (vec![0, 1, 2, 3], 1));
}

#[test]
fn outside_floods_can_overwrite_messages_but_never_go_uncounted() {
    let broker = tiny_ring();
    let window = Window { messages: 1_000, bytes: 12 << 10 };
    let run = connect(&broker, window);
    let flooding = Arc::new(AtomicBool::new(true));
    let flood = {
        let (flooding, (client, connection)) = (flooding.clone(), client(&broker, "flood"));
        let driver = drive(connection);
        thread::spawn(move || {
            let mut sent: u64 = 0;
            while flooding.load(Ordering::Relaxed) || sent < 20_000 {
                client.publish("tweets", QoS::AtMostOnce, false, "a message of somebody else").unwrap();
                sent += 1;
            }
            client.disconnect().unwrap();
            driver.join().unwrap();
            sent
        })
    };
    // It ends although the flood does not.
    let (seen, counters) = replay(run, 5_000, Duration::from_millis(1));
    flooding.store(false, Ordering::Relaxed);
    let sent = flood.join().unwrap();
    assert_eq!(counters.published.get(), counters.received.get() + counters.mqtt_lost.get());
    assert_eq!(own_seqs(&seen).len() as u64, counters.received.get());
    assert!(counters.foreign.get() + counters.foreign_lost.get() <= sent);
    // What was given up as lost never came after all.
    assert_eq!(counters.duplicates.get(), 0);
}

#[test]
fn a_client_that_sends_our_messages_again_makes_duplicates_and_not_confusion() {
    use rumqttc::v5::mqttbytes::QoS;
    use rumqttc::v5::{Event, Incoming};
    let broker = start();
    let (mirror, mut connection) = client_v5(&broker, "mirror");
    mirror.subscribe("tweets", QoS::AtMostOnce).unwrap();
    let (ready, is_ready) = std::sync::mpsc::channel();
    // Sends everything back as it came, mark included, and then one with a mark of the future.
    let mirroring = thread::spawn(move || {
        let mut echoes = 0;
        while echoes < 50 {
            match connection.recv_timeout(PATIENCE).unwrap().unwrap() {
                Event::Incoming(Incoming::SubAck(_)) => ready.send(()).unwrap(),
                Event::Incoming(Incoming::Publish(publish)) => {
                    let mut properties = publish.properties.unwrap();
                    if echoes == 49 {
                        let mark = [&properties.correlation_data.unwrap()[..8], &[1; 8]].concat();
                        properties.correlation_data = Some(mark.into());
                    }
                    let payload = publish.payload;
                    mirror
                        .publish_with_properties("tweets", QoS::AtMostOnce, false, payload, properties)
                        .unwrap();
                    echoes += 1;
                }
                _ => {}
            }
        }
        mirror.disconnect().unwrap();
        for _ in connection.iter().take_while(Result::is_ok) {}
    });
    is_ready.recv_timeout(PATIENCE).unwrap();
    let Run { mut publisher, subscriber, counters, .. } = connect(&broker, Window::default());
    let receiving = thread::spawn(move || receive(subscriber));
    publisher.publish(&mut batch(0, 50)).unwrap();
    mirroring.join().unwrap();
    let since = Instant::now();
    while counters.foreign.get() < 50 && since.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(5));
    }
    publisher.publish(&mut batch(50, 50)).unwrap();
    publisher.finish();
    let seen = receiving.join().unwrap();
    assert_eq!((own_seqs(&seen), seen.len()), ((0..100).collect(), 150));
    assert_eq!((counters.duplicates.get(), counters.foreign.get()), (49, 50));
    assert_eq!((counters.received.get(), counters.mqtt_lost.get()), (100, 0));
}

#[test]
fn a_stop_while_the_window_is_full_keeps_what_was_published_and_drops_the_rest() {
    let broker = start();
    let window = Window { messages: 100, ..Window::default() };
    let Run { mut publisher, subscriber, counters, stop } = connect(&broker, window);
    publisher.publish(&mut batch(0, 100)).unwrap();
    stop.store(true, Ordering::Relaxed);
    let mut rest = batch(100, 100);
    publisher.publish(&mut rest).unwrap();
    assert!(rest.is_empty());
    publisher.publish(&mut batch(200, 10)).unwrap();
    publisher.finish();
    let seen = receive(subscriber);
    assert_eq!(own_seqs(&seen), (0..100).collect::<Vec<_>>());
    assert_eq!(counters.published.get(), 100);
}

#[test]
fn an_error_behind_the_subscriber_ends_the_publisher_too() {
    let broker = start();
    let window = Window { messages: 100, ..Window::default() };
    let Run { mut publisher, subscriber, .. } = connect(&broker, window);
    let publishing =
        thread::spawn(move || (0..).find_map(|seq| publisher.publish(&mut batch(seq * 10, 10)).err()));
    let result = subscriber.run(|_| Err(MqttError::BrokerGone));
    assert!(matches!(result, Err(MqttError::BrokerGone)));
    assert!(matches!(publishing.join().unwrap(), Some(MqttError::SubscriberGone)));
}

#[test]
fn a_taken_port_is_an_error_or_a_free_one_is_found_and_a_stop_frees_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let named = BrokerOptions { listen: taken.local_addr().unwrap(), ..options() };
    let error = Broker::start(&named).err().unwrap();
    assert!(matches!(error, MqttError::AddressInUse { listen } if listen == named.listen), "{error}");
    assert!(error.to_string().contains("--mqtt-listen"));

    let broker = Broker::start(&BrokerOptions { fall_back_to_free_port: true, ..named.clone() }).unwrap();
    assert_ne!(broker.addr(), named.listen);
    drop(taken);
    let second = Broker::start(&named).unwrap();
    assert_eq!(second.addr(), named.listen);

    // A watcher gets what was published before the stop, and then the end. (By hand: rumqttc
    // throws away what it has read when the end comes right behind.)
    let mut watcher = raw_client(second.addr(), "watcher", 4);
    watcher.read_exact(&mut [0; 4 + 5]).unwrap();
    replay(connect(&second, Window::default()), 2_000, Duration::ZERO);
    second.stop();
    let mut watched = Vec::new();
    watcher.read_to_end(&mut watched).unwrap();
    assert_eq!(watched.windows(8).filter(|bytes| bytes == b"{\"tweet\"").count(), 2_000);

    let third = Broker::start(&named).unwrap();
    drop(third);
    TcpListener::bind(named.listen).unwrap();
    watch(&broker, "the other broker goes on");
}

#[test]
fn settings_that_cannot_work_are_errors_and_not_panics_elsewhere() {
    for topic in ["", "a/+", "#", "$SYS/x", "é", "a\0b"] {
        let error = Broker::start(&BrokerOptions { topic: topic.into(), ..options() }).err().unwrap();
        assert!(matches!(error, MqttError::Topic { .. }), "{error}");
    }
    for (segment_bytes, segments) in [(1_023, 4), (1_024, 1), (1_024, 0)] {
        let error = Broker::start(&BrokerOptions { segment_bytes, segments, ..options() }).err().unwrap();
        assert!(matches!(error, MqttError::Ring { .. }), "{error}");
    }
    let broker = start();
    for window in [Window { messages: 0, bytes: 1 }, Window { messages: 1, bytes: 12 << 20 }] {
        let error = broker.connect(1, window, Arc::default(), Arc::default()).err().unwrap();
        assert!(matches!(error, MqttError::Window { .. }), "{error}");
    }
}
