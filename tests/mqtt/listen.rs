//! The port, and settings that cannot work.

use std::io::Read;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use tweetblast::mqtt::{Broker, BrokerOptions, FlightWindow, MqttError};

use super::harness::*;
use crate::common::free_port;

#[test]
fn a_taken_port_is_an_error_or_a_free_one_is_found_and_a_stop_frees_it() {
    let taken = TcpListener::bind(("127.0.0.1", free_port())).unwrap();
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
    // discards what it has read if the end follows immediately.)
    let mut watcher = raw_client(second.addr(), "watcher", 4);
    watcher.read_exact(&mut [0; 4 + 5]).unwrap();
    replay(connect(&second, FlightWindow::default()), 2_000, Duration::ZERO);
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
    for window in [FlightWindow { messages: 0, bytes: 1 }, FlightWindow { messages: 1, bytes: 12 << 20 }] {
        let error = broker.connect(1, window, Arc::default(), Arc::default()).err().unwrap();
        assert!(matches!(error, MqttError::Window { .. }), "{error}");
    }
}
