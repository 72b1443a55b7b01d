//! Druid after the replay's hops: its supervisor before the first tweet, a count of rows while
//! tweets are sent, the proof after the last one.
//!
//! Nothing is sent before every partition is read. At the end the run waits as long as rows keep
//! coming; when they stop, it reports which are missing and why.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::alarm::Alarm;
use super::counting::{Counted, Counting};
use super::spec_parts::{add_own_view, is_loopback};
use super::tasks::Tasks;
use super::{rollover, setup};
use crate::count::{Counters, QUERYABLE_LANES_MAX, Queryable};
use crate::druid::{
    Access, Client, DruidAfter, Patience, QueryLoad, ReadyWait, RunName, Submission, Supervisor, Symptoms,
};
use crate::kafka::{ProducerOptions, end_offsets};
use crate::options::{DruidOptions, ReplayOptions, Session};
use crate::pipeline::context::Replay;
use crate::pipeline::error::ReplayError;
use crate::report::{
    DruidReport, DruidUsers, IngestionReport, PairedBy, QueryLoadReport, SegmentsReport, seconds,
};

/// Time within which Druid updates its tasks' offsets: three times `offsetFetchPeriod`.
const OFFSETS_UPDATED: Duration = Duration::from_secs(15);

/// Longest wait for the answer when a supervisor is removed again that was never ready: an overlord that cannot reach
/// Kafka has taken half a minute.
const TAKE_BACK: Duration = Duration::from_secs(3);

/// A supervisor that reads our topic, and the thread that counts its rows.
pub(crate) struct DruidHop<'a> {
    pub(super) choice: &'a DruidOptions,
    pub(super) patience: Arc<Patience>,
    pub(super) supervisor: Supervisor,
    pub(super) datasource: String,
    pub(super) run: RunName<'a>,
    pub(super) session: &'a Session,
    pub(super) spec: Value,
    pub(super) submitted: Submission,
    pub(super) after: DruidAfter,
    /// `None`: not yet.
    pub(super) ready_after: Option<Duration>,
    pub(super) producer: &'a ProducerOptions,
    pub(super) partitions: usize,
    pub(super) by_partition: bool,
    pub(super) topic_created: bool,
    pub(super) embedded: bool,
    pub(super) notes: Vec<String>,
    pub(super) queryable: Arc<Queryable>,
    pub(super) counting: Counting,
    pub(super) alarm: Alarm,
    pub(super) query_load: QueryLoad,
    pub(super) tasks: Tasks,
    pub(super) settled: bool,
    pub(super) users: Option<DruidUsers>,
}

impl<'a> DruidHop<'a> {
    /// Makes sure that somebody listens where Druid is to be, before anything else takes time.
    pub fn check_address(options: &ReplayOptions) -> Result<(), ReplayError> {
        let Some(choice) = &options.druid else { return Ok(()) };
        Ok(Client::new(&choice.url, &Access::from_env()?)?.check_address()?)
    }

    /// Submits the supervisor, waits until it reads every partition, and starts to count. Blocks
    /// until then. `None` if the replay has no Druid.
    pub fn start(replay: &Replay<'a>) -> Result<Option<Self>, ReplayError> {
        let Some(choice) = &replay.options.druid else { return Ok(None) };
        match Self::begin(replay, choice) {
            // Whatever did not come through then is a consequence of it.
            Err(_) if replay.session.is_stopped() => Err(ReplayError::Stopped),
            hop => hop.map(Some),
        }
    }

    fn begin(replay: &Replay<'a>, choice: &'a DruidOptions) -> Result<Self, ReplayError> {
        let Replay { options, ends, run, enrichment, session, .. } = *replay;
        let stop = &session.stop;
        let say = {
            let screen = session.screen.clone();
            move |words: &str| {
                if screen.shows_progress() {
                    screen.say_row("druid", words);
                }
            }
        };
        let patience = Patience::new(choice.timeout, stop.clone(), say.clone());
        let client = Client::new(&choice.url, &Access::from_env()?)?;
        let client = client.stopped_by(stop.clone()).with_patience(patience.clone());
        // A run that cannot be counted at its end is better not begun.
        client.check_router()?;
        let setup = setup::set_up(replay, choice, &client, &say)?;
        for note in &setup.notes {
            say(note);
        }
        // One producer writes a partition in the order of its delivery reports.
        let by_partition = options.kafka.producers == 1 && ends.partitions <= QUERYABLE_LANES_MAX;
        let lanes = if by_partition { ends.partitions } else { 1 };
        let queryable = Arc::new(Queryable::with_lanes(lanes));
        let mut hop = Self {
            choice,
            patience,
            supervisor: setup.supervisor,
            datasource: setup.datasource,
            run: RunName { run, names: options.message.names },
            session,
            spec: setup.spec,
            submitted: setup.submitted,
            after: setup.after,
            ready_after: None,
            producer: &ends.producer,
            partitions: ends.partitions,
            by_partition,
            topic_created: ends.topic_created,
            embedded: ends.endpoint.is_some(),
            notes: setup.notes,
            queryable: queryable.clone(),
            counting: Counting::default(),
            alarm: Alarm::default(),
            query_load: QueryLoad::default(),
            tasks: Tasks::default(),
            settled: false,
            users: None,
        };
        say(&format!(
            "supervisor {} {}, datasource {}",
            hop.supervisor.name(),
            hop.submitted.name(),
            hop.datasource
        ));
        // Meanwhile the supervisor starts its tasks.
        hop.users = hop.load_users(enrichment, stop, &say)?;
        let took = hop.wait_until_read(stop, &|words| say(&format!("waiting {words}")))?;
        hop.ready_after = Some(took);
        say(&format!("reads every partition after {}", seconds(took.as_secs_f64())));
        let before = Tasks { before: hop.tasks.before.clone(), ..Tasks::default() };
        let alarm = (hop.supervisor.trying_once(), hop.spec.clone(), session.druid.clone());
        hop.alarm = Alarm::start(alarm, before, say);
        hop.counting = Counting::start(Counted {
            client: client.trying_once().with_own_connections(),
            datasource: hop.datasource.clone(),
            run: run.to_owned(),
            names: options.message.names,
            by_send_time: setup::are_found_by_send_time(options, &hop.spec),
            queryable,
        });
        if let Some(per_s) = choice.query_load {
            let by = setup::key_column(replay);
            hop.query_load = QueryLoad::start(&client.trying_once(), (&hop.datasource, &by), per_s);
        }
        Ok(hop)
    }

    fn wait_until_read(&mut self, stop: &AtomicBool, say: &dyn Fn(&str)) -> Result<Duration, ReplayError> {
        let since = Instant::now();
        let wait = ReadyWait {
            partitions: self.partitions,
            patience: self.choice.timeout,
            stop,
            say,
            look_closer: &|seen| self.add_own_view(seen),
            same_machine: is_loopback(self.supervisor.client().host()),
        };
        let mut status = self.supervisor.wait_until_read(&self.datasource, &wait)?;
        if self.topic_created && matches!(self.submitted, Submission::Unchanged | Submission::AsItIs) {
            // Existing tasks may have read from a deleted topic of that name. What Druid says of
            // their offsets is from an earlier look.
            let (seen, since) = (status.offsets_updated.clone(), Instant::now());
            while status.offsets_updated == seen && since.elapsed() < OFFSETS_UPDATED {
                std::thread::sleep(Duration::from_millis(500));
                status = self.supervisor.status()?.unwrap_or(status);
            }
        }
        let ends = end_offsets(self.producer, self.partitions)?;
        if !status.beyond_end(&ends).is_empty() {
            let mut seen =
                Symptoms { status: Some(status), from_earliest: true, ..self.supervisor.symptoms() };
            self.add_own_view(&mut seen);
            let causes: Vec<String> = crate::druid::diagnose(&seen).iter().map(ToString::to_string).collect();
            return Err(ReplayError::Options(causes.join("; ")));
        }
        self.tasks.look(&self.supervisor);
        self.tasks.before = self.tasks.now.clone();
        Ok(since.elapsed())
    }

    /// Adds evidence from elsewhere than Druid.
    pub(super) fn add_own_view(&self, seen: &mut Symptoms) {
        add_own_view(seen, &self.spec);
        seen.ends = end_offsets(self.producer, self.partitions).unwrap_or_default();
    }

    /// What knows of Druid's outages.
    pub fn patience(&self) -> Arc<Patience> {
        self.patience.clone()
    }

    /// For the tally, which reports each delivery to it.
    pub fn queryable(&self) -> Arc<Queryable> {
        self.queryable.clone()
    }

    /// Waits until Druid has every row, or no more come; then does what was requested with the
    /// supervisor. Blocks as long as rows come.
    pub fn finish(mut self, counters: &Counters, started: Option<Instant>) -> DruidReport {
        let (stop, screen) = (&self.session.stop, &self.session.screen);
        let sending = started.map_or(Duration::ZERO, |started| started.elapsed());
        let found = self.prove(counters, stop, screen);
        let rows = found.proof.map(|proof| proof.rows);
        counters.sample_end(Instant::now(), Some(&self.queryable), rows);
        self.counting.end();
        let query_load =
            self.choice.query_load.map(|per_s| QueryLoadReport::of(per_s, &self.query_load.end()));
        let (durable, durable_after) = self.wind_up(&found, stop, screen);
        self.settled = true;
        let started = started.unwrap_or_else(Instant::now);
        let ingestion = self.ingestion(started);
        let times = self.queryable.times(started, counters.phases.first_counted());
        let rows = self.tasks.since_start();
        let span = found.proof.and_then(|proof| proof.span);
        self.notes.extend(self.patience.over());
        let at_start = self.tasks.before.keys();
        self.notes.extend(rollover::note(&self.spec, at_start, &self.tasks.ids, sending));
        DruidReport {
            url: self.supervisor.client().url().to_owned(),
            datasource: std::mem::take(&mut self.datasource),
            supervisor: self.supervisor.name().to_owned(),
            submitted: self.submitted,
            spec: self.spec.take(),
            ready_after_s: self.ready_after.unwrap_or_default().as_secs_f64(),
            rows: found.proof.map(|proof| proof.rows),
            distinct: found.proof.map(|proof| proof.distinct),
            min_seq: span.map(|span| span.min),
            max_seq: span.map(|span| span.max),
            sum_seq: found.proof.map(|proof| proof.sum),
            exact: found.exact,
            count_error: found.count_error,
            missing: found.missing,
            causes: found.causes,
            queryable_after_s: times
                .last_rows
                .map(|last| last.saturating_duration_since(started).as_secs_f64()),
            time_to_queryable_ms: times.from_intended_ms,
            time_to_queryable_error_ms: times.from_intended_error_ms,
            time_to_queryable_histogram: times.from_intended,
            acked_to_queryable_ms: times.from_ack_ms,
            acked_to_queryable_error_ms: times.from_ack_error_ms,
            acked_to_queryable_histogram: times.from_ack,
            time_to_queryable_tweets: times.tweets,
            poll_gap_ms: times.poll_gap.as_secs_f64() * 1_000.0,
            paired_by: if self.by_partition { PairedBy::Partition } else { PairedBy::Run },
            rows_per_s: times.rows_per_s,
            backlog: times.backlog,
            unparseable: rows.unparseable,
            thrown_away: rows.thrown_away,
            after: self.after,
            durable,
            durable_after_s: durable_after.map(|after| after.as_secs_f64()),
            ingestion,
            query_load,
            phase_times: self.queryable.by_phase_ms(),
            notes: std::mem::take(&mut self.notes),
            users: self.users.take(),
        }
    }

    /// What the tasks did, and what is published.
    fn ingestion(&self, started: Instant) -> IngestionReport {
        let segments =
            self.supervisor.trying_once().published(&self.datasource).ok().map(SegmentsReport::from);
        IngestionReport { segments, ..self.alarm.ingestion(started) }
    }

    /// Longest wait without any progress: shorter once the user wants to leave.
    pub(super) fn limit(&self, stop: &AtomicBool) -> Duration {
        match stop.load(Ordering::Relaxed) {
            true => self.choice.timeout.min(self.session.after_stop),
            false => self.choice.timeout,
        }
    }
}

impl Drop for DruidHop<'_> {
    /// A replay that could not be started removes a supervisor that was created for it and reads
    /// nothing, or that looks for a Kafka which is gone.
    fn drop(&mut self) {
        self.counting.end();
        self.alarm.end();
        self.query_load.end();
        if self.settled || self.choice.supervisor.is_some() {
            return;
        }
        // A termination continues by itself, and the cause is shown after this.
        let supervisor = self.supervisor.asking_within(TAKE_BACK);
        if matches!((self.submitted, self.ready_after), (Submission::Created, None)) {
            let _ = supervisor.terminate();
            if !matches!(supervisor.spec(), Ok(None)) {
                let name = supervisor.name();
                tracing::warn!(
                    "Druid still has supervisor {name}, which reads nothing: `tweetblast druid terminate {name}` waits \
                     until it is gone"
                );
            }
        } else if self.embedded {
            let _ = supervisor.suspend();
        }
    }
}
