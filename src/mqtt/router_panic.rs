//! Where rumqttd's router panicked.
//!
//! The router's thread is rumqttd's own, so a panic in it cannot be caught. A panic hook notes where it
//! was, for the error that the run ends with; that the router is gone shows in its links.

use std::panic::{PanicHookInfo, set_hook, take_hook};
use std::sync::{Mutex, Once, PoisonError};

/// How rumqttd names the thread of router 0.
const ROUTER_THREAD: &str = "router-0";

/// Why the last router that ended did.
static LAST_PANIC: Mutex<Option<String>> = Mutex::new(None);

/// What is known of the router's end, to be put into a sentence.
pub(super) fn why_it_ended() -> String {
    match &*LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner) {
        Some(panic) => format!(" (rumqttd: {panic})"),
        None => String::new(),
    }
}

/// From now on a panic of a router is noted, in place of being printed; all others are printed as before.
pub(super) fn note_panics() {
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
