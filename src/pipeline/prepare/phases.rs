//! The phases of a replay: the warm-up, and the parts of a profile.

use std::time::Duration;

use crate::count::PhasePlan;
use crate::options::{Pace, PaceOptions, span_words};

/// One phase of the plan.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Phase {
    pub name: String,
    pub is_warmup: bool,
    /// From the first send on.
    pub begin: Duration,
    /// `None`: it lasts to the end.
    pub end: Option<Duration>,
}

/// All of them, one after another; none where there is nothing to tell apart.
pub(crate) fn phases(options: &PaceOptions) -> Vec<Phase> {
    let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
    let parts = match options.speed {
        Pace::Profile(profile) => profile
            .spans()
            .iter()
            .map(|span| {
                (span_words(profile, span), seconds(span.start_s), seconds(span.start_s + span.seconds))
            })
            .collect(),
        _ if options.warmup.is_zero() => return Vec::new(),
        _ => vec![("after the warm-up".to_owned(), Duration::ZERO, Duration::MAX)],
    };
    let warmup = options.warmup;
    let first =
        Phase { name: "warm-up".to_owned(), is_warmup: true, begin: Duration::ZERO, end: Some(warmup) };
    let later = parts.into_iter().filter(|(_, _, end)| *end > warmup).map(|(name, begin, end)| Phase {
        name,
        is_warmup: false,
        begin: begin.max(warmup),
        end: Some(end).filter(|end| *end < Duration::MAX),
    });
    Some(first).filter(|_| !warmup.is_zero()).into_iter().chain(later).collect()
}

/// What the hops have to know of them.
pub(crate) fn phase_plan(phases: &[Phase]) -> PhasePlan {
    PhasePlan {
        later: phases.iter().skip(1).map(|phase| phase.begin).collect(),
        has_warmup: phases.first().is_some_and(|phase| phase.is_warmup),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::parse_profile;

    #[test]
    fn a_warmup_takes_what_it_covers_from_the_parts_of_a_profile() {
        let profile = parse_profile("hold 5/s 10s; spike 50/s 5s; hold 20s").unwrap().forever();
        let mut options = PaceOptions { speed: Pace::Profile(profile), ..PaceOptions::default() };
        let named = |options: &PaceOptions| -> Vec<(String, u64, Option<u64>)> {
            let phase = |phase: &Phase| {
                (phase.name.clone(), phase.begin.as_secs(), phase.end.map(|end| end.as_secs()))
            };
            phases(options).iter().map(phase).collect()
        };
        let part = |name: &str, begin, end| (name.to_owned(), begin, Some(end));
        let whole = [part("hold 5.00/s", 0, 10), part("spike 50/s", 10, 15), part("hold 5.00/s", 15, 35)];
        assert_eq!(named(&options), whole);
        options.warmup = Duration::from_secs(12);
        let rest = [part("warm-up", 0, 12), part("spike 50/s", 12, 15), part("hold 5.00/s", 15, 35)];
        assert_eq!(named(&options), rest);
        let plan = phase_plan(&phases(&options));
        assert_eq!((plan.later.len(), plan.has_warmup), (2, true));
    }

    #[test]
    fn without_a_profile_there_is_the_warmup_and_the_rest() {
        let mut options = PaceOptions::default();
        assert_eq!(phases(&options), []);
        options.warmup = Duration::from_secs(30);
        let found = phases(&options);
        assert_eq!((found.len(), found[1].begin, found[1].end), (2, Duration::from_secs(30), None));
    }
}
