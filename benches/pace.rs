//! Pacing: what a release costs an event beside writing its time stamp alone, on a virtual clock
//! (nobody waits), with the sink that takes everything; and the pass over the input before the
//! clock starts, with all cores, beside counting its lines.

use std::hint::black_box;
use std::io::Write;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use criterion::{BatchSize, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use tweetblast::event::{Draft, Drafts, Event};
use tweetblast::generate::{GenerateForm, GenerateOptions, generate};
use tweetblast::pace::{Control, Pacer, PacerOptions, Schedule, Speed, Stamp, StampTime, VirtualClock};
use tweetblast::pipeline::{OrderBy, ReplayOptions, inspect};
use tweetblast::report::Screen;
use tweetblast::tweet::{TIMESTAMP_BYTES, TIMESTAMP_OFFSET, write_timestamp};

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

const EVENTS: usize = 10_000;
/// About what a payload of the tweet hop has.
const PAYLOAD_BYTES: usize = 450;
const KEY_BYTES: usize = 10;

fn drafts() -> Drafts {
    let draft = |seq: usize| Draft {
        seq: seq as u64,
        event_time_ms: 1_700_000_000_000 + seq as i64,
        plan_time_us: (1_700_000_000_000 + seq as i64) * 1_000,
        pass: 0,
        payload_bytes: PAYLOAD_BYTES,
        key_bytes: KEY_BYTES,
    };
    Drafts {
        bytes: BytesMut::zeroed(EVENTS * (PAYLOAD_BYTES + KEY_BYTES)),
        items: (0..EVENTS).map(draft).collect(),
    }
}

fn write(time_ms: i64, place: &mut [u8]) {
    let place = place.first_chunk_mut::<TIMESTAMP_BYTES>().expect("a payload has room for its time");
    write_timestamp(time_ms, place);
}

fn release(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pace");
    group.throughput(Throughput::Elements(EVENTS as u64));
    group.bench_function(format!("stamp_limit/{EVENTS}"), |bencher| {
        let mut place = [0; TIMESTAMP_BYTES];
        bencher.iter(|| {
            for seq in 0..EVENTS as i64 {
                write(black_box(1_700_000_000_000 + seq), &mut place);
            }
            black_box(&place);
        });
    });
    for (name, speed) in
        [("100x", Speed::Factor(100.0)), ("100000_per_s", Speed::PerSecond(1e5)), ("max", Speed::Max)]
    {
        group.bench_function(format!("release_{name}/{EVENTS}"), |bencher| {
            let stop = AtomicBool::new(false);
            let stamp = Stamp { time: StampTime::Send, offset: TIMESTAMP_OFFSET, write };
            let (over, control) = (AtomicBool::new(false), Control::default());
            let options = PacerOptions {
                schedule: Schedule { speed, max_gap: None },
                delay: Duration::ZERO,
                duration: None,
                stamp: Some(stamp),
                stop: &stop,
                over: &over,
                control: &control,
            };
            bencher.iter_batched(
                drafts,
                |drafts| {
                    let clock = VirtualClock::at(Instant::now());
                    let mut pacer = Pacer::new(options, clock);
                    let mut released = 0;
                    let sink = |events: &mut Vec<Event>| {
                        released += events.len();
                        Ok::<(), std::convert::Infallible>(())
                    };
                    assert_eq!(pacer.release(drafts, sink), Ok(0));
                    assert_eq!(released, EVENTS);
                },
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

fn index(criterion: &mut Criterion) {
    const TWEETS: u64 = 50_000;
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut group = criterion.benchmark_group("index");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    let stop = AtomicBool::new(false);
    for (name, form) in [("lines", GenerateForm::Lines), ("array", GenerateForm::Array)] {
        let path = dir.path().join(name);
        let mut out = std::fs::File::create(&path).map(std::io::BufWriter::new).expect("a file");
        let options = GenerateOptions { tweets: TWEETS, form, ..GenerateOptions::default() };
        generate(&options, &mut out).and_then(|_| out.flush()).expect("there is room");
        let bytes = std::fs::read(&path).expect("it was written");
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(format!("line_ends_limit/{name}"), |bencher| {
            bencher.iter(|| black_box(memchr::memchr_iter(b'\n', &bytes).count()));
        });
        for (case, order) in [("kept", OrderBy::Shuffle), ("by_time", OrderBy::Time)] {
            let options =
                ReplayOptions { files: vec![path.clone()], order: Some(order), ..ReplayOptions::default() };
            group.bench_function(format!("{case}/{name}"), |bencher| {
                bencher.iter(|| {
                    let found = inspect(&options, &stop, &Screen::none()).expect("it is a file of tweets");
                    assert_eq!(found.tweets, TWEETS);
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, release, index);
criterion_main!(benches);
