//! The embedded Kafka endpoint: how fast it acknowledges librdkafka's messages, compared with
//! librdkafka's own mock broker, which keeps them in memory, and with a real Kafka if
//! `TWEETBLAST_REAL_KAFKA` names one that has a topic tweets.

#![allow(clippy::print_stderr)] // says what it skips

mod settings;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use criterion::{Bencher, Criterion, Throughput, criterion_group, criterion_main};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use rdkafka::{ClientConfig, ClientContext};
use tweetblast::generate::{GenerateForm, GenerateOptions, generate};
use tweetblast::kafka::embedded::{Endpoint, EndpointOptions};

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Enough that the linger time of the last batch does not matter.
const MESSAGES: usize = 100_000;

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

fn produce(criterion: &mut Criterion) {
    let options = GenerateOptions { tweets: 1_000, form: GenerateForm::Lines, ..GenerateOptions::default() };
    let mut input = Vec::new();
    generate(&options, &mut input).expect("a vector takes all bytes");
    // As long as a payload of the tweet hop, about 250 bytes.
    let payloads: Vec<&[u8]> =
        input.split(|&b| b == b'\n').map(|line| &line[..line.len().min(250)]).collect();

    let mut group = criterion.benchmark_group("kafka_embedded");
    group.sample_size(10).measurement_time(Duration::from_secs(8));
    group.throughput(Throughput::Elements(MESSAGES as u64));
    group.bench_function(format!("mock_broker_limit/{MESSAGES}"), |bencher| {
        let mock = MockCluster::new(1).expect("librdkafka makes a mock cluster");
        mock.create_topic("tweets", 1, 1).expect("a new topic");
        produce_until_acknowledged(&mock.bootstrap_servers(), &payloads, bencher);
    });
    group.bench_function(format!("produce/{MESSAGES}"), |bencher| {
        let endpoint =
            Endpoint::start(EndpointOptions::default()).expect("a free port and a temporary directory");
        produce_until_acknowledged(&endpoint.addr().to_string(), &payloads, bencher);
    });
    match std::env::var("TWEETBLAST_REAL_KAFKA") {
        Ok(brokers) => {
            group.bench_function(format!("real_kafka/{MESSAGES}"), |bencher| {
                produce_until_acknowledged(&brokers, &payloads, bencher);
            });
        }
        Err(_) => eprintln!(
            "skipped: kafka_embedded/real_kafka needs TWEETBLAST_REAL_KAFKA=HOST:PORT, with a topic tweets"
        ),
    }
    group.finish();
}

fn produce_until_acknowledged(brokers: &str, payloads: &[&[u8]], bencher: &mut Bencher<'_>) {
    // With the producer hop's settings.
    let producer: BaseProducer<Delivered> = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("enable.idempotence", "true")
        .set("compression.type", "lz4")
        .set("linger.ms", "5")
        .create_with_context(Delivered::default())
        .expect("a producer");
    let mut sent = 0;
    bencher.iter(|| {
        for i in 0..MESSAGES {
            let record = BaseRecord::<(), [u8]>::to("tweets").payload(payloads[i % payloads.len()]);
            let mut unsent = producer.send(record).err();
            while let Some((_, record)) = unsent {
                producer.poll(Duration::from_millis(1)); // the queue is full
                unsent = producer.send(record).err();
            }
        }
        producer.flush(Duration::from_secs(60)).expect("every message is acknowledged");
        sent += MESSAGES;
        assert_eq!(producer.context().0.load(Ordering::Relaxed), sent);
    });
}

criterion_group! {
    name = benches;
    config = settings::threads();
    targets = produce
}
criterion_main!(benches);
