//! The start of a replay.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The start of the replay on both clocks, read once.
#[derive(Clone, Copy)]
pub(super) struct Anchor {
    pub instant: Instant,
    pub wall_ms: i64,
}

impl Anchor {
    /// Reads the other clock too.
    pub fn now(instant: Instant) -> Self {
        Self { instant, wall_ms: wall_clock_ms() }
    }

    /// The time this long after it.
    pub fn at(&self, due: Duration) -> Instant {
        // Beyond the range of the clock: not within this process's lifetime.
        self.instant.checked_add(due).unwrap_or(self.instant + Duration::from_secs(1 << 32))
    }
}

fn wall_clock_ms() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX)
}
