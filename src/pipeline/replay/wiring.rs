//! One thread for each hop, joined by bounded queues of batches.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::feed::{Feed, FeedSummary};
use super::in_flight::InFlight;
use super::read_back::{ReadBack, follow, found_records};
use super::release::{Sink, release};
use super::watch::watch;
use crate::bridge::{FanOut, fan_out};
use crate::count::{Counters, Intake, Places, Queryable, Tally, thread_cpu};
use crate::event::{Delivery, Drafts, Event};
use crate::kafka::{DrainLimit, KafkaError, Producer};
use crate::mqtt::{FlightWindow, OutsideLink, OutsideSubscriber, Subscriber};
use crate::options::DRAIN_AFTER_STOP;
use crate::pace::PaceStats;
use crate::pipeline::context::Replay;
use crate::pipeline::error::ReplayError;
use crate::pipeline::input::diagnosis::without_tweets;
use crate::pipeline::prepare::phase_plan;
use crate::pipeline::run_id::random_u64;
use crate::pipeline::unless_stopped::unless_stopped;
use crate::report::place;
use crate::source::SourceError;

/// Batches encoded ahead of the clock.
const READ_AHEAD_BATCHES: usize = 8;
/// Batches waiting for each Kafka producer.
const QUEUE_BATCHES: usize = 32;
/// Batches of delivery reports waiting to be counted.
const DELIVERY_BATCHES: usize = 1_024;

/// The results of all hops.
pub(crate) struct ReplayOutcome {
    pub counters: Arc<Counters>,
    pub feed: FeedSummary,
    pub pace: PaceStats,
    /// Drafts that were encoded but not released, because of a stop or the end of the duration.
    pub unreleased: u64,
    /// Whether the duration was over before everything was sent.
    pub over: bool,
    pub tally: Tally,
    /// What was read back from Kafka; `None`: nothing was looked for.
    pub read_back: Option<ReadBack>,
    pub cpu: HopCpu,
    /// Greatest resident memory seen, without the pages of mapped files.
    pub own_memory_mib: Option<f64>,
    /// What ended the replay early, the first error first.
    pub errors: Vec<ReplayError>,
}

/// CPU time of each hop's threads.
pub(crate) struct HopCpu {
    pub feed: Duration,
    pub pace: Duration,
    pub mqtt: Duration,
    pub kafka: Duration,
}

/// Where sent events come out again.
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

fn connect_mqtt(replay: &Replay<'_>, counters: &Arc<Counters>) -> Result<Mqtt, ReplayError> {
    let (counters, stop) = (counters.clone(), replay.session.stop.clone());
    if let Some(broker) = &replay.ends.broker {
        let (publisher, subscriber) =
            broker.connect(random_u64(), FlightWindow::default(), counters, stop)?;
        return Ok((Some((Sink::Mqtt(publisher), Source::Mqtt(subscriber))), None));
    }
    let Some(options) = replay.ends.outside.clone() else { return Ok((None, None)) };
    let connect = move || OutsideLink::connect(&options, counters, stop);
    let (publisher, subscriber, link) = unless_stopped(&replay.session.stop, connect)??;
    Ok((Some((Sink::Outside(publisher), Source::Outside(subscriber))), Some(link)))
}

/// What a thread gives back, with its CPU time.
type Timed<T> = (T, Duration);

fn timed<T>(work: impl FnOnce() -> T) -> Timed<T> {
    let result = work();
    (result, thread_cpu())
}

/// Runs all hops to their end. `queryable` gets each delivery if rows in Druid are counted.
pub(crate) fn run(
    replay: &Replay<'_>,
    queryable: Option<Arc<Queryable>>,
) -> Result<ReplayOutcome, ReplayError> {
    replay.files.outlive_shortening();
    let counters = &Arc::new(Counters::default());
    // The first run's, if a session has several.
    let _ = replay.session.counters.set(counters.clone());
    if let Some(metrics) = &replay.session.metrics {
        metrics.begin(replay.metric_sources(counters, queryable.as_ref()));
    }
    let (deliveries, reported) = bounded::<Vec<Delivery>>(DELIVERY_BATCHES);
    let (queues, receivers) = fan_out(replay.options.kafka.producers, QUEUE_BATCHES, counters.clone());
    let ended = Arc::new(AtomicBool::new(false));
    let follower =
        replay.ends.endpoint.as_ref().and_then(|endpoint| endpoint.follow(&replay.ends.producer.topic));
    let producers = start_producers(replay, receivers.len(), counters, deliveries, &ended)?;
    let (mqtt, link) = connect_mqtt(replay, counters)?;
    let link = link.as_ref();
    let (drafts_out, drafts_in) = bounded::<Drafts>(READ_AHEAD_BATCHES);
    let over = &AtomicBool::new(false);
    let all_reported = &AtomicBool::new(false);
    let in_flight = &replay.dead_letters.map(|_| InFlight::default());

    counters.series.with_partitions(replay.ends.partitions);
    counters.phases.set(phase_plan(&replay.plan.phases));
    let (told, places) = (queryable.clone(), Places::new(&replay.ends.starts));

    std::thread::scope(|scope| {
        let tally = spawn(scope, "tally", move || {
            count_deliveries(
                replay,
                Tally::telling(told, counters.clone(), places),
                &reported,
                link,
                in_flight.as_ref(),
            )
        })?;
        let producers: Vec<_> = producers
            .into_iter()
            .zip(receivers)
            .map(|(producer, queue)| spawn(scope, "kafka", move || timed(|| producer.run(&queue)).1))
            .collect::<Result<_, _>>()?;
        let (sink, subscriber) = match mqtt {
            Some((sink, source)) => (sink, Some(spawn(scope, "mqtt", move || timed(|| source.run(queues)))?)),
            None => (Sink::Queues(queues, counters.clone()), None),
        };
        let pacer = spawn(scope, "pace", move || {
            let released = timed(|| release(replay, over, sink, &drafts_in, counters));
            ended.store(true, Ordering::Relaxed);
            released
        })?;
        let feed = Feed::new(replay, drafts_out, counters, over, in_flight.as_ref());
        let feed = spawn(scope, "feed", move || timed(|| feed.run()))?;

        let read_back = follower.map(|follower| {
            let found = found_records(replay);
            spawn(scope, "read-back", move || follow(follower, found, counters, all_reported))
        });
        let read_back = read_back.transpose()?;

        let watched = watch(replay, counters, queryable.as_deref(), || tally.is_finished());
        all_reported.store(true, Ordering::Release);

        let mut errors = Errors::default();
        errors.add_from(watched.fault);
        let (mut feed, feed_cpu) = errors.join("feed", feed).unwrap_or_default();
        let (released, pace_cpu) = errors.join("pace", pacer).unwrap_or_default();
        let (drained, mqtt_cpu) =
            subscriber.and_then(|handle| errors.join("mqtt", handle)).unwrap_or((Ok(()), Duration::ZERO));
        let kafka_cpu = producers.into_iter().filter_map(|handle| errors.join("kafka", handle)).sum();
        let tally = errors.join("tally", tally).unwrap_or_default();
        let read_back = read_back.and_then(|handle| errors.join("read-back", handle));
        if let Some(Err(error)) = link.map(OutsideLink::finish) {
            // What was sent is accounted for anyway.
            tracing::warn!("{error}");
        }
        if let Some((number, offset)) = feed.changed_at {
            let file = replay.files.get(number);
            let path = file.path().to_owned();
            // Of a file that was shortened, zeros are read, and its lines cannot be counted.
            errors.add(match file.is_shorter() {
                true => SourceError::Shortened { path }.into(),
                false => {
                    let place = place(replay.files.line(number, offset), offset);
                    ReplayError::Changed { path, place }
                }
            });
        }
        if let Some(intake) = feed
            .intakes
            .as_deref()
            .map(Intake::sum)
            .filter(|intake| replay.prepared.is_skimmed && intake.tweets == 0)
        {
            errors.add(without_tweets(replay.files, replay.options, &intake));
        }
        if let Some(error) = feed.error.take() {
            errors.add(error.into());
        }
        errors.add_from(drained);
        errors.add_from(released.result);
        counters.sample_end(Instant::now(), queryable.as_deref(), None);
        Ok(ReplayOutcome {
            counters: counters.clone(),
            feed,
            pace: released.stats,
            unreleased: released.unreleased,
            over: over.load(Ordering::Relaxed),
            tally,
            read_back,
            cpu: HopCpu { feed: feed_cpu, pace: pace_cpu, mqtt: mqtt_cpu, kafka: kafka_cpu },
            own_memory_mib: watched.own_memory_mib,
            errors: errors.0,
        })
    })
}

/// Starts `count` producers in parallel, because each asks Kafka and waits for its answer.
fn start_producers(
    replay: &Replay<'_>,
    count: usize,
    counters: &Arc<Counters>,
    deliveries: Sender<Vec<Delivery>>,
    ended: &Arc<AtomicBool>,
) -> Result<Vec<Producer>, ReplayError> {
    let kafka = &replay.options.kafka;
    let drain = DrainLimit {
        stop: replay.session.stop.clone(),
        after_stop: kafka.drain_timeout.unwrap_or(DRAIN_AFTER_STOP),
        ended: ended.clone(),
        after_end: kafka.drain_timeout,
    };
    let start = || Producer::new(&replay.ends.producer, counters.clone(), deliveries.clone(), drain.clone());
    std::thread::scope(|scope| {
        let starting: Vec<_> = (0..count).map(|_| spawn(scope, "kafka", start)).collect::<Result<_, _>>()?;
        let started = starting.into_iter().map(|handle| handle.join());
        let started = started.map(|result| result.unwrap_or_else(|panic| resume_unwind(panic)));
        Ok(started.collect::<Result<_, KafkaError>>()?)
    })
}

/// Counts everything that Kafka reports on. Failed events become dead letters.
fn count_deliveries(
    replay: &Replay<'_>,
    tally: Tally,
    reported: &Receiver<Vec<Delivery>>,
    link: Option<&OutsideLink>,
    in_flight: Option<&InFlight>,
) -> Tally {
    tally.run_with(reported, |deliveries, settled_seq| {
        if let Some(link) = link {
            link.reported(deliveries);
        }
        if let (Some(dead_letters), Some(in_flight)) = (replay.dead_letters, in_flight) {
            dead_letters.write_failed(replay.files, deliveries, |seq| in_flight.get(seq));
            in_flight.settle(settled_seq);
        }
    })
}

fn spawn<'scope, 'env, T: Send + 'scope>(
    scope: &'scope Scope<'scope, 'env>,
    name: &str,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Result<ScopedJoinHandle<'scope, T>, ReplayError> {
    std::thread::Builder::new().name(name.to_owned()).spawn_scoped(scope, work).map_err(ReplayError::Thread)
}

/// Everything that went wrong; what comes later is mostly a consequence of the first.
#[derive(Default)]
struct Errors(Vec<ReplayError>);

impl Errors {
    fn add(&mut self, error: ReplayError) {
        self.0.push(error);
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
