//! The MQTT hop: events through the broker over links, with the window and without it (its cost is
//! the difference), and from an outside client over TCP.

mod settings;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rumqttc::{Client, MqttOptions, QoS};
use tweetblast::count::Counters;
use tweetblast::event::{Event, Trace};
use tweetblast::mqtt::{Broker, BrokerOptions, FlightWindow, MqttError, Publisher, Subscriber};

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

const LINK_EVENTS: u64 = 200_000;
const TCP_MESSAGES: u64 = 20_000;
const PAYLOAD_BYTES: usize = 250;
/// What the pacer releases at once.
const BATCH: u64 = 256;

/// A broker whose ring holds a whole pass: even without the window nothing is lost.
fn broker() -> Broker {
    let options = BrokerOptions {
        listen: ([127, 0, 0, 1], 0).into(),
        segment_bytes: 32 << 20,
        ..BrokerOptions::default()
    };
    Broker::start(&options).expect("a free port")
}

fn connect(broker: &Broker, window: FlightWindow) -> (Publisher, Subscriber, Arc<Counters>) {
    let counters = Arc::new(Counters::default());
    let stop = Arc::new(AtomicBool::new(false));
    let (publisher, subscriber) =
        broker.connect(1, window, counters.clone(), stop).expect("a window that the ring holds");
    (publisher, subscriber, counters)
}

/// A batch whose payloads and keys are slices of one buffer, as the pacer makes them.
fn batch(from: u64, buffer: &Bytes, sent: Instant) -> Vec<Event> {
    let event = |index: usize| {
        let start = index * (PAYLOAD_BYTES + 8);
        let payload = buffer.slice(start..start + PAYLOAD_BYTES);
        let key = buffer.slice(start + PAYLOAD_BYTES..start + PAYLOAD_BYTES + 8);
        Event {
            trace: Trace { seq: Some(from + index as u64), intended: Some(sent), sent, kafka_time_ms: None },
            key,
            payload,
        }
    };
    (0..BATCH.min(LINK_EVENTS - from) as usize).map(event).collect()
}

fn over_links(broker: &Broker, window: FlightWindow) {
    let (mut publisher, subscriber, counters) = connect(broker, window);
    let publishing = thread::spawn(move || {
        for from in (0..LINK_EVENTS).step_by(BATCH as usize) {
            let buffer = Bytes::from(vec![b'x'; BATCH as usize * (PAYLOAD_BYTES + 8)]);
            publisher.publish(&mut batch(from, &buffer, Instant::now())).expect("the broker runs");
        }
        publisher.finish();
    });
    let mut next = 0;
    let sink = |events: &mut Vec<Event>| {
        for event in events.drain(..) {
            assert_eq!(event.trace.seq, Some(next));
            next += 1;
        }
        Ok::<(), MqttError>(())
    };
    subscriber.run(sink).expect("the broker runs");
    publishing.join().expect("all published");
    assert_eq!((next, counters.mqtt_lost.get()), (LINK_EVENTS, 0));
}

fn over_tcp(broker: &Broker, client: &Client) {
    let (publisher, subscriber, counters) = connect(broker, FlightWindow::default());
    let client = client.clone();
    let publishing = thread::spawn(move || {
        for _ in 0..TCP_MESSAGES {
            client.publish("tweets", QoS::AtMostOnce, false, [b'x'; PAYLOAD_BYTES]).expect("connected");
        }
    });
    let mut publisher = Some(publisher);
    let mut count = 0;
    let sink = |events: &mut Vec<Event>| {
        count += events.len() as u64;
        if count == TCP_MESSAGES {
            publisher = None;
        }
        events.clear();
        Ok::<(), MqttError>(())
    };
    subscriber.run(sink).expect("the broker runs");
    publishing.join().expect("all published");
    assert_eq!((counters.foreign.get(), counters.foreign_lost.get()), (TCP_MESSAGES, 0));
}

fn mqtt(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("mqtt");
    group.sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));

    let links = broker();
    group.throughput(Throughput::Elements(LINK_EVENTS));
    for (name, window) in [("window", FlightWindow::default()), ("no_window_limit", FlightWindow::OFF)] {
        group.bench_function(format!("link/{name}/{LINK_EVENTS}"), |bencher| {
            bencher.iter(|| over_links(&links, window));
        });
    }

    let listening = broker();
    let options = MqttOptions::new("bench", "127.0.0.1", listening.addr().port());
    let (client, mut connection) = Client::new(options, 1_000);
    let driver = thread::spawn(move || for _ in connection.iter().take_while(Result::is_ok) {});
    group.throughput(Throughput::Elements(TCP_MESSAGES));
    group.bench_function(format!("tcp/qos0/{TCP_MESSAGES}"), |bencher| {
        bencher.iter(|| over_tcp(&listening, &client));
    });
    client.disconnect().expect("connected");
    driver.join().expect("the client ends");
}

criterion_group! {
    name = benches;
    config = settings::threads();
    targets = mqtt
}
criterion_main!(benches);
