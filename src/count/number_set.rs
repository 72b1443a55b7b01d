//! A set of whole numbers that are mostly without gaps: sequence numbers, offsets in a partition.

use std::collections::VecDeque;

/// Numbers of a page, and bits of a word.
const PAGE: u64 = 4_096;
const WORD: u64 = 64;

/// A bitmap in pages of 4,096 numbers. Full pages at its start take nothing, later ones 16 bytes.
///
/// The memory grows with the greatest number: callers must limit numbers that come from outside.
#[derive(Debug, Default, Clone)]
pub struct NumberSet {
    /// Pages at the start that are full.
    full: usize,
    /// Those after them.
    pages: VecDeque<NumberPage>,
    len: u64,
}

#[derive(Debug, Default, Clone)]
enum NumberPage {
    #[default]
    Empty,
    Part(Box<Bits>),
    Full,
}

#[derive(Debug, Clone)]
struct Bits {
    words: [u64; (PAGE / WORD) as usize],
    count: u64,
}

impl NumberSet {
    /// Whether `number` is new.
    pub fn insert(&mut self, number: u64) -> bool {
        let (page, bit) = ((number / PAGE) as usize, number % PAGE);
        let Some(page) = page.checked_sub(self.full) else { return false };
        if page >= self.pages.len() {
            self.pages.resize(page + 1, NumberPage::Empty);
        }
        let page = &mut self.pages[page];
        if let NumberPage::Empty = page {
            *page = NumberPage::Part(Box::new(Bits { words: [0; (PAGE / WORD) as usize], count: 0 }));
        }
        let NumberPage::Part(bits) = page else { return false };
        let word = &mut bits.words[(bit / WORD) as usize];
        let before = std::mem::replace(word, *word | 1 << (bit % WORD));
        let is_new = before != *word;
        if is_new {
            self.len += 1;
            bits.count += 1;
            if bits.count == PAGE {
                *page = NumberPage::Full;
                self.forget_full();
            }
        }
        is_new
    }

    fn forget_full(&mut self) {
        while let Some(NumberPage::Full) = self.pages.front() {
            self.pages.pop_front();
            self.full += 1;
        }
    }

    /// The page of this number.
    fn page(&self, number: usize) -> &NumberPage {
        match number.checked_sub(self.full) {
            None => &NumberPage::Full,
            Some(later) => self.pages.get(later).unwrap_or(&NumberPage::Empty),
        }
    }

    /// How many numbers are in it.
    pub fn len(&self) -> u64 {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many of its numbers are not in `other`, and the smallest of them.
    pub fn missing_in(&self, other: &NumberSet) -> (u64, Option<u64>) {
        let (mut count, mut first) = (0, None);
        for number in other.full..self.full + self.pages.len() {
            let (page, others) = (self.page(number), other.page(number));
            if matches!((page, others), (NumberPage::Empty, _) | (_, NumberPage::Full)) {
                continue;
            }
            for word in 0..PAGE / WORD {
                let missing = page.word(word) & !others.word(word);
                if missing != 0 {
                    let bit = u64::from(missing.trailing_zeros());
                    first.get_or_insert(number as u64 * PAGE + word * WORD + bit);
                    count += u64::from(missing.count_ones());
                }
            }
        }
        (count, first)
    }
}

impl NumberPage {
    fn word(&self, word: u64) -> u64 {
        match self {
            NumberPage::Empty => 0,
            NumberPage::Part(bits) => bits.words[word as usize],
            NumberPage::Full => u64::MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn set(numbers: impl IntoIterator<Item = u64>) -> NumberSet {
        let mut set = NumberSet::default();
        for number in numbers {
            set.insert(number);
        }
        set
    }

    #[test]
    fn full_pages_take_sixteen_bytes_or_nothing_and_still_know_their_numbers() {
        let mut full = set(0..10 * PAGE);
        assert_eq!(size_of::<NumberPage>(), 16);
        assert_eq!((full.full, full.pages.len()), (10, 0));
        let later = set(PAGE..10 * PAGE);
        assert!(later.pages.iter().skip(1).all(|page| matches!(page, NumberPage::Full)));
        assert_eq!((full.missing_in(&later), later.missing_in(&full)), ((PAGE, Some(0)), (0, None)));
        assert!(!full.insert(PAGE) && full.insert(10 * PAGE));
        assert_eq!(full.len(), 10 * PAGE + 1);
        assert_eq!(full.missing_in(&set(0..10 * PAGE)), (1, Some(10 * PAGE)));
        assert_eq!(set([3]).missing_in(&full), (0, None));
        assert!(NumberSet::default().is_empty());
    }

    proptest! {
        #[test]
        fn it_is_a_set(
            left in prop::collection::vec(0u64..20_000, 0..400),
            right in prop::collection::vec(0u64..20_000, 0..400),
            run in 0u64..9_000,
        ) {
            let (mut model, mut ours) = (BTreeSet::new(), NumberSet::default());
            for number in left.into_iter().chain(0..run) {
                prop_assert_eq!(ours.insert(number), model.insert(number));
            }
            prop_assert_eq!(ours.len(), model.len() as u64);
            let others: BTreeSet<u64> = right.iter().copied().collect();
            let missing: Vec<u64> = model.difference(&others).copied().collect();
            prop_assert_eq!(ours.missing_in(&set(right)), (missing.len() as u64, missing.first().copied()));
        }
    }
}
