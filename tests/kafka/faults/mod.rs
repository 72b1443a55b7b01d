//! Runs with faults at moments drawn from a seed: what each says of itself is judged by what lies in the log.
//!
//! `cargo test` plays 30. `TWEETBLAST_FAULTS=1000 cargo test --test kafka faults -- --nocapture` plays 1,000, and
//! `TWEETBLAST_FAULTS_SEED=N` begins with another one than 1: with `TWEETBLAST_FAULTS=1` it plays that one alone.
//! The record of long runs is in `perf/records/faults.md`.

mod judge;
mod log;
mod tools;
mod trial;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use judge::judge;
use trial::{Trial, play};

/// Trials at a time: each waits more than it computes.
const AT_ONCE: usize = 6;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

fn verdict_of(seed: u64) -> Result<String, String> {
    let trial = Trial::draw(seed);
    let played = catch_unwind(AssertUnwindSafe(|| play(&trial).and_then(|played| judge(&trial, &played))));
    let verdict = played.unwrap_or_else(|_| Err("the test itself failed: see above".to_owned()));
    verdict.map_err(|why| format!("seed {seed}: {why}\n  {trial}"))
}

#[test]
fn whatever_happens_to_a_run_its_verdict_is_true() {
    let (count, first) = (number("TWEETBLAST_FAULTS", 30), number("TWEETBLAST_FAULTS_SEED", 1));
    let next = AtomicU64::new(first);
    let (verdicts, wrong) = (Mutex::new(BTreeMap::<String, u64>::new()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(seed) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| *seed < first + count)
                {
                    match verdict_of(seed) {
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
    println!("{count} trials from seed {first} on: {:?}", verdicts.lock().unwrap());
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {count} verdicts are wrong:\n{}", wrong.len(), wrong.join("\n"));
}
