//! rumqttd's router, and the links to it.

use std::collections::HashMap;
use std::time::Duration;

use crossbeam_channel::bounded;
use rumqttd::local::LinkBuilder;
use rumqttd::{Router, RouterConfig, SegmentConfig};

use super::MqttError;
use super::clients::OTHER_TOPICS;
use super::link::Connect;
use super::router_panic::note_panics;

/// The links of the replay and of all outside clients together, with room for those of several runs. The
/// router looks at up to 100 connections in a row; with more than that, one that has just disconnected can
/// stall it.
const LINKS_MAX: usize = 64;

/// Messages handed to a link at a time. With rumqttd's usual 200, the subscriber wakes up
/// four times as often, at 10 % more CPU per message.
const FORWARD_MAX: u64 = 1_000;

/// The ring of all topics but the replay's: two segments, of which one always remains, so that large
/// messages do not stay for long.
pub(super) const OTHERS_SEGMENT_BYTES: usize = 1 << 20;

/// Longest wait for a link. The router makes one in microseconds; a router that ends at this moment never
/// answers.
const LINK_WAIT: Duration = Duration::from_secs(5);

/// Starts the router; what is returned makes links to it.
pub(super) fn start_router(segment_bytes: usize, segments: usize) -> Box<Connect> {
    note_panics();
    let others = SegmentConfig { max_segment_size: OTHERS_SEGMENT_BYTES, max_segment_count: 2 };
    let router = Router::new(
        0,
        RouterConfig {
            max_connections: LINKS_MAX,
            max_outgoing_packet_count: FORWARD_MAX,
            max_segment_size: segment_bytes,
            max_segment_count: segments,
            custom_segment: Some(HashMap::from([(OTHER_TOPICS.to_owned(), others)])),
            ..RouterConfig::default()
        },
    )
    .spawn();
    Box::new(move |client_id: &str| {
        let (made, link) = bounded(1);
        let (client_id, router) = (client_id.to_owned(), router.clone());
        // On a thread of its own: `build` waits for the answer without an end.
        std::thread::spawn(move || {
            let _ = made.send(LinkBuilder::new(&client_id, router).build());
        });
        match link.recv_timeout(LINK_WAIT) {
            Ok(Ok((tx, rx, _))) => Ok((tx, rx)),
            _ => Err(MqttError::BrokerGone),
        }
    })
}
