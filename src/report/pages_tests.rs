//! The pages as they look at 60, 80 and 200 columns, from reports that are always the same.
//! `INSTA_UPDATE=always cargo test --lib report` writes the pictures in `snapshots/` again.

use std::collections::BTreeMap;

use textwrap::core::display_width;

use super::page::Layout;
use super::*;
use crate::count::{CpuUsage, LatencyMs, MemoryUsage, RejectCount};
use crate::druid::{DruidAfter, Submission};
use crate::pace::{FileOrder, Order};
use crate::source::Format;

const WIDTHS: [usize; 3] = [60, 80, 200];

fn latency(p50: f64) -> Option<LatencyMs> {
    Some(LatencyMs { p50, p90: p50 * 2.0, p99: p50 * 30.0, p999: p50 * 90.0, max: p50 * 400.0 })
}

fn rejects() -> BTreeMap<&'static str, RejectCount> {
    let reject = |count, first_offset, line| RejectCount { count, first_offset, first_line: Some(line) };
    [("delete", reject(16, 8_553, 11)), ("limit", reject(8, 591_652, 628))].into()
}

fn hop(tweets: u64, us: f64) -> HopReport {
    HopReport { tweets, cpu_us_per_tweet: Some(us), blocked_s: us / 100.0, ..HopReport::default() }
}

fn input() -> InputReport {
    InputReport {
        file: "data/tweets.json".to_owned(),
        files: Vec::new(),
        bytes: 5_786_670,
        format: InputFormat::One(Format::Lines),
        order: Some(FileOrder::Mixed),
        first: Some("2024-03-09T18:00:00.050Z".to_owned()),
        last: Some("2024-03-09T18:10:16.723Z".to_owned()),
        changed: Vec::new(),
        without_time: 0,
        unread_times: None,
        events: None,
        mended_by_kind: Default::default(),
        out_of_order: Some(1),
    }
}

fn environment() -> Environment {
    Environment {
        cpu_model: Some("Intel(R) Xeon(R) Processor @ 2.10GHz".to_owned()),
        cores: Some(2),
        memory_mib: Some(7_987.0),
        kernel: Some("Linux 6.1.0-13-amd64 x86_64".to_owned()),
        commit: Some("ba0da9c"),
        profile: Some("release"),
        rustc: Some("rustc 1.89.0 (29483883e 2025-08-04)"),
        librdkafka: "2.12.1".to_owned(),
        command: ["tweetblast", "data/tweets.json", "--speedup", "100x"].map(str::to_owned).into(),
        input_hash: Some("crc32c:1a2b3c4d".to_owned()),
    }
}

/// A run of the sample that was stopped, with a threshold that was crossed and one that could not be.
pub(super) fn report() -> RunReport {
    let skipped_by = SkippedBy { limit: 1_000, stop: 1_436, ..SkippedBy::default() };
    let ledger = Ledger {
        frames: 6_024,
        records: 6_024,
        items: 6_024,
        rejects: 24,
        tweets: 6_000,
        loops: 1,
        skipped: skipped_by.total(),
        skipped_by,
        published: 3_564,
        received: Some(3_564),
        mqtt_lost: Some(0),
        duplicates: Some(0),
        foreign: Some(1),
        foreign_delivered: Some(1),
        foreign_failed: Some(0),
        foreign_lost: Some(0),
        delivered: 3_564,
        ..Ledger::default()
    };
    let change =
        |at_s, paused_s, speed_factor| ChangeReport { at_s, paused_s, stopped_s: None, speed_factor };
    let mut report = RunReport {
        report_version: REPORT_VERSION,
        tweetblast_version: "0.1.0",
        run: "20260101T000000-abcd".to_owned(),
        label: Some("before".to_owned()),
        input: input(),
        pace: PaceReport {
            requested: "--speedup 100x".to_owned(),
            order: Order::Time,
            spread: false,
            started_at: Some("2026-01-01T00:00:00.000Z".to_owned()),
            duration_s: 3.7,
            planned_duration_s: Some(6.16),
            delivered_after_s: 3.72,
            planned_rate_per_s: Some(973.0),
            rate_per_s: Some(963.2),
            lag_ms: latency(0.05),
            lag_histogram: None,
            late_input: 0,
            warmup_s: None,
            changes: vec![change(1.5, Some(2.0), None), change(2.0, None, Some(2.0))],
        },
        phases: None,
        hops: Hops {
            feed: hop(3_840, 3.5),
            pace: hop(3_564, 34.4),
            mqtt: Some(hop(3_564, 21.0)),
            kafka: HopReport { acked_ms: latency(4.4), ..hop(3_564, 203.1) },
        },
        series: None,
        bottleneck: Bottleneck::None,
        outages: Vec::new(),
        outages_total: 0,
        forged_batches_refused: None,
        ledger,
        mqtt_repeats_dropped: None,
        enrich: None,
        dead_letters: Some(DeadLetterReport {
            file: "letters.jsonl".to_owned(),
            rejects: 24,
            ..DeadLetterReport::default()
        }),
        rejects_by_kind: rejects(),
        unparseable_at: Vec::new(),
        unparseable_lines: Vec::new(),
        failed_by_reason: BTreeMap::new(),
        failed_maybe_delivered: 0,
        verdict: Verdict::Incomplete,
        reasons: vec!["stopped before all tweets were sent".to_owned()],
        interrupted: true,
        error: None,
        thresholds: Vec::new(),
        exit_code: 0,
        endpoints: Endpoints {
            dashboard: Some("http://127.0.0.1:8088/superset/live/".to_owned()),
            ..Endpoints::default()
        },
        druid: None,
        cpu: CpuUsage { total_s: Some(2.4), us_per_tweet: Some(664.31), share: Some(0.05) },
        memory: MemoryUsage { own_mib: Some(40.2), resident_mib: Some(61.0) },
        environment: environment(),
    };
    let thresholds = ["lag.p99>5ms", "acked.max>1s", "queryable.p99>10s"].map(|words| words.parse().unwrap());
    report.judge(&thresholds);
    report
}

/// A run that went well.
fn balanced() -> RunReport {
    let mut report = report();
    report.ledger.skipped_by = SkippedBy::default();
    (report.ledger.skipped, report.ledger.published) = (0, 6_000);
    (report.ledger.received, report.ledger.delivered) = (Some(6_000), 6_000);
    (report.verdict, report.interrupted, report.pace.lag_ms) = (Verdict::Balanced, false, None);
    report.reasons = Vec::new();
    report.environment.command.push("--loop".to_owned());
    report.judge(&[]);
    report
}

/// A run into Druid that is a tweet short there.
fn into_druid() -> RunReport {
    let mut report = balanced();
    (report.ledger.queryable, report.ledger.received, report.hops.mqtt) = (Some(5_999), None, None);
    report.druid = Some(DruidReport {
        url: "http://127.0.0.1:8888".to_owned(),
        datasource: "tweets".to_owned(),
        supervisor: "tweets".to_owned(),
        submitted: Submission::Unchanged,
        spec: serde_json::Value::Null,
        ready_after_s: 12.0,
        rows: Some(5_999),
        distinct: Some(5_999),
        min_seq: Some(0),
        max_seq: Some(5_999),
        sum_seq: Some(17_997_000),
        exact: false,
        count_error: None,
        missing: None,
        causes: Vec::new(),
        queryable_after_s: Some(4.2),
        time_to_queryable_ms: latency(138.0),
        time_to_queryable_histogram: None,
        ingestion: IngestionReport::default(),
        query_load: None,
        phase_times: Vec::new(),
        acked_to_queryable_histogram: None,
        time_to_queryable_error_ms: latency(20.0),
        acked_to_queryable_ms: latency(130.0),
        acked_to_queryable_error_ms: latency(20.0),
        time_to_queryable_tweets: 5_999,
        poll_gap_ms: 806.0,
        paired_by: PairedBy::Partition,
        rows_per_s: Some(1_020.0),
        backlog: Vec::new(),
        unparseable: 1,
        thrown_away: 0,
        after: DruidAfter::Suspend,
        durable: Some(true),
        durable_after_s: Some(3.25),
        notes: vec!["Druid's broker did not answer for 3.0 s".to_owned()],
        users: None,
    });
    report.verdict = Verdict::Unbalanced;
    report.reasons = vec!["1 tweet missing in Druid; the first is seq 17".to_owned()];
    report.judge(&[]);
    report
}

fn inspection() -> Inspection {
    let file = |name: &str, format| FileReport {
        file: format!("folder/{name}"),
        bytes: 2_893_335,
        format,
        order: Some(FileOrder::OldestFirst),
        frames: 3_012,
        tweets: 3_000,
        rejects_by_kind: rejects(),
        unparseable: 0,
        unparseable_at: Vec::new(),
        unparseable_lines: Vec::new(),
    };
    Inspection {
        report_version: REPORT_VERSION,
        file: "2 files from folder/a.json".to_owned(),
        format: InputFormat::Mixed,
        form: Some("Twitter API v1.1".to_owned()),
        bytes: 5_786_670,
        frames: 6_024,
        records: 6_023,
        items: 6_024,
        tweets: 6_000,
        users: 1_332,
        rejects: 24,
        rejects_by_kind: rejects(),
        unparseable: 1,
        unparseable_at: vec![8_000_000],
        unparseable_lines: vec![Some(7_003)],
        first: Some("2024-03-09T18:00:00.050Z".to_owned()),
        last: Some("2024-03-09T18:10:16.723Z".to_owned()),
        without_time: 1,
        unread_times: None,
        events: None,
        mended_by_kind: Default::default(),
        order: Some(FileOrder::Mixed),
        whole_seconds: Some(true),
        longest_gap_s: Some(1.255),
        peak_rate_per_s: Some(60),
        event_hours: Some(1),
        bytes_per_tweet: Some(964.4),
        selected: 6_000,
        requested: "--speedup 1x".to_owned(),
        send_order: Order::Time,
        spread: true,
        planned_duration_s: Some(616.67),
        planned_rate_per_s: Some(9.73),
        send_hours: Some(2),
        files: vec![file("a.json", Format::Lines), file("b.json", Format::Array)],
    }
}

fn saved(name: &str, report: &RunReport) -> SavedReport {
    let mut json = Vec::new();
    write_json(report, &mut json).unwrap();
    SavedReport::read(name, &json[..]).unwrap()
}

/// The page at all widths; none of its lines is wider than the terminal.
fn at_all_widths(page: impl Fn(Layout) -> String) -> String {
    let mut all = String::new();
    let words = |page: &str| page.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let unwrapped = words(&page(Layout::default()));
    for columns in WIDTHS {
        let page = page(Layout { columns: Some(columns), colours: false });
        let widest = page.lines().max_by_key(|line| display_width(line)).unwrap();
        assert!(display_width(widest) <= columns, "{columns}: {widest}");
        // A comparison puts side by side what fits, and else one below the other.
        if !unwrapped.contains(&"against".to_owned()) {
            assert_eq!(words(&page), unwrapped, "{columns}: a word was broken");
        }
        all += &format!("{columns} columns {}\n{page}", "-".repeat(columns - 11));
    }
    all
}

#[test]
fn the_end_of_a_replay() {
    insta::assert_snapshot!(at_all_widths(|layout| summary_page(&report(), layout)));
}

#[test]
fn the_end_of_a_replay_into_druid() {
    insta::assert_snapshot!(at_all_widths(|layout| summary_page(&into_druid(), layout)));
}

#[test]
fn an_inspection() {
    insta::assert_snapshot!(at_all_widths(|layout| inspection_page(&inspection(), layout)));
}

#[test]
fn a_comparison() {
    let (a, b) = ([saved("before.json", &report())], [saved("after.json", &balanced())]);
    let compared = Comparison::of(&a, &b, &[]);
    insta::assert_snapshot!(at_all_widths(|layout| comparison_page(&compared, &a, &b, layout)));
}

#[test]
fn each_verdict_is_one_line_that_says_what_the_exit_code_means() {
    let mut lines = [balanced(), report()].iter().map(line).collect::<Vec<_>>();
    let mut crossed = balanced();
    crossed.judge(&["delivered>=6000", "lag.p99>5ms"].map(|words| words.parse().unwrap()));
    lines.push(line(&crossed));
    for (verdict, reasons, error) in [
        (Verdict::Incomplete, vec!["ended by an error: no space"], Some("cannot write x: No space left")),
        (Verdict::Unknown, vec!["the rows in Druid could not be counted: Druid's broker is away"], None),
        (Verdict::Unproven, vec!["acks=0: Kafka confirms nothing", "and more"], None),
        (Verdict::Unbalanced, vec!["1 tweet not acknowledged by Kafka"], None),
        (Verdict::Unbalanced, vec!["1 tweet not acknowledged by Kafka"], Some("No space left")),
    ] {
        let mut report = balanced();
        report.ledger.delivered -= u64::from(verdict == Verdict::Unbalanced);
        report.verdict = verdict;
        report.reasons = reasons.into_iter().map(str::to_owned).collect();
        report.error = error.map(str::to_owned);
        report.judge(&[]);
        lines.push(line(&report));
    }
    insta::assert_snapshot!(lines.concat());
}

fn line(report: &RunReport) -> String {
    verdict_line(report, Layout::default())
}

#[test]
fn colours_are_in_the_verdict_and_where_something_failed() {
    let page = summary_page(&report(), Layout { columns: None, colours: true });
    for painted in
        ["\u{1b}[33mincomplete\u{1b}[0m: ", "\u{1b}[31mSKIPPED\u{1b}[0m", "\u{1b}[31mFAILED\u{1b}[0m"]
    {
        assert!(page.contains(painted), "{painted:?}: {page}");
    }
}
