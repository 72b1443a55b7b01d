//! Framing: how fast the end of a value is found, beside memchr over the same bytes (its limit).

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tweetblast::generate::{GenerateForm, GenerateOptions, generate};
use tweetblast::source::{Frames, Framing};

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn framing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("source");
    for (name, form, framing) in
        [("lines", GenerateForm::Lines, Framing::Lines), ("array", GenerateForm::Array, Framing::Array)]
    {
        let options = GenerateOptions { tweets: 5_000, form, ..GenerateOptions::default() };
        let mut input = Vec::new();
        let made = generate(&options, &mut input).expect("a vector takes all bytes");
        group.throughput(Throughput::Bytes(input.len() as u64));
        group.bench_function(format!("memchr_limit/{name}/5000"), |bencher| {
            bencher.iter(|| memchr::memchr_iter(b'\n', black_box(&input)).count());
        });
        group.bench_function(format!("{name}/5000"), |bencher| {
            bencher.iter(|| {
                let frames = Frames::new(framing, black_box(&input)).count() as u64;
                assert_eq!(frames, made.tweets + made.notices);
            });
        });
    }
}

criterion_group!(benches, framing);
criterion_main!(benches);
