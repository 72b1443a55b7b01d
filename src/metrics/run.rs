//! What there is to be seen of the run, search or server in this process.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::bridge::BridgeNow;
use super::scrapes::Scrapes;
use crate::count::{Counters, Intake, Queryable};
use crate::report::Ledger;

/// Time between two looks at what a server or a bridge does.
const SHOW: Duration = Duration::from_millis(500);

/// Shared by a run, which says what there is, and the endpoint, which reads it.
#[derive(Debug, Default)]
pub struct Metrics {
    shown: Mutex<Shown>,
    pub(super) scrapes: Scrapes,
    last_due: Mutex<Option<Instant>>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Shown {
    pub run: Option<Arc<RunSources>>,
    /// The ledger of a run that has ended.
    pub ledger: Option<Ledger>,
    pub search: Option<SearchMetrics>,
    pub serving: Option<ServingNow>,
    pub bridge: Option<Arc<BridgeNow>>,
}

/// Where the figures of a run are counted.
#[derive(Debug, Default)]
pub struct RunSources {
    /// Run id, and what --label calls it.
    pub run: String,
    pub label: Option<String>,
    pub counters: Arc<Counters>,
    /// `None`: no rows are counted in Druid.
    pub queryable: Option<Arc<Queryable>>,
    pub with_mqtt: bool,
    /// What is in the input; `None`: it is not known before the end.
    pub intake: Option<Intake>,
    /// Tweets to be sent, and how many of them per second; `None`: not known.
    pub planned_tweets: Option<u64>,
    pub planned_per_s: Option<f64>,
}

/// What a search for the highest rate does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SearchMetrics {
    /// As in the JSON report.
    pub phase: &'static str,
    /// Rows that the tasks have processed, and that can be queried.
    pub processed: u64,
    pub queryable: u64,
    /// Rows per second that are asked for; 0: none are written.
    pub asked_per_s: f64,
    /// Rows per second that were found; `None`: not yet.
    pub capacity_per_s: Option<f64>,
}

/// What `serve` does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServingNow {
    /// `None`: there is no MQTT broker.
    pub mqtt: Option<MqttNow>,
    pub kafka_clients: usize,
    /// Of each topic its name, the messages that it has got, and the bytes that it keeps of them.
    pub topics: Vec<(String, u64, u64)>,
}

/// The MQTT broker's side of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MqttNow {
    pub clients: usize,
    /// Messages handed to clients so far, and bytes that they have not read.
    pub delivered: u64,
    pub unread_bytes: usize,
}

impl Metrics {
    /// A run begins: its latencies are kept from here on.
    pub fn begin(&self, sources: RunSources) {
        sources.counters.live.keep();
        *self.lock() = Shown { run: Some(Arc::new(sources)), ledger: None, ..Shown::default() };
        self.scrapes.run_began();
    }

    /// The run has ended with this ledger.
    pub fn end(&self, ledger: &Ledger) {
        self.lock().ledger = Some(ledger.clone());
        self.scrapes.run_ended();
    }

    /// What the search does now.
    pub fn search(&self, now: SearchMetrics) {
        self.lock().search = Some(now);
    }

    /// What the server does now.
    pub fn serve(&self, now: ServingNow) {
        self.lock().serving = Some(now);
    }

    /// What the bridge does now.
    pub fn bridge(&self, now: BridgeNow) {
        self.lock().bridge = Some(Arc::new(now));
    }

    /// Whether it is time again to say what a server or a bridge does.
    pub fn is_due(&self) -> bool {
        let mut last = self.last_due.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last.is_none_or(|at| at.elapsed() >= SHOW);
        if is_due {
            *last = Some(Instant::now());
        }
        is_due
    }

    pub(super) fn shown(&self) -> Shown {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RunSources {
    /// The ledger so far. Read from the last hop to the first: nothing is ahead of the hop before it.
    pub(super) fn ledger(&self) -> Ledger {
        let counters = &*self.counters;
        let with_mqtt = |count: u64| self.with_mqtt.then_some(count);
        let queryable = self.queryable.as_ref().map(|queryable| queryable.rows());
        let (delivered, failed) = (counters.delivered.get(), counters.failed.get());
        let (received, mqtt_lost) = (counters.received.get(), counters.mqtt_lost.get());
        let intake = self.intake.clone().unwrap_or_default();
        Ledger {
            frames: intake.frames,
            records: intake.records,
            unparseable: intake.unparseable,
            items: intake.items,
            rejects: intake.reject_total(),
            tweets: intake.tweets,
            published: counters.published.get(),
            received: with_mqtt(received),
            mqtt_lost: with_mqtt(mqtt_lost),
            duplicates: with_mqtt(counters.duplicates.get()),
            foreign: with_mqtt(counters.foreign.get()),
            foreign_delivered: with_mqtt(counters.foreign_delivered.get()),
            foreign_failed: with_mqtt(counters.foreign_failed.get()),
            foreign_lost: with_mqtt(counters.foreign_lost.get()),
            delivered,
            failed,
            queryable,
            ..Ledger::default()
        }
    }
}
