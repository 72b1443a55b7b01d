//! What is seen while a run goes on: one moving line on a terminal, else a plain line every few
//! seconds. Both on standard error.

use std::time::{Duration, Instant};

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Screen;
use crate::count::Counters;

/// How often a plain line is written.
const PLAIN_EVERY: Duration = Duration::from_secs(5);

/// Silence of Kafka, with something in flight, that is worth a word.
const KAFKA_SILENT: Duration = Duration::from_secs(3);

/// Progress through a file of `bytes` while it is looked through; call `set_position` on it.
pub fn prepare_bar(screen: &Screen, bytes: u64) -> ProgressBar {
    // A file that is read in a blink needs no bar.
    const BAR_FROM_BYTES: u64 = 64 << 20;
    if !screen.shows_progress() || !screen.is_terminal() || bytes < BAR_FROM_BYTES {
        return ProgressBar::hidden();
    }
    ProgressBar::new(bytes)
        .with_style(style("reading  {bar:30} {bytes}/{total_bytes}  {bytes_per_sec}  ETA {eta}"))
}

/// Progress of a replay.
pub struct Progress {
    bar: ProgressBar,
    plain: bool,
    started: Instant,
    last_plain: Instant,
    last_delivered: (u64, Instant),
    total: Option<u64>,
    state: String,
}

impl Progress {
    /// For a replay of `total` tweets, where that is known.
    pub fn new(screen: &Screen, total: Option<u64>) -> Self {
        let now = Instant::now();
        let bar = if screen.shows_progress() && screen.is_terminal() {
            let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
            bar.with_style(style("{bar:24} {percent:>3} %  {msg}  ETA {eta}"))
        } else {
            ProgressBar::hidden()
        };
        let plain = screen.shows_progress() && !screen.is_terminal();
        screen.moves(&bar);
        Self {
            bar,
            plain,
            started: now,
            last_plain: now,
            last_delivered: (0, now),
            total,
            state: String::new(),
        }
    }

    /// Looks at the counters and shows them when it is time to.
    pub fn update(&mut self, counters: &Counters) {
        let now = Instant::now();
        let (published, delivered) = (counters.published.get(), counters.delivered.get());
        let settled = delivered + counters.failed.get();
        if settled != self.last_delivered.0 || settled == published {
            self.last_delivered = (settled, now);
        }
        let seconds = (now - self.started).as_secs_f64().max(1e-9);
        let silent = now - self.last_delivered.1;
        let waiting = match silent > KAFKA_SILENT {
            true => format!("  no word from Kafka for {}", HumanDuration(silent)),
            false => String::new(),
        };
        let message = format!(
            "{}{} sent  {}/s  {} delivered  {} in flight{waiting}",
            self.state,
            HumanCount(published),
            HumanCount((published as f64 / seconds) as u64),
            HumanCount(delivered),
            HumanCount(published.saturating_sub(settled)),
        );
        if self.plain && now - self.last_plain >= PLAIN_EVERY {
            self.last_plain = now;
            let of = self.total.map(|total| format!(" of {}", HumanCount(total))).unwrap_or_default();
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "{:>6.0} s{of}: {message}", seconds);
        }
        self.bar.set_position(published);
        self.bar.set_message(message);
    }

    /// Says what the user did to it: paused it, or changed its speed.
    pub fn set_state(&mut self, is_paused: bool, speed_times: f64) {
        self.state = match (is_paused, speed_times == 1.0) {
            (true, _) => "paused  ".to_owned(),
            (false, true) => String::new(),
            (false, false) => format!("speed × {speed_times}  "),
        };
    }

    /// Leaves out a time in which the process stood still: nobody could have heard from Kafka.
    pub fn leave_out(&mut self, time: Duration) {
        self.last_delivered.1 += time;
    }

    /// Says something in between.
    pub fn note(&self, words: &str) {
        if self.bar.is_hidden() && !self.plain {
            return;
        }
        use std::io::Write;
        self.bar.suspend(|| {
            let _ = writeln!(std::io::stderr(), "{words}");
        });
    }

    /// Takes the moving line away.
    pub fn finish(self) {
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
