//! The end of a run in words, at most a screen of them.

use std::fmt::{self, Write};

use indicatif::HumanCount;

use super::words::{millis, rate, seconds};
use super::{DruidReport, HopReport, RunReport, ThresholdReport, Verdict};
use crate::count::LatencyMs;

/// Appends the summary to `out`.
///
/// # Errors
/// None of its own.
pub fn write_summary(report: &RunReport, out: &mut String) -> fmt::Result {
    let count = HumanCount;
    let (ledger, pace) = (&report.ledger, &report.pace);
    let planned = pace.planned_s.map_or(String::new(), |planned| format!(", planned {}", seconds(planned)));
    let loops = if ledger.loops > 1 { format!(" in {} loops", count(ledger.loops)) } else { String::new() };
    writeln!(out)?;
    if let Some(label) = &report.label {
        writeln!(out, "  label      {label}")?;
    }
    writeln!(
        out,
        "  replayed   {} tweets{loops} in {}{} (asked {}{planned})",
        count(ledger.published),
        seconds(pace.duration_s),
        pace.achieved_rate_per_s.map_or(String::new(), |per_s| format!(": {}", rate(per_s))),
        pace.asked,
    )?;
    match pace.schedule_lag_ms {
        Some(lag) => writeln!(out, "  late by    {}  (send − intended send)", latency(lag))?,
        None => writeln!(out, "  late by    nothing was intended: full speed has no schedule")?,
    }
    for change in &pace.changes {
        let at = seconds(change.at_s);
        if let Some(paused_s) = change.paused_s {
            writeln!(out, "  at {at:<8}paused for {}", seconds(paused_s))?;
        }
        if let Some(stopped_s) = change.stopped_s {
            writeln!(out, "  at {at:<8}stopped for {} (Ctrl-Z, or SIGSTOP)", seconds(stopped_s))?;
        }
        if let Some(times) = change.speed_times {
            writeln!(out, "  at {at:<8}went on {times} times as fast as asked for")?;
        }
    }
    if let Some(stepped_back) = report.input.stepped_back.filter(|stepped_back| *stepped_back > 0) {
        let stepped_back = count(stepped_back);
        writeln!(out, "  order      {stepped_back} tweets came behind a younger one, and left with it")?;
    }
    if let Some(ack) = report.hops.kafka.latency_ms {
        writeln!(out, "  acked in   {}  (Kafka's delivery report − send)", latency(ack))?;
    }
    let usage = &report.usage;
    if let (Some(cpu), Some(memory)) = (usage.cpu_us_per_tweet, usage.own_memory_mib) {
        let share = usage
            .cpu_share
            .map_or(String::new(), |share| format!(" ({:.0} % of what this machine did)", share * 100.0));
        writeln!(
            out,
            "  used       {cpu:.2} µs CPU a tweet{share}, {memory:.0} MiB of memory besides the mapped file"
        )?;
    }
    if let Some(druid) = &report.druid {
        write_druid(druid, out)?;
    }
    write_hops(report, out)?;
    write_ledger(report, out)?;
    write_thresholds(&report.thresholds, out)?;
    if let Some(link) = &report.endpoints.dashboard {
        writeln!(out, "\n  dashboard  {link}  (run {})", report.run)?;
    }
    writeln!(out)?;
    match report.verdict {
        Verdict::Balanced => {
            let skipped = match ledger.skipped {
                0 => String::new(),
                skipped => format!(" + {} left out", count(skipped)),
            };
            let loops = match ledger.loops {
                1 => String::new(),
                loops => format!(" × {} loops", count(loops)),
            };
            writeln!(
                out,
                "every tweet accounted for: {} read{loops} = {} delivered{skipped}",
                count(ledger.tweets),
                count(ledger.delivered),
            )?;
            match ledger.queryable {
                Some(rows) => writeln!(out, "and every one is queryable in Druid: {} rows", count(rows)),
                None => Ok(()),
            }
        }
        verdict @ (Verdict::Unbalanced | Verdict::Unknown) => {
            match verdict {
                Verdict::Unknown => {
                    writeln!(out, "UNKNOWN: whether every tweet arrived could not be counted")?
                }
                _ => writeln!(out, "UNBALANCED: not every tweet arrived")?,
            }
            for reason in &report.reasons {
                writeln!(out, "  {reason}")?;
            }
            for (reason, failed) in &report.failed_by_reason {
                writeln!(out, "  {} failed: {reason}", count(*failed))?;
            }
            if report.failed_unknown > 0 {
                writeln!(out, "  {} of them may have arrived all the same", count(report.failed_unknown))?;
            }
            Ok(())
        }
    }
}

fn write_druid(druid: &DruidReport, out: &mut String) -> fmt::Result {
    if let (Some(time), Some(last)) = (druid.time_to_queryable_ms, druid.queryable_after_s) {
        let rate = druid
            .rows_per_s
            .map_or(String::new(), |rate| format!(", {} rows/s", HumanCount(rate.round() as u64)));
        writeln!(
            out,
            "  queryable  p50 {} · p90 {} · p99 {} · max {}, up to {} less  (query − intended send)",
            millis(time.p50),
            millis(time.p90),
            millis(time.p99),
            millis(time.max),
            millis(druid.poll_gap_ms),
        )?;
        writeln!(out, "             the last row {} after the first send{rate}", seconds(last))?;
    }
    match (druid.durable, druid.durable_after_s) {
        (Some(true), Some(after)) => {
            writeln!(out, "  durable    in published segments {} after the last row", seconds(after))?;
        }
        (Some(false), _) => writeln!(
            out,
            "  durable    NOT YET: the segments are not published; the next run goes on from Kafka's log"
        )?,
        _ => {}
    }
    for note in &druid.notes {
        writeln!(out, "  druid      {note}")?;
    }
    Ok(())
}

fn write_hops(report: &RunReport, out: &mut String) -> fmt::Result {
    let hops = &report.hops;
    let rows: [(&str, Option<&HopReport>); 4] = [
        ("read+parse", Some(&hops.feed)),
        ("pace", Some(&hops.pace)),
        ("mqtt+queue", hops.mqtt.as_ref()),
        ("kafka", Some(&hops.kafka)),
    ];
    writeln!(out, "\n  hop              tweets  CPU µs each  waited for the next")?;
    for (name, hop) in rows {
        let Some(hop) = hop else {
            writeln!(out, "  {name:<12} {:>10}", "off")?;
            continue;
        };
        let cpu = hop.cpu_us_per_tweet.map_or("-".to_owned(), |cpu| format!("{cpu:.2}"));
        writeln!(
            out,
            "  {name:<12} {:>10}  {cpu:>11}  {:>19}",
            HumanCount(hop.tweets).to_string(),
            seconds(hop.blocked_s)
        )?;
    }
    writeln!(out, "  bottleneck: {}", report.bottleneck.name())
}

fn write_ledger(report: &RunReport, out: &mut String) -> fmt::Result {
    let ledger = &report.ledger;
    let count = HumanCount;
    writeln!(
        out,
        "\n  file       {} values = {} records + {} unparseable{}",
        count(ledger.frames),
        count(ledger.records),
        count(ledger.unparseable),
        match report.unparseable_at.first() {
            Some(offset) => format!(" (first at byte {offset})"),
            None => String::new(),
        }
    )?;
    let kinds: Vec<(&str, u64)> =
        report.rejects_by_kind.iter().map(|(kind, found)| (*kind, found.count)).collect();
    writeln!(
        out,
        "  records    {} items = {} tweets + {} rejects{}",
        count(ledger.items),
        count(ledger.tweets),
        count(ledger.rejects),
        in_brackets(&kinds)
    )?;
    writeln!(
        out,
        "  sent       {} tweets{} = {} published + {} left out{}",
        count(ledger.tweets),
        if ledger.loops == 1 { String::new() } else { format!(" × {} loops", count(ledger.loops)) },
        count(ledger.published),
        count(ledger.skipped),
        in_brackets(ledger.skipped_by.reasons().iter().filter(|(_, skipped)| *skipped > 0)),
    )?;
    if let Some(enrich) = &report.enrich {
        let not_used: u64 = enrich.files.iter().map(|file| file.rejects).sum();
        writeln!(
            out,
            "  enriched   {} tweets with {} columns of {} users; {} tweets of others without{}",
            count(enrich.enriched),
            enrich.columns.len(),
            count(enrich.users),
            count(enrich.not_enriched),
            if not_used == 0 { String::new() } else { format!("; {} rows left out", count(not_used)) },
        )?;
    }
    let came = match (ledger.received, ledger.mqtt_lost) {
        (Some(received), Some(lost)) => {
            writeln!(
                out,
                "  mqtt       {} published = {} received + {} lost{}",
                count(ledger.published),
                count(received),
                count(lost),
                match report.mqtt_repeats_dropped {
                    Some(repeats @ 1..) => format!(" (and {} repeats dropped)", count(repeats)),
                    _ => String::new(),
                }
            )?;
            received
        }
        _ => ledger.published,
    };
    writeln!(
        out,
        "  kafka      {} {} = {} delivered + {} failed",
        count(came),
        if ledger.received.is_some() { "received" } else { "published" },
        count(ledger.delivered),
        count(ledger.failed)
    )?;
    if let Some(letters) = &report.dead_letters {
        writeln!(
            out,
            "  letters    {} rejects + {} unparseable + {} failed, in {}",
            count(letters.rejects),
            count(letters.unparseable),
            count(letters.failed),
            letters.file
        )?;
    }
    if let Some(druid) = &report.druid {
        let (queryable, distinct) = match (ledger.queryable, druid.distinct) {
            (Some(rows), Some(distinct)) => {
                (count(rows).to_string(), format!("{} distinct", count(distinct)))
            }
            _ => ("unknown".to_owned(), "could not be counted".to_owned()),
        };
        writeln!(
            out,
            "  druid      {} delivered = {queryable} queryable in {} ({distinct}){}",
            count(ledger.delivered),
            druid.datasource,
            match druid.unparseable + druid.thrown_away {
                0 => String::new(),
                _ => format!(
                    "; {} unparseable, {} thrown away",
                    count(druid.unparseable),
                    count(druid.thrown_away)
                ),
            }
        )?;
    }
    if let Some(foreign) = ledger.foreign.filter(|foreign| *foreign > 0) {
        writeln!(
            out,
            "  foreign    {} messages of others = {} delivered + {} failed",
            count(foreign),
            count(ledger.foreign_delivered.unwrap_or(0)),
            count(ledger.foreign_failed.unwrap_or(0))
        )?;
    }
    if let Some(lost) = ledger.foreign_lost.filter(|lost| *lost > 0) {
        writeln!(out, "             {} more were overwritten before they were read", count(lost))?;
    }
    Ok(())
}

/// Counts with what they count, in brackets; nothing where there is none.
fn in_brackets<'a>(counts: impl IntoIterator<Item = &'a (&'a str, u64)>) -> String {
    let words: Vec<String> =
        counts.into_iter().map(|(name, count)| format!("{} {name}", HumanCount(*count))).collect();
    if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) }
}

fn latency(ms: LatencyMs) -> String {
    let LatencyMs { p50, p99, p999, max, .. } = ms;
    format!("p50 {} · p99 {} · p99.9 {} · max {}", millis(p50), millis(p99), millis(p999), millis(max))
}

/// Appends a line for each threshold.
fn write_thresholds(thresholds: &[ThresholdReport], out: &mut String) -> fmt::Result {
    if !thresholds.is_empty() {
        writeln!(out)?;
    }
    for threshold in thresholds {
        let state = match (threshold.failed, threshold.value) {
            (true, _) => "FAILED",
            (false, Some(_)) => "held",
            (false, None) => "no word",
        };
        writeln!(out, "  fail if    {:<24} {state}: {}", threshold.expression, threshold.measured())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_as_people_say_them() {
        assert_eq!(
            [rate(1_234.4), rate(9.0), rate(0.05), rate(0.001)],
            ["1,234/s", "9.00/s", "3.00/min", "3.60/h"]
        );
        assert_eq!(millis(0.025), "25 µs");
        assert_eq!(millis(2.34), "2.3 ms");
        assert_eq!(millis(1_234.0), "1.23 s");
        assert_eq!(seconds(5.997), "6.00 s");
        assert_eq!(seconds(75.25), "75.2 s");
        assert_eq!(seconds(600.0), "10 min 00 s");
        assert_eq!(seconds(7_260.0), "2 h 01 min");
        assert_eq!(seconds(4_752_000.0), "55.0 days");
    }
}
