//! Runs with faults at moments drawn from a seed: what each says of itself is judged by what lies in the log.
//!
//! `cargo test` plays 30. `TWEETBLAST_FAULTS=1000 cargo test --test kafka faults -- --nocapture` plays 1,000, and
//! `TWEETBLAST_FAULTS_SEED=N` begins with another one than 1: with `TWEETBLAST_FAULTS=1` it plays that one alone.
//! `TWEETBLAST_FAULTS_WITH='FullDisk {+dead_letters: FullDisk'` plays only those with both in their description.
//!
//! With a real Kafka, which is killed in each trial, by hand: `TWEETBLAST_FAULTS_DIR` is the folder with the state of
//! `docker/native/stack up kafka`, and `cargo test --test kafka faults -- --ignored --nocapture` plays 6, or as many as
//! `TWEETBLAST_FAULTS` says, of which those that run at the same time share the kills.
//!
//! The record of long runs is in `perf/records/faults.md`.

mod judge;
mod log;
mod stage;
mod tools;
mod trial;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use judge::judge;
use stage::play;
use trial::Trial;

/// Trials at a time: each waits more than it computes.
const AT_ONCE: usize = 6;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

fn verdict_of(seed: u64, trial: &Trial) -> Result<String, String> {
    let played = catch_unwind(AssertUnwindSafe(|| play(trial).and_then(|played| judge(trial, &played))));
    let verdict = played.unwrap_or_else(|_| Err("the test itself failed: see above".to_owned()));
    verdict.map_err(|why| format!("seed {seed}: {why}\n  {trial}"))
}

/// Whether it is to be played: `TWEETBLAST_FAULTS_WITH` has words, with a + between them, that must be in its description.
fn is_wanted(trial: &Trial) -> bool {
    let words = std::env::var("TWEETBLAST_FAULTS_WITH").unwrap_or_default();
    let told = trial.to_string();
    words.split('+').all(|word| told.contains(word))
}

/// Plays as many trials as the environment says, or `count`, so many at a time.
fn play_all(draw: fn(u64) -> Trial, count: u64, at_once: usize) {
    let (count, first) = (number("TWEETBLAST_FAULTS", count), number("TWEETBLAST_FAULTS_SEED", 1));
    let next = AtomicU64::new(first);
    let (verdicts, wrong) = (Mutex::new(BTreeMap::<String, u64>::new()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(seed) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| *seed < first + count)
                {
                    let trial = draw(seed);
                    if !is_wanted(&trial) {
                        continue;
                    }
                    match verdict_of(seed, &trial) {
                        Ok(verdict) => *verdicts.lock().unwrap().entry(verdict).or_default() += 1,
                        Err(why) => {
                            println!("{why}");
                            wrong.lock().unwrap().push(why);
                        }
                    }
                }
            });
        }
    });
    println!("{count} seeds from {first} on: {:?}", verdicts.lock().unwrap());
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {count} verdicts are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn whatever_happens_to_a_run_its_verdict_is_true() {
    play_all(Trial::draw, 30, AT_ONCE);
}

#[test]
#[ignore = "needs a real Kafka of its own, which it kills"]
fn whenever_a_real_kafka_is_killed_the_verdict_is_true() {
    play_all(Trial::draw_with_real_kafka, AT_ONCE as u64, AT_ONCE);
}
