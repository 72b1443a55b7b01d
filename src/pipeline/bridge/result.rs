//! What a bridge comes to, at any time.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use jiff::Timestamp;

use super::druid::{DruidTables, lock_tables};
use super::ends::{BridgeEnds, fsync_words};
use super::error::BridgeError;
use super::mover::{Mover, lock};
use super::state::BridgeState;
use crate::metrics::BridgeNow;
use crate::mqtt::Intake;
use crate::options::{BridgeOptions, SpoolOptions};
use crate::report::{
    BRIDGE_REPORT_VERSION, BridgeLedger, BridgeReport, Environment, SpoolReport, Verdict, counted,
    with_causes,
};

/// What the report is made of.
pub(super) struct Course {
    pub state: Arc<Mutex<BridgeState>>,
    intake: Intake,
    spool: Option<SpoolOptions>,
    mqtt: String,
    kafka: String,
    started: Timestamp,
    began: Instant,
    druid: Option<DruidTables>,
}

impl Course {
    pub fn new(options: &BridgeOptions, ends: &BridgeEnds, mover: &Mover) -> Self {
        Self {
            state: mover.state.clone(),
            intake: ends.intake.clone(),
            spool: options.spool.clone(),
            mqtt: ends.mqtt.clone(),
            kafka: ends.kafka.clone(),
            started: Timestamp::now(),
            began: Instant::now(),
            druid: ends.druid_tables(),
        }
    }

    /// The ledger, with what connections have read and not handed on.
    pub fn ledger(&self) -> BridgeLedger {
        // In this order: what is read between the two is not missing.
        let taken = lock(&self.state).ledger;
        let (received, abandoned) = (self.intake.received(), self.intake.abandoned());
        let untaken = received.saturating_sub(taken.received + abandoned);
        BridgeLedger {
            received: received.max(taken.received),
            in_flight: taken.in_flight + untaken,
            failed: taken.failed + abandoned,
            ..taken
        }
    }

    /// What metrics show.
    pub fn now(&self) -> BridgeNow {
        let ledger = self.ledger();
        let state = lock(&self.state);
        let tables = self.druid.as_ref().map(|tables| lock_tables(tables));
        let rows = tables.as_ref().and_then(|tables| tables.iter().map(|table| table.queryable).sum());
        BridgeNow {
            ledger,
            spool_bytes: self.spool.is_some().then_some(state.spool_bytes),
            outages: state.outages,
            away_s: state.away_in_all().as_secs_f64(),
            is_away: state.away_since.is_some(),
            queryable: rows,
            latency_us: state.latency_us().clone(),
        }
    }

    /// The report so far; `error` is what ended the bridge.
    pub fn report(&self, error: Option<BridgeError>) -> BridgeReport {
        let ledger = self.ledger();
        let error = error.map(|error| with_causes(&error));
        let state = lock(&self.state);
        let (verdict, reasons, exit_code) = judge(&ledger, state.imbalance.as_deref(), error.as_deref());
        BridgeReport {
            version: BRIDGE_REPORT_VERSION,
            verdict,
            reasons,
            exit_code,
            error,
            started: self.started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            duration_s: self.began.elapsed().as_secs_f64(),
            ledger,
            rate_per_s: state.rate_per_s(),
            latency: state.latency(),
            mqtt: self.mqtt.clone(),
            kafka: self.kafka.clone(),
            outages: state.outages,
            away_s: state.away_in_all().as_secs_f64(),
            spool: self.spool.as_ref().map(|spool| SpoolReport {
                dir: spool.dir.display().to_string(),
                fsync: fsync_words(spool.fsync),
                bytes: state.spool_bytes,
                max_bytes: spool.max_bytes,
                written: state.spool_written,
            }),
            druid: self.druid.as_ref().map_or(Vec::new(), |tables| lock_tables(tables).clone()),
            failures: state.failures(),
            environment: Environment::of_process(rdkafka::util::get_rdkafka_version().1),
        }
    }
}

/// The verdict with its reasons, and the exit code.
fn judge(ledger: &BridgeLedger, imbalance: Option<&str>, error: Option<&str>) -> (Verdict, Vec<String>, u8) {
    let mut reasons: Vec<String> = imbalance.map(str::to_owned).into_iter().collect();
    if reasons.is_empty() && !ledger.adds_up() {
        let (came, are) = ledger.sides();
        reasons.push(format!("the ledger does not add up: {came} came, and {are} are accounted for"));
    }
    if ledger.failed > 0 {
        reasons.push(format!("{} not delivered", counted(ledger.failed, "message")));
    }
    match (error, reasons.is_empty()) {
        (Some(_), true) => {
            let words = "ended by an error; publishers send again what has no answer".to_owned();
            (Verdict::Incomplete, vec![words], 1)
        }
        (Some(_), false) => (Verdict::Unbalanced, reasons, 1),
        (None, true) => (Verdict::Balanced, reasons, 0),
        (None, false) => (Verdict::Unbalanced, reasons, 3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bridge_is_balanced_when_nothing_failed_and_the_ledger_adds_up() {
        let good =
            BridgeLedger { received: 5, found: 1, delivered: 4, spooled: 2, ..BridgeLedger::default() };
        assert_eq!(judge(&good, None, None), (Verdict::Balanced, Vec::new(), 0));
        let failed = BridgeLedger { received: 6, failed: 1, ..good };
        let (verdict, reasons, code) = judge(&failed, None, None);
        assert_eq!((verdict, &*reasons[0], code), (Verdict::Unbalanced, "1 message not delivered", 3));
        let missing = BridgeLedger { received: 6, ..good };
        let (verdict, reasons, code) = judge(&missing, None, None);
        assert!(reasons[0].contains("7 came, and 6"), "{reasons:?}");
        assert_eq!((verdict, code), (Verdict::Unbalanced, 3));
        assert_eq!(judge(&good, Some("it did not add up"), None).0, Verdict::Unbalanced);
        let (verdict, _, code) = judge(&good, None, Some("the disk"));
        assert_eq!((verdict, code), (Verdict::Incomplete, 1));
    }
}
