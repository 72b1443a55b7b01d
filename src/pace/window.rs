//! Sorts a stream by time within a window: saved streams step back by about a second.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Holds the last tweets of a stream, and returns the oldest of them when there are too many.
pub struct Window<T> {
    size: usize,
    waiting: BinaryHeap<Reverse<Entry<T>>>,
    arrived: u64,
}

struct Entry<T> {
    time_ms: i64,
    arrived: u64,
    tweet: T,
}

impl<T> Window<T> {
    /// A window of `size` tweets; with size 0 everything passes unchanged.
    pub fn new(size: usize) -> Self {
        Self { size, waiting: BinaryHeap::new(), arrived: 0 }
    }

    /// Takes a tweet, and returns one if the window is full: the oldest, and at equal times the one
    /// that came first.
    pub fn push(&mut self, time_ms: i64, tweet: T) -> Option<(i64, T)> {
        self.waiting.push(Reverse(Entry { time_ms, arrived: self.arrived, tweet }));
        self.arrived += 1;
        if self.waiting.len() > self.size { self.pop() } else { None }
    }

    /// Returns the oldest of those that are left.
    pub fn pop(&mut self) -> Option<(i64, T)> {
        let Reverse(entry) = self.waiting.pop()?;
        Some((entry.time_ms, entry.tweet))
    }

    /// Number of tweets in it.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Number of tweets that were added in total.
    pub fn arrived(&self) -> u64 {
        self.arrived
    }

    /// Times of the tweets in it, in any order.
    pub fn times_ms(&self) -> impl Iterator<Item = i64> + '_ {
        self.waiting.iter().map(|Reverse(entry)| entry.time_ms)
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.time_ms, self.arrived).cmp(&(other.time_ms, other.arrived))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn through(times: &[i64], size: usize) -> Vec<(i64, usize)> {
        let mut window = Window::new(size);
        let mut out: Vec<_> =
            times.iter().enumerate().filter_map(|(at, time)| window.push(*time, at)).collect();
        out.extend(std::iter::from_fn(|| window.pop()));
        out
    }

    #[test]
    fn steps_back_within_the_window_are_put_right_and_longer_ones_are_not() {
        let times: Vec<i64> = through(&[1, 3, 2, 5, 4, 0], 2).into_iter().map(|(time, _)| time).collect();
        assert_eq!(times, [1, 2, 3, 0, 4, 5]);
        assert_eq!(through(&[3, 1, 2], 0), [(3, 0), (1, 1), (2, 2)]);
    }

    proptest! {
        #[test]
        fn a_window_as_long_as_the_stream_is_a_stable_sort(times in prop::collection::vec(0i64..9, 0..40)) {
            let mut sorted: Vec<(i64, usize)> = times.iter().copied().zip(0..).collect();
            sorted.sort_by_key(|(time, _)| *time);
            prop_assert_eq!(through(&times, times.len()), sorted);
        }
    }
}
