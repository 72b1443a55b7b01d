//! Where a search for the highest rate is.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::state::{Curve, CurveKind};
use crate::report::words::rate;
use indicatif::HumanCount;

/// Samples that are kept: of two hours, one per second. More replace the oldest.
const SAMPLES_MAX: usize = 7_200;

/// Written by the search, read by the view.
#[derive(Debug)]
pub struct SearchNow(Mutex<Known>);

#[derive(Debug, Default)]
pub(super) struct Known {
    pub title: String,
    /// What it does, and why.
    pub doing: String,
    pub left: String,
    /// What is known of the capacity, and the limits.
    pub found: String,
    samples: Vec<SearchSample>,
}

/// What is known at one moment. Counts are those of the whole search.
#[derive(Debug, Clone, Copy, Default)]
pub struct SearchSample {
    /// Rows per second that the search orders now.
    pub asked_per_s: f64,
    pub acked: u64,
    pub processed: u64,
    pub queryable: u64,
}

impl SearchNow {
    /// For a search with this topic that has just begun.
    pub fn new(topic: &str) -> Self {
        Self(Mutex::new(Known { title: topic.to_owned(), doing: "starting".to_owned(), ..Known::default() }))
    }

    /// It does something else now.
    pub fn set_words(&self, doing: String, found: String) {
        let mut known = self.lock();
        (known.doing, known.found) = (doing, found);
    }

    /// As [`set_words`](Self::set_words) had it last.
    #[cfg(test)]
    pub fn doing(&self) -> String {
        self.lock().doing.clone()
    }

    /// A second has passed.
    pub fn sample(&self, sample: SearchSample, left: &str) {
        let mut known = self.lock();
        left.clone_into(&mut known.left);
        if known.samples.len() == SAMPLES_MAX {
            known.samples.remove(0);
        }
        known.samples.push(sample);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// One point per second.
    pub fn curves(&self) -> Vec<Curve> {
        let per_s = |kind, of: fn(&SearchSample) -> u64| {
            let values =
                self.samples.windows(2).map(|pair| (of(&pair[1]).saturating_sub(of(&pair[0]))) as f64);
            curve(kind, values.collect(), self.samples.last().map(of))
        };
        let asked = self.samples.iter().skip(1).map(|sample| sample.asked_per_s).collect();
        let waiting = |sample: &SearchSample| sample.acked.saturating_sub(sample.queryable) as f64;
        vec![
            curve(CurveKind::Asked, asked, None),
            per_s(CurveKind::Acked, |sample| sample.acked),
            per_s(CurveKind::Processed, |sample| sample.processed),
            per_s(CurveKind::Queryable, |sample| sample.queryable),
            curve(CurveKind::Backlog, self.samples.iter().skip(1).map(waiting).collect(), None),
        ]
    }
}

/// A curve with one value per second.
fn curve(kind: CurveKind, values: Vec<f64>, total: Option<u64>) -> Curve {
    let last = values.last().copied().unwrap_or(0.0);
    let now = if kind.is_rate() { rate(last) } else { HumanCount(last as u64).to_string() };
    let total = total.map_or(String::new(), |total| HumanCount(total).to_string());
    Curve { kind, now, total, values, every_s: 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_become_rates_and_memory_is_bounded() {
        let search = SearchNow::new("tweets-max");
        for number in 0..SAMPLES_MAX as u64 + 10 {
            let sample = SearchSample {
                asked_per_s: 7.0,
                acked: 5 * number,
                processed: 4 * number,
                queryable: 3 * number,
            };
            search.sample(sample, "1 s to 2 s left");
        }
        let curves = search.lock().curves();
        let last = |place: usize| *curves[place].values.last().unwrap();
        assert_eq!([last(0), last(1), last(2), last(3)], [7.0, 5.0, 4.0, 3.0]);
        assert_eq!(last(4), 2.0 * (SAMPLES_MAX as f64 + 9.0));
        assert_eq!(curves[1].values.len(), SAMPLES_MAX - 1);
    }
}
