//! What the benches of hops that only compute have in common.

use std::time::Duration;

use criterion::Criterion;

/// One second to warm up and three to measure, so that the whole set takes less than ten minutes, also on
/// a slow day. What the command line says stands over it.
pub fn criterion() -> Criterion {
    Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3))
}
