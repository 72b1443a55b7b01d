//! What a bridge has counted, for the thread that shows it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::count::new_histogram;
use crate::report::{BridgeFailure, BridgeLatency, BridgeLedger};

/// Ways of failing that are told apart.
const REASONS_MAX: usize = 100;

/// Ways of failing that a report has.
const REASONS_SHOWN: usize = 10;

/// Written by the mover, read by others.
#[derive(Debug)]
pub(super) struct BridgeState {
    /// As the mover has it: `received` is what it has taken.
    pub ledger: BridgeLedger,
    /// The first time that the ledger did not add up, in words.
    pub imbalance: Option<String>,
    latency_us: Histogram<u64>,
    failures: HashMap<String, (u64, String)>,
    /// First and last acknowledgement.
    pub delivered: Option<(Instant, Instant)>,
    /// Since when Kafka has been away.
    pub away_since: Option<Instant>,
    pub outages: u64,
    /// Outages that are over, in all.
    pub away: Duration,
    pub spool_bytes: u64,
    /// Messages written to the spool.
    pub spool_written: u64,
}

impl BridgeState {
    pub fn new() -> Self {
        Self {
            ledger: BridgeLedger::default(),
            imbalance: None,
            latency_us: new_histogram(),
            failures: HashMap::new(),
            delivered: None,
            away_since: None,
            outages: 0,
            away: Duration::ZERO,
            spool_bytes: 0,
            spool_written: 0,
        }
    }

    /// Kafka has acknowledged a message that came this long ago.
    pub fn deliver(&mut self, after: Duration, now: Instant) {
        let us = u64::try_from(after.as_micros()).unwrap_or(u64::MAX).max(1);
        self.latency_us.saturating_record(us);
        let first = self.delivered.map_or(now, |(first, _)| first);
        self.delivered = Some((first, now));
    }

    /// A message is not delivered, and will not be.
    pub fn fail(&mut self, reason: &str, topic: &[u8]) {
        if self.failures.len() >= REASONS_MAX && !self.failures.contains_key(reason) {
            return;
        }
        let topic = || String::from_utf8_lossy(topic).into_owned();
        self.failures.entry(reason.to_owned()).or_insert_with(|| (0, topic())).0 += 1;
    }

    /// The most frequent failures.
    pub fn failures(&self) -> Vec<BridgeFailure> {
        let failure = |(reason, (messages, first_topic)): (&String, &(u64, String))| BridgeFailure {
            reason: reason.clone(),
            messages: *messages,
            first_topic: first_topic.clone(),
        };
        let mut failures: Vec<_> = self.failures.iter().map(failure).collect();
        failures.sort_by(|a, b| b.messages.cmp(&a.messages).then_with(|| a.reason.cmp(&b.reason)));
        failures.truncate(REASONS_SHOWN);
        failures
    }

    pub fn latency_us(&self) -> &Histogram<u64> {
        &self.latency_us
    }

    pub fn latency(&self) -> Option<BridgeLatency> {
        let ms = |us: u64| us as f64 / 1_000.0;
        (!self.latency_us.is_empty()).then(|| BridgeLatency {
            p50_ms: ms(self.latency_us.value_at_quantile(0.5)),
            p99_ms: ms(self.latency_us.value_at_quantile(0.99)),
            max_ms: ms(self.latency_us.max()),
        })
    }

    /// Acknowledgements per second, from the first to the last.
    pub fn rate_per_s(&self) -> f64 {
        let seconds = self.delivered.map_or(0.0, |(first, last)| (last - first).as_secs_f64());
        if seconds > 0.0 { self.ledger.delivered as f64 / seconds } else { 0.0 }
    }

    /// How long Kafka has been away in all.
    pub fn away_in_all(&self) -> Duration {
        self.away + self.away_since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Says what the ledger is, and checks it.
    pub fn set_ledger(&mut self, ledger: BridgeLedger) {
        self.ledger = ledger;
        if !ledger.adds_up() && self.imbalance.is_none() {
            let (came, are) = ledger.sides();
            let words = format!("the ledger does not add up: {came} came, and {are} are accounted for");
            tracing::error!(?ledger, "{words}");
            self.imbalance = Some(words);
        }
    }
}
