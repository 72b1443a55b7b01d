//! What the standards ask of a broker, where clients notice it.

use std::time::Duration;

use tweetblast::mqtt::FlightWindow;

use super::harness::*;
use super::raw::{Raw, packet, text};

#[test]
fn filters_of_the_brokers_own_are_granted_and_the_connection_stays() {
    // As MQTT Explorer subscribes.
    let broker = start();
    for level in [4, 5] {
        let mut explorer = Raw::connect(broker.addr(), &format!("explorer {level}"), level);
        assert_eq!(explorer.subscribe(&[("#", 0), ("$SYS/#", 1), ("$x", 2)]), [0, 1, 2]);
        replay(connect(&broker, FlightWindow::default()), 1, Duration::ZERO);
        assert_eq!(explorer.message().1, "tweets");
    }
}

#[test]
fn a_client_of_mqtt_3_1_is_told_that_its_version_is_not_spoken() {
    let broker = start();
    let mut old = Raw::open(broker.addr(), 4);
    old.send(b"\x10\x0f\x00\x06MQIsdp\x03\x02\x00\x00\x00\x01x");
    assert_eq!(old.receive(), Some((0x20, vec![0, 1])));
    assert_eq!(old.receive(), None);
}

#[test]
fn a_client_takes_the_place_of_an_earlier_one_with_its_id_whose_will_is_published() {
    let broker = start();
    let mut watcher = Raw::connect(broker.addr(), "watcher", 4);
    watcher.subscribe(&[("w", 0)]);
    for (before, after) in [(4, 5), (5, 4)] {
        let mut first = Raw::connect_with(broker.addr(), "same", before, Some(("w", "gone")), &[]);
        let mut second = Raw::connect(broker.addr(), "same", after);
        assert_eq!(first.receive(), (before == 5).then(|| (0xE0, vec![0x8E])));
        assert_eq!(first.receive(), None);
        second.ping();
        assert_eq!(watcher.message().2, "gone");
    }
    // The client of another id was not asked to leave.
    watcher.ping();
}

#[test]
fn a_will_is_published_when_a_client_is_cut_off_and_not_when_it_says_goodbye() {
    let broker = start();
    let mut watcher = Raw::connect(broker.addr(), "watcher", 5);
    watcher.subscribe(&[("w", 0)]);
    let come = |id: &str, payload| Raw::connect_with(broker.addr(), id, 5, Some(("w", payload)), &[]);
    come("polite", "never").send(&[0xE0, 0]);
    come("with its will", "asked for").send(&[0xE0, 1, 4]);
    assert_eq!(watcher.message().2, "asked for");
    drop(come("cut off", "cut"));
    assert_eq!(watcher.message().2, "cut");
    let mut wrong = come("wrong", "thrown out");
    wrong.send(&packet(0x30, b"\0\x01#"));
    assert_eq!(watcher.message().2, "thrown out");
    assert!(watcher.ping().is_empty());
}

#[test]
fn a_client_that_is_silent_for_longer_than_it_said_is_disconnected() {
    let broker = start();
    let mut silent = Raw::open(broker.addr(), 5);
    let body = [&text("MQTT")[..], &[5, 2, 0, 1, 0], &text("silent")].concat();
    silent.send(&packet(0x10, &body));
    silent.receive().unwrap();
    assert_eq!(silent.receive(), Some((0xE0, vec![0x8D])));
}

#[test]
fn a_message_comes_at_the_lesser_of_both_qos() {
    let broker = start();
    for level in [4, 5] {
        let mut watcher = Raw::connect(broker.addr(), "watcher", level);
        watcher.subscribe(&[("0/#", 0), ("1/#", 1), ("2/#", 2), ("+/both", 2)]);
        let mut sender = Raw::connect(broker.addr(), "sender", level);
        for (topic, published, delivered) in [
            ("2/a", 0, 0),
            ("2/a", 1, 1),
            ("2/a", 2, 2),
            ("1/a", 2, 1),
            ("0/a", 2, 0),
            ("1/both", 2, 2),
            ("0/both", 1, 1),
        ] {
            sender.publish(topic, "x", published << 1);
            match published {
                1 => assert_eq!(sender.receive().unwrap().0, 0x40),
                2 => {
                    assert_eq!(sender.receive().unwrap().0, 0x50);
                    sender.send(&packet(0x62, &[0, 1]));
                    assert_eq!(sender.receive().unwrap(), (0x70, vec![0, 1]));
                }
                _ => {}
            }
            let (first, name, _) = watcher.message();
            assert_eq!((first >> 1 & 3, &*name), (delivered, topic));
        }
    }
}

#[test]
fn a_message_of_qos_2_is_published_once_however_often_it_is_sent() {
    let broker = start();
    let mut watcher = Raw::connect(broker.addr(), "watcher", 5);
    watcher.subscribe(&[("t", 2)]);
    let mut sender = Raw::connect(broker.addr(), "sender", 5);
    sender.publish("t", "once", 4);
    sender.publish("t", "once", 4 | 8);
    assert_eq!(sender.receive().unwrap(), (0x50, vec![0, 1]));
    assert_eq!(sender.receive().unwrap(), (0x50, vec![0, 1]));
    // PUBREL with properties: reason 0, a user property.
    sender.send(&packet(0x62, b"\0\x01\0\x07\x26\0\x01a\0\x01b"));
    assert_eq!(sender.receive().unwrap(), (0x70, vec![0, 1]));
    // Again: it is done.
    sender.send(&packet(0x62, &[0, 1]));
    assert_eq!(sender.receive().unwrap(), (0x70, vec![0, 1, 0x92]));
    let (first, _, payload) = watcher.message();
    assert_eq!((first, &*payload), (0x34, "once"));
    watcher.send(&packet(0x50, &[0, 1]));
    assert_eq!(watcher.receive(), Some((0x62, vec![0, 1])));
    watcher.send(&packet(0x70, &[0, 1]));
    sender.publish("t", "another", 4);
    assert_eq!(watcher.message().2, "another");
}

#[test]
fn a_hundred_messages_are_under_way_to_a_client_and_the_next_waits_for_an_acknowledgement() {
    let broker = start();
    let mut watcher = Raw::connect(broker.addr(), "watcher", 4);
    watcher.subscribe(&[("t", 1)]);
    // This client takes three (receive maximum).
    let mut slow = Raw::connect_with(broker.addr(), "slow", 5, None, &[33, 0, 3]);
    slow.subscribe(&[("t", 2)]);
    let mut sender = Raw::connect(broker.addr(), "sender", 4);
    for number in 0..150 {
        sender.publish("t", &number.to_string(), 2);
        sender.receive().unwrap();
    }
    for (client, count) in [(&mut watcher, 100), (&mut slow, 3)] {
        for number in 0..count {
            assert_eq!(client.message().2, number.to_string());
        }
        assert!(client.ping().is_empty());
        client.send(&packet(0x40, &[0, 1]));
        assert_eq!(client.message().2, count.to_string());
        assert!(client.ping().is_empty());
    }
}

#[test]
fn retained_messages_come_to_later_subscribers_until_they_are_taken_away() {
    let broker = start();
    let mut sender = Raw::connect(broker.addr(), "sender", 5);
    sender.publish("r/1", "old", 1);
    sender.publish("r/1", "new", 1);
    sender.publish("r/2", "gone", 1);
    sender.publish("r/2", "", 1);
    // Expires at once.
    sender.publish_with("r/3", "late", 1, &[2, 0, 0, 0, 0]);
    sender.ping();
    let mut later = Raw::connect(broker.addr(), "later", 4);
    later.subscribe(&[("r/#", 0)]);
    assert_eq!(later.message(), (0x31, "r/1".to_owned(), "new".to_owned()));
    assert!(later.ping().is_empty());
    // To those who are there it is a message like any other, unless they ask for it as published.
    let mut exact = Raw::connect(broker.addr(), "exact", 5);
    assert_eq!(exact.subscribe(&[("r/#", 0x08 | 0x20)]), [0]);
    sender.publish("r/4", "live", 1);
    assert_eq!(later.message(), (0x30, "r/4".to_owned(), "live".to_owned()));
    assert_eq!(exact.message(), (0x31, "r/4".to_owned(), "live".to_owned()));
    // Only to new subscriptions.
    assert_eq!(exact.subscribe(&[("r/#", 0x10)]), [0]);
    assert!(exact.ping().is_empty());
    assert_eq!(exact.subscribe(&[("r/+", 0x10)]), [0]);
    assert_eq!(exact.message().2, "new");
}

#[test]
fn what_is_retained_while_somebody_subscribes_comes_to_them_once() {
    let broker = start();
    let mut sender = Raw::connect(broker.addr(), "sender", 4);
    // A client may have 64 filters.
    for client in 0..5 {
        let mut watcher = Raw::connect(broker.addr(), &format!("watcher {client}"), 4);
        for round in 0..60 {
            let topic = format!("{client}/{round}");
            sender.publish(&topic, "kept", 1);
            watcher.subscribe(&[(&topic, 0)]);
            sender.publish(&topic, "last", 0);
            assert_eq!([watcher.message().2, watcher.message().2], ["kept", "last"], "{topic}");
        }
    }
}

#[test]
fn a_client_does_not_get_its_own_messages_where_it_says_so() {
    let broker = start();
    let mut client = Raw::connect(broker.addr(), "client", 5);
    client.subscribe(&[("t", 4)]);
    let mut other = Raw::connect(broker.addr(), "other", 5);
    other.subscribe(&[("t", 0)]);
    client.publish("t", "mine", 0);
    assert_eq!(other.message().2, "mine");
    other.publish("t", "other's", 0);
    assert_eq!(client.message().2, "other's");
}

#[test]
fn topics_in_any_script_aliases_and_subscription_identifiers_work() {
    let broker = start();
    let mut watcher = Raw::connect(broker.addr(), "watcher", 5);
    // Subscription identifier 7.
    watcher.send(&packet(0x82, &[&[0, 1, 2, 11, 7], &text("été/+")[..], &[0]].concat()));
    assert_eq!(watcher.receive().unwrap().1, [0, 1, 0, 0]);
    let mut sender = Raw::connect(broker.addr(), "sender", 5);
    sender.publish_with("été/日本", "1", 0, &[35, 0, 3]);
    sender.publish_with("", "2", 0, &[35, 0, 3]);
    for payload in ["1", "2"] {
        let (_, body) = watcher.receive().unwrap();
        let expected = [&text("été/日本")[..], &[2, 11, 7], payload.as_bytes()].concat();
        assert_eq!(body, expected);
    }
}

#[test]
fn those_who_share_a_subscription_take_turns() {
    let broker = start();
    let mut sharers: Vec<_> = (0..2)
        .map(|number| {
            let mut sharer = Raw::connect(broker.addr(), &format!("sharer {number}"), 5);
            assert_eq!(sharer.subscribe(&[("$share/group/t", 0)]), [0]);
            sharer
        })
        .collect();
    let mut sender = Raw::connect(broker.addr(), "sender", 5);
    let mut watcher = Raw::connect(broker.addr(), "watcher", 5);
    watcher.subscribe(&[("t", 0)]);
    for number in 0..10 {
        sender.publish("t", &number.to_string(), 0);
    }
    for _ in 0..10 {
        watcher.message();
    }
    let got: Vec<usize> = sharers.iter_mut().map(|sharer| sharer.ping().len()).collect();
    assert_eq!(got, [5, 5]);
    assert_eq!(sharers[0].subscribe(&[("t", 0)]), [0]);
}

#[test]
fn an_unsubscribed_client_gets_no_more_and_is_told_what_it_was_not_subscribed_to() {
    let broker = start();
    let mut client = Raw::connect(broker.addr(), "client", 5);
    client.subscribe(&[("t", 0)]);
    client.send(&packet(0xA2, &[&[0, 1, 0], &text("t")[..], &text("u")].concat()));
    assert_eq!(client.receive().unwrap(), (0xB0, vec![0, 1, 0, 0, 0x11]));
    client.publish("t", "x", 2);
    assert_eq!(client.ping(), [(0x40, vec![0, 1])]);
}
