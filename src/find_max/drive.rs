//! One search: the replay in one thread, and in this one a sample and an order per second.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;

use super::observer::Observer;
use super::options::FindMaxOptions;
use super::progress::Progress;
use super::stage::{Stage, TASK_DURATION};
use super::steering::Steering;
use crate::count::Counters;
use crate::kafka::{KafkaError, read_rate};
use crate::limit::{GeneratorLimit, Order, Sample, Search, Verdict};
use crate::metrics::SearchMetrics;
use crate::options::{MqttChoice, Pace, PaceOptions, Quiet, ReplayOptions, Session};
use crate::pipeline::{Opened, ReplayError, new_run_id, replay_opened};
use crate::report::{
    LiveView, RunReport, SearchFigures, SearchNow, SearchReport, SearchVerdict, SegmentsReport, ViewSources,
    cost_words, counted, mask_secrets, phase_name, seconds, verdict_words,
};

/// Time between two samples.
const SAMPLE: Duration = Duration::from_secs(1);

/// How often the start of the replay is looked for.
const LOOK: Duration = Duration::from_millis(50);

/// A Kafka that gives a consumer less than this multiple of what the tasks take may be the limit, and not Druid.
const KAFKA_FASTER: f64 = 2.0;

/// Longest time for which that is tried.
const READ: Duration = Duration::from_secs(5);

/// Searches once.
pub(super) fn search(
    options: &FindMaxOptions,
    opened: &Opened,
    swept: Option<(&String, &Value)>,
    session: &Session,
) -> Result<SearchReport, ReplayError> {
    let screen = &session.screen;
    let say = |words: &str| {
        if screen.shows_progress() {
            screen.say_row("find-max", words);
        }
    };
    let swept_words = swept.map(|(place, value)| format!("{place}={value}"));
    if let Some(words) = &swept_words {
        say(&format!("with {words}"));
    }
    let name = format!("{}-max-{}", options.replay.kafka.topic, new_run_id().to_ascii_lowercase());
    say(&format!(
        "topic and datasource {name}, {}",
        if options.keep { "kept" } else { "dropped at the end" }
    ));
    let began = Instant::now();
    let mut stage = Stage::set_up(options, (&name, opened), swept, session, &say)?;
    let settings = options.settings(stage.task_duration_s, stage.segment_rows, began.elapsed());
    say(&format!(
        "{}, {TASK_DURATION} {} s: {}",
        counted(stage.tasks as u64, "task"),
        stage.task_duration_s,
        cost_words(&settings)
    ));
    let mut observer = Observer::new(&stage, &session.druid);
    let mut search = Search::new(settings, options.slos.clone());
    let driven = drive(options, (&name, opened), &mut search, &mut observer, session)?;
    let (kafka_per_s, untold) = match kafka_per_s(&search, &stage, session, &say) {
        Ok(per_s) => (per_s, None),
        Err(error) => (None, Some(format!("whether Kafka was the limit is not known: {error}"))),
    };
    let figures = Figures {
        kafka_per_s,
        handoff_max_s: observer.handoff_max().map(|handoff| handoff.as_secs_f64()),
        dropped: observer.dropped(),
        seconds: observer.at_s(),
        segments: stage.supervisor.without_patience().published(&name).unwrap_or_default().into(),
        swept: swept_words,
        cores: cores_of_druid(&stage),
    };
    say(if options.keep { "suspending the supervisor" } else { "dropping the topic and the datasource" });
    let left = untold.into_iter().chain(stage.take_down()).collect();
    Ok(report(options, &search, &stage, driven, figures, left))
}

/// Messages per second that Kafka gives a consumer, up to what is enough; `None`: it is not known what the tasks take.
fn kafka_per_s(
    search: &Search,
    stage: &Stage,
    session: &Session,
    say: &dyn Fn(&str),
) -> Result<Option<f64>, KafkaError> {
    let Some((_, taken)) = taken_per_s(search).filter(|_| !session.is_stopped()) else { return Ok(None) };
    say("reading the topic, to see whether Kafka was the limit");
    let enough = KAFKA_FASTER * taken * READ.as_secs_f64();
    let go_on = || !session.is_stopped();
    read_rate(&stage.producer, stage.partitions, enough as u64, READ, go_on).map(Some)
}

/// Rows per second that the tasks took, at least and at most, if a limit was found.
fn taken_per_s(search: &Search) -> Option<(f64, f64)> {
    let found = search.found();
    let capacity = found.capacity.map(|capacity| (capacity.per_s.low(), capacity.per_s.value));
    match found.verdict? {
        Verdict::GeneratorLimited { .. } | Verdict::Stopped => None,
        Verdict::NotStable { first, second } => capacity.or(Some((first.min(second), first.max(second)))),
        _ => capacity,
    }
}

/// The search's verdict, unless Kafka may be the limit that was found.
fn verdict(search: &Search, kafka_per_s: Option<f64>) -> Verdict {
    match (taken_per_s(search), kafka_per_s) {
        (Some((above, taken)), Some(kafka_per_s)) if kafka_per_s < KAFKA_FASTER * taken => {
            Verdict::GeneratorLimited { above, limit: GeneratorLimit::KafkaReads }
        }
        _ => search.found().verdict.unwrap_or(Verdict::Stopped),
    }
}

/// What the replay and the last sample say.
struct Driven {
    replayed: RunReport,
    queryable: u64,
    failed_tasks: u64,
}

/// Besides.
struct Figures {
    kafka_per_s: Option<f64>,
    handoff_max_s: Option<f64>,
    dropped: u64,
    seconds: f64,
    segments: SegmentsReport,
    swept: Option<String>,
    cores: Option<usize>,
}

fn drive(
    options: &FindMaxOptions,
    (topic, opened): (&str, &Opened),
    search: &mut Search,
    observer: &mut Observer<'_>,
    session: &Session,
) -> Result<Driven, ReplayError> {
    let base_per_s = search.settings().start_rate;
    let own = Session { quiet: Quiet::All, metrics: session.metrics.clone(), ..Session::unattended() };
    let replay_options = replay_options(&opened.options, topic, base_per_s);
    let now = Arc::new(SearchNow::new(topic));
    let view = LiveView::start(&session.screen, sources(options, &own, session, &now));
    std::thread::scope(|scope| {
        let work = || {
            let replayed = replay_opened(opened, &replay_options, &own)?;
            let report = replayed.report.clone();
            replayed.close()?;
            Ok::<RunReport, ReplayError>(report)
        };
        let replaying = std::thread::Builder::new().name("replay".into()).spawn_scoped(scope, work);
        let replaying = replaying.map_err(ReplayError::Thread)?;
        let is_over = || replaying.is_finished();
        let progress = Progress::new(&session.screen, &now);
        let followed = follow(search, observer, (&own, session), progress, &is_over);
        drop(view);
        own.control.set_paused(false);
        own.stop.store(true, Ordering::Relaxed);
        // What the replay says is the cause of what follows from it.
        let replayed = replaying.join().map_err(|_| ReplayError::Panic("replay"))??;
        let (queryable, failed_tasks) = followed?;
        Ok(Driven { replayed, queryable, failed_tasks })
    })
}

/// Where the view of a search looks.
fn sources(options: &FindMaxOptions, own: &Session, session: &Session, now: &Arc<SearchNow>) -> ViewSources {
    ViewSources {
        title: String::new(),
        counters: own.counters.clone(),
        queryable: None,
        druid: session.druid.clone(),
        search: Some(now.clone()),
        has_mqtt: !matches!(options.replay.mqtt.broker, MqttChoice::Off),
        has_keys: options.replay.report.keys.is_some(),
    }
}

/// The replay behind a search: without a Druid of its own, and at a constant rate.
fn replay_options(asked: &ReplayOptions, topic: &str, base_per_s: f64) -> ReplayOptions {
    let mut options = asked.clone();
    options.druid = None;
    topic.clone_into(&mut options.kafka.topic);
    topic.clone_into(&mut options.mqtt.topic);
    options.pace = PaceOptions { speed: Pace::Rate(base_per_s), ..asked.pace.clone() };
    options
}

/// Samples and orders until the search is over, or somebody stops it.
fn follow(
    search: &mut Search,
    observer: &mut Observer<'_>,
    (own, session): (&Session, &Session),
    mut progress: Progress<'_>,
    is_over: &dyn Fn() -> bool,
) -> Result<(u64, u64), ReplayError> {
    let Some(counters) = wait_for_start(own, session, is_over) else {
        search.stop();
        return Ok((0, 0));
    };
    let mut steering =
        Steering::new(own.control.clone(), search.settings().start_rate, counters.published.get());
    loop {
        let next = Instant::now() + SAMPLE;
        let mut sample = observer.sample(counters)?;
        sample.intended = steering.intended();
        sample.input_over = is_over();
        let order = search.observe(&sample);
        if session.is_stopped() {
            search.stop();
        }
        progress.show(search, &sample, order);
        if let Some(metrics) = &session.metrics {
            metrics.search(search_metrics(search, &sample, order));
        }
        if order == Order::Done || session.is_stopped() {
            return Ok((sample.queryable, sample.failed_tasks));
        }
        steering.follow(order, counters.published.get());
        while Instant::now() < next && !session.is_stopped() {
            std::thread::sleep(LOOK.min(next.saturating_duration_since(Instant::now())));
        }
    }
}

/// What the search does, as metrics.
fn search_metrics(search: &Search, sample: &Sample, order: Order) -> SearchMetrics {
    SearchMetrics {
        phase: phase_name(search.phase()),
        processed: sample.processed,
        queryable: sample.queryable,
        asked_per_s: match order {
            Order::Rate(per_s) | Order::Hold(per_s) => per_s,
            Order::Drain | Order::Done => 0.0,
        },
        capacity_per_s: search.found().capacity.map(|capacity| capacity.per_s.value),
    }
}

/// The counters, once the first tweet was sent; `None` if there will be none.
fn wait_for_start<'a>(
    own: &'a Session,
    session: &Session,
    is_over: &dyn Fn() -> bool,
) -> Option<&'a Arc<Counters>> {
    loop {
        if let Some(counters) = own.counters.get().filter(|counters| counters.published.get() > 0) {
            return Some(counters);
        }
        if session.is_stopped() || is_over() {
            return None;
        }
        std::thread::sleep(LOOK);
    }
}

/// Cores of this machine, if Druid is on it.
fn cores_of_druid(stage: &Stage) -> Option<usize> {
    let host = stage.supervisor.client().host();
    let is_here = ["127.", "localhost", "[::1]"].iter().any(|here| host.starts_with(here));
    std::thread::available_parallelism().ok().map(usize::from).filter(|_| is_here)
}

/// Speedup of the input at this rate.
fn speedup(replayed: &RunReport, per_s: f64) -> Option<f64> {
    let time = |text: &Option<String>| text.as_ref()?.parse::<Timestamp>().ok();
    let span = time(&replayed.input.last)?.duration_since(time(&replayed.input.first)?).as_secs_f64();
    let tweets = replayed.ledger.tweets as f64;
    (span > 0.0 && tweets > 1.0).then(|| per_s * span / tweets)
}

fn report(
    options: &FindMaxOptions,
    search: &Search,
    stage: &Stage,
    driven: Driven,
    figures: Figures,
    left: Vec<String>,
) -> SearchReport {
    let found = search.found();
    let verdict = verdict(search, figures.kafka_per_s);
    let sustainable = match verdict {
        Verdict::Sustainable { rate } | Verdict::BreaksAtRollovers { rate } => Some(rate),
        _ => None,
    };
    let speedup = sustainable.and_then(|per_s| speedup(&driven.replayed, per_s));
    let SearchFigures { capacity, holds, cross_check, rollovers, blocks } =
        SearchFigures::of(found, search.rollovers(), &options.slos);
    let notes = notes(found.notes.iter(), verdict, &driven, &figures, left);
    let mut spec = stage.spec.clone();
    mask_secrets(&mut spec);
    let name = SearchVerdict::of(verdict);
    SearchReport {
        run: driven.replayed.run.clone(),
        swept: figures.swept,
        verdict: name,
        words: verdict_words(verdict, speedup),
        exit_code: name.exit_code(),
        sustainable_per_s: sustainable,
        speedup,
        limit_above_per_s: match verdict {
            Verdict::GeneratorLimited { above, .. } => Some(above),
            _ => None,
        },
        not_stable_per_s: match verdict {
            Verdict::NotStable { first, second } => Some([first, second]),
            _ => None,
        },
        capacity,
        holds,
        cross_check,
        rollovers,
        tasks: stage.tasks,
        replicas: stage.replicas,
        worker_slots: stage.worker_slots(),
        partitions: stage.partitions,
        per_task_per_s: sustainable.map(|per_s| per_s / stage.tasks as f64),
        per_core_per_s: sustainable.zip(figures.cores).map(|(per_s, cores)| per_s / cores as f64),
        task_duration_s: stage.task_duration_s,
        segments: figures.segments,
        handoff_max_s: figures.handoff_max_s,
        // Those of the last sample are older than the rows that were counted.
        acked: driven.replayed.ledger.delivered,
        queryable: driven.queryable,
        failed_tasks: driven.failed_tasks,
        seconds: figures.seconds,
        blocks,
        datasource: stage.datasource.clone(),
        kept: options.keep,
        spec,
        notes,
    }
}

/// What a reader should know besides.
fn notes<'a>(
    found: impl Iterator<Item = &'a &'static str>,
    verdict: Verdict,
    driven: &Driven,
    figures: &Figures,
    left: Vec<String>,
) -> Vec<String> {
    let mut notes: Vec<String> = found.map(|note| (*note).to_owned()).collect();
    if figures.dropped > 0 {
        let messages = counted(figures.dropped, "message");
        notes.push(format!("Druid dropped {messages}: not parseable, or thrown away"));
    }
    if driven.failed_tasks > 0 {
        notes.push(format!("{} failed during the search", counted(driven.failed_tasks, "task")));
    }
    if let (Verdict::GeneratorLimited { limit: GeneratorLimit::KafkaReads, .. }, Some(per_s)) =
        (verdict, figures.kafka_per_s)
    {
        notes.push(format!("Kafka gave a consumer {per_s:.0} messages per second"));
    } else if let Verdict::GeneratorLimited { .. } = verdict {
        let replayed = &driven.replayed;
        notes.push(format!(
            "of the generator: bottleneck {}, blocked by Kafka for {}, {} of CPU time per tweet",
            replayed.bottleneck.name(),
            seconds(replayed.hops.kafka.blocked_s),
            replayed.cpu.us_per_tweet.map_or("an unknown amount".to_owned(), |us| format!("{us:.1} µs")),
        ));
    }
    notes.extend(driven.replayed.error.clone());
    notes.extend(left);
    notes
}
