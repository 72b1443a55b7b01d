//! Send order: by time, as in the file, or shuffled.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// In which order to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Oldest first.
    Time,
    /// As the file has them.
    File,
    /// A random permutation, the same for the same seed.
    Shuffle {
        /// Any number.
        seed: u64,
    },
}

/// [`Slot::group`] of a tweet that has a record of its own.
pub const NO_GROUP: u32 = u32::MAX;

/// Where one tweet of the file is, and when it was written: 24 bytes a tweet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Milliseconds since 1970 UTC; 0 in a file without times.
    pub event_time_ms: i64,
    /// Bytes from the start of the file to the record, or to the text inside of a group's record.
    pub offset: u64,
    /// Length of that.
    pub len: u32,
    /// Which group's text this is, or [`NO_GROUP`].
    pub group: u32,
}

/// How the tweets of a file lie in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileOrder {
    /// Each one as old as the one before, or younger.
    OldestFirst,
    /// Each one as old as the one before, or older.
    NewestFirst,
    /// Neither.
    Mixed,
}

impl FileOrder {
    /// In words for people.
    pub fn name(self) -> &'static str {
        match self {
            FileOrder::OldestFirst => "oldest first",
            FileOrder::NewestFirst => "newest first",
            FileOrder::Mixed => "not in order",
        }
    }
}

/// How these slots, in file order, lie in time.
pub fn observe_order(slots: &[Slot]) -> FileOrder {
    if slots.is_sorted_by_key(|slot| slot.event_time_ms) {
        FileOrder::OldestFirst
    } else if slots.is_sorted_by(|before, after| before.event_time_ms >= after.event_time_ms) {
        FileOrder::NewestFirst
    } else {
        FileOrder::Mixed
    }
}

/// Puts slots, given in file order, into send order. Tweets of one time keep the file's order,
/// turned round where the file has its newest first.
pub fn put_in_order(slots: &mut [Slot], order: Order) {
    match order {
        Order::File => {}
        Order::Time => {
            if observe_order(slots) == FileOrder::NewestFirst {
                slots.reverse();
            }
            slots.sort_by_key(|slot| slot.event_time_ms);
        }
        Order::Shuffle { seed } => slots.shuffle(&mut ChaCha8Rng::seed_from_u64(seed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(times: &[i64]) -> Vec<Slot> {
        let slot = |(at, time): (usize, &i64)| Slot {
            event_time_ms: *time,
            offset: at as u64,
            len: 1,
            group: NO_GROUP,
        };
        times.iter().enumerate().map(slot).collect()
    }

    fn sent(times: &[i64], order: Order) -> Vec<u64> {
        let mut slots = slots(times);
        put_in_order(&mut slots, order);
        slots.iter().map(|slot| slot.offset).collect()
    }

    #[test]
    fn a_slot_takes_24_bytes() {
        assert_eq!(size_of::<Slot>(), 24);
    }

    #[test]
    fn by_time_ties_keep_the_direction_of_the_file() {
        assert_eq!(sent(&[3, 1, 2, 1], Order::Time), [1, 3, 2, 0]);
        assert_eq!(sent(&[3, 2, 2, 1], Order::Time), [3, 2, 1, 0]);
    }

    #[test]
    fn a_shuffle_is_a_permutation_and_the_same_for_the_same_seed() {
        let times: Vec<i64> = (0..1_000).collect();
        let once = sent(&times, Order::Shuffle { seed: 1 });
        assert_eq!(once, sent(&times, Order::Shuffle { seed: 1 }));
        assert_ne!(once, sent(&times, Order::Shuffle { seed: 2 }));
        let mut sorted = once.clone();
        sorted.sort_unstable();
        assert_ne!(once, sorted);
        assert_eq!(sorted, (0..1_000).collect::<Vec<u64>>());
    }
}
