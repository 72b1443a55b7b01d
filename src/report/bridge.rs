//! What a bridge has done so far: the ledger of a stream without an end, asked for at any time, and the page and the line
//! that show it.

use std::time::Duration;

use indicatif::{BinaryBytes, HumanCount};
use serde::Serialize;

use super::page::{BAD, DOUBTFUL, GOOD, Layout, Page};
use super::words::{counted, millis, rate, seconds};
use super::{BridgeDruid, Environment, Verdict};

/// Version of the report of a bridge.
pub const BRIDGE_REPORT_VERSION: u32 = 1;

/// What went into the bridge and where it is: received + found = delivered + spooled + in_flight + failed + unmapped, at
/// any time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BridgeLedger {
    /// Messages read from publishers, or from the outside broker.
    pub received: u64,
    /// Messages that were in the spool at the start.
    pub found: u64,
    /// Messages that Kafka acknowledged.
    pub delivered: u64,
    /// Messages in the spool that Kafka has not acknowledged.
    pub spooled: u64,
    /// Messages in memory: neither acknowledged by Kafka nor in the spool. Their publishers have no answer yet.
    pub in_flight: u64,
    /// Messages that Kafka refused, or that were given up after a stop. No publisher was told that they are safe, unless
    /// they came out of the spool.
    pub failed: u64,
    /// Messages whose topic no --topic-map matches.
    pub unmapped: u64,
}

impl BridgeLedger {
    /// The two sides.
    pub fn sides(&self) -> (u64, u64) {
        let Self { received, found, delivered, spooled, in_flight, failed, unmapped } = *self;
        (received + found, delivered + spooled + in_flight + failed + unmapped)
    }

    /// Whether they are the same.
    pub fn adds_up(&self) -> bool {
        let (came, are) = self.sides();
        came == are
    }
}

/// From the reading of a message to Kafka's acknowledgement, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BridgeLatency {
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

/// Where messages wait on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SpoolReport {
    pub dir: String,
    /// When it is synced: never, always, or how often.
    pub fsync: String,
    /// Bytes on disk.
    pub bytes: u64,
    /// Most bytes on disk.
    pub max_bytes: u64,
    /// Messages written to it.
    pub written: u64,
}

/// One way of failing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BridgeFailure {
    pub reason: String,
    pub messages: u64,
    /// MQTT topic of the first.
    pub first_topic: String,
}

/// What a bridge did.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BridgeReport {
    pub version: u32,
    pub verdict: Verdict,
    /// Why the verdict is not "balanced".
    pub reasons: Vec<String>,
    pub exit_code: u8,
    /// What ended it, where that was not a stop.
    pub error: Option<String>,
    /// When it began, ISO 8601, UTC.
    pub started: String,
    pub duration_s: f64,
    pub ledger: BridgeLedger,
    /// Messages that Kafka acknowledged per second, from the first to the last.
    pub rate_per_s: f64,
    pub latency: Option<BridgeLatency>,
    /// Address of the MQTT broker.
    pub mqtt: String,
    /// Addresses of Kafka.
    pub kafka: String,
    /// Times that Kafka was silent for longer than 1 s with something in flight.
    pub outages: u64,
    /// Seconds of that in all.
    pub away_s: f64,
    pub spool: Option<SpoolReport>,
    /// With --druid: what each datasource has.
    pub druid: Vec<BridgeDruid>,
    /// The most frequent ones first, at most 10.
    pub failures: Vec<BridgeFailure>,
    pub environment: Environment,
}

/// The line that is shown while a bridge runs.
pub fn bridge_line(ledger: &BridgeLedger, rate_per_s: f64, away: Option<Duration>) -> String {
    let mut parts = vec![
        format!("{} received", HumanCount(ledger.received)),
        rate(rate_per_s),
        format!("{} delivered", HumanCount(ledger.delivered)),
        format!("{} in flight", HumanCount(ledger.in_flight)),
    ];
    if ledger.spooled > 0 {
        parts.push(format!("{} spooled", HumanCount(ledger.spooled)));
    }
    if ledger.failed > 0 {
        parts.push(format!("{} failed", HumanCount(ledger.failed)));
    }
    if let Some(away) = away {
        parts.push(format!("no word from Kafka for {}", super::whole_seconds(away)));
    }
    parts.join(", ")
}

/// The page, with the verdict as its last line where the bridge has ended.
pub fn bridge_page(report: &BridgeReport, layout: Layout, has_ended: bool) -> String {
    let mut page = Page::new(layout);
    let ledger = &report.ledger;
    page.row("bridge", format!("{} to {}, for {}", report.mqtt, report.kafka, seconds(report.duration_s)));
    page.row("ledger", ledger_words(ledger));
    if let Some(BridgeLatency { p50_ms, p99_ms, max_ms }) = report.latency {
        let words = format!(
            "acknowledged by Kafka after p50 {}, p99 {}, max {}; {}",
            millis(p50_ms),
            millis(p99_ms),
            millis(max_ms),
            rate(report.rate_per_s)
        );
        page.row("latency", words);
    }
    if let Some(spool) = &report.spool {
        let words = format!(
            "{}, {} of at most {} on disk, synced {}; {} written",
            spool.dir,
            BinaryBytes(spool.bytes),
            BinaryBytes(spool.max_bytes),
            spool.fsync,
            counted(spool.written, "message")
        );
        page.row("spool", words);
    }
    if report.outages > 0 {
        let words =
            format!("Kafka was away {}, {} in all", counted(report.outages, "time"), seconds(report.away_s));
        page.row("outages", words);
    }
    for (number, table) in report.druid.iter().enumerate() {
        page.row(if number == 0 { "druid" } else { "" }, table.words());
    }
    for (number, failure) in report.failures.iter().enumerate() {
        let label = if number == 0 { "failed" } else { "" };
        let BridgeFailure { reason, messages, first_topic } = failure;
        page.row(label, format!("{}: {reason} (the first on {first_topic})", counted(*messages, "message")));
    }
    if has_ended {
        let (style, words) = verdict_words(report);
        let meaning = match (report.exit_code, &report.error) {
            (0, _) => String::new(),
            (code, Some(error)) => format!(" (exit code {code}: {error})"),
            (code, None) => format!(" (exit code {code})"),
        };
        page.line(format!("{}: {words}{meaning}", layout.paint(style, report.verdict.name())));
    }
    page.finish()
}

fn ledger_words(ledger: &BridgeLedger) -> String {
    let BridgeLedger { received, found, delivered, spooled, in_flight, failed, unmapped } = *ledger;
    let count = HumanCount;
    let found = if found > 0 { format!(" + {} found in the spool", count(found)) } else { String::new() };
    let unmapped = if unmapped > 0 { format!(" + {} unmapped", count(unmapped)) } else { String::new() };
    let equal = if ledger.adds_up() { '=' } else { '≠' };
    format!(
        "{} received{found} {equal} {} delivered + {} spooled + {} in flight + {} failed{unmapped}",
        count(received),
        count(delivered),
        count(spooled),
        count(in_flight),
        count(failed)
    )
}

fn verdict_words(report: &BridgeReport) -> (anstyle::Style, String) {
    let ledger = &report.ledger;
    let first = || report.reasons.first().cloned().unwrap_or_default();
    match report.verdict {
        Verdict::Balanced if ledger.spooled > 0 => {
            let words = format!(
                "every message accounted for: {} delivered, {} in the spool for the next start",
                HumanCount(ledger.delivered),
                HumanCount(ledger.spooled)
            );
            (GOOD, words)
        }
        Verdict::Balanced => {
            (GOOD, format!("every message accounted for: {} delivered", HumanCount(ledger.delivered)))
        }
        Verdict::Unbalanced => (BAD, first()),
        _ => (DOUBTFUL, first()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> BridgeReport {
        BridgeReport {
            version: BRIDGE_REPORT_VERSION,
            verdict: Verdict::Balanced,
            reasons: Vec::new(),
            exit_code: 0,
            error: None,
            started: "2026-11-29T10:00:00Z".to_owned(),
            duration_s: 3_661.0,
            ledger: BridgeLedger {
                received: 12_000,
                found: 5,
                delivered: 12_001,
                spooled: 4,
                ..BridgeLedger::default()
            },
            rate_per_s: 3.3,
            latency: Some(BridgeLatency { p50_ms: 4.0, p99_ms: 12.0, max_ms: 1_250.0 }),
            mqtt: "127.0.0.1:1883".to_owned(),
            kafka: "127.0.0.1:9092".to_owned(),
            outages: 1,
            away_s: 62.0,
            spool: Some(SpoolReport {
                dir: "spool".to_owned(),
                fsync: "always".to_owned(),
                bytes: 2_048,
                max_bytes: 4 << 30,
                written: 900,
            }),
            druid: Vec::new(),
            failures: Vec::new(),
            environment: Environment::of_process("2.12.1".to_owned()),
        }
    }

    #[test]
    fn the_page_of_a_bridge() {
        let failure = |messages| BridgeFailure {
            reason: "no topic can have this name".to_owned(),
            messages,
            first_topic: "a/b".to_owned(),
        };
        let ledger = BridgeLedger { failed: 2, unmapped: 3, received: 12_005, ..report().ledger };
        let reasons = vec!["Kafka refused 2 messages".to_owned()];
        let failed = BridgeReport {
            verdict: Verdict::Unbalanced,
            reasons,
            exit_code: 3,
            ledger,
            failures: vec![failure(2)],
            druid: vec![BridgeDruid {
                datasource: "tweets".to_owned(),
                supervisor: "created".to_owned(),
                state: Some("RUNNING".to_owned()),
                queryable: Some(11_998),
            }],
            ..report()
        };
        let layout = Layout { columns: Some(80), colours: false };
        let pages = [bridge_page(&report(), layout, true), bridge_page(&failed, layout, true)];
        insta::assert_snapshot!(pages.join("\n"));
    }

    #[test]
    fn a_ledger_that_does_not_add_up_says_so() {
        let ledger = BridgeLedger { received: 3, delivered: 2, ..BridgeLedger::default() };
        assert!(!ledger.adds_up() && ledger_words(&ledger).contains("≠"));
    }

    #[test]
    fn the_line_says_how_long_kafka_has_been_away() {
        let ledger = BridgeLedger { received: 10, delivered: 4, spooled: 6, ..BridgeLedger::default() };
        assert_eq!(
            bridge_line(&ledger, 12.0, Some(Duration::from_secs(7))),
            "10 received, 12/s, 4 delivered, 0 in flight, 6 spooled, no word from Kafka for 7 s"
        );
    }
}
