//! The phases of a run: which tweets belong to which part of the plan.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// The phases of one run. The pacer says with which tweet each begins; tweets are told apart by their
/// sequence numbers from then on.
#[derive(Debug, Default)]
pub struct Phases {
    plan: OnceLock<PhasePlan>,
    /// The first sequence number of each phase that has begun, but for the first phase.
    begun: Mutex<Vec<u64>>,
}

/// When the phases begin.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PhasePlan {
    /// When each phase after the first begins, from the first send on, in the time of the plan.
    pub later: Vec<Duration>,
    /// The first phase is in no figure: hops that have just been started are slower.
    pub has_warmup: bool,
}

impl Phases {
    /// Sets when the phases begin; once, before the first send.
    pub fn set(&self, plan: PhasePlan) {
        let _ = self.plan.set(plan);
    }

    /// When each phase after the first begins.
    pub fn later(&self) -> &[Duration] {
        self.plan.get().map_or(&[], |plan| &plan.later)
    }

    /// The first phase that is in the figures.
    pub fn first_counted(&self) -> usize {
        usize::from(self.plan.get().is_some_and(|plan| plan.has_warmup))
    }

    /// Says that a phase begins with the tweet of this sequence number, before it is sent. Phases before
    /// it that had none begin there too.
    pub fn begin(&self, phase: usize, seq: u64) {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        while begun.len() < phase {
            begun.push(seq);
        }
    }

    /// The first sequence number of each phase that has begun, but for the first phase.
    pub fn begun(&self) -> Vec<u64> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The phase of a tweet, given what [`Phases::begun`] returned after it was sent.
pub fn phase_of(begun: &[u64], seq: u64) -> usize {
    begun.partition_point(|first| *first <= seq)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tweet_belongs_to_the_last_phase_that_began_before_it() {
        let phases = Phases::default();
        assert_eq!((phase_of(&phases.begun(), 9), phases.first_counted()), (0, 0));
        phases.set(PhasePlan { later: vec![Duration::from_secs(1); 3], has_warmup: true });
        phases.begin(1, 5);
        phases.begin(3, 8);
        let begun = phases.begun();
        assert_eq!(begun, [5, 8, 8]);
        assert_eq!([0, 4, 5, 7, 8, 100].map(|seq| phase_of(&begun, seq)), [0, 0, 1, 1, 3, 3]);
        assert_eq!((phases.first_counted(), phases.later().len()), (1, 3));
    }
}
