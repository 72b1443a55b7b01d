//! Phase two: one thread a hop, joined by bounded queues of batches.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded};

use crate::bridge::{FanOut, fan_out};
use crate::count::{Counters, Queryable, Tally, thread_cpu};
use crate::enrich::Enrichment;
use crate::event::PayloadForm;
use crate::event::{Delivery, Drafts, Event};
use crate::kafka::{DrainLimit, Producer};
use crate::mqtt::{
    MqttError, OutsideLink, OutsidePublisher, OutsideSubscriber, Publisher, Subscriber, Window,
};
use crate::options::{DRAIN_AFTER_STOP, ReplayOptions, Session};
use crate::pace::{PaceStats, Pacer, PacerOptions, Stamp, SystemClock};
use crate::pipeline::ends::Ends;
use crate::pipeline::error::ReplayError;
use crate::pipeline::input::dead_letters::DeadLetters;
use crate::pipeline::input::files::Files;
use crate::pipeline::prepare::plan::Plan;
use crate::pipeline::prepare::prepared::Prepared;
use crate::pipeline::replay::batch::Batch;
use crate::pipeline::replay::feed::{Fed, Feed};
use crate::pipeline::replay::in_flight::InFlight;
use crate::pipeline::replay::watch::watch;
use crate::pipeline::run_id::random_u64;
use crate::tweet::{TIMESTAMP_BYTES, TIMESTAMP_OFFSET, write_timestamp};

/// Batches encoded ahead of the clock.
const READ_AHEAD_BATCHES: usize = 8;
/// Batches waiting for each Kafka producer.
const QUEUE_BATCHES: usize = 32;
/// Batches of delivery reports waiting to be counted.
const DELIVERY_BATCHES: usize = 1_024;

/// What the hops need to know.
pub(crate) struct Inputs<'a> {
    pub options: &'a ReplayOptions,
    pub files: &'a Files,
    pub prepared: &'a Prepared,
    pub plan: &'a Plan,
    pub ends: &'a Ends,
    pub run: &'a str,
    /// What is known of users from other files.
    pub enrichment: Option<&'a Enrichment>,
    pub session: &'a Session,
    pub dead_letters: Option<&'a DeadLetters>,
    /// Told of each delivery, where somebody counts rows in Druid.
    pub queryable: Option<Arc<Queryable>>,
}

/// What they came back with.
pub(crate) struct Ran {
    pub counters: Arc<Counters>,
    pub fed: Fed,
    pub stats: PaceStats,
    /// Drafts that were encoded and not released, because of a stop or the end of the duration.
    pub unreleased: u64,
    /// Whether the duration was over before all was sent.
    pub over: bool,
    pub tally: Tally,
    /// CPU time of the feed, the pacer, the subscriber and all producers, each with its threads.
    pub cpu: [Option<Duration>; 4],
    /// Greatest resident memory seen, without the pages of mapped files.
    pub own_memory_mib: Option<f64>,
    /// What ended the replay early.
    pub error: Option<ReplayError>,
}

/// Where the pacer sends to.
enum Sink {
    Mqtt(Publisher),
    Outside(OutsidePublisher),
    Queues(FanOut, Arc<Counters>),
}

impl Sink {
    /// Sends all of `events`; returns how many were left out because of a stop.
    fn send(&mut self, events: &mut Vec<Event>) -> Result<usize, ReplayError> {
        match self {
            Sink::Mqtt(publisher) => Ok(publisher.publish(events)?),
            Sink::Outside(publisher) => Ok(publisher.publish(events)?),
            Sink::Queues(queues, counters) => {
                counters.published.add(events.len() as u64);
                queues.send(events)?;
                Ok(0)
            }
        }
    }
}

/// What gives back what was sent.
enum Source {
    Mqtt(Subscriber),
    Outside(OutsideSubscriber),
}

impl Source {
    fn run(self, mut queues: FanOut) -> Result<(), ReplayError> {
        let send = |events: &mut Vec<Event>| Ok::<_, ReplayError>(queues.send(events)?);
        match self {
            Source::Mqtt(subscriber) => subscriber.run(send),
            Source::Outside(subscriber) => subscriber.run(send),
        }
    }
}

/// Both sides of the MQTT hop, and the connection to an outside broker.
type Mqtt = (Option<(Sink, Source)>, Option<OutsideLink>);

fn connect_mqtt(inputs: &Inputs<'_>, counters: &Arc<Counters>) -> Result<Mqtt, MqttError> {
    let (counters, stop) = (counters.clone(), inputs.session.stop.clone());
    if let Some(broker) = &inputs.ends.broker {
        let (publisher, subscriber) = broker.connect(random_u64(), Window::default(), counters, stop)?;
        return Ok((Some((Sink::Mqtt(publisher), Source::Mqtt(subscriber))), None));
    }
    let Some(options) = &inputs.ends.outside else { return Ok((None, None)) };
    let (publisher, subscriber, link) = OutsideLink::connect(options, counters, stop)?;
    Ok((Some((Sink::Outside(publisher), Source::Outside(subscriber))), Some(link)))
}

/// What one thread gives back, with its CPU time.
type Timed<T> = (T, Option<Duration>);

fn timed<T>(work: impl FnOnce() -> T) -> Timed<T> {
    let result = work();
    (result, thread_cpu())
}

/// Runs all hops to their end.
pub(crate) fn run(inputs: &Inputs<'_>) -> Result<Ran, ReplayError> {
    let counters = Arc::new(Counters::default());
    let (deliveries, reported) = bounded::<Vec<Delivery>>(DELIVERY_BATCHES);
    let (queues, receivers) = fan_out(inputs.options.kafka.producers, QUEUE_BATCHES, counters.clone());
    let ended = Arc::new(AtomicBool::new(false));
    let drain = DrainLimit {
        stop: inputs.session.stop.clone(),
        after_stop: inputs.options.kafka.drain_timeout.unwrap_or(DRAIN_AFTER_STOP),
        ended: ended.clone(),
        after_end: inputs.options.kafka.drain_timeout,
    };
    let producer =
        || Producer::new(&inputs.ends.producer, counters.clone(), deliveries.clone(), drain.clone());
    // All at once, as each asks Kafka and waits for its answer.
    let producers = std::thread::scope(|scope| {
        let starting: Vec<_> = receivers.iter().map(|_| spawn(scope, "kafka", producer)).collect();
        let started = starting.into_iter().map(|handle| handle.join());
        started
            .map(|result| result.unwrap_or_else(|panic| resume_unwind(panic)))
            .collect::<Result<Vec<_>, _>>()
    })?;
    drop(deliveries);
    let (mqtt, link) = connect_mqtt(inputs, &counters)?;
    let link = link.as_ref();
    let (drafts_out, drafts_in) = bounded::<Drafts>(READ_AHEAD_BATCHES);
    let over = &AtomicBool::new(false);
    let in_flight = &inputs.dead_letters.map(|_| InFlight::default());

    std::thread::scope(|scope| {
        let queryable = inputs.queryable.clone();
        let tally = spawn(scope, "tally", move || {
            Tally::telling(queryable).run_with(&reported, |deliveries, settled_seq| {
                if let Some(link) = link {
                    link.reported(deliveries);
                }
                if let (Some(dead_letters), Some(in_flight)) = (inputs.dead_letters, in_flight) {
                    dead_letters.write_failed(inputs.files, deliveries, |seq| in_flight.get(seq));
                    in_flight.settle(settled_seq);
                }
            })
        });
        let producers: Vec<_> = producers
            .into_iter()
            .zip(receivers)
            .map(|(producer, queue)| spawn(scope, "kafka", move || timed(|| producer.run(&queue)).1))
            .collect();
        let (sink, subscriber) = match mqtt {
            Some((sink, source)) => (sink, Some(spawn(scope, "mqtt", move || timed(|| source.run(queues))))),
            None => (Sink::Queues(queues, counters.clone()), None),
        };
        let pacer_counters = counters.clone();
        let pacer = spawn(scope, "pace", move || {
            let released = timed(|| release(inputs, over, sink, &drafts_in, &pacer_counters));
            ended.store(true, Ordering::Relaxed);
            released
        });
        let feed_counters = &counters;
        let feed = spawn(scope, "feed", move || {
            timed(|| {
                Feed {
                    files: inputs.files,
                    options: inputs.options,
                    prepared: inputs.prepared,
                    plan: inputs.plan,
                    run: inputs.run,
                    out: drafts_out,
                    counters: feed_counters,
                    stop: &inputs.session.stop,
                    over,
                    dead_letters: inputs.dead_letters,
                    in_flight: in_flight.as_ref(),
                    batch: Batch::new(inputs.enrichment),
                }
                .run()
            })
        });

        let watched = watch(inputs, &counters, link, || tally.is_finished());

        let mut errors = Errors::default();
        errors.add_from(watched.fault);
        let (fed, feed_cpu) = errors.join("feed", feed).unwrap_or_default();
        let (released, pace_cpu) = errors.join("pace", pacer).unwrap_or_default();
        let (drained, mqtt_cpu) =
            subscriber.and_then(|handle| errors.join("mqtt", handle)).unwrap_or((Ok(()), None));
        let kafka_cpu =
            producers.into_iter().filter_map(|handle| errors.join("kafka", handle).flatten()).sum();
        let tally = errors.join("tally", tally).unwrap_or_default();
        if let Some(Err(error)) = link.map(OutsideLink::finish) {
            // What was sent has been accounted for all the same.
            tracing::warn!("{error}");
        }
        if let Some((file, offset)) = fed.changed_at {
            errors.add(ReplayError::Changed { path: inputs.files.get(file).path().to_owned(), offset });
        }
        errors.add_from(drained);
        errors.add_from(released.result);
        Ok(Ran {
            counters: counters.clone(),
            fed,
            stats: released.stats,
            unreleased: released.left,
            over: over.load(Ordering::Relaxed),
            tally,
            cpu: [feed_cpu, pace_cpu, mqtt_cpu, Some(kafka_cpu)],
            own_memory_mib: watched.own_memory_mib,
            error: errors.0,
        })
    })
}

/// What the pacer's thread gives back.
struct Released {
    stats: PaceStats,
    left: u64,
    result: Result<(), ReplayError>,
}

impl Default for Released {
    fn default() -> Self {
        Self { stats: PaceStats::default(), left: 0, result: Ok(()) }
    }
}

fn release(
    inputs: &Inputs<'_>,
    over: &AtomicBool,
    mut sink: Sink,
    drafts: &Receiver<Drafts>,
    counters: &Counters,
) -> Released {
    let stamp = (inputs.options.message.payload != PayloadForm::Raw).then_some(Stamp {
        time: inputs.options.message.timestamp,
        offset: TIMESTAMP_OFFSET,
        write: |time_ms, place| {
            if let Some(place) = place.first_chunk_mut::<TIMESTAMP_BYTES>() {
                write_timestamp(time_ms, place);
            }
        },
    });
    let options = PacerOptions {
        schedule: inputs.plan.schedule,
        delay: inputs.options.pace.delay,
        duration: inputs.options.pace.duration,
        stamp,
        stop: &inputs.session.stop,
        over,
        control: &inputs.session.control,
    };
    let mut pacer = Pacer::new(options, SystemClock::default());
    let (mut left, mut result) = (0, Ok(()));
    loop {
        let since = Instant::now();
        let Ok(batch) = drafts.recv() else { break };
        counters.pace_starved_ns.add_time(since.elapsed());
        let mut unsent = 0;
        let send = |events: &mut Vec<Event>| sink.send(events).map(|left_out| unsent += left_out);
        match pacer.release(batch, send) {
            Ok(unreleased) => left += (unreleased + unsent) as u64,
            Err(error) => {
                result = Err(error);
                break;
            }
        }
    }
    // The subscriber learns from the publisher's end that there is no more.
    drop(sink);
    Released { stats: pacer.into_stats(), left, result }
}

fn spawn<'scope, 'env, T: Send + 'scope>(
    scope: &'scope Scope<'scope, 'env>,
    name: &str,
    work: impl FnOnce() -> T + Send + 'scope,
) -> ScopedJoinHandle<'scope, T> {
    #[allow(clippy::expect_used)] // as std::thread::spawn does: without threads there is no replay
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn_scoped(scope, work)
        .expect("a thread can be started")
}

/// The first thing that went wrong: what comes later is mostly its consequence.
#[derive(Default)]
struct Errors(Option<ReplayError>);

impl Errors {
    fn add(&mut self, error: ReplayError) {
        self.0.get_or_insert(error);
    }

    fn add_from(&mut self, result: Result<(), impl Into<ReplayError>>) {
        if let Err(error) = result {
            self.add(error.into());
        }
    }

    fn join<T>(&mut self, name: &'static str, handle: ScopedJoinHandle<'_, T>) -> Option<T> {
        handle.join().map_err(|_| self.add(ReplayError::Panic(name))).ok()
    }
}
