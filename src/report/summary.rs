//! The end of a run in words, at most a screen of them.

use indicatif::HumanCount;

use super::page::{BAD, DIM, GOOD, Layout, Page, glued};
use super::summary_time::{write_changes, write_chart, write_outages, write_over_time, write_phases};
use super::unread_times::write_mended;
use super::words::{advice, between, counted, micros, millis, place, rate, seconds};
use super::{DruidReport, HopReport, Ledger, RunReport, ThresholdReport, Verdict, verdict_line};
use crate::count::LatencyMs;

/// The page; its last line is the verdict.
pub fn summary_page(report: &RunReport, layout: Layout) -> String {
    let mut page = Page::new(layout);
    page.blank();
    write_pace(report, &mut page);
    write_cost(report, &mut page);
    if let Some(druid) = &report.druid {
        write_druid(druid, report, &mut page);
    }
    write_hops(report, &mut page);
    write_ledger(report, &mut page);
    write_thresholds(&report.thresholds, &mut page);
    if let Some(link) = &report.endpoints.dashboard {
        page.blank();
        page.row("dashboard", format!("{link}  (run {})", report.run));
    }
    write_reasons(report, &mut page);
    page.blank();
    page.finish() + &verdict_line(report, layout)
}

fn write_pace(report: &RunReport, page: &mut Page) {
    let (ledger, pace) = (&report.ledger, &report.pace);
    let planned =
        pace.planned_duration_s.map_or(String::new(), |planned| format!(", planned {}", seconds(planned)));
    let loops =
        if ledger.loops > 1 { format!(" in {}", counted(ledger.loops, "loop")) } else { String::new() };
    if let Some(label) = &report.label {
        page.row("label", label);
    }
    page.row(
        "replayed",
        format!(
            "{}{loops} in {}{} ({}{planned})",
            report.noun().counted(ledger.published),
            seconds(pace.duration_s),
            pace.rate_per_s.map_or(String::new(), |per_s| format!(": {}", rate(per_s))),
            pace.requested,
        ),
    );
    write_over_time(report, page);
    match pace.lag_ms {
        Some(lag) => {
            page.row("lag", latency(lag, "send − intended send", page));
            write_chart(pace.lag_histogram.as_ref(), page);
        }
        None if pace.requested != "--speedup max" && pace.warmup_s.is_some() => {
            page.row("lag", "n/a: the run ended within the warm-up");
        }
        None if pace.late_input > 0 => {
            page.row(
                "lag",
                report.noun().of("n/a: every tweet came from the input after its intended send time"),
            );
        }
        None => page.row("lag", "n/a: --speedup max has no schedule"),
    }
    if let (Some(_), late @ 1..) = (pace.lag_ms, pace.late_input) {
        let late = report.noun().counted(late);
        page.more(format!("n/a for {late} that came from the input after the intended send time"));
    }
    write_phases(report, page);
    write_changes(&pace.changes, page);
    write_outages(report, page);
    if let Some(out_of_order @ 1..) = report.input.out_of_order {
        let (tweets, were) =
            (report.noun().counted(out_of_order), if out_of_order == 1 { "was" } else { "were" });
        page.row("order", format!("{tweets} {were} out of order and {were} sent with the one before"));
    }
}

fn write_cost(report: &RunReport, page: &mut Page) {
    if let Some(acked) = report.hops.kafka.acked_ms {
        page.row("acked", latency(acked, "Kafka's delivery report − send", page));
        write_chart(report.hops.kafka.acked_histogram.as_ref(), page);
    }
    if let Some(us) = report.cpu.us_per_tweet {
        let share = report.cpu.share.map_or(String::new(), |share| {
            format!("; {:.0} % of all CPU time used on this machine meanwhile", share * 100.0)
        });
        page.row("cpu", format!("{} {}{share}", micros(us), report.noun().of("per tweet")));
    }
    if let Some(mib) = report.memory.own_mib {
        page.row("memory", format!("{mib:.0} MiB, plus the mapped file"));
    }
}

fn write_druid(druid: &DruidReport, report: &RunReport, page: &mut Page) {
    let delivered = report.ledger.delivered;
    if let (Some(time), Some(last)) = (druid.time_to_queryable_ms, druid.queryable_after_s) {
        let rate = druid
            .rows_per_s
            .map_or(String::new(), |rate| format!(", {} rows/s", HumanCount(rate.round() as u64)));
        let less = druid.time_to_queryable_error_ms.unwrap_or(time);
        let span =
            |name: &str, most: f64, less: f64| glued(&format!("{name} {}", between(most - less, most)));
        let percentiles = [
            span("p50", time.p50, less.p50),
            span("p90", time.p90, less.p90),
            span("p99", time.p99, less.p99),
            span("max", time.max, less.max),
        ];
        let hint = page.paint(DIM, &glued("(query − intended send)"));
        page.row("queryable", format!("{}  {hint}", percentiles.join(" · ")));
        if druid.time_to_queryable_tweets < delivered {
            let (of, all) = (HumanCount(druid.time_to_queryable_tweets), report.noun().counted(delivered));
            page.more(format!("of {of} of {all}: the others are not there"));
        }
        page.more(format!("the last row {} after the first send{rate}", seconds(last)));
    }
    match (druid.durable, druid.durable_after_s) {
        (Some(true), Some(after)) => {
            page.row("durable", format!("in published segments {} after the last row", seconds(after)));
        }
        (Some(false), _) => page.row(
            "durable",
            "NOT YET: the segments are not published; the next run continues from Kafka's log",
        ),
        _ => {}
    }
    if let Some(load) = &druid.query_load {
        let failed =
            if load.failed == 0 { String::new() } else { format!(", {} failed", HumanCount(load.failed)) };
        let took = load.took_ms.map(|ms| in_a_row(&[("p50", ms.p50), ("p99", ms.p99), ("max", ms.max)]));
        let took = took.map_or(String::new(), |took| format!(": {took}"));
        page.row("queries", format!("{} answered{failed}{took}", HumanCount(load.answered)));
    }
    for note in &druid.notes {
        page.row("druid", note);
    }
}

fn write_hops(report: &RunReport, page: &mut Page) {
    let hops = &report.hops;
    let rows: [(&str, Option<&HopReport>); 4] = [
        ("feed", Some(&hops.feed)),
        ("pace", Some(&hops.pace)),
        ("mqtt", hops.mqtt.as_ref()),
        ("kafka", Some(&hops.kafka)),
    ];
    page.blank();
    let (sent, cpu) = (report.noun().of("tweets"), report.noun().of("CPU per tweet"));
    page.line(format!("  {:<10} {sent:>12}  {cpu:>13}  {:>12}", "hop", "blocked"));
    for (name, hop) in rows {
        let Some(hop) = hop else {
            page.line(format!("  {name:<10} {:>12}", "off"));
            continue;
        };
        page.line(format!(
            "  {name:<10} {:>12}  {:>13}  {:>12}",
            HumanCount(hop.tweets).to_string(),
            hop.cpu_us_per_tweet.map_or("-".to_owned(), micros),
            seconds(hop.blocked_s)
        ));
    }
    page.row("bottleneck", report.bottleneck.name());
}

fn write_ledger(report: &RunReport, page: &mut Page) {
    let ledger = &report.ledger;
    page.blank();
    write_intake(report, page);
    write_mended(&report.input.mended_by_kind, page);
    if let Some(unread) = &report.input.unread_times {
        page.row("times", unread.words(report.noun()));
    }
    let skipped = ledger.skipped_by.reasons();
    page.row(
        &report.noun().of("tweets"),
        format!(
            "{}{} = {} published + {} skipped{}",
            HumanCount(ledger.tweets),
            if ledger.loops == 1 { String::new() } else { format!(" × {}", counted(ledger.loops, "loop")) },
            HumanCount(ledger.published),
            HumanCount(ledger.skipped),
            in_brackets(skipped.iter().filter(|(_, skipped)| *skipped > 0)),
        ),
    );
    if let Some(enrich) = &report.enrich {
        let skipped: u64 = enrich.files.iter().map(|file| file.rejects).sum();
        page.row(
            "enriched",
            format!(
                "{} with {} of {}; {} of users who are in no table{}",
                counted(enrich.enriched, "tweet"),
                counted(enrich.columns.len() as u64, "column"),
                counted(enrich.users, "user"),
                counted(enrich.not_enriched, "tweet"),
                if skipped == 0 { String::new() } else { format!("; {} skipped", counted(skipped, "row")) },
            ),
        );
    }
    write_sent(report, page);
    if let Some(druid) = &report.druid {
        write_rows(druid, ledger, page);
    }
    write_foreign(report, page);
}

/// What was read.
fn write_intake(report: &RunReport, page: &mut Page) {
    let (ledger, count) = (&report.ledger, HumanCount);
    page.row(
        "frames",
        format!(
            "{} = {} + {} unparseable{}",
            count(ledger.frames),
            counted(ledger.records, "record"),
            count(ledger.unparseable),
            match report.unparseable_at.first().zip(report.unparseable_lines.first()) {
                Some((offset, line)) => format!(" (first at {})", place(*line, *offset)),
                None => String::new(),
            }
        ),
    );
    let kinds: Vec<(&str, u64)> =
        report.rejects_by_kind.iter().map(|(kind, found)| (*kind, found.count)).collect();
    page.row(
        "items",
        format!(
            "{} = {} + {}{}",
            count(ledger.items),
            report.noun().counted(ledger.tweets),
            counted(ledger.rejects, "reject"),
            in_brackets(&kinds)
        ),
    );
    for (kind, found) in report.rejects_by_kind.iter().filter(|(kind, _)| !advice(kind).is_empty()) {
        let first = place(found.first_line, found.first_offset);
        page.more(format!("{kind}, the first at {first}{}", advice(kind)));
    }
}

/// What became of what was sent, hop by hop.
fn write_sent(report: &RunReport, page: &mut Page) {
    let (ledger, count) = (&report.ledger, HumanCount);
    let came = match (ledger.received, ledger.mqtt_lost) {
        (Some(received), Some(lost)) => {
            let repeats = match report.mqtt_repeats_dropped {
                Some(repeats @ 1..) => format!(" (and {} dropped)", counted(repeats, "repeat")),
                _ => String::new(),
            };
            page.row(
                "mqtt",
                format!(
                    "{} published = {} received + {} lost{repeats}",
                    count(ledger.published),
                    count(received),
                    count(lost)
                ),
            );
            format!("{} received", count(received))
        }
        _ => format!("{} published", count(ledger.published)),
    };
    page.row(
        "kafka",
        format!("{came} = {} delivered + {} failed", count(ledger.delivered), count(ledger.failed)),
    );
    if let Some(read_back) = ledger.read_back {
        page.more(format!("{} delivered = {} read back", count(ledger.delivered), count(read_back)));
    }
    if let Some(unread @ 1..) = ledger.removed_unread {
        page.more(format!("{} removed by retention before being read", counted(unread, "message")));
    }
    if let Some(written) = &report.dead_letters {
        page.row(
            "written",
            format!(
                "{} + {} unparseable + {} failed, as dead letters to {}",
                counted(written.rejects, "reject"),
                count(written.unparseable),
                count(written.failed),
                written.file
            ),
        );
    }
}

fn write_rows(druid: &DruidReport, ledger: &Ledger, page: &mut Page) {
    let count = HumanCount;
    let (queryable, distinct) = match (ledger.queryable, druid.distinct) {
        (Some(rows), Some(distinct)) => (count(rows).to_string(), format!("{} distinct", count(distinct))),
        _ => ("unknown".to_owned(), "could not be counted".to_owned()),
    };
    let dropped = match druid.unparseable + druid.thrown_away {
        0 => String::new(),
        _ => format!("; {} unparseable, {} thrown away", count(druid.unparseable), count(druid.thrown_away)),
    };
    page.row(
        "druid",
        format!(
            "{} delivered = {queryable} queryable in {} ({distinct}){dropped}",
            count(ledger.delivered),
            druid.datasource
        ),
    );
}

/// What others published on the topic.
fn write_foreign(report: &RunReport, page: &mut Page) {
    let ledger = &report.ledger;
    if let Some(foreign @ 1..) = ledger.foreign {
        page.row(
            "foreign",
            format!(
                "{} of other publishers = {} delivered + {} failed",
                counted(foreign, "message"),
                HumanCount(ledger.foreign_delivered.unwrap_or(0)),
                HumanCount(ledger.foreign_failed.unwrap_or(0))
            ),
        );
    }
    if let Some(lost @ 1..) = ledger.foreign_lost {
        page.row("foreign", format!("{} overwritten before being read", counted(lost, "message")));
    }
    if let Some(forged @ 1..) = report.forged_batches_refused {
        page.row("forged", format!("{} of other Kafka clients refused", counted(forged, "write")));
    }
}

/// Counts with what they count, in brackets; nothing where there is none.
fn in_brackets<'a>(counts: impl IntoIterator<Item = &'a (&'a str, u64)>) -> String {
    let words: Vec<String> =
        counts.into_iter().map(|(name, count)| format!("{} {name}", HumanCount(*count))).collect();
    if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) }
}

fn latency(ms: LatencyMs, what: &str, page: &Page) -> String {
    let LatencyMs { p50, p99, p999, max, .. } = ms;
    let percentiles = in_a_row(&[("p50", p50), ("p99", p99), ("p99.9", p999), ("max", max)]);
    format!("{percentiles}  {}", page.paint(DIM, &glued(&format!("({what})"))))
}

/// Times with their names, none of them torn apart at the end of a line.
fn in_a_row(times: &[(&str, f64)]) -> String {
    let words: Vec<String> =
        times.iter().map(|(name, ms)| glued(&format!("{name} {}", millis(*ms)))).collect();
    words.join(" · ")
}

/// Appends a row for each threshold.
fn write_thresholds(thresholds: &[ThresholdReport], page: &mut Page) {
    if !thresholds.is_empty() {
        page.blank();
    }
    for threshold in thresholds {
        let (style, state) = match (threshold.failed, &threshold.not_measured) {
            (_, Some(_)) => (BAD, "SKIPPED"),
            (true, None) => (BAD, "FAILED"),
            (false, None) => (GOOD, "held"),
        };
        let state = page.paint(style, state);
        page.row("fail if", format!("{:<24} {state}: {}", threshold.expression, threshold.measured()));
    }
}

/// Why the verdict is what it is, as far as its line does not say it.
fn write_reasons(report: &RunReport, page: &mut Page) {
    let line = verdict_line(report, Layout::default());
    let is_stop = report.verdict == Verdict::Incomplete && report.error.is_none();
    let is_error = |reason: &str| report.error.as_ref().is_some_and(|error| reason.ends_with(error.as_str()));
    let is_said = |reason: &str| is_stop || is_error(reason) || line.contains(reason);
    let reasons: Vec<&String> = report.reasons.iter().filter(|reason| !is_said(reason)).collect();
    if !reasons.is_empty() || !report.failed_by_reason.is_empty() {
        page.blank();
    }
    for reason in reasons {
        page.row("because", reason);
    }
    for (reason, failed) in &report.failed_by_reason {
        page.row("failed", format!("{}: {reason}", HumanCount(*failed)));
    }
    if report.failed_maybe_delivered > 0 {
        page.row("failed", format!("{} of them may have arrived", HumanCount(report.failed_maybe_delivered)));
    }
}
