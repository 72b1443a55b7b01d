//! Send order: by time, as in the file, or shuffled.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// The order of sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Oldest first.
    Time,
    /// As in the file.
    File,
    /// As in the file, except that each tweet waits until this many more have come, and the oldest
    /// of the waiting ones is sent first.
    Window(usize),
    /// A random permutation, the same for the same seed.
    Shuffle { seed: u64 },
}

impl Order {
    /// A description, as in the plan and the JSON report.
    pub fn name(self) -> &'static str {
        match self {
            Order::Time => "oldest first",
            Order::File => "in the file's order",
            Order::Window(_) => "in the file's order, sorted in a window",
            Order::Shuffle { .. } => "shuffled",
        }
    }
}

/// Where one tweet of the input is, and when it was written: 24 bytes per tweet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Milliseconds since 1970 UTC; 0 in a file without times.
    pub event_time_ms: i64,
    /// Bytes from the start of the file to the record, or to the text inside a group's record.
    pub offset: u64,
    /// Length of the record or text.
    pub len: u32,
    /// Which file the tweet is in, and what it needs from around its record: a number that the
    /// creator of the slot defines.
    pub context: u32,
}

/// How the tweets of a file are ordered in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileOrder {
    /// Each one is as old as the one before, or newer.
    OldestFirst,
    /// Each one is as old as the one before, or older.
    NewestFirst,
    /// Neither.
    Mixed,
}

impl FileOrder {
    /// A description for people.
    pub fn name(self) -> &'static str {
        match self {
            FileOrder::OldestFirst => "oldest first",
            FileOrder::NewestFirst => "newest first",
            FileOrder::Mixed => "not in order",
        }
    }
}

/// Determines the order of tweets in time, one tweet after another.
#[derive(Debug, Clone, Copy, Default)]
pub struct OrderDetector {
    last_ms: Option<i64>,
    forward: bool,
    backward: bool,
}

impl OrderDetector {
    /// Adds the next tweet of the file.
    pub fn add(&mut self, time_ms: i64) {
        let last_ms = self.last_ms.replace(time_ms).unwrap_or(time_ms);
        self.forward |= time_ms > last_ms;
        self.backward |= time_ms < last_ms;
    }

    /// The order so far.
    pub fn order(&self) -> FileOrder {
        match (self.forward, self.backward) {
            (_, false) => FileOrder::OldestFirst,
            (false, true) => FileOrder::NewestFirst,
            (true, true) => FileOrder::Mixed,
        }
    }
}

/// Whether tweets come in the order of sending, so that sorting is not needed.
#[derive(Debug, Clone, Copy, Default)]
pub struct AscendingCheck {
    last: Option<(i64, Option<u64>)>,
}

impl AscendingCheck {
    /// Whether the next tweet, with its id if it has one, follows those before.
    pub fn accepts(&mut self, time_ms: i64, id: Option<u64>) -> bool {
        let (in_order, last_id) = match self.last {
            Some((last_ms, last_id)) if last_ms == time_ms => {
                (last_id.zip(id).is_none_or(|(last, this)| last <= this), last_id)
            }
            Some((last_ms, _)) => (last_ms < time_ms, None),
            None => (true, None),
        };
        self.last = Some((time_ms, id.or(last_id)));
        in_order
    }
}

/// Puts slots into send order. By time: at equal times, the one with the smaller `position` first.
/// The other orders take the slots as they come, in file order.
pub fn put_in_order<K: Ord>(slots: &mut [Slot], order: Order, position: impl Fn(&Slot) -> K) {
    match order {
        Order::File | Order::Window(_) => {}
        // In place: a stable sort would take half as much memory again as the slots.
        Order::Time => slots.sort_unstable_by(|a, b| {
            a.event_time_ms.cmp(&b.event_time_ms).then_with(|| position(a).cmp(&position(b)))
        }),
        Order::Shuffle { seed } => slots.shuffle(&mut ChaCha8Rng::seed_from_u64(seed)),
    }
}

/// Where sorted slots have equal times, sorts those with an id by id, within the places that these
/// have; those without keep theirs. Asks for ids only there, so that they need not be kept.
pub fn order_ties_by_id(slots: &mut [Slot], mut id: impl FnMut(&Slot) -> Option<u64>) {
    let (mut places, mut with_id) = (Vec::new(), Vec::new());
    for run in slots.chunk_by_mut(|before, after| before.event_time_ms == after.event_time_ms) {
        if run.len() == 1 {
            continue;
        }
        places.clear();
        with_id.clear();
        for (place, slot) in run.iter().enumerate() {
            if let Some(id) = id(slot) {
                places.push(place);
                with_id.push((id, place, *slot));
            }
        }
        with_id.sort_unstable_by_key(|(id, place, _)| (*id, *place));
        for (place, (_, _, slot)) in places.iter().zip(&with_id) {
            run[*place] = *slot;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn slots(times: &[i64]) -> Vec<Slot> {
        let slot =
            |(at, time): (usize, &i64)| Slot { event_time_ms: *time, offset: at as u64, len: 1, context: 0 };
        times.iter().enumerate().map(slot).collect()
    }

    fn sent(times: &[i64], order: Order, reversed: bool) -> Vec<u64> {
        let mut slots = slots(times);
        put_in_order(&mut slots, order, |slot| if reversed { !slot.offset } else { slot.offset });
        slots.iter().map(|slot| slot.offset).collect()
    }

    #[test]
    fn a_slot_takes_24_bytes() {
        assert_eq!(size_of::<Slot>(), 24);
    }

    #[test]
    fn by_time_ties_keep_the_direction_of_the_file() {
        assert_eq!(sent(&[3, 1, 2, 1], Order::Time, false), [1, 3, 2, 0]);
        assert_eq!(sent(&[3, 2, 2, 1], Order::Time, true), [3, 2, 1, 0]);
    }

    #[test]
    fn ties_are_put_in_order_of_ids_where_there_are_ids() {
        let ids = [Some(9), None, Some(3), Some(9), Some(1), Some(7), Some(2)];
        let mut slots = slots(&[5, 5, 5, 5, 5, 8, 9]);
        order_ties_by_id(&mut slots, |slot| ids[slot.offset as usize]);
        let order: Vec<u64> = slots.iter().map(|slot| slot.offset).collect();
        assert_eq!(order, [4, 1, 2, 0, 3, 5, 6], "equal ids keep the file's order");
    }

    #[test]
    fn the_order_of_a_file_is_seen_as_it_goes_by() {
        let order = |times: &[i64]| {
            let mut seen = OrderDetector::default();
            times.iter().for_each(|time| seen.add(*time));
            seen.order()
        };
        assert_eq!(order(&[1, 1, 2]), FileOrder::OldestFirst);
        assert_eq!(order(&[7]), FileOrder::OldestFirst);
        assert_eq!(order(&[3, 3, 2]), FileOrder::NewestFirst);
        assert_eq!(order(&[1, 3, 2]), FileOrder::Mixed);
    }

    #[test]
    fn a_shuffle_is_a_permutation_and_the_same_for_the_same_seed() {
        let times: Vec<i64> = (0..1_000).collect();
        let once = sent(&times, Order::Shuffle { seed: 1 }, false);
        assert_eq!(once, sent(&times, Order::Shuffle { seed: 1 }, false));
        assert_ne!(once, sent(&times, Order::Shuffle { seed: 2 }, false));
        let mut sorted = once.clone();
        sorted.sort_unstable();
        assert_ne!(once, sorted);
        assert_eq!(sorted, (0..1_000).collect::<Vec<u64>>());
    }

    proptest! {
        /// Reports "in order" if and only if sorting changes nothing.
        #[test]
        fn ascending_is_what_sorting_leaves_as_it_is(
            tweets in prop::collection::vec((0i64..4, prop::option::of(0u64..4)), 0..12),
        ) {
            let times: Vec<i64> = tweets.iter().map(|(time, _)| *time).collect();
            let mut sorted = slots(&times);
            put_in_order(&mut sorted, Order::Time, |slot| slot.offset);
            order_ties_by_id(&mut sorted, |slot| tweets[slot.offset as usize].1);
            let unchanged = sorted == slots(&times);
            let mut ascending = AscendingCheck::default();
            let in_order = tweets.iter().map(|(time, id)| ascending.accepts(*time, *id)).fold(true, |a, b| a & b);
            prop_assert_eq!(in_order, unchanged);
        }
    }
}
