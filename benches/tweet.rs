//! Parsing and encoding, beside simd-json's bare tape over the same frames (the limit of parsing).

use std::hint::black_box;

use bytes::BytesMut;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tweetblast::generate::{GenerateForm, GenerateOptions, generate};
use tweetblast::source::{Frame, Frames, Framing};
use tweetblast::tweet::{Parser, PayloadForm, Record, encode};

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

const TWEETS: u64 = 5_000;

fn input(form: GenerateForm) -> Vec<u8> {
    let mut input = Vec::new();
    generate(&GenerateOptions { tweets: TWEETS, form, ..GenerateOptions::default() }, &mut input)
        .expect("a vector takes all bytes");
    input
}

/// Parses every frame and encodes every tweet, when there is a buffer for it; gives their number.
fn replay(frames: &[Frame<'_>], parser: &mut Parser, mut out: Option<&mut BytesMut>) -> u64 {
    let mut tweets = 0;
    for frame in frames {
        parser.parse(frame.bytes, |record| {
            let mut take = |tweet| {
                tweets += 1;
                match &mut out {
                    Some(out) => encode(&tweet, PayloadForm::Tweet, None, "run", tweets, out),
                    None => {
                        black_box(tweet);
                    }
                }
            };
            match record {
                Ok(Record::Tweet(tweet)) => take(tweet),
                Ok(Record::Group(group)) => group.items().flatten().for_each(take),
                _ => {}
            }
        });
    }
    tweets
}

fn tweet(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tweet");
    let forms =
        [("v11", GenerateForm::Lines, Framing::Lines), ("grouped", GenerateForm::Grouped, Framing::Array)];
    for (name, form, framing) in forms {
        let input = input(form);
        let frames: Vec<Frame<'_>> = Frames::new(framing, &input).collect();
        group.throughput(Throughput::Bytes(input.len() as u64));
        group.bench_function(format!("tape_limit/{name}/{TWEETS}"), |bencher| {
            let (mut scratch, mut buffers) = (Vec::new(), simd_json::Buffers::default());
            bencher.iter(|| {
                for frame in &frames {
                    scratch.clear();
                    scratch.extend_from_slice(frame.bytes);
                    let tape = simd_json::to_tape_with_buffers(&mut scratch, &mut buffers);
                    black_box(tape.expect("generated JSON is valid"));
                }
            });
        });
        let mut parser = Parser::new();
        group.bench_function(format!("parse/{name}/{TWEETS}"), |bencher| {
            bencher.iter(|| assert_eq!(replay(&frames, &mut parser, None), TWEETS));
        });
        let mut out = BytesMut::new();
        group.bench_function(format!("parse_encode/{name}/{TWEETS}"), |bencher| {
            bencher.iter(|| {
                out.clear();
                assert_eq!(replay(&frames, &mut parser, Some(&mut out)), TWEETS);
            });
        });
    }
}

criterion_group!(benches, tweet);
criterion_main!(benches);
