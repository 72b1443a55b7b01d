//! CPU time by hop, from that of the threads.

use std::time::{Duration, Instant};

use crate::count::threads_cpu;

/// The hops, in the order in which a tweet passes them, and what is left.
pub(super) const HOPS: [&str; 5] = ["feed", "pace", "mqtt", "kafka", "other"];
const OTHER: usize = 4;

/// Remembers the last look.
#[derive(Debug)]
pub(super) struct HopCpu {
    looked: Instant,
    spent: [Duration; HOPS.len()],
}

impl HopCpu {
    pub fn new() -> Self {
        Self { looked: Instant::now(), spent: by_hop(&threads_cpu()) }
    }

    /// Share of one core since the last look, by hop; `None` where the system does not tell.
    pub fn shares(&mut self) -> Option<[f64; HOPS.len()]> {
        let threads = threads_cpu();
        let spent = by_hop(&threads);
        let before = std::mem::replace(&mut self.spent, spent);
        let passed = std::mem::replace(&mut self.looked, Instant::now()).elapsed().as_secs_f64();
        // A thread that has ended takes its time with it.
        let share = |hop: usize| spent[hop].saturating_sub(before[hop]).as_secs_f64() / passed.max(1e-3);
        (!threads.is_empty()).then(|| std::array::from_fn(share))
    }
}

fn by_hop(threads: &[(String, Duration)]) -> [Duration; HOPS.len()] {
    let mut spent = [Duration::ZERO; HOPS.len()];
    for (name, time) in threads {
        spent[hop_of(name)] += *time;
    }
    spent
}

/// The hop that a thread works for: rumqttd's router for mqtt; librdkafka's threads and the embedded endpoint's for
/// kafka.
fn hop_of(thread: &str) -> usize {
    match thread {
        "feed" | "input" => 0,
        "pace" => 1,
        name if name.starts_with("mqtt") || name.starts_with("router") => 2,
        name if name.starts_with("kafka") || name.starts_with("rdk:") => 3,
        _ => OTHER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_belong_to_hops_by_their_names() {
        let names = ["feed", "pace", "mqtt-outlet", "router-0", "kafka-client", "rdk:broker0", "tally"];
        assert_eq!(
            names.map(|name| HOPS[hop_of(name)]),
            ["feed", "pace", "mqtt", "mqtt", "kafka", "kafka", "other"]
        );
        let spent =
            by_hop(&[("kafka".into(), Duration::from_secs(2)), ("rdk:main".into(), Duration::from_secs(1))]);
        assert_eq!(spent[3], Duration::from_secs(3));
    }
}
