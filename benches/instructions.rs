//! How many instructions the compute-only hops need, counted by callgrind on small inputs: on a
//! busy machine times vary by a factor of ten, these counts by 0.15 % at most. `perf/instructions`
//! compares them with those in `perf/instructions.json`.
//!
//! Without valgrind or gungraun-runner it counts nothing, and says so. `cargo test --benches` runs
//! each row once, uncounted.

#![allow(clippy::print_stderr)] // says what it skips

use std::convert::Infallible;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use crossbeam_channel::Receiver;
use kafka_protocol::records::{
    Compression, Record as KafkaRecord, RecordBatchEncoder, RecordEncodeOptions, TimestampType,
};
use tweetblast::bridge::{FanOut, fan_out};
use tweetblast::event::{Draft, Drafts, Event, PayloadForm, Trace};
use tweetblast::generate::{GenerateForm, GenerateOptions, generate};
use tweetblast::kafka::embedded::Appender;
use tweetblast::pace::{
    Control, Order, Pacer, PacerOptions, PayloadStamp, Schedule, Slot, Speed, StampTime, VirtualClock,
    put_in_order,
};
use tweetblast::source::{Format, Frames};
use tweetblast::tweet::{Parser, Record, TIMESTAMP_BYTES, TIMESTAMP_OFFSET, Tweet, encode, write_timestamp};

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

const TWEETS: u64 = 500;
const EVENTS: usize = 10_000;
const PAYLOAD_BYTES: usize = 250;

/// A file of tweets in memory, and what is in it.
struct Input {
    bytes: Vec<u8>,
    framing: Format,
    values: u64,
}

fn input(form: GenerateForm, framing: Format) -> Input {
    let mut bytes = Vec::new();
    let options = GenerateOptions { tweets: TWEETS, form, ..GenerateOptions::default() };
    let made = generate(&options, &mut bytes).expect("a vector takes all bytes");
    Input { bytes, framing, values: made.tweets + made.notices }
}

fn lines() -> Input {
    input(GenerateForm::Lines, Format::Lines)
}

fn array() -> Input {
    input(GenerateForm::Array, Format::Array)
}

fn grouped() -> Input {
    input(GenerateForm::Grouped, Format::Array)
}

fn find_frames(input: &Input) {
    assert_eq!(Frames::new(input.framing, black_box(&input.bytes)).count() as u64, input.values);
}

fn each_tweet(input: &Input, parser: &mut Parser, mut take: impl FnMut(Tweet<'_>)) {
    for frame in Frames::new(input.framing, &input.bytes) {
        parser.parse(frame.bytes, |record| match record {
            Ok(Record::Tweet(tweet)) => take(tweet),
            Ok(Record::Group(group)) => group.items().flatten().for_each(&mut take),
            _ => {}
        });
    }
}

/// A parser whose buffers have already grown to the size that the input needs.
fn parser(input: Input) -> (Input, Parser) {
    grown(input, Parser::new())
}

/// The same, as the pass over a file before a replay has it.
fn skimming(input: Input) -> (Input, Parser) {
    let mut parser = Parser::new();
    parser.skim();
    grown(input, parser)
}

fn grown(input: Input, mut parser: Parser) -> (Input, Parser) {
    each_tweet(&input, &mut parser, |_| {});
    (input, parser)
}

fn parse(input: &Input, parser: &mut Parser) {
    let mut tweets = 0;
    each_tweet(input, parser, |tweet| {
        black_box(tweet);
        tweets += 1;
    });
    assert_eq!(tweets, TWEETS);
}

fn parse_and_encode(input: &Input, parser: &mut Parser, out: &mut BytesMut) {
    let mut tweets = 0;
    each_tweet(input, parser, |tweet| {
        encode_one(&tweet, tweets, out);
        tweets += 1;
    });
    assert_eq!(tweets, TWEETS);
}

/// The counted part of [`parse_and_encode`]: callgrind counts only inside it.
#[inline(never)]
fn encode_one(tweet: &Tweet<'_>, seq: u64, out: &mut BytesMut) {
    encode(black_box(tweet), PayloadForm::Tweet, None, "0123456789abcdef", seq, out);
}

/// Events that are due one by one, in one batch of the tweet hop.
fn drafts() -> Drafts {
    let draft = |seq: usize| Draft {
        kafka_time_ms: None,
        seq: seq as u64,
        event_time_ms: 1_700_000_000_000 + seq as i64,
        plan_time_us: (1_700_000_000_000 + seq as i64) * 1_000,
        pass: 0,
        payload_bytes: PAYLOAD_BYTES,
        key_bytes: 8,
    };
    Drafts {
        bytes: BytesMut::zeroed(EVENTS * (PAYLOAD_BYTES + 8)),
        items: (0..EVENTS).map(draft).collect(),
        came_at: None,
    }
}

fn write(time_ms: i64, place: &mut [u8]) {
    let place = place.first_chunk_mut::<TIMESTAMP_BYTES>().expect("a payload has room for its time");
    write_timestamp(time_ms, place);
}

fn release(drafts: Drafts) {
    let (stop, over, control) = (AtomicBool::new(false), AtomicBool::new(false), Control::default());
    // Stamped with the events' own times, because the cost of writing today's date depends on the
    // date.
    let options = PacerOptions {
        schedule: Schedule { speed: Speed::Factor(100.0), max_gap: None },
        delay: Duration::ZERO,
        duration: None,
        stamp: Some(PayloadStamp { time: StampTime::Event, offset: TIMESTAMP_OFFSET, write }),
        stop: &stop,
        over: &over,
        control: &control,
    };
    let mut pacer = Pacer::new(options, VirtualClock::at(Instant::now()));
    let mut released = 0;
    let left = pacer.release(drafts, |events| {
        released += events.len();
        Ok::<(), Infallible>(())
    });
    assert_eq!((left, released), (Ok(0), EVENTS));
}

/// Slots of a file whose times are in no order; the same each time.
fn slots() -> Vec<Slot> {
    let slot = |place: u64| Slot {
        event_time_ms: (place * 7_919 % 10_007) as i64,
        offset: place * 2_600,
        len: 2_600,
        context: 0,
    };
    (0..EVENTS as u64).map(slot).collect()
}

fn sort(slots: &mut [Slot]) {
    put_in_order(slots, Order::Time, |slot| slot.offset);
    assert!(slots.is_sorted_by_key(|slot| (slot.event_time_ms, slot.offset)));
}

type Queues = (FanOut, Vec<Receiver<Vec<Event>>>, Vec<Vec<Event>>);

/// Three queues with room for everything, and batches as the subscriber passes them on.
fn queues() -> Queues {
    let payload = Bytes::from_static(&[b'x'; PAYLOAD_BYTES]);
    let sent = Instant::now();
    let event = |seq: usize| Event {
        trace: Trace { seq: Some(seq as u64), intended: None, sent, kafka_time_ms: None },
        key: Bytes::from(format!("{}", seq % 1_000 * 7_919)),
        payload: payload.clone(),
    };
    let events: Vec<Event> = (0..EVENTS).map(event).collect();
    let (bridge, queues) = fan_out(3, EVENTS, Arc::default());
    (bridge, queues, events.chunks(256).map(<[Event]>::to_vec).collect())
}

/// All on one thread: nothing ever waits, so nothing depends on wake-ups.
fn through_queues((mut bridge, queues, mut batches): Queues) -> Vec<Vec<Event>> {
    for batch in &mut batches {
        bridge.send(batch).expect("the readers are there");
    }
    drop(bridge);
    let read: Vec<Vec<Event>> = queues.iter().flatten().collect();
    assert_eq!(read.iter().map(Vec::len).sum::<usize>(), EVENTS);
    read
}

/// An empty log, and batches of 100 messages as an idempotent producer sends them.
fn log() -> (tempfile::TempDir, Appender, Vec<BytesMut>) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let appender = Appender::open(dir.path()).expect("an empty log");
    let record = |sequence: i32| KafkaRecord {
        transactional: false,
        control: false,
        delete_horizon: false,
        partition_leader_epoch: -1,
        producer_id: 7,
        producer_epoch: 0,
        timestamp_type: TimestampType::Creation,
        offset: i64::from(sequence % 100), // as a producer counts: from the start of the batch
        sequence,
        timestamp: 1_700_000_000_000,
        key: None,
        value: Some(Bytes::from_static(&[b'x'; PAYLOAD_BYTES])),
        headers: Default::default(),
    };
    let options = RecordEncodeOptions { version: 2, compression: Compression::None };
    let batch = |number: i32| {
        let records: Vec<_> = (number * 100..(number + 1) * 100).map(record).collect();
        let mut bytes = BytesMut::new();
        RecordBatchEncoder::encode(&mut bytes, &records, &options).expect("records can be encoded");
        bytes
    };
    (dir, appender, (0..EVENTS as i32 / 100).map(batch).collect())
}

fn append(appender: &mut Appender, batches: &[BytesMut]) {
    for (number, batch) in batches.iter().enumerate() {
        assert_eq!(appender.append(batch), Ok(number as i64 * 100));
    }
}

/// One function per row or two, named by its hop; its input is made beforehand and returned, so
/// that dropping it is not counted.
mod rows {
    use super::*;
    use gungraun::{
        Callgrind, EntryPoint, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group,
    };

    #[library_benchmark]
    #[bench::lines(lines())]
    #[bench::array(array())]
    fn source(input: Input) -> Input {
        find_frames(&input);
        input
    }

    #[library_benchmark]
    #[bench::v11(parser(lines()))]
    #[bench::v11_skimmed(skimming(lines()))]
    #[bench::grouped(parser(grouped()))]
    fn tweet_parse((input, mut parser): (Input, Parser)) -> (Input, Parser) {
        parse(&input, &mut parser);
        (input, parser)
    }

    #[library_benchmark(config = LibraryBenchmarkConfig::default()
        .tool(Callgrind::default().entry_point(EntryPoint::Custom("*::encode_one".to_owned()))))]
    #[bench::v11(parser(lines()))]
    #[bench::grouped(parser(grouped()))]
    fn tweet_encode((input, mut parser): (Input, Parser)) {
        parse_and_encode(&input, &mut parser, &mut BytesMut::with_capacity(1 << 20));
    }

    #[library_benchmark]
    #[bench::release(drafts())]
    fn pace(drafts: Drafts) {
        release(drafts);
    }

    #[library_benchmark]
    #[bench::by_time(slots())]
    fn pace_order(mut slots: Vec<Slot>) -> Vec<Slot> {
        sort(&mut slots);
        slots
    }

    #[library_benchmark]
    #[bench::fan_out_to_3(queues())]
    fn bridge(queues: Queues) -> Vec<Vec<Event>> {
        through_queues(queues)
    }

    #[library_benchmark]
    #[bench::append(log())]
    fn kafka_embedded(
        (dir, mut appender, batches): (tempfile::TempDir, Appender, Vec<BytesMut>),
    ) -> (tempfile::TempDir, Appender, Vec<BytesMut>) {
        append(&mut appender, &batches);
        (dir, appender, batches)
    }

    library_benchmark_group!(
        name = hops;
        benchmarks = source, tweet_parse, tweet_encode, pace, pace_order, bridge, kafka_embedded
    );
    gungraun::main!(library_benchmark_groups = hops);

    /// Counts every row; called inside valgrind, with one of the runner's arguments.
    pub fn count() {
        main();
    }
}

fn run_each_once() {
    [lines(), array()].iter().for_each(find_frames);
    let (input, mut skimmer) = skimming(lines());
    parse(&input, &mut skimmer);
    for (input, mut parser) in [parser(lines()), parser(grouped())] {
        parse(&input, &mut parser);
        parse_and_encode(&input, &mut parser, &mut BytesMut::new());
    }
    release(drafts());
    sort(&mut slots());
    through_queues(queues());
    let (_dir, mut appender, batches) = log();
    append(&mut appender, &batches);
}

fn is_in_path(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(tool).is_file())
}

fn main() {
    let options: Vec<String> = std::env::args().skip(1).collect();
    let missing = ["valgrind", "gungraun-runner"].into_iter().find(|tool| !is_in_path(tool));
    // `cargo bench -- --save-baseline NAME` goes to every bench.
    let foreign = options.iter().find(|option| option.starts_with('-') && *option != "--bench");
    if options.first().is_some_and(|first| first == "--gungraun-run") {
        rows::count();
    } else if !options.iter().any(|option| option == "--bench") {
        run_each_once();
    } else if let Some(missing) = missing {
        eprintln!("skipped: instruction counts need {missing} (perf/README.md says how to get it)");
    } else if let Some(option) = foreign {
        eprintln!("skipped: instruction counts do not know {option}");
    } else if let Some(name) = options.iter().find(|option| !option.starts_with('-') && !option.contains('*'))
    {
        count_rows_of(name);
    } else {
        rows::count();
    }
}

/// The runner expects a pattern for the whole name of a row, where other benches accept a part of
/// it.
fn count_rows_of(name: &str) {
    let again = std::env::current_exe().and_then(|bench| {
        std::process::Command::new(bench).args([&format!("*{}*", name.replace('/', "*")), "--bench"]).status()
    });
    match again {
        Ok(status) if status.success() => {}
        Ok(_) => std::process::exit(1),
        Err(error) => panic!("the bench cannot start itself: {error}"),
    }
}
