//! The backlog over time, in a bounded number of points.

use std::time::Instant;

use serde::Serialize;

/// Points kept at most.
const POINTS_MAX: usize = 200;

/// How many tweets had been delivered, and how many rows could be queried, at one time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BacklogPoint {
    /// Seconds since the first send.
    pub at_s: f64,
    /// Tweets that Kafka had acknowledged.
    pub delivered: u64,
    /// Rows that Druid counted.
    pub queryable: u64,
}

/// A curve of bounded length: when it is full, every second point is removed, and from then on
/// fewer are added. The last point is always kept.
#[derive(Debug, Default)]
pub(super) struct Curve {
    pub points: Vec<(Instant, u64, u64)>,
    /// One of `2^skip` points is kept.
    skip: u32,
    taken: u64,
}

impl Curve {
    /// Adds the counts at one moment: delivered, and queryable.
    pub fn add(&mut self, point: (Instant, u64, u64)) {
        // The last point is replaced until another one is kept.
        if self.taken > 0 && !(self.taken - 1).is_multiple_of(1 << self.skip) {
            self.points.pop();
        }
        self.taken += 1;
        self.points.push(point);
        if self.points.len() > POINTS_MAX {
            let mut index = 0;
            self.points.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.skip += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_is_bounded_and_has_its_first_and_last_point() {
        let (mut curve, start) = (Curve::default(), Instant::now());
        for n in 0..=12_345 {
            curve.add((start, n, n));
            assert!(curve.points.len() <= POINTS_MAX);
            assert_eq!(curve.points.last().unwrap().1, n);
        }
        assert_eq!(curve.points[0].1, 0);
        assert!(curve.points.len() > POINTS_MAX / 3 && curve.points.is_sorted_by(|a, b| a.1 < b.1));
    }
}
