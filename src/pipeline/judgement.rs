//! The verdict on a run: the ledger's lines, what Kafka and Druid say, and how it ended.

use indicatif::HumanCount;

use crate::count::Tally;
use crate::pipeline::evidence::Evidence;
use crate::report::{DruidReport, Ledger, Noun, Verdict, counted};

/// The verdict so far, and what speaks against a better one.
pub(crate) struct Judgement {
    pub verdict: Verdict,
    pub reasons: Vec<String>,
}

impl Judgement {
    /// With these reasons, if there are any, why it is unknown whether all is there.
    pub fn with_unknown(mut self, reasons: Vec<String>) -> Self {
        if !reasons.is_empty() {
            self.add(Verdict::Unknown, reasons);
        }
        self
    }

    /// Makes the verdict as bad as this, if it is not already.
    fn add(&mut self, verdict: Verdict, reasons: impl IntoIterator<Item = String>) {
        self.verdict = self.verdict.max(verdict);
        self.reasons.extend(reasons);
    }
}

/// How the run ended.
pub(crate) struct Ending<'a> {
    /// What went wrong, the first error first.
    pub errors: &'a [String],
    /// Whether the user stopped it before all was sent.
    pub was_cut: bool,
    /// What was sent.
    pub noun: Noun,
}

/// Judges a run that has ended.
pub(crate) fn judgement(
    ledger: &Ledger,
    tally: &Tally,
    druid: Option<&DruidReport>,
    ending: &Ending<'_>,
    evidence: Evidence,
) -> Judgement {
    let mut judgement = Judgement { verdict: Verdict::Balanced, reasons: Vec::new() };
    // First: it says more than the line of the ledger that does not hold for the same cause.
    for (verdict, reasons) in
        [(Verdict::Unbalanced, evidence.against), (Verdict::Unproven, evidence.unproven)]
    {
        if !reasons.is_empty() {
            judgement.add(verdict, reasons);
        }
    }
    let (verdict, reasons) = ledger.verdict(ending.noun);
    judgement.add(verdict, reasons);
    // Counted by the tally from what Kafka reported on, one sequence number at a time.
    if tally.repeated > 0 || tally.distinct != ledger.delivered + ledger.failed {
        let words = format!(
            "{} reported on, {} more than once: {} delivered + {} failed expected",
            counted(tally.distinct, "sequence number"),
            HumanCount(tally.repeated),
            HumanCount(ledger.delivered),
            HumanCount(ledger.failed)
        );
        judgement.add(Verdict::Unbalanced, [words]);
    }
    if let Some(druid) = druid.filter(|druid| !druid.exact) {
        let verdict = if druid.count_error.is_some() { Verdict::Unknown } else { Verdict::Unbalanced };
        judgement.add(verdict, druid_reasons(druid, ledger, ending.noun));
    }
    if let [first, more @ ..] = ending.errors {
        judgement.add(Verdict::Incomplete, [format!("ended by an error: {first}")]);
        judgement.add(Verdict::Incomplete, more.iter().map(|error| format!("then: {error}")));
    } else if ending.was_cut {
        judgement.add(Verdict::Incomplete, [ending.noun.of("stopped before all tweets were sent")]);
    }
    judgement
}

/// Why the number of Druid's rows differs from the number of delivered tweets.
fn druid_reasons(druid: &DruidReport, ledger: &Ledger, noun: Noun) -> Vec<String> {
    let mut reasons = Vec::new();
    if let Some(why) = &druid.count_error {
        return vec![format!("the rows in Druid could not be counted: {why}")];
    }
    if let Some(missing) = druid.missing.as_ref().filter(|missing| missing.count > 0) {
        let first = match missing.ranges.first() {
            Some((first, last)) if first == last => format!("; the first is seq {first}"),
            Some((first, last)) => format!("; the first are seq {first} to {last}"),
            None => String::new(),
        };
        reasons.push(format!("{} missing in Druid{first}", noun.counted(missing.count)));
    } else if let Some((rows, distinct)) =
        druid.rows.zip(druid.distinct).filter(|(rows, distinct)| rows != distinct)
    {
        reasons.push(format!("Druid has {} of {}", counted(rows, "row"), noun.counted(distinct)));
    } else if druid.rows == Some(ledger.delivered) {
        reasons.push("Druid has as many rows as were delivered, but not the same ones".to_owned());
    }
    reasons.extend(druid.causes.iter().map(|found| format!("druid: {}: {}", found.cause, found.remedy)));
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::SkippedBy;

    /// Of two tweets, one that was sent and delivered, and one that was not sent.
    fn judged(errors: &[&str], was_cut: bool, change: fn(&mut Ledger)) -> (Verdict, Vec<String>) {
        let mut ledger = Ledger {
            frames: 2,
            records: 2,
            items: 2,
            tweets: 2,
            loops: 1,
            skipped: 1,
            skipped_by: SkippedBy { stop: 1, ..SkippedBy::default() },
            published: 1,
            delivered: 1,
            ..Ledger::default()
        };
        change(&mut ledger);
        let mut tally = Tally::default();
        tally.distinct = 1;
        let errors: Vec<String> = errors.iter().map(|error| (*error).to_owned()).collect();
        let ending = Ending { errors: &errors, was_cut, noun: Noun::Tweet };
        let judgement = judgement(&ledger, &tally, None, &ending, Evidence::default());
        (judgement.verdict, judgement.reasons)
    }

    #[test]
    fn what_ended_early_and_adds_up_is_incomplete_with_every_error_in_the_reasons() {
        let as_it_is = |_: &mut Ledger| {};
        assert_eq!(judged(&[], false, as_it_is), (Verdict::Balanced, Vec::new()));
        let (verdict, reasons) = judged(&[], true, as_it_is);
        assert_eq!((verdict, reasons.len()), (Verdict::Incomplete, 1));
        let (verdict, reasons) = judged(&["disk full", "no dead letters"], true, as_it_is);
        assert_eq!(verdict, Verdict::Incomplete);
        assert_eq!(reasons, ["ended by an error: disk full", "then: no dead letters"]);
        let (verdict, reasons) = judged(&["disk full"], false, |ledger| ledger.delivered = 0);
        assert_eq!(verdict, Verdict::Unbalanced, "the worse one stands");
        assert!(reasons.contains(&"ended by an error: disk full".to_owned()), "{reasons:?}");
    }
}
