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

/// Generated values again and again, and how many there are.
fn input(form: GenerateForm) -> (Vec<u8>, usize) {
    let mut part = Vec::new();
    // A hundred texts a user, where they are grouped.
    let options = GenerateOptions { tweets: 5_000, users: 50, form, ..GenerateOptions::default() };
    generate(&options, &mut part).expect("a vector takes all bytes");
    let times = (INPUT_BYTES / part.len()).max(1);
    let values = match form {
        GenerateForm::Lines => part.iter().filter(|byte| **byte == b'\n').count(),
        _ => serde_json::from_slice::<Vec<serde::de::IgnoredAny>>(&part).expect("an array").len(),
    };
    let mut input = Vec::with_capacity(times * (part.len() + 1));
    if form != GenerateForm::Lines {
        // Another element begins where the array ended.
        let end = part.iter().rposition(|byte| *byte == b']').expect("an array");
        input.push(b'[');
        for _ in 1..times {
            input.extend_from_slice(&part[1..end]);
            input.push(b',');
        }
        input.extend_from_slice(&part[1..]);
    } else {
        input = part.repeat(times);
    }
    (input, values * times)
}

fn framing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("source");
    group.sample_size(20).sampling_mode(SamplingMode::Flat);
    let size = format!("{}MiB", INPUT_BYTES >> 20);
    for (name, form, framing) in [
        ("lines", GenerateForm::Lines, Framing::Lines),
        ("array", GenerateForm::Array, Framing::Array),
        ("array_of_users", GenerateForm::Grouped, Framing::Array),
    ] {
        let (input, values) = input(form);
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
