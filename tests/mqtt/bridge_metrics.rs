//! `tweetblast bridge --metrics`: a scrape shows its ledger.

use std::time::{Duration, Instant};

use crate::bridge::{PATIENCE, address, begin, publish};
use crate::common::free_port;
use crate::common::scrape::{self, scrape, value};
use crate::raw::Raw;

#[test]
fn who_scrapes_a_bridge_sees_its_ledger() {
    let port = free_port();
    let mut bridge = begin(port, &["--kafka-listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]);
    let metrics = scrape::address(&bridge.wait_for("http://"));
    bridge.wait_for("bridging until");
    let mut raw = Raw::connect(address(port), "a", 4);
    for id in 1..=3 {
        publish(&mut raw, "t", "x", 1, id);
    }
    let of_bridge = |name: &str| value(&scrape(&metrics).unwrap(), &format!("tweetblast_bridge_{name}"));
    let deadline = Instant::now() + PATIENCE;
    while of_bridge("delivered_messages_total") != Some(3.0) {
        assert!(Instant::now() < deadline, "{:?}", scrape(&metrics));
        std::thread::sleep(Duration::from_millis(50));
    }
    for (name, expected) in [
        ("received_messages_total", 3.0),
        ("failed_messages_total", 0.0),
        ("unmapped_messages_total", 0.0),
        ("found_messages", 0.0),
        ("in_flight_messages", 0.0),
        ("spooled_messages", 0.0),
        ("ledger_adds_up", 1.0),
        ("outages_total", 0.0),
        ("kafka_away", 0.0),
        ("acknowledged_seconds_count", 3.0),
    ] {
        assert_eq!(of_bridge(name), Some(expected), "{name}");
    }
    bridge.signal("INT");
    assert_eq!(bridge.finish().code, 0);
}
