//! The counters of one run: each has one writer and any number of readers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_utils::CachePadded;

use super::{LiveLatencies, Outages, Phases, Series};

/// A count that one thread raises and any thread reads. On its own cache line, so that two counting
/// hops do not slow each other down.
#[derive(Debug, Default)]
pub struct Counter(CachePadded<AtomicU64>);

impl Counter {
    /// Adds `n`. What the writer did before is visible to every thread that reads the new value.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Release);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Adds a duration, in nanoseconds.
    pub fn add_time(&self, time: Duration) {
        self.add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }

    /// The count as a duration, for counters of nanoseconds.
    pub fn time(&self) -> Duration {
        Duration::from_nanos(self.get())
    }
}

/// What each hop counted. The prefix of each comment names the hop that writes.
#[derive(Debug, Default)]
pub struct Counters {
    /// feed: nanoseconds blocked, waiting for the pacer to take a batch.
    pub feed_blocked_ns: Counter,
    /// pace: nanoseconds spent waiting for the next encoded batch.
    pub pace_starved_ns: Counter,

    /// mqtt publisher (pace, with MQTT off): events sent.
    pub published: Counter,
    /// mqtt publisher: nanoseconds blocked by the credit window.
    pub mqtt_blocked_ns: Counter,

    /// mqtt subscriber: own events received from the broker, each sequence number once.
    pub received: Counter,
    /// mqtt subscriber: own events that the broker's log overwrote before they were read.
    pub mqtt_lost: Counter,
    /// mqtt subscriber: own events that arrived more than once and were still passed on.
    pub duplicates: Counter,
    /// mqtt subscriber, with an outside broker: own events that arrived more than once and were
    /// dropped.
    pub repeats_dropped: Counter,
    /// mqtt subscriber: messages on the topic that this run did not send.
    pub foreign: Counter,
    /// mqtt subscriber: foreign messages overwritten before they were read.
    pub foreign_lost: Counter,

    /// bridge: nanoseconds blocked by a full queue.
    pub bridge_blocked_ns: Counter,

    /// kafka: nanoseconds blocked by librdkafka's full queue.
    pub kafka_blocked_ns: Counter,
    /// kafka: own events acknowledged.
    pub delivered: Counter,
    /// kafka: delivery reports with an offset that is not above the one before, of one producer and partition.
    pub offsets_fell: Counter,
    /// kafka: own events given up.
    pub failed: Counter,
    /// kafka: foreign messages acknowledged.
    pub foreign_delivered: Counter,
    /// kafka: foreign messages given up.
    pub foreign_failed: Counter,

    /// Latencies so far, where somebody looks.
    pub live: LiveLatencies,
    /// What was counted in which second.
    pub series: Series,
    /// mqtt, kafka: what was away.
    pub outages: Outages,
    /// Which tweets belong to which part of the plan.
    pub phases: Phases,
}
