//! What is shown during a run: how far it is, for the live view of a terminal, else as a plain line every few
//! seconds on standard error.

use std::io::{Write, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::progress_line::ProgressLine;
use super::time_left::TimeLeft;
use super::{Screen, alternate};
use crate::count::Counters;

/// How often a plain line is written.
pub(super) const PLAIN_EVERY: Duration = Duration::from_secs(5);

/// Silence of Kafka, with something in flight, that is shown.
const KAFKA_SILENT: Duration = Duration::from_secs(3);

/// Rate and latency are those of the last seconds.
const RECENT_S: u64 = 5;

/// Progress through a file of `bytes` while it is looked through; call `set_position` on it.
pub fn prepare_bar(screen: &Screen, bytes: u64) -> ProgressBar {
    // A file that is read in a moment needs no bar.
    const BAR_FROM_BYTES: u64 = 64 << 20;
    if !screen.shows_progress() || !screen.is_terminal() || bytes < BAR_FROM_BYTES {
        return ProgressBar::hidden();
    }
    ProgressBar::new(bytes)
        .with_style(style("reading  {wide_bar} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left"))
}

/// Progress of a replay: told to the view, or written as a plain line every few seconds.
pub struct Progress {
    screen: Screen,
    started: Instant,
    last_plain: Instant,
    last_settled: (u64, Instant),
    last_update: Instant,
    time_left: Option<TimeLeft>,
    line: ProgressLine,
}

impl Progress {
    /// For a replay of `total` tweets that is planned to take so long, where that is known.
    pub fn new(screen: &Screen, total: Option<u64>, planned: Option<Duration>) -> Self {
        let now = Instant::now();
        Self {
            screen: screen.clone(),
            started: now,
            last_plain: now,
            last_settled: (0, now),
            last_update: now,
            time_left: planned.map(TimeLeft::of),
            line: ProgressLine { total, planned, speed_factor: 1.0, ..ProgressLine::default() },
        }
    }

    /// Looks at the counters and shows them when it is time to. `queryable`: rows in Druid, where they are counted.
    pub fn update(&mut self, counters: &Counters, queryable: Option<u64>) {
        let now = Instant::now();
        let (sent, delivered) = (counters.published.get(), counters.delivered.get());
        let settled = delivered + counters.failed.get();
        if settled != self.last_settled.0 || settled == sent {
            self.last_settled = (settled, now);
        }
        let seconds = (now - self.started).as_secs_f64().max(1e-9);
        let line = &mut self.line;
        (line.sent, line.delivered, line.in_flight) = (sent, delivered, sent.saturating_sub(settled));
        let recent = counters.series.recent(RECENT_S);
        line.rate_per_s = match recent.seconds {
            0 => sent as f64 / seconds,
            last => recent.published as f64 / last as f64,
        };
        line.acked_p99 = recent.acked_p99;
        line.queryable = queryable;
        line.silent = Some(now - self.last_settled.1).filter(|silent| *silent > KAFKA_SILENT);
        let passed = now.saturating_duration_since(std::mem::replace(&mut self.last_update, now));
        let goes_on = !line.is_paused && line.stopping.is_none() && sent > 0;
        if let Some(time_left) = self.time_left.as_mut().filter(|_| goes_on) {
            time_left.pass(passed, line.speed_factor);
        }
        // By the plan; where there is none, or it is over, by how fast it went.
        let planned = self.time_left.and_then(|time_left| time_left.at(line.speed_factor));
        line.left = planned.or_else(|| line.at_this_rate()).filter(|_| goes_on);
        self.screen.publish(line);
        let is_plain = !self.screen.has_view() || alternate::is_away();
        if is_plain && self.screen.shows_progress() && now - self.last_plain >= PLAIN_EVERY {
            self.last_plain = now;
            let _ = writeln!(stderr(), "{seconds:>6.0} s: {}", self.line.plain());
        }
    }

    /// Says what the user did to it: paused it, or changed its speed.
    pub fn set_state(&mut self, is_paused: bool, speed_factor: f64) {
        (self.line.is_paused, self.line.speed_factor) = (is_paused, speed_factor);
    }

    /// Shows how long the wait for Kafka may still last, after a stop.
    pub fn count_down(&mut self, left: Duration) {
        self.line.stopping = Some(left);
    }

    /// Does not count a time in which the process was stopped: nobody could have heard from Kafka.
    pub fn ignore_stop(&mut self, time: Duration) {
        self.last_settled.1 += time;
        self.last_update += time;
    }

    /// Says something in between.
    pub fn note(&self, words: &str) {
        self.screen.note(words);
    }

    /// The hops have ended: what is still waited for is not in their hands.
    pub fn finish(mut self) {
        (self.line.left, self.line.stopping, self.line.silent) = (None, None, None);
        self.line.is_paused = false;
        self.line.is_over = true;
        self.screen.publish(&self.line);
    }
}

pub(super) fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
