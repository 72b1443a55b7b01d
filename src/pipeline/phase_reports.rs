//! The figures of each phase, from what the hops measured.

use std::time::Instant;

use crate::count::LatencyMs;
use crate::pace::PhaseSent;
use crate::pipeline::prepare::Phase;
use crate::pipeline::replay::ReplayOutcome;
use crate::report::{DruidReport, PhaseReport, rate_over_gaps};

/// A report for each phase of the plan; `None` where there is one phase only.
pub(crate) fn phase_reports(
    phases: &[Phase],
    outcome: &ReplayOutcome,
    druid: Option<&DruidReport>,
) -> Option<Vec<PhaseReport>> {
    let start = outcome.pace.started;
    let since_start = |at: Instant| start.map(|start| at.saturating_duration_since(start).as_secs_f64());
    let report = |(number, phase): (usize, &Phase)| {
        let sent = outcome.pace.phases.get(number).filter(|sent| sent.tweets > 0);
        PhaseReport {
            name: phase.name.clone(),
            is_warmup: phase.is_warmup,
            planned_from_s: phase.begin.as_secs_f64(),
            planned_to_s: phase.end.map(|end| end.as_secs_f64()),
            tweets: sent.map_or(0, |sent| sent.tweets),
            from_s: sent.and_then(|sent| since_start(sent.first)),
            to_s: sent.and_then(|sent| since_start(sent.last)),
            rate_per_s: sent.and_then(rate),
            lag_ms: outcome.pace.phase_lags_us.get(number).and_then(LatencyMs::of),
            acked_ms: outcome.tally.acks.phases_us().get(number).and_then(LatencyMs::of),
            time_to_queryable_ms: druid.and_then(|druid| druid.phase_times.get(number).copied()).flatten(),
        }
    };
    (!phases.is_empty()).then(|| phases.iter().enumerate().map(report).collect())
}

fn rate(sent: &PhaseSent) -> Option<f64> {
    rate_over_gaps(sent.tweets, sent.last.saturating_duration_since(sent.first).as_secs_f64())
}
