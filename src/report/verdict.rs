//! The verdict in one line, the last one on the screen: whether every tweet arrived, and what the exit code
//! means where it is not 0.

use anstyle::Style;
use indicatif::HumanCount;

use super::page::{BAD, DOUBTFUL, GOOD, Layout, Page};
use super::words::counted;
use super::{Ledger, RunReport, ThresholdReport, Verdict};
use crate::pace::Order;

/// The line, with its line end.
pub fn verdict_line(report: &RunReport, layout: Layout) -> String {
    let (style, word, words) = verdict_words(report);
    let meaning = match (report.exit_code, &report.error) {
        (0, _) => String::new(),
        (code, Some(error)) => format!(" (exit code {code}: {error})"),
        (code, None) => format!(" (exit code {code}: {})", report.noun().of(meaning(code))),
    };
    let mut page = Page::new(layout);
    page.line(format!("{}: {words}{meaning}", layout.paint(style, word)));
    page.finish()
}

/// What an exit code says, in a few words.
fn meaning(code: u8) -> &'static str {
    match code {
        3 => "not every tweet is known to have arrived",
        4 => "a --fail-if was true, or could not be checked",
        130 => "stopped",
        _ => "success",
    }
}

fn verdict_words(report: &RunReport) -> (Style, &'static str, String) {
    match report.verdict {
        Verdict::Balanced if report.thresholds.iter().any(|threshold| threshold.failed) => {
            (BAD, "failed", format!("{}; {}", crossed(&report.thresholds), accounted(report)))
        }
        Verdict::Balanced => (GOOD, "balanced", accounted(report)),
        Verdict::Incomplete => (DOUBTFUL, "incomplete", incomplete(report)),
        Verdict::Unproven => (DOUBTFUL, "unproven", reasons(report, "what was sent may not be there")),
        Verdict::Unknown => {
            let otherwise = report.noun().of("whether every tweet arrived could not be counted");
            (DOUBTFUL, "unknown", reasons(report, &otherwise))
        }
        Verdict::Unbalanced => (BAD, "unbalanced", unbalanced(report)),
    }
}

/// Those that ended the run with exit code 4.
fn crossed(thresholds: &[ThresholdReport]) -> String {
    let crossed = thresholds.iter().filter(|threshold| threshold.failed);
    let words: Vec<&str> = crossed.map(|threshold| threshold.expression.as_str()).collect();
    words.join(", ")
}

fn accounted(report: &RunReport) -> String {
    let Ledger { tweets, loops, delivered, skipped, .. } = report.ledger;
    let count = HumanCount;
    let loops = if loops == 1 { String::new() } else { format!(" × {}", counted(loops, "loop")) };
    let skipped = if skipped == 0 { String::new() } else { format!(" + {} skipped", count(skipped)) };
    format!(
        "{}: {} read{loops} = {} delivered{skipped}, {}{}",
        report.noun().of("every tweet accounted for"),
        count(tweets),
        count(delivered),
        proof(&report.ledger),
        others(&report.ledger)
    )
}

/// What "delivered" rests on.
fn proof(ledger: &Ledger) -> &'static str {
    match (ledger.queryable, ledger.read_back) {
        (Some(_), _) => "all queryable in Druid",
        (None, Some(_)) => "all read back from Kafka",
        (None, None) => "acknowledged by Kafka, offsets checked",
    }
}

/// What became of the messages of others on the topic, where not all went through.
fn others(ledger: &Ledger) -> String {
    match ledger.foreign_lost.unwrap_or(0) + ledger.foreign_failed.unwrap_or(0) {
        0 => String::new(),
        lost => format!("; {} of other publishers not delivered", counted(lost, "message")),
    }
}

fn incomplete(report: &RunReport) -> String {
    let Ledger { tweets, loops, published, .. } = report.ledger;
    let how = if report.error.is_some() { "ended by an error" } else { "stopped" };
    let is_stream = matches!(report.pace.order, Order::File | Order::Window(_));
    let of = match loops {
        1 if is_stream => format!(" of the {} read so far", report.noun().counted(tweets)),
        1 => format!(" of {}", report.noun().counted(tweets)),
        loops => {
            let noun = report.noun().of("tweets");
            format!(" {noun}, in loop {} of {} each", HumanCount(loops), HumanCount(tweets))
        }
    };
    let arrived = match (published, report.ledger.queryable) {
        (0, _) => "none was sent".to_owned(),
        (sent, None) => format!("all {} sent were delivered", HumanCount(sent)),
        (sent, Some(_)) => format!("all {} sent were delivered and are queryable in Druid", HumanCount(sent)),
    };
    format!("{how} after {}{of}; {arrived}", HumanCount(published))
}

fn unbalanced(report: &RunReport) -> String {
    let Ledger { published, delivered, .. } = report.ledger;
    match published.saturating_sub(delivered) {
        0 => reasons(report, "the counts do not add up"),
        missing => {
            format!("{} of {} sent not delivered", HumanCount(missing), report.noun().counted(published))
        }
    }
}

/// The first reason, and how many more there are above the line.
fn reasons(report: &RunReport, otherwise: &str) -> String {
    match &report.reasons[..] {
        [] => otherwise.to_owned(),
        [only] => only.clone(),
        [first, more @ ..] => format!("{first}; and {}", counted(more.len() as u64, "more reason")),
    }
}
