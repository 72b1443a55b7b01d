//! Single hops as separate processes, so that `perf/peers` can compare them with other programs:
//! the CPU time of a process is the one figure that all of them have.
//!
//! ```text
//! peer topic BROKERS NAME              makes a topic with one partition
//! peer produce hop|bare BROKERS NAME LINES   each line a message, through our hop or a bare rdkafka loop
//! peer mqtt PORT COUNT                 COUNT messages of 250 bytes from one client to another over a broker
//! peer publish PORT LINES              each line a message to that broker
//! peer link COUNT                      the same COUNT over the links of the embedded broker
//! peer tape lines|array FILE           simd-json's tape of each frame of the file, and nothing else
//! peer parse lines|array FILE          the same by our parser
//! peer places lines|array FILE         the same as in the pass over a file before a replay
//! peer bare COUNT FILE                 COUNT messages of 250 bytes of the file, by a bare rdkafka loop into an embedded Kafka
//! ```
//! Each prints how many seconds passed from the first message to the last one's arrival. For Kafka,
//! a first message is sent ahead and acknowledged, because librdkafka needs half a second to learn
//! about a broker.

use std::fs::File;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use crossbeam_channel::bounded;
use memmap2::Mmap;
use rdkafka::ClientContext;
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer as _, ProducerContext};
use rumqttc::{Client, Connection, Event as MqttEvent, MqttOptions, Outgoing, Packet, QoS};
use tweetblast::count::{Counters, Tally};
use tweetblast::event::{Event, Trace};
use tweetblast::kafka::embedded::{Endpoint, EndpointOptions};
use tweetblast::kafka::{DrainLimit, Producer, ProducerOptions, QUEUE_BYTES, prepare_topic};
use tweetblast::mqtt::{Broker, BrokerOptions, FlightWindow, MqttError};
use tweetblast::source::{Format, Frames};
use tweetblast::tweet::{Parser, Record};

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BATCH: usize = 256;
const PAYLOAD_BYTES: usize = 250;
const TOPIC: &str = "tweets";
/// A broker that is silent for this long has lost messages.
const SILENCE: Duration = Duration::from_secs(10);

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let took = match words.as_slice() {
        ["topic", brokers, name] => {
            prepare_topic(&options(brokers, name))?;
            return Ok(());
        }
        ["produce", "hop", brokers, name, lines] => through_hop(&options(brokers, name), &read(lines)?)?,
        ["produce", "bare", brokers, name, lines] => bare_loop(&options(brokers, name), &read(lines)?)?,
        ["mqtt", port, count] => over_broker(port.parse()?, count.parse()?)?,
        ["publish", port, lines] => publish(port.parse()?, &read(lines)?)?,
        ["link", count] => over_links(count.parse()?)?,
        ["tape", framing, file] => tapes(format(framing)?, &map(file)?)?,
        ["parse", framing, file] => parsed(format(framing)?, &map(file)?, Parser::new()),
        ["places", framing, file] => {
            let mut parser = Parser::new();
            parser.skim();
            parsed(format(framing)?, &map(file)?, parser)
        }
        ["bare", count, file] => into_embedded(count.parse()?, &map(file)?)?,
        _ => bail!("usage: the head of examples/peer.rs"),
    };
    print_seconds(took);
    Ok(())
}

#[allow(clippy::print_stdout)] // what the process is for
fn print_seconds(took: Duration) {
    println!("{:.6}", took.as_secs_f64());
}

fn options(brokers: &str, topic: &str) -> ProducerOptions {
    let (brokers, topic) = (brokers.to_owned(), topic.to_owned());
    ProducerOptions {
        brokers,
        topic,
        partitions: 1,
        replication: None,
        properties: Vec::new(),
        run_in_headers: None,
        producers: 1,
    }
}

fn map(path: &str) -> Result<Bytes> {
    let file = File::open(path).with_context(|| format!("cannot read {path}"))?;
    // SAFETY: nothing changes the file while it is sent.
    #[expect(unsafe_code, reason = "the file is mapped, as the hop does it")]
    let mapped = unsafe { Mmap::map(&file) }.with_context(|| format!("cannot map {path}"))?;
    // Mapped, like a replay's input, so it is not part of the process's own memory.
    Ok(Bytes::from_owner(mapped))
}

fn read(path: &str) -> Result<Vec<Bytes>> {
    let all = map(path)?;
    Ok(all
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| all.slice_ref(line))
        .collect())
}

/// The producer hop with its queue and the tally of its deliveries, until every message is acknowledged.
fn through_hop(options: &ProducerOptions, lines: &[Bytes]) -> Result<Duration> {
    let (deliveries, reported) = bounded(1_024);
    let counters = Arc::new(Counters::default());
    let producer = Producer::new(options, counters.clone(), deliveries, DrainLimit::default())?;
    let (send, queue) = bounded(32);
    let batch = |first: usize, payloads: &[Bytes]| -> Vec<Event> {
        let sent = Instant::now();
        let event = |(index, payload): (usize, &Bytes)| Event {
            trace: Trace { seq: Some((first + index) as u64), intended: None, sent, kafka_time_ms: None },
            key: Bytes::new(),
            payload: payload.clone(),
        };
        payloads.iter().enumerate().map(event).collect()
    };
    let (ahead, rest) = lines.split_at(lines.len().min(1));
    let (delivered, start) = std::thread::scope(|scope| {
        scope.spawn(move || producer.run(&queue));
        let feeder = scope.spawn(move || {
            let mut sent = send.send(batch(0, ahead));
            while counters.delivered.get() == 0 && counters.failed.get() == 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
            let start = Instant::now();
            for (number, chunk) in rest.chunks(BATCH).enumerate() {
                sent = sent.and_then(|()| send.send(batch(1 + number * BATCH, chunk)));
            }
            sent.map(|()| start)
        });
        (Tally::default().run(&reported).distinct, feeder.join())
    });
    let start =
        start.map_err(|_| anyhow::anyhow!("the feeder failed"))?.context("the producer ended early")?;
    ensure!(delivered == lines.len() as u64, "{delivered} of {} were acknowledged", lines.len());
    Ok(start.elapsed())
}

#[derive(Default)]
struct Delivered(AtomicUsize);

impl ClientContext for Delivered {}

impl ProducerContext for Delivered {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        self.0.fetch_add(usize::from(result.is_ok()), Ordering::Relaxed);
    }
}

/// A program that only wants the messages in Kafka, with the same settings.
fn bare_loop(options: &ProducerOptions, lines: &[Bytes]) -> Result<Duration> {
    let mut config = options.client_config();
    // No more messages wait in librdkafka than the hop allows.
    config.set("queue.buffering.max.kbytes", (QUEUE_BYTES / 1024).to_string());
    let producer: BaseProducer<Delivered> = config.create_with_context(Delivered::default())?;
    let mut start = Instant::now();
    for (number, payload) in lines.iter().enumerate() {
        let mut unsent = producer.send(BaseRecord::<(), [u8]>::to(&options.topic).payload(payload)).err();
        while let Some((_, record)) = unsent {
            std::thread::sleep(Duration::from_millis(1)); // the queue is full
            producer.poll(Duration::ZERO);
            unsent = producer.send(record).err();
        }
        if number == 0 {
            wait_for_all(&producer);
            start = Instant::now();
        }
        if number % BATCH == 0 {
            producer.poll(Duration::ZERO);
        }
    }
    wait_for_all(&producer);
    let delivered = producer.context().0.load(Ordering::Relaxed);
    ensure!(delivered == lines.len(), "{delivered} of {} were acknowledged", lines.len());
    Ok(start.elapsed())
}

/// The same into an embedded Kafka in this process, as a replay without `--kafka` has it.
fn into_embedded(count: usize, file: &Bytes) -> Result<Duration> {
    let endpoint = Endpoint::start(EndpointOptions::default())?;
    let options = options(&endpoint.addr().to_string(), TOPIC);
    prepare_topic(&options)?;
    let last = file.len().checked_sub(PAYLOAD_BYTES).context("the file is too short")?;
    let payload = |number: usize| {
        let start = number * PAYLOAD_BYTES % (last + 1);
        file.slice(start..start + PAYLOAD_BYTES)
    };
    bare_loop(&options, &(0..count).map(payload).collect::<Vec<_>>())
}

fn format(name: &str) -> Result<Format> {
    match name {
        "lines" => Ok(Format::Lines),
        "array" => Ok(Format::Array),
        _ => bail!("a file is lines or array, not {name}"),
    }
}

/// Parses each frame; a function of its own, so that callgrind can count in it alone.
#[inline(never)]
fn parsed(format: Format, file: &[u8], mut parser: Parser) -> Duration {
    let start = Instant::now();
    for frame in Frames::new(format, file) {
        parser.parse(frame.bytes, |record| match record {
            Ok(Record::Group(group)) => group.items().for_each(|item| {
                black_box(&item);
            }),
            other => {
                black_box(&other);
            }
        });
    }
    start.elapsed()
}

/// The same frames as a replay's, copied and parsed as `benches/tweet.rs` does it.
#[inline(never)]
fn tapes(format: Format, file: &[u8]) -> Result<Duration> {
    let (mut scratch, mut buffers) = (Vec::new(), simd_json::Buffers::default());
    let start = Instant::now();
    for frame in Frames::new(format, file) {
        scratch.clear();
        scratch.extend_from_slice(frame.bytes);
        black_box(simd_json::to_tape_with_buffers(&mut scratch, &mut buffers)?);
    }
    Ok(start.elapsed())
}

fn wait_for_all(producer: &BaseProducer<Delivered>) {
    while producer.in_flight_count() > 0 {
        std::thread::sleep(Duration::from_millis(1));
        producer.poll(Duration::ZERO);
    }
}

fn connect(name: &str, port: u16) -> (Client, Connection) {
    Client::new(MqttOptions::new(name, "127.0.0.1", port), 10_000)
}

/// From one rumqttc client to another at QoS 0, over the broker on that port.
fn over_broker(port: u16, count: usize) -> Result<Duration> {
    let (subscriber, mut arriving) = connect("peer-subscriber", port);
    subscriber.subscribe(TOPIC, QoS::AtMostOnce)?;
    loop {
        if let MqttEvent::Incoming(Packet::SubAck(_)) = next(&mut arriving)? {
            break;
        }
    }
    let payload = Bytes::from(vec![b'x'; PAYLOAD_BYTES]);
    let start = Instant::now();
    let publishing = std::thread::spawn(move || send_all(port, &vec![payload; count]));
    let mut arrived = 0;
    while arrived < count {
        if let MqttEvent::Incoming(Packet::Publish(_)) =
            next(&mut arriving).with_context(|| lost(arrived, count))?
        {
            arrived += 1;
        }
    }
    let took = start.elapsed();
    publishing.join().map_err(|_| anyhow::anyhow!("the publisher failed"))??;
    Ok(took)
}

fn lost(arrived: usize, count: usize) -> String {
    format!("{arrived} of {count} arrived, then the broker was silent")
}

fn next(connection: &mut Connection) -> Result<MqttEvent> {
    let event = connection.recv_timeout(SILENCE);
    Ok(event.map_err(|_| anyhow::anyhow!("no word from the broker"))??)
}

fn publish(port: u16, lines: &[Bytes]) -> Result<Duration> {
    let start = Instant::now();
    send_all(port, lines)?;
    Ok(start.elapsed())
}

/// Publishes everything and leaves when the socket has taken it.
fn send_all(port: u16, payloads: &[Bytes]) -> Result<()> {
    let (client, mut connection) = connect("peer-publisher", port);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // An error ends the connection, which the other side notices.
            let sent = payloads
                .iter()
                .try_for_each(|payload| client.publish(TOPIC, QoS::AtMostOnce, false, payload.clone()));
            sent.and_then(|()| client.disconnect())
        });
        loop {
            if let MqttEvent::Outgoing(Outgoing::Disconnect) = next(&mut connection)? {
                return Ok(());
            }
        }
    })
}

/// Over the links of the embedded broker with the window on, as a replay does.
fn over_links(count: u64) -> Result<Duration> {
    let broker =
        Broker::start(&BrokerOptions { listen: ([127, 0, 0, 1], 0).into(), ..BrokerOptions::default() })?;
    let stop = Arc::new(AtomicBool::new(false));
    let (mut publisher, subscriber) =
        broker.connect(1, FlightWindow::default(), Arc::new(Counters::default()), stop)?;
    let payload = Bytes::from(vec![b'x'; PAYLOAD_BYTES]);
    let start = Instant::now();
    let publishing = std::thread::spawn(move || {
        for from in (0..count).step_by(BATCH) {
            let sent = Instant::now();
            let event = |seq| Event {
                trace: Trace { seq: Some(seq), intended: None, sent, kafka_time_ms: None },
                key: Bytes::new(),
                payload: payload.clone(),
            };
            publisher.publish(&mut (from..count.min(from + BATCH as u64)).map(event).collect())?;
        }
        publisher.finish();
        Ok::<(), MqttError>(())
    });
    let mut arrived = 0;
    subscriber.run(|events: &mut Vec<Event>| {
        arrived += events.len() as u64;
        events.clear();
        Ok::<(), MqttError>(())
    })?;
    publishing.join().map_err(|_| anyhow::anyhow!("the publisher failed"))??;
    ensure!(arrived == count, "{arrived} of {count} arrived");
    Ok(start.elapsed())
}
