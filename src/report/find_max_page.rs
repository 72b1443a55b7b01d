//! The end of a search for the highest rate, in words.

use std::time::Duration;

use super::find_max::{FindMaxReport, HoldReport, PAUSE, SearchReport, SearchVerdict, limit_words};
use super::page::{BAD, DOUBTFUL, GOOD, Layout, Page};
use super::words::{counted, rate, seconds, whole_seconds};
use crate::limit::Verdict;

/// The page of all searches; its last line is the verdict of the last one.
pub fn find_max_page(report: &FindMaxReport, layout: Layout) -> String {
    let mut page = Page::new(layout);
    for search in &report.searches {
        page.blank();
        write_search(search, &mut page);
    }
    if report.searches.len() > 1 {
        page.blank();
        write_table(report, &mut page);
    }
    if let Some(wanted) = &report.wanted {
        let tasks = match (wanted.task_count, wanted.measured) {
            (Some(tasks), true) => counted(tasks as u64, "task"),
            (Some(tasks), false) => {
                format!("{}, computed from rows/s and task", counted(tasks as u64, "task"))
            }
            (None, _) => "not known: no rate was held".to_owned(),
        };
        let slots = wanted.worker_slots.map_or(String::new(), |slots| {
            format!(", {} (2 × replicas × tasks)", counted(slots as u64, "worker slot"))
        });
        page.row("for", format!("{} {tasks}{slots}", rate(wanted.rows_per_s)));
    }
    page.finish()
}

fn write_search(search: &SearchReport, page: &mut Page) {
    if let Some(swept) = &search.swept {
        page.row("with", swept);
    }
    if let Some(capacity) = &search.capacity {
        let rollovers = match capacity.of_tasks {
            true => "in the time of whole tasks, with their rollovers".to_owned(),
            false => format!("between rollovers, {} with them", rate(capacity.with_rollovers_per_s)),
        };
        page.row(
            "capacity",
            format!(
                "{} ± {} {rollovers}; in overload, {} of {} s, {} dropped as warm-up",
                rate(capacity.per_s),
                rate(capacity.half_width_per_s),
                counted(capacity.blocks as u64, "block"),
                search.blocks.first().map_or(0.0, |block| (block.to_s - block.from_s).round()),
                capacity.warm_up_blocks,
            ),
        );
    }
    for hold in &search.holds {
        write_hold(hold, page);
    }
    if let Some(check) = &search.cross_check {
        let of_tasks = search.capacity.is_some_and(|capacity| capacity.of_tasks);
        page.row(
            "check",
            format!(
                "{} written, unread rows grew by {}{}; {} taken, {:+.1} % of the capacity",
                rate(check.rate_per_s),
                rate(check.growth_per_s.max(0.0)),
                if of_tasks { "" } else { " between rollovers" },
                rate(check.capacity_per_s),
                (check.agreement - 1.0) * 100.0
            ),
        );
    }
    for rollover in search.rollovers.iter().filter(|rollover| rollover.recovered_after_s.is_some()) {
        page.row(
            rollover.kind,
            format!(
                "at {}: {} rows waited, {} before; caught up after {}",
                seconds(rollover.at_s),
                indicatif::HumanCount(rollover.backlog_peak as u64),
                indicatif::HumanCount(rollover.backlog_before as u64),
                seconds(rollover.recovered_after_s.unwrap_or_default())
            ),
        );
    }
    page.row(
        "tasks",
        format!(
            "{} × {}, {} in all while tasks publish{}{}",
            counted(search.tasks as u64, "task"),
            counted(search.replicas as u64, "replica"),
            counted(search.worker_slots as u64, "worker slot"),
            search.per_task_per_s.map_or(String::new(), |per_s| format!("; {} per task", rate(per_s))),
            search.per_core_per_s.map_or(String::new(), |per_s| format!(", {} per core", rate(per_s))),
        ),
    );
    for note in &search.notes {
        page.row("note", note);
    }
    let style = match search.verdict {
        SearchVerdict::Sustainable => GOOD,
        SearchVerdict::NotStable => BAD,
        _ => DOUBTFUL,
    };
    let words = page.paint(style, &search.words);
    page.row("verdict", words);
}

fn write_hold(hold: &HoldReport, page: &mut Page) {
    let end = match hold.end {
        "held" => "held",
        "breaks_at_rollovers" => "held; a limit breaks at the rollovers",
        "growing" => "not held: the backlog grew",
        "limit_broken" => "not held: a limit was broken",
        _ => "not held: unclear whether the backlog grows",
    };
    page.row(
        "hold",
        format!(
            "{} for {}, {}: {end}; backlog {:+.0} ± {:.0} rows/s",
            rate(hold.rate_per_s),
            whole_seconds(Duration::from_secs_f64(hold.seconds)),
            counted(hold.rollovers as u64, "rollover"),
            hold.growth_per_s,
            hold.growth_half_width_per_s
        ),
    );
    for (name, wait) in
        [("between rollovers", hold.queryable_s), ("with rollovers", hold.queryable_with_rollovers_s)]
    {
        let Some(wait) = wait else { continue };
        let in_words = [("p50", wait.p50), ("p99", wait.p99), ("max", wait.max)];
        let in_words: Vec<String> =
            in_words.iter().map(|(name, wait)| format!("{name} {}", seconds(*wait))).collect();
        page.more(format!("queryable {name}: {}", in_words.join(", ")));
    }
    for limit in hold.limits.iter().filter(|limit| !limit.holds_with_rollovers) {
        let when = if limit.holds { "at the rollovers" } else { "between rollovers too" };
        page.more(format!("{} does not hold {when}", limit.expression));
    }
}

/// One line for each value of --sweep.
fn write_table(report: &FindMaxReport, page: &mut Page) {
    page.line(format!(
        "  {:<28} {:>12} {:>12} {:>12} {:>6} {:>14} {:>9} {:>9}",
        "with", "sustainable", "per task", "per core", "slots", "rollover peak", "segments", "handoff"
    ));
    let or_dash = |per_s: Option<f64>| per_s.map_or("-".to_owned(), rate);
    for search in &report.searches {
        let peak = search
            .rollovers
            .iter()
            .filter(|rollover| rollover.kind != PAUSE)
            .map(|rollover| rollover.backlog_peak)
            .fold(0.0, f64::max);
        page.line(format!(
            "  {:<28} {:>12} {:>12} {:>12} {:>6} {:>14} {:>9} {:>9}",
            search.swept.as_deref().unwrap_or("-"),
            or_dash(search.sustainable_per_s),
            or_dash(search.per_task_per_s),
            or_dash(search.per_core_per_s),
            search.worker_slots,
            indicatif::HumanCount(peak as u64).to_string(),
            search.segments.count,
            search.handoff_max_s.map_or("-".to_owned(), seconds),
        ));
    }
}

/// The verdict in a sentence.
pub fn verdict_words(verdict: Verdict, speedup: Option<f64>) -> String {
    let speedup = speedup.map_or(String::new(), |times| match times {
        times if times >= 10.0 => format!(", --speedup {times:.0}x of this input"),
        times => format!(", --speedup {times:.2}x of this input"),
    });
    match verdict {
        Verdict::Sustainable { rate: held } => format!("this Druid sustains {}{speedup}", rate(held)),
        Verdict::BreaksAtRollovers { rate: held } => {
            format!("{} is sustained{speedup}, but every rollover breaks a limit", rate(held))
        }
        Verdict::GeneratorLimited { above, limit } => format!(
            "Druid's limit is above {}: {}, so the limit found is not Druid's",
            rate(above),
            limit_words(limit)
        ),
        Verdict::NotStable { first, second } => format!(
            "not stable: between {} and {}, so no rate can be named",
            rate(first.min(second)),
            rate(first.max(second))
        ),
        Verdict::Undecided { budget_over: true } => "undecided: the budget was over (--budget)".to_owned(),
        Verdict::Undecided { budget_over: false } => "undecided: none of the rates tried was held".to_owned(),
        Verdict::Stopped => "stopped: above is what was known then".to_owned(),
    }
}
