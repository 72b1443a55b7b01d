//! Numbers by time in a bounded number of steps, which become longer when there are too many.

use std::ops::Range;

/// Rows of numbers, one for each step of time.
#[derive(Debug)]
pub(super) struct Steps {
    every_s: u64,
    columns: usize,
    steps_max: usize,
    /// How two numbers of one column become one.
    join: fn(u64, u64) -> u64,
    /// Row by row; a cell that nothing was put in is 0.
    cells: Vec<u64>,
}

impl Steps {
    /// No step yet; each will be a second long, until there are more than `steps_max`.
    pub fn new(columns: usize, steps_max: usize, join: fn(u64, u64) -> u64) -> Self {
        Self { every_s: 1, columns, steps_max: steps_max.max(2), join, cells: Vec::new() }
    }

    /// Joins a number with what is in the step of that second.
    pub fn put(&mut self, second: u64, column: usize, number: u64) {
        let cell = self.reach(second) * self.columns + column;
        self.cells[cell] = (self.join)(self.cells[cell], number);
    }

    /// Makes sure that the step of that second is there; returns its number.
    pub fn reach(&mut self, second: u64) -> usize {
        while second / self.every_s >= self.steps_max as u64 {
            self.double();
        }
        let step = (second / self.every_s) as usize;
        if self.len() <= step {
            self.cells.resize((step + 1) * self.columns, 0);
        }
        step
    }

    /// Makes the steps at least this long.
    pub fn lengthen(&mut self, every_s: u64) {
        while self.every_s < every_s {
            self.double();
        }
    }

    fn double(&mut self) {
        self.every_s *= 2;
        let (columns, join) = (self.columns, self.join);
        let steps = self.len();
        for step in 0..steps {
            for column in 0..columns {
                let number = self.cells[step * columns + column];
                let cell = &mut self.cells[step / 2 * columns + column];
                *cell = if step % 2 == 0 { number } else { join(*cell, number) };
            }
        }
        self.cells.truncate(steps.div_ceil(2) * columns);
    }

    /// Seconds of a step.
    pub fn every_s(&self) -> u64 {
        self.every_s
    }

    /// Number of steps.
    pub fn len(&self) -> usize {
        self.cells.len() / self.columns
    }

    /// The numbers of a column in these steps; 0 where there is none yet.
    pub fn column(&self, column: usize, steps: Range<usize>) -> impl DoubleEndedIterator<Item = u64> + '_ {
        let cell = move |step| self.cells.get(step * self.columns + column).copied().unwrap_or(0);
        steps.map(cell)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn steps_double_when_there_are_too_many_and_keep_their_sums_and_maxima() {
        let (mut sums, mut greatest) = (Steps::new(2, 4, |a, b| a + b), Steps::new(1, 4, u64::max));
        for second in 0..11 {
            sums.put(second, 1, second);
            greatest.put(second, 0, second);
        }
        assert_eq!((sums.every_s(), greatest.every_s()), (4, 4));
        assert_eq!(sums.column(1, 0..3).collect::<Vec<_>>(), [1 + 2 + 3, 4 + 5 + 6 + 7, 8 + 9 + 10]);
        assert_eq!(greatest.column(0, 0..4).collect::<Vec<_>>(), [3, 7, 10, 0]);
        assert_eq!(sums.column(0, 0..3).sum::<u64>(), 0);
    }

    proptest! {
        #[test]
        fn whatever_is_put_in_stays_in_and_memory_is_bounded(
            numbers in prop::collection::vec((0u64..1 << 40, 0u64..1_000), 1..100),
        ) {
            let mut steps = Steps::new(1, 16, |a, b| a + b);
            for (second, number) in &numbers {
                steps.put(*second, 0, *number);
                prop_assert!(steps.len() <= 16 && steps.cells.capacity() <= 64);
            }
            let all: u64 = numbers.iter().map(|(_, number)| number).sum();
            prop_assert_eq!(steps.column(0, 0..steps.len()).sum::<u64>(), all);
        }
    }
}
