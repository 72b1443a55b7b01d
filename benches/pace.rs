//! Pacing: what a release costs per event compared with writing its time stamp alone, on a virtual
//! clock (nothing waits), with a sink that accepts everything; and the pass over the input before
//! the clock starts, on all cores, compared with counting its lines. One row waits on the machine's
//! clock: it takes one second, as requested, and reports how late events left and at what cost.

#![allow(clippy::print_stderr)] // criterion cannot show lag

mod settings;

use std::hint::black_box;
use std::io::Write;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use criterion::{BatchSize, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use tweetblast::count::thread_cpu;
use tweetblast::event::{Draft, Drafts, Event};
use tweetblast::generate::{GenerateForm, GenerateOptions, generate};
use tweetblast::options::{InputOptions, OrderBy, ReplayOptions, Session};
use tweetblast::pace::{
    Clock, Control, Pacer, PacerOptions, PayloadStamp, Schedule, Speed, StampTime, SystemClock, VirtualClock,
};
use tweetblast::pipeline::inspect;
use tweetblast::tweet::{TIMESTAMP_BYTES, TIMESTAMP_OFFSET, write_timestamp};

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

const EVENTS: usize = 10_000;
/// Roughly as long as a payload of the tweet hop.
const PAYLOAD_BYTES: usize = 450;
const KEY_BYTES: usize = 10;

fn drafts() -> Drafts {
    drafts_from(0, EVENTS)
}

fn drafts_from(first: usize, count: usize) -> Drafts {
    let draft = |seq: usize| Draft {
        kafka_time_ms: None,
        seq: seq as u64,
        event_time_ms: 1_700_000_000_000 + seq as i64,
        plan_time_us: (1_700_000_000_000 + seq as i64) * 1_000,
        pass: 0,
        payload_bytes: PAYLOAD_BYTES,
        key_bytes: KEY_BYTES,
    };
    Drafts {
        bytes: BytesMut::zeroed(count * (PAYLOAD_BYTES + KEY_BYTES)),
        items: (first..first + count).map(draft).collect(),
        came_at: None,
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
            let stamp = PayloadStamp { time: StampTime::Send, offset: TIMESTAMP_OFFSET, write };
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
            let input =
                InputOptions { files: vec![path.clone()], order: Some(order), ..InputOptions::default() };
            let options = ReplayOptions { input, ..ReplayOptions::default() };
            group.bench_function(format!("{case}/{name}"), |bencher| {
                bencher.iter(|| {
                    let (found, _) =
                        inspect(&options, &Session::unattended()).expect("it is a file of tweets");
                    assert_eq!(found.tweets, TWEETS);
                });
            });
        }
    }
    group.finish();
}

/// At 100,000 events per second, fed by a thread with batches as the parser makes them. One pacer
/// does all rounds: the drift is how much longer than planned they take together.
fn on_time(criterion: &mut Criterion) {
    const A_SECOND: usize = 10 * EVENTS;
    const BATCH: usize = 250;
    let (stop, over, control) = (AtomicBool::new(false), AtomicBool::new(false), Control::default());
    let options = PacerOptions {
        schedule: Schedule { speed: Speed::PerSecond(A_SECOND as f64), max_gap: None },
        delay: Duration::ZERO,
        duration: None,
        stamp: Some(PayloadStamp { time: StampTime::Send, offset: TIMESTAMP_OFFSET, write }),
        stop: &stop,
        over: &over,
        control: &control,
    };
    let (send, batches) = crossbeam_channel::bounded(8);
    let feeding = std::thread::spawn(move || {
        (0..).step_by(BATCH).map(|first| drafts_from(first, BATCH)).all(|batch| send.send(batch).is_ok())
    });
    let mut pacer = Pacer::new(options, SystemClock::default());
    let (mut released, mut cpu) = (0, Duration::ZERO);
    let mut group = criterion.benchmark_group("pace");
    group.sample_size(10).sampling_mode(SamplingMode::Flat).warm_up_time(Duration::from_millis(100));
    group.measurement_time(Duration::from_secs(11));
    group.throughput(Throughput::Elements(A_SECOND as u64));
    group.bench_function(format!("on_time/{}", A_SECOND), |bencher| {
        let cpu_before = thread_cpu();
        bencher.iter(|| {
            for batch in batches.iter().take(A_SECOND / BATCH) {
                let sink = |events: &mut Vec<Event>| {
                    released += events.len();
                    Ok::<(), std::convert::Infallible>(())
                };
                assert_eq!(pacer.release(batch, sink), Ok(0));
            }
        });
        cpu += thread_cpu() - cpu_before;
    });
    group.finish();
    drop(batches);
    assert!(!feeding.join().expect("the feeder makes batches"), "it ends when nobody takes more");

    let stats = pacer.into_stats();
    let took = stats.started.zip(stats.ended).map(|(start, end)| (end - start).as_secs_f64());
    if let (Some(took), Some(lag_us)) = (took, stats.lag_us) {
        let planned = (released - 1) as f64 / A_SECOND as f64;
        eprintln!(
            "{released} events: drift {:.4} %, lag p50 {} µs, p99 {} µs, {:.1} % of a core\n",
            (took / planned - 1.0) * 100.0,
            lag_us.value_at_quantile(0.5),
            lag_us.value_at_quantile(0.99),
            cpu.as_secs_f64() / took * 100.0,
        );
        let (p50, p99) = bare_sleep(A_SECOND as u64);
        eprintln!("a loop that only sleeps and counts, right after: lag p50 {p50} µs, p99 {p99} µs\n");
    }
}

/// The limit: how late events at this rate are in a loop that sleeps like the pacer and does
/// nothing else, in microseconds. What is above the sleep itself is added by the machine.
fn bare_sleep(events_per_s: u64) -> (u64, u64) {
    const EVENTS: u64 = if cfg!(debug_assertions) { 1_000 } else { 500_000 };
    let mut lag_us = tweetblast::count::new_histogram();
    let (mut clock, stop) = (SystemClock::default(), AtomicBool::new(false));
    let (start, mut next) = (Instant::now(), 0);
    while next < EVENTS {
        let due = |event: u64| start + Duration::from_nanos(event * 1_000_000_000 / events_per_s);
        clock.sleep_until(due(next), &stop);
        let now = Instant::now();
        while next < EVENTS && due(next) <= now {
            lag_us.saturating_record((now - due(next)).as_micros() as u64);
            next += 1;
        }
    }
    (lag_us.value_at_quantile(0.5), lag_us.value_at_quantile(0.99))
}

criterion_group! {
    name = benches;
    config = settings::criterion();
    targets = release, on_time, index
}
criterion_main!(benches);
