//! The pipeline: joins the hops to a replay. The only module that knows all of them.
//!
//! ```text
//!  prepare: files ─▶ frames ─▶ times ─▶ slots in the order of sending, and the plan
//!  replay:  slots ─▶ feed ─▶ pacer ─▶ mqtt ─▶ subscriber ─▶ queues ─▶ producers ─▶ tally
//!           (each arrow between two threads is a bounded queue of batches)
//! ```
//!
//! It is built from the last hop to the first and ends from the first to the last: each hop ends
//! when the one before it has, so nothing that was sent is forgotten.

mod batch;
mod dead_letter;
mod doctor;
mod druid;
mod ends;
mod enrich;
mod error;
mod feed;
mod files;
mod gather;
mod hops;
mod index;
mod input_hash;
mod inspect;
mod options;
mod outcome;
mod plan;
mod prepare;
mod read;
mod select;
mod serve;
mod stream;
mod watch;

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;

pub use doctor::{Check, CheckState, DoctorOptions, doctor};
pub use druid::{DRUID_TIMEOUT, DruidAfter, DruidChoice, UsersInto};
pub use ends::PAYLOAD_WITHOUT_RUN;
pub use enrich::{ColumnType, EnrichError, Enrichment};
pub use error::ReplayError;
pub use inspect::{inspect, without_tweets};
pub use options::{
    DEFAULT_INTERVAL, DEFAULT_MAX_RECORD_BYTES, DEFAULT_WINDOW, DRAIN_AFTER_STOP, DeadLetterFile,
    EmbeddedKafka, Enrich, KafkaChoice, KeyBy, Listen, Loops, MqttChoice, OrderBy, Pace, ReplayOptions,
    Select,
};

pub use serve::{ServeOptions, serve};

use crate::report::{MachineCpu, RunReport, Screen, prepare_bar};
use dead_letter::DeadLetters;
use druid::DruidHop;
use ends::Ends;
use files::Files;
use plan::Plan;
use prepare::Goal;

/// A replay that has ended, with what still answers: dropping it takes the ends down.
pub struct Replayed {
    /// What came of it.
    pub report: RunReport,
    ends: Ends,
}

/// Replays the input: from the plan to the ledger. Blocks until every tweet is accounted for, or
/// `stop` is set and what was sent has been drained.
///
/// # Errors
/// When the replay cannot start. What goes wrong later is in the report, with the ledger so far.
pub fn replay(
    options: &ReplayOptions,
    stop: &Arc<AtomicBool>,
    screen: &Screen,
) -> Result<Replayed, ReplayError> {
    let run = new_run_id();
    let machine = MachineCpu::now();
    let files = Files::open(&options.files, options.framing)?;
    let enrichment = enrich::load(options, screen)?;
    let enrichment = enrichment.as_ref();
    let ends = Ends::start(options, &run)?;
    let dead_letters = options.dead_letters.as_ref().map(DeadLetters::new);
    let dead_letters = dead_letters.as_ref();
    let bar = prepare_bar(screen, files.bytes());
    let prepared = prepare::prepare(&files, options, Goal::Replay, dead_letters, &bar, stop)?;
    let plan = Plan::new(options, &prepared);
    if screen.shows_progress() {
        screen.say(&plan.words(options, &files, &prepared, &ends.addresses, &run));
    }
    let druid = DruidHop::start(options, &ends, &prepared, enrichment, &run, stop, screen)?;
    let mut ran = hops::run(&hops::Inputs {
        options,
        files: &files,
        prepared: &prepared,
        plan: &plan,
        ends: &ends,
        run: &run,
        enrichment,
        stop,
        dead_letters,
        screen,
        queryable: druid.as_ref().map(DruidHop::queryable),
    })?;
    let druid = druid.map(|druid| druid.finish(&ran.counters, ran.stats.started, stop, screen));
    let letters = dead_letters.map(DeadLetters::finish).transpose();
    let letters = letters.unwrap_or_else(|error| {
        ran.error.get_or_insert(error);
        None
    });
    let enrich = enrichment.map(|enrichment| enrich::report(enrichment, &ran.fed));
    let interrupted = stop.load(Ordering::Relaxed);
    let mut report = outcome::report(
        options,
        &files,
        &prepared,
        &plan,
        &ends,
        run,
        ran,
        letters,
        druid,
        interrupted,
        machine,
    );
    report.enrich = enrich;
    if options.hash_input {
        report.environment.input_hash = input_hash::input_hash(&files, stop);
    }
    Ok(Replayed { report, ends })
}

impl Replayed {
    /// Keeps both ends up until `stop` is set.
    pub fn hold(&self, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Takes the ends down; a temporary Kafka directory goes with them.
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

/// Short, sorts by time, and not the same twice: the second, and a random tail for two runs in it.
fn new_run_id() -> String {
    const TAIL: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut random = random_u64();
    let tail = std::iter::repeat_with(|| {
        random = random.rotate_right(5);
        char::from(TAIL[(random % 32) as usize])
    });
    let second = Timestamp::now().strftime("%Y%m%dT%H%M%S").to_string();
    format!("{second}-{}", tail.take(4).collect::<String>())
}

/// Different each time, in this process and in others.
fn random_u64() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_ids_need_no_escapes_and_differ() {
        let ids: std::collections::HashSet<String> = (0..100).map(|_| new_run_id()).collect();
        assert!(ids.len() > 95, "four random characters: {}", ids.len());
        for id in ids {
            assert_eq!(id.len(), 20);
            assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'), "{id}");
        }
    }
}
