//! Outside clients: they see everything, may join in, and none can end a replay.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rumqttc::{Incoming, QoS};
use tweetblast::mqtt::FlightWindow;

use super::harness::*;

#[test]
fn outside_publishers_of_both_versions_come_out_as_foreign_events() {
    let broker = start();
    let Run { mut publisher, subscriber, counters, .. } = connect(&broker, FlightWindow::default());
    let (v4, connection) = client(&broker, "sensor");
    let v4_driver = drive(connection);
    let (v5, mut connection) = client_v5(&broker, "sensor 5");
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
            // Already expired, for a broker that does not have to account for it.
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
        seen.iter().filter(|event| event.trace.seq.is_none()).map(|event| &event.payload[..]).collect();
    assert_eq!((foreign.len(), counters.foreign.get()), (200, 200));
    assert!(foreign.contains(&b"v4 99"[..]) && foreign.contains(&b"v5 99"[..]));
    v4_driver.join().unwrap();
    v5_driver.join().unwrap();
}

#[test]
fn watchers_of_both_versions_see_every_tweet_and_each_other() {
    let broker = start();
    let (watcher, mut watched) = watch(&broker, "watcher");
    let (watcher_v5, mut connection) = client_v5(&broker, "watcher 5");
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

    let (seen, counters) =
        replay(connect(&broker, FlightWindow::default()), 2_000, Duration::from_micros(200));
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
        // A topic that starts with a letter of two bytes, one that is not UTF-8, one with a
        // wildcard.
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
        // Not MQTT at all, an old version, and a silent connection.
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
fn outside_floods_can_overwrite_messages_but_never_go_uncounted() {
    let broker = tiny_ring();
    let window = FlightWindow { messages: 1_000, bytes: 12 << 10 };
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
    // Messages given up as lost never arrived later.
    assert_eq!(counters.duplicates.get(), 0);
}

/// The replay's mark on the message at this place, given the nonce of the harness.
fn mark(place: u64) -> bytes::Bytes {
    [77u64.to_be_bytes(), place.to_be_bytes()].concat().into()
}

#[test]
fn the_mark_stays_inside_and_a_client_that_knows_it_cannot_set_it() {
    use rumqttc::v5::mqttbytes::QoS;
    use rumqttc::v5::mqttbytes::v5::{LastWill, LastWillProperties, PublishProperties};
    use rumqttc::v5::{Event, Incoming, MqttOptions};
    let broker = start();
    let (watcher, mut watched) = client_v5(&broker, "watcher");
    watcher.subscribe("tweets", QoS::AtMostOnce).unwrap();
    let mut next = || loop {
        match watched.recv_timeout(PATIENCE).unwrap().unwrap() {
            Event::Incoming(Incoming::SubAck(_)) => return None,
            Event::Incoming(Incoming::Publish(publish)) => {
                let data = publish.properties.and_then(|properties| properties.correlation_data);
                return Some((String::from_utf8(publish.payload.to_vec()).unwrap(), data));
            }
            _ => {}
        }
    };
    assert_eq!(next(), None);
    let Run { mut publisher, subscriber, counters, .. } = connect(&broker, FlightWindow::default());
    let receiving = thread::spawn(move || receive(subscriber));
    publisher.publish(&mut batch(0, 50)).unwrap();
    for seq in 0..50 {
        assert_eq!(next(), Some((format!("{{\"tweet\":\"number {seq}\"}}"), None)));
    }

    // Marks of the past and of the future, in messages and in a will, and data that is the client's own.
    let with = |data: bytes::Bytes| PublishProperties { correlation_data: Some(data), ..Default::default() };
    let own = [bytes::Bytes::from_static(b"mine"), bytes::Bytes::from_static(b"sixteen bytes too")];
    let mut options = MqttOptions::new("forger", "127.0.0.1", broker.addr().port());
    let will = LastWillProperties {
        correlation_data: Some(mark(51)),
        delay_interval: None,
        payload_format_indicator: None,
        message_expiry_interval: None,
        content_type: None,
        response_topic: None,
        user_properties: Vec::new(),
    };
    options.set_last_will(LastWill::new("tweets", "will", QoS::AtMostOnce, false, Some(will)));
    let (forger, mut connection) = rumqttc::v5::Client::new(options, 100);
    let forged = [mark(3), mark(50), mark(u64::MAX)];
    for (number, data) in forged.iter().chain(&own).enumerate() {
        let (payload, properties) = (format!("forged {number}"), with(data.clone()));
        forger.publish_with_properties("tweets", QoS::AtMostOnce, false, payload, properties).unwrap();
    }
    let over = Arc::new(AtomicBool::new(false));
    let driver = {
        let over = over.clone();
        thread::spawn(move || {
            // A wait that is given up in mid-connect would drop the connection, and the will be published.
            assert!(matches!(
                connection.recv_timeout(PATIENCE),
                Ok(Ok(Event::Incoming(Incoming::ConnAck(_))))
            ));
            while !over.load(Ordering::Relaxed) {
                let _ = connection.recv_timeout(Duration::from_millis(20));
            }
        })
    };
    for number in 0..5usize {
        let data = number.checked_sub(3).map(|number| own[number].clone());
        assert_eq!(next(), Some((format!("forged {number}"), data)));
    }
    // It goes without DISCONNECT, so its will is published.
    over.store(true, Ordering::Relaxed);
    driver.join().unwrap();
    assert_eq!(next(), Some(("will".to_owned(), None)));

    publisher.publish(&mut batch(50, 50)).unwrap();
    publisher.finish();
    let seen = receiving.join().unwrap();
    assert_eq!((own_seqs(&seen), seen.len()), ((0..100).collect(), 106));
    assert_eq!((counters.duplicates.get(), counters.foreign.get()), (0, 6));
    assert_eq!((counters.received.get(), counters.mqtt_lost.get()), (100, 0));
}
