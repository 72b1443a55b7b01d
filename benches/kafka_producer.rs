//! The producer hop compared with a bare rdkafka loop with the same settings, interleaved, into the
//! embedded endpoint: the cost of our accounting per message.

mod settings;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use crossbeam_channel::bounded;
use rdkafka::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer as _, ProducerContext};
use tweetblast::count::{Counters, Tally};
use tweetblast::event::{Event, Trace};
use tweetblast::kafka::embedded::{Endpoint, EndpointOptions};
use tweetblast::kafka::{DrainLimit, Producer, ProducerOptions, QUEUE_BYTES, prepare_topic};

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

const EVENTS: usize = 500_000;
const BATCH: usize = 256;

#[derive(Default)]
struct Delivered(AtomicUsize);

impl ClientContext for Delivered {}

impl ProducerContext for Delivered {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        assert!(result.is_ok(), "every message is taken");
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Until every message is acknowledged.
fn bare_loop(options: &ProducerOptions, payloads: &[Bytes]) {
    let mut config = options.client_config();
    // No more messages wait in librdkafka than the hop allows.
    config.set("queue.buffering.max.kbytes", (QUEUE_BYTES / 1024).to_string());
    let producer: BaseProducer<Delivered> =
        config.create_with_context(Delivered::default()).expect("a producer");
    // As the hop does, so that the first message need not wait for an answer.
    for _ in 0..2 {
        let _ = producer.client().fetch_metadata(Some(&options.topic), Duration::from_millis(500));
    }
    let delivered = |producer: &BaseProducer<Delivered>| {
        producer.poll(Duration::ZERO);
        producer.context().0.load(Ordering::Relaxed)
    };
    for seq in 0..EVENTS {
        let payload = &payloads[seq % payloads.len()];
        let mut record =
            BaseRecord::<[u8], [u8]>::to(&options.topic).key(&payload[..8]).payload(&payload[..]);
        while let Err((error, unsent)) = producer.send(record) {
            assert_eq!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull));
            delivered(&producer);
            record = unsent;
            std::thread::sleep(Duration::from_millis(1));
        }
        if seq % BATCH == 0 {
            delivered(&producer);
        }
    }
    while delivered(&producer) < EVENTS {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The same through the hop, its queue and the tally of its deliveries.
fn hop(options: &ProducerOptions, payloads: &[Bytes]) {
    let counters = Arc::new(Counters::default());
    let (deliveries, reported) = bounded(1_024);
    let producer =
        Producer::new(options, counters.clone(), deliveries, DrainLimit::default()).expect("a producer");
    let (send, queue) = bounded(32);
    std::thread::scope(|scope| {
        scope.spawn(move || producer.run(&queue));
        scope.spawn(move || {
            for start in (0..EVENTS).step_by(BATCH) {
                let event = |seq: usize| {
                    let payload = &payloads[seq % payloads.len()];
                    let (key, payload) = (payload.slice(..8), payload.clone());
                    Event {
                        trace: Trace { seq: Some(seq as u64), ..Trace::foreign(Instant::now()) },
                        key,
                        payload,
                    }
                };
                let batch: Vec<Event> = (start..EVENTS.min(start + BATCH)).map(event).collect();
                send.send(batch).expect("the producer is there");
            }
        });
        assert_eq!(Tally::default().run(&reported).distinct, EVENTS as u64);
    });
    assert_eq!(counters.delivered.get(), EVENTS as u64);
}

fn produce(criterion: &mut Criterion) {
    let endpoint = Endpoint::start(EndpointOptions::default()).expect("a free port, a temporary directory");
    let options = ProducerOptions {
        brokers: endpoint.addr().to_string(),
        topic: "tweets".into(),
        partitions: 3,
        replication: None,
        properties: Vec::new(),
        run_in_headers: None,
        producers: 1,
    };
    prepare_topic(&options).expect("the endpoint makes topics");
    let payloads: Vec<Bytes> = (0..1_000)
        .map(|seed: u32| (0..250).map(|at| (seed.wrapping_mul(at * at + 7) >> 3) as u8).collect())
        .collect();
    let mut group = criterion.benchmark_group("kafka_producer");
    group.sample_size(10).sampling_mode(SamplingMode::Flat).measurement_time(Duration::from_secs(10));
    group.throughput(Throughput::Elements(EVENTS as u64));
    group.bench_function(format!("bare_rdkafka_limit/{EVENTS}"), |bencher| {
        bencher.iter(|| bare_loop(&options, &payloads));
    });
    group.bench_function(format!("hop/{EVENTS}"), |bencher| bencher.iter(|| hop(&options, &payloads)));
    group.finish();
}

criterion_group! {
    name = benches;
    config = settings::threads();
    targets = produce
}
criterion_main!(benches);
