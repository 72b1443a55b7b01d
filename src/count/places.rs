//! The places in Kafka that delivery reports name. An acknowledged message has one of its own, behind all that was
//! there before the run: otherwise the topic was deleted or made again in the meantime, and what was acknowledged
//! before is gone.

use std::collections::BTreeMap;

use super::NumberSet;

/// Offsets from the first one of a run on that are kept apart: far more than a run fills, and a bound on memory.
const REACH: u64 = 1 << 36;

/// Partition and offset of each delivery report, and those that cannot be.
#[derive(Debug, Default)]
pub struct Places {
    partitions: Vec<PartitionPlaces>,
    /// Reports of a place that was taken: reported before, or there before the run.
    pub taken: u64,
    /// Partition and offset of the first of them.
    pub first_taken: Option<(i32, i64)>,
    /// Reports without an offset.
    pub unknown: u64,
}

#[derive(Debug, Default)]
struct PartitionPlaces {
    start: i64,
    offsets: NumberSet,
}

impl Places {
    /// Given the offset behind the last message of each partition before the run.
    pub fn new(starts: &BTreeMap<i32, i64>) -> Self {
        let mut places = Self::default();
        for (partition, start) in starts {
            if let Some(places) = places.partition(*partition) {
                places.start = *start;
            }
        }
        places
    }

    /// Takes a report's place.
    pub fn take(&mut self, partition: i32, offset: i64) {
        let Some(places) = self.partition(partition).filter(|_| offset >= 0) else {
            self.unknown += 1;
            return;
        };
        let is_new = match u64::try_from(offset - places.start) {
            Ok(ahead) if ahead < REACH => places.offsets.insert(ahead),
            Ok(_) => {
                self.unknown += 1;
                return;
            }
            Err(_) => false,
        };
        if !is_new {
            self.taken += 1;
            self.first_taken.get_or_insert((partition, offset));
        }
    }

    fn partition(&mut self, partition: i32) -> Option<&mut PartitionPlaces> {
        let number = usize::try_from(partition).ok()?;
        if number >= self.partitions.len() {
            self.partitions.resize_with(number + 1, PartitionPlaces::default);
        }
        self.partitions.get_mut(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(starts: &[(i32, i64)], reports: &[(i32, i64)]) -> (u64, Option<(i32, i64)>, u64) {
        let mut places = Places::new(&starts.iter().copied().collect());
        reports.iter().for_each(|(partition, offset)| places.take(*partition, *offset));
        (places.taken, places.first_taken, places.unknown)
    }

    #[test]
    fn places_of_their_own_are_fine_in_any_order_and_with_gaps() {
        assert_eq!(taken(&[(1, 50)], &[(0, 0), (1, 53), (0, 7), (1, 50), (1, 52), (9, 0)]), (0, None, 0));
    }

    #[test]
    fn a_place_that_comes_twice_shows_that_the_topic_was_made_again() {
        let reports = [(0, 0), (1, 0), (0, 1), (0, 2), (0, 0), (0, 1), (0, 3)];
        assert_eq!(taken(&[], &reports), (2, Some((0, 0)), 0));
    }

    #[test]
    fn a_place_from_before_the_run_shows_it_too() {
        assert_eq!(taken(&[(0, 100)], &[(0, 100), (0, 101), (0, 4)]), (1, Some((0, 4)), 0));
    }

    #[test]
    fn without_an_offset_nothing_is_known() {
        assert_eq!(taken(&[], &[(0, -1), (0, -1001), (-1, 5), (0, i64::MAX)]), (0, None, 4));
    }
}
