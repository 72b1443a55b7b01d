//! Latencies so far, for those who look while a run goes on; kept only if somebody does.

use std::sync::{Mutex, OnceLock, PoisonError};

use hdrhistogram::Histogram;

use super::{Slowest, new_histogram};

/// Nothing until [`keep`](Self::keep) is called.
#[derive(Debug, Default)]
pub struct LiveLatencies(OnceLock<Mutex<LatenciesSoFar>>);

/// All that was measured up to the last whole second, warm-up included.
#[derive(Debug, Clone)]
pub struct LatenciesSoFar {
    pub lag_us: Histogram<u64>,
    pub acked_us: Histogram<u64>,
}

impl LiveLatencies {
    /// From here on latencies are kept.
    pub fn keep(&self) {
        self.0.get_or_init(|| {
            Mutex::new(LatenciesSoFar { lag_us: new_histogram(), acked_us: new_histogram() })
        });
    }

    /// Adds what was measured in a second.
    pub fn add(&self, what: Slowest, recent_us: &Histogram<u64>) {
        let Some(kept) = self.0.get() else { return };
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        let histogram_us = match what {
            Slowest::Lag => &mut kept.lag_us,
            Slowest::Acked => &mut kept.acked_us,
        };
        // All have the same bounds.
        let _ = histogram_us.add(recent_us);
    }

    /// All of it; `None`: it is not kept.
    pub fn all(&self) -> Option<LatenciesSoFar> {
        Some(self.0.get()?.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}
