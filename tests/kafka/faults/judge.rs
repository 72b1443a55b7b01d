//! Whether what a run says of itself is true.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::log;
use super::stage::{NO_TWEETS, Played};
use super::tools::Forgery;
use super::trial::{DeadLetters, Fault, Kafka, Trial};

/// What lies in the log of one run.
struct Truth {
    /// How often each number lies there.
    times: BTreeMap<u64, u64>,
    /// The numbers in each partition, in order.
    by_partition: BTreeMap<String, Vec<u64>>,
}

impl Truth {
    fn of(trial: &Trial, played: &Played, run: &str) -> Self {
        let (mut times, mut by_partition) = (BTreeMap::new(), BTreeMap::<_, Vec<_>>::new());
        for record in log::records(&played.log(trial)) {
            let Some((_, seq)) = record.of_run().filter(|(of, _)| of == run) else { continue };
            *times.entry(seq).or_default() += 1;
            by_partition.entry(record.partition).or_default().push(seq);
        }
        Self { times, by_partition }
    }

    fn distinct(&self) -> u64 {
        self.times.len() as u64
    }

    fn too_many(&self) -> u64 {
        self.times.values().sum::<u64>() - self.distinct()
    }

    /// Whether others' copies lie before a message of the run: who reads that has read them too. What they write
    /// behind the last message may come when the run had looked for the last time.
    fn has_copies_between(&self, forgery: Forgery) -> bool {
        self.by_partition.values().any(|seqs| self.has_copies_before_the_last(seqs, forgery))
    }

    fn has_copies_before_the_last(&self, seqs: &[u64], forgery: Forgery) -> bool {
        let is_single = |seq: &u64| self.times.get(seq) == Some(&1);
        let last_single = seqs.iter().rposition(is_single);
        let is_double = |seq: &u64| !is_single(seq);
        let copy = match forgery {
            // It stands before the message that it is like.
            Forgery::Future => seqs.iter().position(is_double),
            _ => {
                let mut seen = BTreeSet::new();
                seqs.iter().position(|seq| !seen.insert(seq))
            }
        };
        copy.zip(last_single).is_some_and(|(copy, last)| copy < last)
    }

    /// Whether the first of them, this many, lie there and no others.
    fn is_exactly(&self, count: u64) -> bool {
        self.distinct() == count && self.times.keys().next_back().is_none_or(|last| *last + 1 == count)
    }
}

/// Judges a trial that has been played; gives its verdict.
pub fn judge(trial: &Trial, played: &Played) -> Result<String, String> {
    let Some(report) = &played.report else { return without_report(trial, played) };
    let text = |pointer: &str| report.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let count = |key: &str| report["ledger"][key].as_u64().unwrap_or_default();
    let truth = Truth::of(trial, played, text("/run"));
    let verdict = text("/verdict");
    let (published, delivered, failed) = (count("published"), count("delivered"), count("failed"));
    let check = |holds: bool, words: &str| match holds {
        true => Ok(()),
        false => Err(format!(
            "{words}: {verdict}, exit {:?}; {published} published, {delivered} delivered, {failed} failed; in the log \
             {} distinct, {} too many; reasons {}",
            played.code,
            truth.distinct(),
            truth.too_many(),
            report["reasons"]
        )),
    };
    let code = match (report["error"].is_string(), verdict) {
        (true, _) => 1,
        (_, "balanced") => 0,
        (_, "incomplete") => 130,
        _ => 3,
    };
    check(played.code == Some(code) || played.code == Some(130) && code == 0, "the exit code")?;
    check(count("tweets") == published + count("skipped"), "tweets = published + skipped")?;
    check(published == delivered + failed + count("mqtt_lost"), "published = delivered + failed")?;
    let is_deleted = trial.has(|fault| matches!(fault, Fault::DeleteTopic { .. }));
    let is_doubled = trial.has(|fault| matches!(fault, Fault::Forge(forgery) if forgery.doubles()));
    // What was acknowledged is there, and once.
    check(is_deleted || truth.distinct() >= delivered, "acknowledged and not there")?;
    check(is_doubled || truth.too_many() == 0, "there twice")?;
    let is_all_there = truth.is_exactly(published) && failed == 0 && delivered == published;
    // Others' copies of a tweet are seen by a run that reads back.
    let has_copies = |fault| matches!(fault, Fault::Forge(forgery) if truth.has_copies_between(forgery));
    let is_true = is_all_there && !(trial.reads_back() && is_doubled && trial.has(has_copies));
    let is_right = is_all_there && (truth.too_many() == 0 || !trial.reads_back());
    // A trial beside it killed the Kafka that was read back, and it was away for longer than that waits.
    let is_away = trial.kafka == Kafka::Real && report["reasons"].to_string().contains("cannot read from");
    match verdict {
        // The topic went when all had been acknowledged and looked at.
        "balanced" | "incomplete" if is_deleted && truth.distinct() == 0 => {
            check(failed == 0 && delivered == published, "it says more than it knows")?
        }
        "balanced" | "incomplete" => check(is_true, "it says more than is true")?,
        "unbalanced" => check(!is_right, "a false alarm")?,
        "unproven" => check(is_away || trial.may_be_unproven(), "unproven for no reason")?,
        _ => check(false, "a verdict that cannot be")?,
    }
    check(verdict != "incomplete" || trial.may_end_early(), "it ended early for no reason")?;
    check(
        verdict == "balanced" || is_away || !trial.is_harmless(),
        "nothing happened that it does not bear",
    )?;
    let changed = trial.has(|fault| matches!(fault, Fault::Input(_))) && !trial.runs_again_after_change();
    // It began to send after it was started, and looked at its input when it had sent all.
    let sent_for = report["pace"]["duration_s"].as_f64().unwrap_or_default();
    let in_time = changed && played.changed_after.is_some_and(|after| after.as_secs_f64() < sent_for);
    check(!in_time || matches!(verdict, "unproven" | "unbalanced"), "the input was changed")?;
    let letters_failed = report["reasons"].to_string().contains("cannot write dead letters to");
    check(trial.dead_letters != DeadLetters::FullDisk || letters_failed, "dead letters are gone, unsaid")?;
    if trial.dead_letters == DeadLetters::File && !letters_failed {
        let letters = played.letters();
        let of_failed = letters.iter().filter(|letter| letter["kind"] == "failed").count() as u64;
        check(of_failed == failed, "a tweet that failed has no dead letter")?;
        let found = letters.len() as u64 - of_failed;
        let is_changed = trial.has(|fault| matches!(fault, Fault::Input(_)));
        check(is_changed || found == NO_TWEETS.len() as u64, "what is not a tweet has no dead letter")?;
    }
    Ok(verdict.to_owned())
}

/// Only a run that was told to leave at once, or could not begin, has no report.
fn without_report(trial: &Trial, played: &Played) -> Result<String, String> {
    let leaves = |fault| matches!(fault, Fault::Signals(names) if names.len() > 1);
    let is_stopped = trial.has(|fault| matches!(fault, Fault::Signals(_)));
    let is_deleted = trial.has(|fault| matches!(fault, Fault::DeleteTopic { .. }));
    match played.code {
        Some(130) if trial.has(leaves) || is_stopped => Ok("left".to_owned()),
        // It went when the run was about to begin.
        Some(1) if is_deleted && played.said.contains("the topic") => Ok("refused".to_owned()),
        code => Err(format!("no report, exit {code:?}: {}", played.said)),
    }
}

impl Trial {
    /// Whether all that happens is borne without a trace.
    fn is_harmless(&self) -> bool {
        self.dead_letters != DeadLetters::FullDisk
            && self.has_only(|fault| match fault {
                Fault::KillAndRunAgain | Fault::Stop { .. } | Fault::PauseKafka { .. } | Fault::KillKafka => {
                    true
                }
                Fault::FullDisk { lifted } => lifted,
                Fault::Forge(forgery) => matches!(forgery, Forgery::Foreign | Forgery::OtherRun),
                _ => false,
            })
    }

    fn may_end_early(&self) -> bool {
        self.dead_letters == DeadLetters::FullDisk
            || self.has(|fault| {
                matches!(
                    fault,
                    Fault::Signals(_)
                        | Fault::Input(_)
                        | Fault::FullDisk { lifted: false }
                        | Fault::DeleteTopic { .. }
                )
            })
    }

    fn may_be_unproven(&self) -> bool {
        // What is gone cannot be read back.
        let stops = |fault| {
            matches!(fault, Fault::Signals(_) | Fault::FullDisk { lifted: false } | Fault::DeleteTopic { .. })
        };
        // Nor from a Kafka that another trial kills just then.
        let is_away = self.kafka == Kafka::Real;
        self.has(|fault| matches!(fault, Fault::Input(_)))
            || self.reads_back() && (is_away || self.has(stops))
    }
}
