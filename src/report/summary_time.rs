//! The part of the page at the end that is about time: the rate by second, the distributions, the phases, what was
//! changed and what was away.

use super::chart::{latency_chart, rate_chart};
use super::page::Page;
use super::words::{counted, millis, rate, seconds, times};
use super::{ChangeReport, RunReport};
use crate::count::{HistogramText, OutageHop};

/// The rate over time, and what is not in the figures.
pub(super) fn write_over_time(report: &RunReport, page: &mut Page) {
    if let Some(chart) = report.series.as_ref().and_then(rate_chart) {
        page.row("rate", chart);
    }
    if let Some(warmup_s) = report.pace.warmup_s {
        let warmup = report.phases.iter().flatten().filter(|phase| phase.is_warmup);
        let (first, tweets) =
            (seconds(warmup_s), report.noun().counted(warmup.map(|phase| phase.tweets).sum()));
        page.row(
            "warm-up",
            format!("the first {first}, {tweets}: not in rate, lag, acks and time to queryable"),
        );
    }
}

/// How a latency is distributed.
pub(super) fn write_chart(histogram: Option<&HistogramText>, page: &mut Page) {
    if let Some(chart) = latency_chart(histogram) {
        page.more(chart);
    }
}

/// Most phases that are shown one by one.
const PHASES_SHOWN: usize = 12;

/// The figures of each phase.
pub(super) fn write_phases(report: &RunReport, page: &mut Page) {
    let phases = report.phases.iter().flatten().filter(|phase| !phase.is_warmup);
    // The only one is the run itself.
    if phases.clone().count() < 2 {
        return;
    }
    for (number, phase) in phases.clone().take(PHASES_SHOWN).enumerate() {
        let mut words = vec![report.noun().counted(phase.tweets)];
        words.extend(phase.rate_per_s.map(rate));
        let p99 =
            [("lag", phase.lag_ms), ("acked", phase.acked_ms), ("queryable", phase.time_to_queryable_ms)];
        words.extend(p99.iter().filter_map(|(name, ms)| Some(format!("{name} p99 {}", millis((*ms)?.p99)))));
        let label = if number == 0 { "phases" } else { "" };
        page.row(label, format!("{:<24} {}", phase.name, words.join(", ")));
    }
    if let Some(more @ 1..) = phases.count().checked_sub(PHASES_SHOWN) {
        page.more(format!("and {}", counted(more as u64, "more phase")));
    }
}

/// Most changes that are shown one by one.
const CHANGES_SHOWN: usize = 8;

pub(super) fn write_changes(changes: &[ChangeReport], page: &mut Page) {
    for change in changes.iter().take(CHANGES_SHOWN) {
        let at = seconds(change.at_s);
        if let Some(paused_s) = change.paused_s {
            page.row("paused", format!("for {} at {at}", seconds(paused_s)));
        }
        if let Some(stopped_s) = change.stopped_s {
            page.row("stopped", format!("for {} at {at} (Ctrl-Z or SIGSTOP)", seconds(stopped_s)));
        }
        if let Some(factor) = change.speed_factor {
            page.row("speed", format!("{} from {at} on", times(factor)));
        }
    }
    if let Some(more @ 1..) = changes.len().checked_sub(CHANGES_SHOWN) {
        page.more(format!("and {}", counted(more as u64, "more change")));
    }
}

/// Druid's are among its notes.
pub(super) fn write_outages(report: &RunReport, page: &mut Page) {
    let hops = report.outages.iter().filter(|outage| outage.hop != OutageHop::Druid);
    for outage in hops.clone().take(CHANGES_SHOWN) {
        page.row("outage", outage.words());
    }
    if let Some(more @ 1..) = hops.count().checked_sub(CHANGES_SHOWN) {
        page.more(format!("and {}", counted(more as u64, "more outage")));
    }
}
