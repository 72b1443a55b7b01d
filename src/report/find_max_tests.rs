//! The page of a search.

use serde_json::json;

use super::find_max::{
    CapacityReport, CrossCheckReport, FIND_MAX_VERSION, FindMaxReport, HoldReport, LimitReport,
    RolloverReport, SearchReport, SearchVerdict, WaitReport, WantedRate,
};
use super::find_max_page::{find_max_page, verdict_words};
use super::page::Layout;
use crate::limit::{GeneratorLimit, Settings, Verdict};
use crate::report::{SegmentsReport, cost_words};

fn search(swept: Option<&str>, verdict: Verdict) -> SearchReport {
    let name = SearchVerdict::of(verdict);
    let held = match verdict {
        Verdict::Sustainable { rate } | Verdict::BreaksAtRollovers { rate } => Some(rate),
        _ => None,
    };
    let wait = |p99| Some(WaitReport { p50: 0.8, p99, max: 1.5 * p99 });
    SearchReport {
        run: "20261129T070000-abcd".into(),
        swept: swept.map(str::to_owned),
        verdict: name,
        words: verdict_words(verdict, held.map(|rate| rate / 2.0)),
        exit_code: name.exit_code(),
        sustainable_per_s: held,
        speedup: None,
        limit_above_per_s: None,
        not_stable_per_s: None,
        capacity: Some(CapacityReport {
            per_s: 22_442.0,
            half_width_per_s: 410.0,
            with_rollovers_per_s: 21_800.0,
            of_tasks: false,
            blocks: 41,
            warm_up_blocks: 3,
        }),
        holds: vec![HoldReport {
            rate_per_s: 21_320.0,
            seconds: 330.0,
            end: "breaks_at_rollovers",
            growth_per_s: 12.0,
            growth_half_width_per_s: 95.0,
            processed_per_s: 21_310.0,
            rollovers: 1,
            queryable_s: wait(3.2),
            queryable_with_rollovers_s: wait(12.6),
            limits: vec![LimitReport {
                expression: "queryable.p99<10s".into(),
                plain_s: Some(3.2),
                with_rollovers_s: Some(12.6),
                holds: true,
                holds_with_rollovers: false,
            }],
        }],
        cross_check: Some(CrossCheckReport {
            rate_per_s: 25_808.0,
            growth_per_s: 3_200.0,
            capacity_per_s: 22_608.0,
            agreement: 1.0074,
        }),
        rollovers: vec![RolloverReport {
            at_s: 512.0,
            backlog_before: 9_000.0,
            backlog_peak: 260_000.0,
            recovered_after_s: Some(71.0),
            kind: "rollover",
        }],
        tasks: 2,
        replicas: 1,
        worker_slots: 4,
        partitions: 2,
        per_task_per_s: held.map(|rate| rate / 2.0),
        per_core_per_s: None,
        task_duration_s: 300.0,
        segments: SegmentsReport { count: 6, rows: 9_000_000, bytes: 1 << 30 },
        handoff_max_s: Some(48.0),
        acked: 10,
        queryable: 10,
        failed_tasks: 0,
        seconds: 1_500.0,
        blocks: Vec::new(),
        datasource: "tweets-max-1".into(),
        kept: false,
        spec: json!({}),
        notes: vec!["no task rolled over in the hold".into()],
    }
}

fn page_of(searches: Vec<SearchReport>, wanted: Option<WantedRate>) -> String {
    let report = FindMaxReport {
        find_max_version: FIND_MAX_VERSION,
        tweetblast_version: "0",
        druid: "http://127.0.0.1:8888".into(),
        kafka: "127.0.0.1:9092".into(),
        quick: false,
        exit_code: searches[0].exit_code,
        searches,
        wanted,
        environment: super::Environment::of_process(String::new()),
    };
    find_max_page(&report, Layout::default())
}

#[test]
fn the_page_says_capacity_hold_check_rollover_and_at_last_the_verdict() {
    let page = page_of(vec![search(None, Verdict::BreaksAtRollovers { rate: 21_320.0 })], None);
    for words in [
        "22,442/s ± 410/s between rollovers, 21,800/s with them",
        "21,320/s for 5 min 30 s, 1 rollover: held; a limit breaks at the rollovers",
        "queryable with rollovers: p50 0.80 s, p99 12.6 s",
        "queryable.p99<10s does not hold at the rollovers",
        "+0.7 % of the capacity",
        "260,000 rows waited, 9,000 before; caught up after 1 min 11 s",
        "4 worker slots in all while tasks publish",
    ] {
        assert!(page.contains(words), "{words}\n{page}");
    }
    let last = page.lines().last().unwrap();
    assert!(last.contains("every rollover breaks a limit") && last.contains("--speedup 10660x"), "{last}");
}

#[test]
fn a_capacity_of_whole_tasks_is_not_called_one_between_rollovers() {
    let mut search = search(None, Verdict::BreaksAtRollovers { rate: 21_320.0 });
    search.capacity.as_mut().unwrap().of_tasks = true;
    let page = page_of(vec![search], None);
    let words = "22,442/s ± 410/s in the time of whole tasks, with their rollovers; in overload";
    assert!(page.contains(words), "{page}");
    assert!(page.contains("unread rows grew by 3,200/s; 22,608/s taken"), "{page}");
}

#[test]
fn a_sweep_has_a_table_and_the_tasks_for_a_rate() {
    let searches = vec![
        search(Some("/ioConfig/taskCount=1"), Verdict::Undecided { budget_over: true }),
        search(Some("/ioConfig/taskCount=2"), Verdict::Sustainable { rate: 21_320.0 }),
    ];
    let wanted =
        WantedRate { rows_per_s: 50_000.0, task_count: Some(5), measured: false, worker_slots: Some(10) };
    let page = page_of(searches, Some(wanted));
    let row = page.lines().find(|line| line.starts_with("  /ioConfig/taskCount=2")).unwrap();
    assert!(row.contains("21,320/s") && row.contains("10,660/s") && row.contains("260,000"), "{row}");
    assert!(page.contains("50,000/s 5 tasks, computed from rows/s and task, 10 worker slots"), "{page}");
}

#[test]
fn a_limit_that_is_not_druids_is_never_called_so() {
    let limits = [
        GeneratorLimit::TooSlow,
        GeneratorLimit::Late,
        GeneratorLimit::InputOver,
        GeneratorLimit::NoOverload,
        GeneratorLimit::KafkaReads,
    ];
    for limit in limits {
        let words = verdict_words(Verdict::GeneratorLimited { above: 9_000.0, limit }, None);
        assert!(
            words.starts_with("Druid's limit is above 9,000/s") && words.contains("not Druid's"),
            "{words}"
        );
        assert!(!words.contains("sustain"), "{words}");
    }
}

#[test]
fn what_a_search_may_cost_is_said_in_whole_seconds() {
    let words = cost_words(&Settings::quick(300.0, 3_593.132_872_543));
    assert_eq!(words, "typically 2 to 4 minutes, at most 59m53s (--budget)");
}
