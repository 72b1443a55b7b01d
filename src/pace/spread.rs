//! Spreads tweets of one whole second over that second: most files have no finer times, and would
//! be sent in bursts.

use super::Slot;

/// Milliseconds of a second.
const SECOND_MS: i64 = 1_000;

/// Whether a time may be rounded to a second.
pub fn is_whole_second(time_ms: i64) -> bool {
    time_ms % SECOND_MS == 0
}

/// Event time in microseconds of the `k`th (from 0) of `n` tweets that were written in the second
/// that begins at `time_ms`: (k+½)/n of a second later.
pub fn spread_us(time_ms: i64, k: u64, n: u64) -> i64 {
    let within_us = (2 * k + 1).saturating_mul(1_000_000) / (2 * n.max(1));
    whole_us(time_ms).saturating_add(i64::try_from(within_us).unwrap_or(i64::MAX))
}

/// Milliseconds as microseconds.
pub fn whole_us(time_ms: i64) -> i64 {
    time_ms.saturating_mul(1_000)
}

/// Slots in the order of sending, each with its event time in microseconds; with `spread`, those of
/// equal times are spread over a second.
pub fn event_times_us(slots: &[Slot], spread: bool) -> impl Iterator<Item = (Slot, i64)> + '_ {
    slots.chunk_by(|before, after| before.event_time_ms == after.event_time_ms).flat_map(move |run| {
        run.iter().enumerate().map(move |(k, slot)| {
            let us = match spread {
                true => spread_us(slot.event_time_ms, k as u64, run.len() as u64),
                false => whole_us(slot.event_time_ms),
            };
            (*slot, us)
        })
    })
}

/// The next item of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coming<T> {
    /// A tweet with its time in milliseconds; after spreading in microseconds.
    Tweet(i64, T),
    /// Nothing came for a moment.
    Nothing,
    /// Nothing came for so long that the tweets held back are released.
    Lull,
}

/// As [`event_times_us`], for tweets that come one by one, with their times: keeps those of equal
/// times until the next one or a lull comes.
pub struct SpreadRuns<T, I> {
    inner: I,
    spread: bool,
    /// Tweets with the same time; more of them may come.
    run: Vec<T>,
    run_ms: i64,
    /// The previous run, which is being returned.
    out: std::vec::IntoIter<T>,
    out_ms: i64,
    out_length: u64,
}

impl<T, I: Iterator<Item = Coming<T>>> SpreadRuns<T, I> {
    /// Spreads what comes from `inner`, or passes it on unchanged.
    pub fn new(inner: I, spread: bool) -> Self {
        let out = Vec::new().into_iter();
        Self { inner, spread, run: Vec::new(), run_ms: 0, out, out_ms: 0, out_length: 0 }
    }

    /// The source of the tweets.
    pub fn inner(&self) -> &I {
        &self.inner
    }

    fn end_run(&mut self) {
        let run = std::mem::take(&mut self.run);
        (self.out_ms, self.out_length) = (self.run_ms, run.len() as u64);
        self.out = run.into_iter();
    }
}

impl<T, I: Iterator<Item = Coming<T>>> Iterator for SpreadRuns<T, I> {
    type Item = Coming<T>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let k = self.out_length - self.out.len() as u64;
            if let Some(tweet) = self.out.next() {
                return Some(Coming::Tweet(spread_us(self.out_ms, k, self.out_length), tweet));
            }
            match self.inner.next() {
                Some(Coming::Tweet(time_ms, tweet)) if !self.spread => {
                    return Some(Coming::Tweet(whole_us(time_ms), tweet));
                }
                Some(Coming::Tweet(time_ms, tweet)) => {
                    if time_ms != self.run_ms {
                        self.end_run();
                        self.run_ms = time_ms;
                    }
                    self.run.push(tweet);
                }
                Some(Coming::Nothing) => return Some(Coming::Nothing),
                // The run is returned first; the lull has had its effect.
                Some(Coming::Lull) | None if !self.run.is_empty() => self.end_run(),
                other => return other,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(times_ms: &[i64]) -> Vec<Slot> {
        let slot =
            |(at, time): (usize, &i64)| Slot { event_time_ms: *time, offset: at as u64, len: 1, context: 0 };
        times_ms.iter().enumerate().map(slot).collect()
    }

    #[test]
    fn n_events_of_one_second_lie_at_k_and_a_half_nths_in_their_order() {
        let slots = slots(&[1_000, 1_000, 1_000, 1_000, 3_000, -1_000]);
        let spread: Vec<(u64, i64)> =
            event_times_us(&slots, true).map(|(slot, us)| (slot.offset, us)).collect();
        assert_eq!(
            spread,
            [(0, 1_125_000), (1, 1_375_000), (2, 1_625_000), (3, 1_875_000), (4, 3_500_000), (5, -500_000)]
        );
        let kept: Vec<i64> = event_times_us(&slots, false).map(|(_, us)| us).collect();
        assert_eq!(kept, [1_000_000, 1_000_000, 1_000_000, 1_000_000, 3_000_000, -1_000_000]);
    }

    #[test]
    fn one_by_one_gives_the_same_as_all_at_once() {
        let slots = slots(&[0, 0, 0, 5_000, 6_000, 6_000, 5_000]);
        for spread in [true, false] {
            let at_once: Vec<(u64, i64)> =
                event_times_us(&slots, spread).map(|(slot, us)| (slot.offset, us)).collect();
            let stream = slots.iter().map(|slot| Coming::Tweet(slot.event_time_ms, slot.offset));
            let one_by_one: Vec<(u64, i64)> = SpreadRuns::new(stream, spread)
                .map(|coming| match coming {
                    Coming::Tweet(us, offset) => (offset, us),
                    other => panic!("{other:?}"),
                })
                .collect();
            assert_eq!(at_once, one_by_one);
        }
    }

    #[test]
    fn a_lull_lets_the_last_second_go_and_a_moment_does_not() {
        use Coming::{Lull, Nothing, Tweet};
        let stream =
            [Tweet(1_000, 'a'), Nothing, Tweet(1_000, 'b'), Lull, Nothing, Tweet(1_000, 'c'), Lull, Lull];
        let spread: Vec<Coming<char>> = SpreadRuns::new(stream.into_iter(), true).collect();
        assert_eq!(
            spread,
            [Nothing, Tweet(1_250_000, 'a'), Tweet(1_750_000, 'b'), Nothing, Tweet(1_500_000, 'c'), Lull]
        );
    }
}
