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

/// As [`event_times_us`], for tweets that come one by one, with their times: keeps those of equal
/// times until the next one has come.
pub struct SpreadRuns<T, I: Iterator<Item = (i64, T)>> {
    inner: std::iter::Peekable<I>,
    spread: bool,
    run: std::vec::IntoIter<T>,
    time_ms: i64,
    length: u64,
}

impl<T, I: Iterator<Item = (i64, T)>> SpreadRuns<T, I> {
    /// Spreads what comes from `inner`, or passes it on unchanged.
    pub fn new(inner: I, spread: bool) -> Self {
        Self { inner: inner.peekable(), spread, run: Vec::new().into_iter(), time_ms: 0, length: 0 }
    }
}

impl<T, I: Iterator<Item = (i64, T)>> Iterator for SpreadRuns<T, I> {
    type Item = (i64, i64, T);

    /// Event time in milliseconds, in microseconds after spreading, and the tweet.
    fn next(&mut self) -> Option<Self::Item> {
        if !self.spread {
            let (time_ms, tweet) = self.inner.next()?;
            return Some((time_ms, whole_us(time_ms), tweet));
        }
        if self.run.len() == 0 {
            let (time_ms, first) = self.inner.next()?;
            let mut run = vec![first];
            while let Some((_, tweet)) = self.inner.next_if(|(next_ms, _)| *next_ms == time_ms) {
                run.push(tweet);
            }
            (self.time_ms, self.length) = (time_ms, run.len() as u64);
            self.run = run.into_iter();
        }
        let k = self.length - self.run.len() as u64;
        let tweet = self.run.next()?;
        Some((self.time_ms, spread_us(self.time_ms, k, self.length), tweet))
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
            let stream = slots.iter().map(|slot| (slot.event_time_ms, slot.offset));
            let one_by_one: Vec<(u64, i64)> =
                SpreadRuns::new(stream, spread).map(|(_, us, offset)| (offset, us)).collect();
            assert_eq!(at_once, one_by_one);
        }
    }
}
