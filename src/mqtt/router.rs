//! rumqttd's router, and the links to it, under guard.
//!
//! The router's thread is rumqttd's own, so a panic in it cannot be caught. A panic hook notes where it
//! was, for the error that the run ends with; that the router is gone shows in its links.

use std::collections::HashMap;
use std::panic::{PanicHookInfo, set_hook, take_hook};
use std::sync::{Mutex, Once, PoisonError};
use std::time::Duration;

use crossbeam_channel::bounded;
use rumqttd::local::LinkBuilder;
use rumqttd::{Router, RouterConfig, SegmentConfig};

use super::MqttError;
use super::clients::OTHER_TOPICS;
use super::link::Connect;

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

/// How rumqttd names the thread of router 0.
const ROUTER_THREAD: &str = "router-0";

/// Why the last router that ended did.
static LAST_PANIC: Mutex<Option<String>> = Mutex::new(None);

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

/// What is known of the router's end, to be put into a sentence.
pub(super) fn why_it_ended() -> String {
    match &*LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner) {
        Some(panic) => format!(" (rumqttd: {panic})"),
        None => String::new(),
    }
}

/// From now on a panic of a router is noted, in place of being printed; all others are printed as before.
fn note_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| match std::thread::current().name() {
            Some(ROUTER_THREAD) => {
                *LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner) = Some(words(info));
            }
            _ => before(info),
        }));
    });
}

/// What happened, and where: the last two parts of the path.
fn words(info: &PanicHookInfo<'_>) -> String {
    let payload = info.payload();
    let text =
        payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(|text| &**text));
    let what = text.unwrap_or("panicked").lines().next().unwrap_or_default();
    let Some(place) = info.location() else { return what.to_owned() };
    let file = place.file().rsplit('/').next().unwrap_or_default();
    format!("{what}, {file}:{}", place.line())
}
