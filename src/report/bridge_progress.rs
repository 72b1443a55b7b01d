//! What is shown while a bridge runs: a line now and then.

use std::io::{Write, stderr};
use std::time::{Duration, Instant};

use super::Screen;
use super::bridge::{BridgeLedger, bridge_line};

/// How often a line is written where somebody looks, and into a log: a bridge runs for weeks.
const ON_TERMINAL: Duration = Duration::from_secs(5);
const IN_LOG: Duration = Duration::from_secs(60);

/// The rate is that of this time.
const RATE_OVER: Duration = Duration::from_secs(1);

/// The line.
pub struct BridgeProgress {
    /// `None`: there is none.
    every: Option<Duration>,
    started: Instant,
    last_line: Instant,
    /// When the rate was last looked at, and what had been received then.
    last_rate: (Instant, u64),
    rate_per_s: f64,
}

impl BridgeProgress {
    /// On this screen.
    pub fn new(screen: &Screen) -> Self {
        let now = Instant::now();
        let every = if screen.is_terminal() { ON_TERMINAL } else { IN_LOG };
        Self {
            every: screen.shows_progress().then_some(every),
            started: now,
            last_line: now,
            last_rate: (now, 0),
            rate_per_s: 0.0,
        }
    }

    /// Shows the ledger when it is time to; `away`: how long Kafka has been.
    pub fn update(&mut self, ledger: &BridgeLedger, away: Option<Duration>) {
        let now = Instant::now();
        let since = now - self.last_rate.0;
        if since >= RATE_OVER {
            self.rate_per_s = ledger.received.saturating_sub(self.last_rate.1) as f64 / since.as_secs_f64();
            self.last_rate = (now, ledger.received);
        }
        if self.every.is_some_and(|every| now - self.last_line >= every) {
            self.last_line = now;
            let seconds = (now - self.started).as_secs_f64();
            let _ = writeln!(stderr(), "{seconds:>6.0} s: {}", bridge_line(ledger, self.rate_per_s, away));
        }
    }
}
