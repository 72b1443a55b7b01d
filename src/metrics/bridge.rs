//! What a bridge has moved, as metrics.

use std::fmt::Error;

use hdrhistogram::Histogram;
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::histogram::Buckets;
use super::writer::Writer;
use crate::report::BridgeLedger;

/// What a bridge does.
#[derive(Debug, Clone, PartialEq)]
pub struct BridgeNow {
    pub ledger: BridgeLedger,
    /// Bytes of the spool on disk; `None`: there is none.
    pub spool_bytes: Option<u64>,
    /// How often Kafka was away and for how many seconds, up to now, and whether it is.
    pub outages: u64,
    pub away_s: f64,
    pub is_away: bool,
    /// Rows of this bridge that Druid counts; `None`: not known.
    pub queryable: Option<u64>,
    /// From the reading of a message to Kafka's acknowledgement, in microseconds.
    pub latency_us: Histogram<u64>,
}

pub(super) fn write_bridge(out: &mut Writer<'_>, now: &BridgeNow) -> Result<(), Error> {
    let BridgeLedger { received, found, delivered, spooled, in_flight, failed, unmapped } = now.ledger;
    for (name, help, messages) in [
        ("received", "Messages read from publishers, or from the outside broker", received),
        ("delivered", "Messages that Kafka acknowledged", delivered),
        ("failed", "Messages that Kafka refused, or that were given up after a stop", failed),
        ("unmapped", "Messages whose topic no --topic-map matches", unmapped),
    ] {
        out.counter(&format!("bridge_{name}_messages"), help, messages)?;
    }
    for (name, help, messages) in [
        ("found", "Messages that were in the spool at the start", found),
        ("spooled", "Messages in the spool that Kafka has not acknowledged", spooled),
        ("in_flight", "Messages in memory, neither acknowledged by Kafka nor in the spool", in_flight),
    ] {
        out.gauge(&format!("bridge_{name}_messages"), help, messages as f64)?;
    }
    let adds_up = f64::from(u8::from(now.ledger.adds_up()));
    out.gauge("bridge_ledger_adds_up", "1: every message is accounted for", adds_up)?;
    out.counter("bridge_outages", "How often Kafka was away", now.outages)?;
    out.gauge("bridge_kafka_away", "1: Kafka is away", f64::from(u8::from(now.is_away)))?;
    let away = ("bridge_kafka_away", "Time in which Kafka was away", &Unit::Seconds);
    out.in_unit(away, MetricType::Counter, now.away_s)?;
    if let Some(bytes) = now.spool_bytes {
        let spool = ("bridge_spool", "Size of the spool on disk", &Unit::Bytes);
        out.in_unit(spool, MetricType::Gauge, bytes as f64)?;
    }
    if let Some(rows) = now.queryable {
        out.counter("bridge_queryable_messages", "Rows of this bridge's messages that Druid counts", rows)?;
    }
    out.histogram(
        "bridge_acknowledged",
        "Kafka's acknowledgement - the reading of the message",
        &Buckets::of(&now.latency_us),
    )
}
