//! The way of the replay's own events: nothing lost, nothing changed, and every run ends.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use rumqttc::QoS;
use tweetblast::mqtt::{FlightWindow, MqttError};

use super::harness::*;

#[test]
fn events_come_out_as_they_went_in_and_payloads_are_not_copied() {
    let broker = start();
    let Run { mut publisher, subscriber, counters, .. } = connect(&broker, FlightWindow::default());
    let mut sent = batch(0, 1_000);
    sent.push(event(1_000, Bytes::new()));
    publisher.publish(&mut sent.clone()).unwrap();
    publisher.publish(&mut Vec::new()).unwrap();
    publisher.finish();
    let seen = receive(subscriber);
    assert_eq!(seen.len(), sent.len());
    for (sent, seen) in sent.iter().zip(&seen) {
        assert_eq!(seen.trace, sent.trace);
        assert_eq!((&seen.key, &seen.payload), (&sent.key, &sent.payload));
        assert!(sent.payload.is_empty() || seen.payload.as_ptr() == sent.payload.as_ptr());
    }
    assert_eq!((counters.published.get(), counters.received.get()), (1_001, 1_001));
    assert_eq!((counters.mqtt_lost.get(), counters.foreign.get()), (0, 0));
}

#[test]
fn a_run_of_nothing_ends_and_a_second_run_on_the_same_broker_gets_its_own_events_only() {
    let broker = start();
    let (seen, _) = replay(connect(&broker, FlightWindow::default()), 0, Duration::ZERO);
    assert!(seen.is_empty());
    for _ in 0..2 {
        let (seen, counters) = replay(connect(&broker, FlightWindow::default()), 500, Duration::ZERO);
        assert_eq!(own_seqs(&seen), (0..500).collect::<Vec<_>>());
        assert_eq!(counters.foreign.get() + counters.foreign_lost.get(), 0);
    }
}

#[test]
fn without_the_window_a_slow_subscriber_loses_messages_and_every_one_is_counted() {
    let (seen, counters) = replay(connect(&tiny_ring(), FlightWindow::OFF), 50_000, Duration::from_millis(1));
    let lost = counters.mqtt_lost.get();
    assert!(lost > 0, "the ring is far too small");
    assert_eq!(seen.len() as u64, counters.received.get());
    assert_eq!(counters.published.get() - counters.received.get(), lost);
    assert_eq!(counters.foreign_lost.get(), 0);
}

#[test]
fn with_the_window_the_same_subscriber_gets_everything_and_the_publisher_waits() {
    let window = FlightWindow { messages: 1_000, bytes: 12 << 10 };
    let (seen, counters) = replay(connect(&tiny_ring(), window), 50_000, Duration::from_millis(1));
    assert_eq!(own_seqs(&seen), (0..50_000).collect::<Vec<_>>());
    assert_eq!(counters.mqtt_lost.get(), 0);
    assert!(counters.mqtt_blocked_ns.get() > 0);
}

#[test]
fn large_messages_pass_and_too_large_ones_are_turned_away() {
    let broker = start();
    let Run { mut publisher, subscriber, counters, .. } = connect(&broker, FlightWindow::default());
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
    // The limit for outside clients ends that client's connection.
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
fn a_stop_while_the_window_is_full_keeps_what_was_published_and_drops_the_rest() {
    let broker = start();
    let window = FlightWindow { messages: 100, ..FlightWindow::default() };
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
    let window = FlightWindow { messages: 100, ..FlightWindow::default() };
    let Run { mut publisher, subscriber, .. } = connect(&broker, window);
    let publishing =
        thread::spawn(move || (0..).find_map(|seq| publisher.publish(&mut batch(seq * 10, 10)).err()));
    let result = subscriber.run(|_| Err(MqttError::BrokerGone));
    assert!(matches!(result, Err(MqttError::BrokerGone)));
    assert!(matches!(publishing.join().unwrap(), Some(MqttError::SubscriberGone)));
}
