//! Frames at several sizes, as text; and that no size is too small.

use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;

use super::draw::draw;
use super::state::{Curve, CurveKind, Hop, Keys, Latency, Mood, ViewState};
use super::theme::Theme;
use crate::count::LatencyMs;

fn curve(kind: CurveKind, now: &str, total: &str, of: impl Fn(f64) -> f64) -> Curve {
    let values = (0..38).map(|second| of(f64::from(second))).collect();
    Curve { kind, now: now.into(), total: total.into(), values, every_s: 1.0 }
}

fn latency(name: &'static str, ms: f64) -> Latency {
    let ms = LatencyMs { p50: ms, p90: ms * 2.0, p99: ms * 5.0, p999: ms * 9.0, max: ms * 11.0 };
    Latency { name, ms: Some(ms) }
}

/// Into a Kafka that is away and a Druid.
fn druid_run() -> ViewState {
    let wave = |second: f64| 800.0 + 200.0 * (second / 4.0).sin();
    let away = |second: f64, rate: f64| if (20.0..26.0).contains(&second) { 0.0 } else { rate };
    ViewState {
        title: "tweetblast 20261129T101500-abcd".into(),
        doing: "no word from Kafka for 4 s".into(),
        mood: Mood::Bad,
        done: Some(0.527),
        counts: "31,620 of 60,000 sent".into(),
        more_counts: "31,100 delivered, 30,980 queryable".into(),
        left: "34 s left".into(),
        elapsed: Some(Duration::from_secs(38)),
        curves: vec![
            curve(CurveKind::Asked, "1,000/s", "31,700", wave),
            curve(CurveKind::Sent, "998/s", "31,620", wave),
            curve(CurveKind::Acked, "0/s", "31,100", |second| away(second, wave(second))),
            curve(CurveKind::Queryable, "950/s", "30,980", |second| away(second, 0.9 * wave(second))),
            curve(CurveKind::Backlog, "120", "", |second| away(second, 300.0 * second)),
        ],
        span_s: 60.0,
        latencies: vec![latency("lag", 0.08), latency("acked", 3.2), Latency { name: "queryable", ms: None }],
        hops: vec![
            Hop { name: "feed", cpu: Some(0.12), blocked: Some(0.88) },
            Hop { name: "pace", cpu: Some(0.03), blocked: Some(0.0) },
            Hop { name: "mqtt", cpu: Some(0.61), blocked: Some(0.4) },
            Hop { name: "kafka", cpu: Some(1.07), blocked: Some(0.31) },
            Hop { name: "other", cpu: Some(0.05), blocked: None },
        ],
        bottleneck: "kafka away",
        druid: "running, rollover in 4 min 10 s, 2 tasks read, 1 publishes".into(),
        lines: vec![
            (Duration::from_secs(3), "druid      no word from Druid (refused): what is sent waits".into()),
            (Duration::from_secs(9), "druid      Druid is back after 6.10 s".into()),
            (
                Duration::from_secs(34),
                "no word from Kafka at 127.0.0.1:9092 (Connection refused): what is sent waits".into(),
            ),
        ],
        keys: Keys::Replay,
        explains: false,
    }
}

/// At full speed, into the embedded Kafka, in its first second.
fn first_second() -> ViewState {
    ViewState {
        title: "tweetblast 20261129T101500-abcd".into(),
        doing: "sending".into(),
        counts: "112,000 sent".into(),
        more_counts: "111,800 delivered, 200 in flight".into(),
        elapsed: Some(Duration::ZERO),
        span_s: 10.0,
        ..ViewState::default()
    }
}

fn search() -> ViewState {
    let run = druid_run();
    ViewState {
        title: "tweets-max-20261129t101500-abcd".into(),
        doing: "hold 9,500/s".into(),
        mood: Mood::Good,
        done: None,
        counts: "capacity 10,000/s ± 150/s".into(),
        more_counts: String::new(),
        left: "5 min 05 s to 12 min 10 s left".into(),
        keys: Keys::Search,
        bottleneck: "none",
        ..run
    }
}

fn frame(state: &ViewState, (width, height): (u16, u16)) -> TestBackend {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(state, Theme { colours: false }, frame)).unwrap();
    terminal.backend().clone()
}

#[test]
fn a_run_with_druid_at_60_by_15() {
    insta::assert_snapshot!(frame(&druid_run(), (60, 15)));
}

#[test]
fn a_run_with_druid_at_80_by_24() {
    insta::assert_snapshot!(frame(&druid_run(), (80, 24)));
}

#[test]
fn a_run_with_druid_at_200_by_50() {
    insta::assert_snapshot!(frame(&druid_run(), (200, 50)));
}

#[test]
fn the_first_second_and_a_search_at_80_by_24() {
    insta::assert_snapshot!(format!("{}\n{}", frame(&first_second(), (80, 24)), frame(&search(), (80, 24))));
}

#[test]
fn the_help_at_60_by_15() {
    insta::assert_snapshot!(frame(&ViewState { explains: true, ..druid_run() }, (60, 15)));
}

#[test]
fn no_size_is_too_small_or_too_large_and_what_it_does_is_always_there() {
    let states = [
        druid_run(),
        ViewState { explains: true, ..druid_run() },
        first_second(),
        ViewState::default(),
        search(),
    ];
    for state in &states {
        for width in [0, 1, 2, 5, 9, 10, 11, 21, 22, 23, 40, 61, 80, 109, 110, 111, 400] {
            for height in [0, 1, 2, 3, 4, 5, 6, 7, 9, 12, 15, 19, 20, 21, 33, 120] {
                frame(state, (width, height));
            }
        }
    }
    for height in 1..20 {
        let text = frame(&druid_run(), (60, height)).to_string();
        assert!(text.contains("no word from Kafka for 4 s"), "{height}:\n{text}");
    }
}

#[test]
fn there_are_colours_only_where_they_are_wanted() {
    let colours = |colours: bool| {
        let mut terminal = Terminal::new(TestBackend::new(120, 40)).unwrap();
        terminal.draw(|frame| draw(&druid_run(), Theme { colours }, frame)).unwrap();
        let cells = terminal.backend().buffer().content.clone();
        cells.iter().filter(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset).count()
    };
    assert_eq!(colours(false), 0);
    assert!(colours(true) > 100, "{}", colours(true));
}
