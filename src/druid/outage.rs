//! Outages of Druid during a run: calls are repeated for as long as the user allows, with one line
//! when a process goes away and one when it is back.
//!
//! Druid is several processes behind one address. The path of a call tells which of them is away,
//! so an answer from the overlord does not end an outage of the broker.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{DruidError, Service};
use crate::count::{Outage, OutageEnd, OutageHop};

/// Time between two attempts.
const BETWEEN_TRIES: Duration = Duration::from_millis(500);

/// Time between two checks for Ctrl-C meanwhile.
const LOOK: Duration = Duration::from_millis(50);

/// Which process is away when a call for `path` fails like this.
fn behind(path: &str, error: &DruidError) -> Service {
    match error {
        DruidError::Unreachable { .. } if !error.is_timeout() => Service::Address,
        _ => Service::of(path),
    }
}

/// How long a run waits for a Druid that is away, and what it knows of the outages. Shared by all
/// clients of the run.
pub struct Patience {
    limit: Duration,
    stop: Arc<AtomicBool>,
    say: Box<dyn Fn(&str) + Send + Sync>,
    seen: Mutex<Outages>,
}

#[derive(Default)]
struct Outages {
    /// Whether there was any answer at all.
    answered: bool,
    /// Which processes are away, and since when.
    now: BTreeMap<Service, Instant>,
    /// When a process last returned.
    back_at: Option<Instant>,
    /// Past outages, described.
    over: Vec<String>,
    /// All outages.
    all: Vec<Outage>,
}

impl Patience {
    /// Waits up to `limit`, until `stop` is set, and reports each outage to `say`.
    pub fn new(
        limit: Duration,
        stop: Arc<AtomicBool>,
        say: impl Fn(&str) + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { limit, stop, say: Box::new(say), seen: Mutex::default() })
    }

    /// Past outages, described.
    pub fn over(&self) -> Vec<String> {
        self.seen().over.clone()
    }

    /// All outages, in the order in which they began.
    pub fn all(&self) -> Vec<Outage> {
        self.seen().all.clone()
    }

    /// When Druid last changed: at `changed`, or when a process of it returned after that.
    pub fn last_change(&self, changed: Instant) -> Instant {
        self.seen().back_at.map_or(changed, |back| back.max(changed))
    }

    /// Records that a call which began at `asked` was answered.
    pub(super) fn answered(&self, path: &str, asked: Instant) {
        let mut seen = self.seen();
        seen.answered = true;
        self.end(&mut seen, Service::of(path), asked);
        self.end(&mut seen, Service::Address, asked);
    }

    /// Records that a call which began at `asked` failed. `Ok`, with its error, if it may be
    /// repeated; otherwise the final error.
    pub(super) fn failed(
        &self,
        url: &str,
        path: &str,
        asked: Instant,
        error: DruidError,
    ) -> Result<DruidError, DruidError> {
        let mut seen = self.seen();
        let (service, reason) = (behind(path, &error), error.reason());
        if error.status().is_some() {
            seen.answered = true;
            if service != Service::Address {
                self.end(&mut seen, Service::Address, asked);
            }
        } else if !seen.answered {
            return Err(error); // it has never answered: most likely the wrong address
        }
        if !seen.now.contains_key(&service) {
            let limit = self.limit;
            (self.say)(&format!("{service} does not answer at {url} ({reason}): waiting up to {limit:.0?}"));
            seen.all.push(Outage::new(OutageHop::Druid, service.to_string(), reason.clone(), asked));
        }
        let since = *seen.now.entry(service).or_insert(asked);
        let waited = since.elapsed();
        match waited > self.limit || self.is_stopped() {
            true => Err(DruidError::Away { service, url: url.to_owned(), reason, waited }),
            false => Ok(error),
        }
    }

    fn end(&self, seen: &mut Outages, service: Service, asked: Instant) {
        // An answer to an earlier call says nothing about now.
        if let Some(since) = seen.now.get(&service).copied().filter(|since| asked >= *since) {
            let away = since.elapsed().as_secs_f64();
            seen.now.remove(&service);
            let now = Instant::now();
            seen.back_at = Some(now);
            let open = |outage: &&mut Outage| outage.what == service.to_string() && outage.ended.is_none();
            if let Some(outage) = seen.all.iter_mut().rev().find(open) {
                outage.ended = Some((now, OutageEnd::Back));
            }
            seen.over.push(format!("{service} did not answer for {away:.1} s"));
            (self.say)(&format!("{service} is back after {away:.1} s"));
        }
    }

    /// Waits a little before the next attempt.
    pub(super) fn pause(&self) {
        let until = Instant::now() + BETWEEN_TRIES;
        while Instant::now() < until && !self.is_stopped() {
            std::thread::sleep(LOOK);
        }
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn seen(&self) -> MutexGuard<'_, Outages> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Patience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patience").field("limit", &self.limit).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "outage_tests.rs"]
mod tests;
