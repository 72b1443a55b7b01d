//! Framing: how fast the end of a value is found, beside memchr over the same bytes (its limit).
//!
//! The input is larger than any cache, as files are: what is measured has to come from memory.

use std::hint::black_box;

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use tweetblast::generate::{GenerateForm, GenerateOptions, generate};
use tweetblast::source::{Frames, Framing};

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Unoptimised builds only look whether it runs.
const INPUT_BYTES: usize = if cfg!(debug_assertions) { 4 << 20 } else { 256 << 20 };

/// Generated values again and again, one a line or as one array, and how many there are.
fn input(form: GenerateForm, framing: Framing) -> (Vec<u8>, usize) {
    let mut part = Vec::new();
    // A hundred texts a user, where they are grouped.
    let options = GenerateOptions { tweets: 5_000, users: 50, form, ..GenerateOptions::default() };
    generate(&options, &mut part).expect("a vector takes all bytes");
    let part = String::from_utf8(part).expect("generated JSON is UTF-8");
    let (open, between, close) =
        if framing == Framing::Lines { ("", "\n", "\n") } else { ("[", ",\n", "]\n") };
    let (once, values) = if form == GenerateForm::Grouped {
        let values: Vec<serde::de::IgnoredAny> = serde_json::from_str(&part).expect("an array");
        let list = part.trim_end().strip_prefix('[').and_then(|part| part.strip_suffix(']'));
        (list.expect("an array").to_owned(), values.len())
    } else {
        (part.lines().collect::<Vec<_>>().join(between), part.lines().count())
    };
    let times = (INPUT_BYTES / once.len()).max(1);
    let input = [open, &vec![once.as_str(); times].join(between), close].concat();
    (input.into_bytes(), values * times)
}

fn framing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("source");
    group.sample_size(20).sampling_mode(SamplingMode::Flat);
    let size = format!("{}MiB", INPUT_BYTES >> 20);
    for (name, form, framing) in [
        ("lines", GenerateForm::Lines, Framing::Lines),
        ("lines_full", GenerateForm::FullLines, Framing::Lines),
        ("array", GenerateForm::Lines, Framing::Array),
        ("array_full", GenerateForm::FullLines, Framing::Array),
        ("array_of_users", GenerateForm::Grouped, Framing::Array),
    ] {
        let (input, values) = input(form, framing);
        group.throughput(Throughput::Bytes(input.len() as u64));
        group.bench_function(format!("memchr_limit/{name}/{size}"), |bencher| {
            bencher.iter(|| memchr::memchr_iter(b'\n', black_box(&input)).count());
        });
        group.bench_function(format!("{name}/{size}"), |bencher| {
            bencher.iter(|| assert_eq!(Frames::new(framing, black_box(&input)).count(), values));
        });
    }
}

criterion_group!(benches, framing);
criterion_main!(benches);
