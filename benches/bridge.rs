//! The queues between subscriber and producers: what a message costs, in time and in CPU time of
//! all threads, compared with a queue on one thread.

mod settings;

use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use crossbeam_channel::Receiver;
use tweetblast::bridge::fan_out;
use tweetblast::count::thread_cpu;
use tweetblast::event::{Event, Trace};

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

const EVENTS: usize = 100_000;
const BATCH: usize = 256;

/// Batches as the subscriber passes them on, of many users.
fn batches() -> Vec<Vec<Event>> {
    let payload = Bytes::from_static(&[b'x'; 450]);
    let keys: Vec<Bytes> = (0..1_000).map(|user| Bytes::from(format!("{}", user * 7_919))).collect();
    let event = |seq: usize| Event {
        trace: Trace { seq: Some(seq as u64), intended: None, sent: Instant::now(), kafka_time_ms: None },
        key: keys[seq % keys.len()].clone(),
        payload: payload.clone(),
    };
    let all: Vec<Event> = (0..EVENTS).map(event).collect();
    all.chunks(BATCH).map(<[Event]>::to_vec).collect()
}

/// Sends everything over this many queues, each read by a thread that counts; returns the CPU time
/// of all threads.
fn send_all(producers: usize, batches: Vec<Vec<Event>>) -> Duration {
    fn cpu() -> Duration {
        thread_cpu()
    }
    fn count(queue: &Receiver<Vec<Event>>) -> (usize, Duration) {
        (queue.iter().flatten().count(), cpu())
    }
    let before = cpu();
    let (mut bridge, queues) = fan_out(producers, 32, Arc::default());
    let readers: Vec<_> = queues.into_iter().map(|queue| std::thread::spawn(move || count(&queue))).collect();
    for mut batch in batches {
        bridge.send(&mut batch).expect("the readers are there");
    }
    drop(bridge);
    let sending = cpu() - before;
    let read = readers.into_iter().map(|reader| reader.join().expect("a reader counts"));
    let (counts, times): (Vec<usize>, Vec<Duration>) = read.unzip();
    assert_eq!(counts.iter().sum::<usize>(), EVENTS);
    sending + times.iter().sum::<Duration>()
}

fn queues(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("bridge");
    group.sample_size(20).throughput(Throughput::Elements(EVENTS as u64));
    group.bench_function(format!("one_thread_limit/{EVENTS}"), |bencher| {
        bencher.iter_batched(
            batches,
            |batches| {
                let mut queue: VecDeque<Vec<Event>> = VecDeque::new();
                let mut seen = 0;
                for batch in batches {
                    queue.push_back(batch);
                    seen += black_box(queue.pop_front()).map_or(0, |batch| batch.len());
                }
                assert_eq!(seen, EVENTS);
            },
            BatchSize::LargeInput,
        );
    });
    for producers in [1, 3] {
        group.bench_function(format!("fan_out_to_{producers}/{EVENTS}"), |bencher| {
            bencher.iter_batched(batches, |batches| send_all(producers, batches), BatchSize::LargeInput);
        });
        group.bench_function(format!("cpu_of_fan_out_to_{producers}/{EVENTS}"), |bencher| {
            bencher.iter_custom(|times| (0..times).map(|_| send_all(producers, batches())).sum());
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = settings::threads();
    targets = queues
}
criterion_main!(benches);
