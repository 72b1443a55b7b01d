//! Inputs with many kinds of damage, the same ones in every run: the short form of `fuzz/run`.
//! `TWEETBLAST_MUTATIONS_S=3600` continues with others for so many seconds, where cargo-fuzz cannot be had.

use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Checks each seed unchanged, and then `count` mutations of them: bytes changed, parts removed,
/// repeated or taken from another seed, and `pieces` inserted. Prints the input that fails.
pub fn check_mutations(seeds: &[Vec<u8>], pieces: &[&[u8]], count: usize, check: impl Fn(&[u8])) {
    assert!(!seeds.is_empty() && !pieces.is_empty());
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut mutate = |_| {
        let mut input = one_of(&mut random, seeds).clone();
        for _ in 0..random.random_range(1..6) {
            let at = range(&mut random, input.len());
            let new = match random.random_range(0..5) {
                0 => vec![random.random()],
                1 => Vec::new(),
                2 => input[at.clone()].repeat(2),
                3 => one_of(&mut random, pieces).to_vec(),
                _ => {
                    let other = one_of(&mut random, seeds);
                    other[range(&mut random, other.len())].to_vec()
                }
            };
            input.splice(at, new);
        }
        input
    };
    let seconds = std::env::var("TWEETBLAST_MUTATIONS_S").map_or(0, |text| text.parse().unwrap());
    let until = Instant::now() + Duration::from_secs(seconds);
    let numbers = (0..).take_while(|number| *number < count || Instant::now() < until);
    let mut checked = 0;
    for (number, input) in seeds.iter().cloned().chain(numbers.map(&mut mutate)).enumerate() {
        let shown = ShownOnPanic { number, input: &input };
        check(shown.input);
        checked = number + 1;
    }
    println!("{checked} inputs checked");
}

fn one_of<'a, T>(random: &mut ChaCha8Rng, all: &'a [T]) -> &'a T {
    &all[random.random_range(0..all.len())]
}

/// A position within `length` bytes, or a length; short ones are as likely as long ones.
fn range(random: &mut ChaCha8Rng, length: usize) -> Range<usize> {
    let start = random.random_range(0..=length);
    let longest = (length - start).min(1 << random.random_range(0..12));
    start..start + random.random_range(0..=longest)
}

struct ShownOnPanic<'a> {
    number: usize,
    input: &'a [u8],
}

impl Drop for ShownOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("input {}: b\"{}\"", self.number, self.input.escape_ascii());
        }
    }
}

/// The files of `tests/data`, without the expected results.
pub fn fixtures() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension != "expected"));
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}
