//! The pipeline: joins the hops into a replay. The only module that knows all of them.
//!
//! ```text
//!  prepare: files ─▶ frames ─▶ times ─▶ slots in the order of sending, and the plan
//!  replay:  slots ─▶ feed ─▶ pacer ─▶ mqtt ─▶ subscriber ─▶ queues ─▶ producers ─▶ tally
//!           (each arrow between two threads is a bounded queue of batches)
//! ```
//!
//! The threads are started from the last hop to the first, and end from the first to the last: each
//! hop ends after the one before it, so nothing that was sent is forgotten.

mod announce;
mod bridge;
mod context;
mod ends;
mod error;
mod evidence;
mod input;
mod inspect;
mod judgement;
mod outcome;
mod phase_reports;
mod prepare;
mod prove;
mod replay;
mod run_id;
mod serve;
mod unless_stopped;

use std::time::Duration;

pub use bridge::{BridgeError, SpoolError, bridge};
pub use ends::PAYLOAD_WITHOUT_RUN;
pub(crate) use ends::{check_outside, producer_options};
pub use error::ReplayError;
pub use inspect::inspect;
pub(crate) use prove::{add_own_view, altered, io_config, is_loopback, listens, read_spec, tuning_config};
pub(crate) use run_id::new_run_id;
pub use serve::{ServeOptions, serve};

use crate::count::MachineCpu;
use crate::kafka::{KafkaError, find_last};
use crate::options::{ReplayOptions, Session};
use crate::report::{LiveView, OpeningBar, RunReport, ViewSources};
use announce::{announcement, planned_end};
use context::Replay;
use ends::Ends;
use input::dead_letters::DeadLetters;
use input::diagnosis::excluded;
use input::input_hash::input_hash;
pub(crate) use input::opened::Opened;
use input::tables::load_tables;
use outcome::Results;
pub(crate) use prepare::{Goal, opening};
use prepare::{Plan, Preparation, prepare};
use prove::DruidHop;

/// A replay that has ended, with the ends that still run: dropping it stops them.
pub struct Replayed {
    pub report: RunReport,
    ends: Ends,
}

/// Replays the input: from the plan to the ledger. Blocks until every tweet is accounted for, or
/// the session is stopped and everything that was sent has been drained.
///
/// # Errors
/// When the replay cannot start. Later failures are in the report, with the ledger so far.
pub fn replay(options: &ReplayOptions, session: &Session) -> Result<Replayed, ReplayError> {
    DruidHop::check_address(options)?;
    let watch = OpeningBar::new(&session.screen);
    let watch = |state| watch.show(state);
    let opened = Opened::new(options, &opening(options, Goal::Replay, session, &watch))?;
    replay_opened(&opened, &opened.options, session)
}

/// The same with an input that is open, and options made of [`Opened::options`].
///
/// # Errors
/// As those of [`replay`].
pub(crate) fn replay_opened(
    opened: &Opened,
    options: &ReplayOptions,
    session: &Session,
) -> Result<Replayed, ReplayError> {
    let run = &new_run_id();
    let machine = MachineCpu::now();
    let Opened { files, events, .. } = opened;
    let watch = OpeningBar::new(&session.screen);
    let watch = |state| watch.show(state);
    let opening = &opening(options, Goal::Replay, session, &watch);
    let enrichment = load_tables(options, opening, &session.screen)?;
    let ends = Ends::start(options, run, &session.stop)?;
    let letters = options.report.dead_letters.as_ref().map(DeadLetters::new);
    let dead_letters = letters.as_ref();
    let goal = Goal::Replay;
    let prepared = &prepare(&Preparation { files, options, opening, dead_letters, goal, session })?;
    let plan = &Plan::new(options, prepared);
    let (enrichment, events) = (enrichment.as_ref(), events.as_ref());
    let replay = Replay {
        options,
        files,
        events,
        prepared,
        plan,
        ends: &ends,
        run,
        enrichment,
        dead_letters,
        session,
    };
    if session.screen.shows_progress() {
        session.screen.say(&announcement(&replay, session.screen.layout()));
    }
    let druid = DruidHop::start(&replay)?;
    if let Some(end) = planned_end(&replay).filter(|_| druid.is_some() && session.screen.shows_progress()) {
        session.screen.say_row("plan", &format!("until {end}"));
    }
    let view = live_view(&replay, druid.as_ref());
    let mut outcome = replay::run(&replay, druid.as_ref().map(DruidHop::queryable))?;
    if options.kafka.verify && replay.ends.endpoint.is_none() {
        outcome.read_back = Some(replay::read_at_end(&replay, &outcome.counters));
    }
    let patience = druid.as_ref().map(DruidHop::patience);
    let druid = druid.map(|druid| druid.finish(&outcome.counters, outcome.pace.started));
    drop(view);
    let dead_letters = dead_letters.map(DeadLetters::finish).transpose().unwrap_or_else(|error| {
        outcome.errors.push(error);
        None
    });
    let druid_outages = patience.map(|patience| patience.all()).unwrap_or_default();
    let results = Results { dead_letters, druid, druid_outages, interrupted: session.is_stopped(), machine };
    let mut report = outcome::report(&replay, outcome, results);
    if let Some(metrics) = &session.metrics {
        metrics.end(&report.ledger);
    }
    let select = &options.input.select;
    // In file order nobody knows before.
    if select.by_time() && report.ledger.published == 0 && report.error.is_none() && !report.interrupted {
        tracing::warn!(
            "nothing was sent: {}",
            excluded(select, &report.noun().counted(report.ledger.tweets), None)
        );
    }
    // Last: the report's CPU time and memory are those of the replay.
    if options.report.hash_input {
        report.environment.input_hash = input_hash(files, &session.stop);
    }
    Ok(Replayed { report, ends })
}

/// Shows the run from its first tweet to the last row, where the screen can.
fn live_view(replay: &Replay<'_>, druid: Option<&DruidHop<'_>>) -> Option<LiveView> {
    let Replay { options, ends, session, .. } = *replay;
    let sources = ViewSources {
        title: format!("tweetblast {}", replay.run),
        counters: session.counters.clone(),
        queryable: druid.map(DruidHop::queryable),
        druid: session.druid.clone(),
        search: None,
        has_mqtt: ends.broker.is_some() || ends.outside.is_some(),
        has_keys: options.report.keys.is_some(),
    };
    LiveView::start(&session.screen, sources)
}

impl Replayed {
    /// Partition and offset of a message of this run among the last ones of the topic; `None` if
    /// there is none. Blocks for seconds at most.
    ///
    /// # Errors
    /// When Kafka does not answer.
    pub fn find_in_kafka(&self) -> Result<Option<(i32, i64)>, KafkaError> {
        let name = self.report.input.events.as_ref().map_or("run", |events| events.run_name);
        let needle = format!("\"{name}\":\"{}\"", self.report.run);
        find_last(&self.ends.producer, self.ends.partitions, needle.as_bytes())
    }

    /// Keeps both ends up until the session is stopped.
    pub fn hold(&self, session: &Session) {
        while !session.is_stopped() {
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Stops the ends; a temporary Kafka directory is removed with them.
    ///
    /// # Errors
    /// When the directory cannot be removed.
    pub fn close(self) -> Result<(), ReplayError> {
        if let Some(broker) = self.ends.broker {
            broker.stop();
        }
        self.ends.endpoint.map_or(Ok(()), |endpoint| endpoint.close()).map_err(ReplayError::Endpoint)
    }
}
