//! Whether the partitions that messages wait for are still there: a topic that was deleted and made again with fewer
//! of them is no outage that ends.

use std::time::{Duration, Instant};

/// Time between two questions while Kafka is silent; each blocks the producer's thread, which has nothing to do.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// Answers in a row that must say so: between two answers a topic may be about to be made.
const ANSWERS: u32 = 2;

/// What is known of the number of partitions.
#[derive(Debug, Default)]
pub(super) struct Partitions {
    /// Before the first message; 0: not known.
    pub before: usize,
    asked: Option<Instant>,
    fewer: u32,
}

impl Partitions {
    /// Asks for the number of partitions if it is time to; gives it when some of those before are gone. `count` gives
    /// `None` where Kafka does not say.
    pub fn gone(&mut self, now: Instant, count: impl FnOnce() -> Option<usize>) -> Option<usize> {
        if self.asked.is_some_and(|asked| now.saturating_duration_since(asked) < ASK_EVERY) {
            return None;
        }
        self.asked = Some(now);
        let now_there = count().filter(|count| (1..self.before).contains(count));
        self.fewer = if now_there.is_some() { self.fewer + 1 } else { 0 };
        now_there.filter(|_| self.fewer >= ANSWERS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_gone_when_two_answers_in_a_row_know_fewer() {
        let mut now = Instant::now();
        let mut partitions = Partitions { before: 3, ..Partitions::default() };
        let mut answers = |all: &[Option<usize>]| {
            let gone = all.iter().map(|answer| {
                now += ASK_EVERY;
                partitions.gone(now, || *answer)
            });
            gone.collect::<Vec<_>>()
        };
        assert_eq!(answers(&[Some(3), None, Some(1), Some(0), Some(1), Some(4)]), [None; 6]);
        assert_eq!(answers(&[Some(1), Some(2)]), [None, Some(2)]);
        assert_eq!(partitions.gone(now, || panic!("too early")), None);
    }
}
