//! What is shown during a run: one moving line on a terminal, else a plain line every few
//! seconds. Both on standard error.

use std::io::{Write, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Screen;
use super::page::{Layout, Page, columns};
use super::progress_line::ProgressLine;
use super::time_left::TimeLeft;
use crate::count::Counters;

/// How often a plain line is written.
pub(super) const PLAIN_EVERY: Duration = Duration::from_secs(5);

/// Silence of Kafka, with something in flight, that is shown.
const KAFKA_SILENT: Duration = Duration::from_secs(3);

/// Rate and latency are those of the last seconds.
const RECENT_S: u64 = 5;

/// Width of a terminal that does not say.
const COLUMNS: usize = 80;

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

/// Progress of a replay.
pub struct Progress {
    bar: ProgressBar,
    plain: bool,
    started: Instant,
    last_plain: Instant,
    last_settled: (u64, Instant),
    last_update: Instant,
    time_left: Option<TimeLeft>,
    line: ProgressLine,
    columns: usize,
}

impl Progress {
    /// For a replay of `total` tweets that is planned to take so long, where that is known.
    pub fn new(screen: &Screen, total: Option<u64>, planned: Option<Duration>) -> Self {
        let now = Instant::now();
        let bar = if screen.shows_progress() && screen.is_terminal() {
            let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
            bar.with_style(style("{wide_msg}"))
        } else {
            ProgressBar::hidden()
        };
        screen.moves(&bar);
        Self {
            bar,
            plain: screen.shows_progress() && !screen.is_terminal(),
            started: now,
            last_plain: now,
            last_settled: (0, now),
            last_update: now,
            time_left: planned.map(TimeLeft::of),
            line: ProgressLine { total, speed_factor: 1.0, ..ProgressLine::default() },
            columns: columns(&stderr()).unwrap_or(COLUMNS),
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
        self.bar.set_position(sent);
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
        let estimated = line.total.map(|_| self.bar.eta());
        line.left = planned.or(estimated).filter(|_| goes_on);
        if self.plain && now - self.last_plain >= PLAIN_EVERY {
            self.last_plain = now;
            let _ = writeln!(stderr(), "{seconds:>6.0} s: {}", line.plain());
        }
        if !self.bar.is_hidden() {
            self.make_room();
            self.bar.set_message(self.line.fitted(self.columns));
        }
    }

    /// Takes the line away that a terminal has wrapped when it was made narrower.
    fn make_room(&mut self) {
        let before = std::mem::replace(&mut self.columns, columns(&stderr()).unwrap_or(COLUMNS));
        let rows = rows_above(before, self.columns);
        if rows > 0 {
            self.bar.suspend(|| {
                let _ = write!(stderr(), "\x1b[{rows}A\x1b[J");
            });
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
        if self.bar.is_hidden() && !self.plain {
            return;
        }
        let mut page = Page::new(Layout::of(&stderr()));
        page.line(words);
        self.bar.suspend(|| {
            let _ = stderr().write_all(page.finish().as_bytes());
        });
    }

    /// Takes the moving line away.
    pub fn finish(self) {
        self.bar.finish_and_clear();
    }
}

/// Rows above the last one that a line takes which filled its row before the terminal was resized.
fn rows_above(columns_before: usize, columns: usize) -> usize {
    columns_before.div_ceil(columns.max(1)).saturating_sub(1)
}

pub(super) fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_made_narrower_has_wrapped_the_line() {
        let resized = [(80, 80), (80, 120), (110, 70), (200, 45), (80, 0)];
        assert_eq!(resized.map(|(before, now)| rows_above(before, now)), [0, 0, 1, 4, 79]);
    }
}
