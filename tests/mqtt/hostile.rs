//! Clients that would have ended rumqttd's router, or taken all memory.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use tweetblast::mqtt::{Broker, BrokerOptions, ClientLimits, FlightWindow};

use super::harness::*;
use super::raw::{Raw, connect_packet, packet, text};

/// Clients that do `what` again and again during a fast replay, of which nothing may be lost.
fn attack(rounds: usize, what: impl Fn(SocketAddr, usize) + Copy + Send + 'static) {
    let broker = start();
    let addr = broker.addr();
    let counters = replay_while(&broker, || {
        let clients: Vec<_> = (0..4)
            .map(|id| thread::spawn(move || (0..rounds).for_each(|round| what(addr, id * 100 + round))))
            .collect();
        clients.into_iter().for_each(|client| client.join().unwrap());
    });
    assert_eq!(counters.received.get(), counters.published.get());
    assert!(!broker.is_dead());
}

/// Reads some of what comes, and no more.
fn read_a_little(client: &mut Raw, round: usize) {
    let mut buffer = vec![0; 1 << 16];
    for _ in 0..1 + round % 5 {
        let _ = client.stream.read(&mut buffer);
    }
}

#[test]
fn watchers_with_a_will_that_leave_in_a_fast_replay_do_not_end_it() {
    attack(60, |addr, round| {
        let level = 4 + (round % 2) as u8;
        let mut client =
            Raw::connect_with(addr, &format!("w{}", round / 100), level, Some(("w", "gone")), &[]);
        client.subscribe(&[("tweets", 0)]);
        read_a_little(&mut client, round);
        client.send(&[0xE0, 0]);
        while client.stream.read(&mut [0; 4_096]).is_ok_and(|read| read > 0) {}
    });
}

#[test]
fn acknowledgements_of_nothing_do_not_end_a_replay() {
    for kind in [0x40, 0x50, 0x62, 0x70] {
        attack(20, move |addr, round| {
            let level = 4 + (round % 2) as u8;
            let mut client = Raw::connect(addr, &format!("a{}", round / 100), level);
            client.subscribe(&[("tweets", 2)]);
            read_a_little(&mut client, round);
            client.send(&packet(kind, &[0, 9]));
            client.send(&packet(kind, &[0, 9]));
            read_a_little(&mut client, round);
        });
    }
    // The client may stay: it is still answered.
    let broker = start();
    for level in [4, 5] {
        let mut client = Raw::connect(broker.addr(), "client", level);
        for kind in [0x40, 0x50, 0x62, 0x70] {
            client.send(&packet(kind, &[0, 9]));
            client.ping();
        }
    }
}

#[test]
fn idle_clients_that_came_first_do_not_keep_the_replay_out() {
    let clients = 63;
    let limits = ClientLimits { clients, ..ClientLimits::default() };
    let broker = Broker::start(&BrokerOptions { clients: limits, ..options() }).unwrap();
    let mut idle: Vec<_> =
        (0..clients).map(|number| Raw::connect(broker.addr(), &format!("idle {number}"), 4)).collect();
    // One more of either version is told that there is no room.
    for (level, code) in [(4, 3), (5, 0x89)] {
        let mut refused = Raw::open(broker.addr(), level);
        refused.send(&connect_packet("one more", level, None, &[]));
        assert_eq!(refused.receive().unwrap().1[1], code);
        assert_eq!(refused.receive(), None);
    }
    let (seen, _) = replay(connect(&broker, FlightWindow::default()), 500, Duration::ZERO);
    assert_eq!(own_seqs(&seen), (0..500).collect::<Vec<_>>());
    // One that is there already may come again, and when one goes there is room.
    let mut again = Raw::connect(broker.addr(), "idle 0", 5);
    again.ping();
    idle.pop();
    let since = Instant::now();
    while TcpStream::connect(broker.addr()).is_ok_and(|mut stream| {
        stream.write_all(&connect_packet("one more", 4, None, &[])).unwrap();
        let mut answer = [0; 4];
        stream.read_exact(&mut answer).is_err() || answer[3] != 0
    }) {
        assert!(since.elapsed() < PATIENCE, "its place is free");
    }
}

#[test]
fn connections_that_say_nothing_leave_room_for_others() {
    let broker = start();
    let silent: Vec<_> = (0..1_000).map(|_| TcpStream::connect(broker.addr()).unwrap()).collect();
    let mut watcher = Raw::connect(broker.addr(), "watcher", 4);
    watcher.subscribe(&[("#", 0), ("$SYS/#", 0)]);
    replay(connect(&broker, FlightWindow::default()), 10, Duration::ZERO);
    assert_eq!(watcher.message().2, "{\"tweet\":\"number 0\"}");
    drop(silent);
}

#[test]
fn a_client_that_reads_nothing_is_disconnected_and_others_get_everything() {
    let limits = ClientLimits { unread_bytes: 500_000, ..ClientLimits::default() };
    let broker = Broker::start(&BrokerOptions { clients: limits, ..options() }).unwrap();
    let mut deaf = Raw::connect(broker.addr(), "deaf", 4);
    deaf.subscribe(&[("tweets", 0)]);
    // Answers that nobody reads wait, too.
    let mut flood = Raw::connect(broker.addr(), "flood", 4);
    let (_watcher, mut watched) = watch(&broker, "watcher");
    let Run { mut publisher, subscriber, .. } = connect(&broker, FlightWindow::default());
    let receiving = thread::spawn(move || receive(subscriber));
    // More than what the system's buffers take, too.
    let large = "x".repeat(200_000);
    for seq in 0..100 {
        publisher.publish(&mut vec![event(seq, large.clone())]).unwrap();
        next_publish(&mut watched);
    }
    publisher.finish();
    receiving.join().unwrap();
    let mut taken = 0;
    let mut buffer = vec![0; 1 << 20];
    while let Ok(read) = deaf.stream.read(&mut buffer)
        && read > 0
    {
        taken += read;
    }
    assert!(taken < 100 * large.len(), "it was not written to without an end: {taken}");
    let pings = [0xC0, 0].repeat(10_000);
    flood.stream.set_write_timeout(Some(PATIENCE)).unwrap();
    assert!((0..10_000).any(|_| flood.stream.write_all(&pings).is_err()), "the flood is cut off");
}

#[test]
fn what_is_too_much_of_anything_is_refused_with_its_reason() {
    let limits = ClientLimits { retained_bytes: 1_000, ..ClientLimits::default() };
    let broker = Broker::start(&BrokerOptions { clients: limits, ..options() }).unwrap();
    let mut client = Raw::connect(broker.addr(), "client", 5);
    // Filters: 64, and none of 5,000 bytes.
    let long = "f".repeat(5_000);
    assert_eq!(client.subscribe(&[(&long, 0)]), [0x97]);
    for number in 0..64 {
        assert_eq!(client.subscribe(&[(&format!("f/{number}"), 1)]), [1]);
    }
    assert_eq!(client.subscribe(&[("f/64", 0), ("f/0", 2)]), [0x97, 2]);
    // Retained: 1,000 bytes. The message itself is passed on.
    for (topic, reason) in [("r/1", None), ("r/2", Some(0x97)), ("r/1", None)] {
        client.publish(topic, &"x".repeat(600), 3);
        let (first, body) = client.receive().unwrap();
        assert_eq!((first, body.get(2).copied()), (0x40, reason), "{topic}");
    }
    client.publish("$SYS/x", "mine", 2);
    assert_eq!(client.receive().unwrap().1, [0, 1, 0x87]);
    // A longer topic, a higher alias, a larger packet that is no message, a longer id.
    let too_much = [
        packet(0x30, &[text(&long), vec![0]].concat()),
        packet(0x30, &[text("t"), vec![3, 35, 0, 17]].concat()),
        packet(0x82, &vec![0; 300_000]),
    ];
    for (packet, reason) in too_much.iter().zip([0x90, 0x94, 0x95]) {
        let mut client = Raw::connect(broker.addr(), "too much", 5);
        client.send(packet);
        assert_eq!(client.receive(), Some((0xE0, vec![reason])));
        assert_eq!(client.receive(), None);
    }
    // More messages of QoS 2 begun than CONNACK allows.
    let mut client = Raw::connect(broker.addr(), "too much", 5);
    for id in 1..=1_025_u16 {
        client.send(&packet(0x34, &[&text("t")[..], &id.to_be_bytes(), &[0]].concat()));
    }
    for _ in 1..=1_024 {
        assert_eq!(client.receive().unwrap().0, 0x50);
    }
    assert_eq!(client.receive(), Some((0xE0, vec![0x93])));
    let mut client = Raw::open(broker.addr(), 5);
    client.send(&connect_packet(&"i".repeat(1_025), 5, None, &[]));
    assert_eq!(client.receive().unwrap().1[1], 0x85);
}

#[test]
fn what_clients_publish_on_the_replays_topic_waits_for_the_replay_and_none_of_it_is_lost() {
    let broker = tiny_ring();
    let addr = broker.addr();
    // Before the replay is there, and much more than the broker keeps.
    let floods: Vec<_> = (0..4)
        .map(|id| {
            thread::spawn(move || {
                let mut client = Raw::connect(addr, &format!("flood {id}"), 4);
                for number in 0..5_000 {
                    client.publish("tweets", &format!("{id} {number}"), 0);
                }
                client.send(&[0xE0, 0]);
                while client.receive().is_some() {}
            })
        })
        .collect();
    let window = FlightWindow { messages: 1_000, bytes: 12 << 10 };
    let Run { mut publisher, subscriber, counters, .. } = connect(&broker, window);
    let receiving = thread::spawn(move || receive(subscriber));
    for from in (0..5_000).step_by(100) {
        publisher.publish(&mut batch(from, 100)).unwrap();
    }
    floods.into_iter().for_each(|flood| flood.join().unwrap());
    let since = Instant::now();
    while counters.foreign.get() < 20_000 && since.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(5));
    }
    publisher.finish();
    let seen = receiving.join().unwrap();
    assert_eq!(own_seqs(&seen), (0..5_000).collect::<Vec<_>>());
    assert_eq!((counters.foreign.get(), counters.foreign_lost.get()), (20_000, 0));
    assert_eq!(counters.mqtt_lost.get(), 0);
}
