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
    pub spool_bytes: u64,
    /// How often Kafka was away, now included, and whether it is.
    pub outages: u64,
    pub is_kafka_away: bool,
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
    let spool = ("bridge_spool", "Size of the spool on disk", &Unit::Bytes);
    out.in_unit(spool, MetricType::Gauge, now.spool_bytes as f64)?;
    out.counter("bridge_kafka_outages", "How often Kafka was away", now.outages)?;
    out.gauge("bridge_kafka_away", "1: Kafka is away", f64::from(u8::from(now.is_kafka_away)))?;
    out.histogram(
        "bridge_acknowledged",
        "Kafka's acknowledgement - the reading of the message",
        &Buckets::of(&now.latency_us),
    )
}
