//! Druid behind a bridge: a supervisor for each topic, and a thread that submits them and then asks every 5 s how many of
//! this bridge's messages can be queried. Druid reads when it can: while it is away, or does not answer, it holds up nothing but
//! the start, for 5 s at most.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, bounded};
use serde_json::Value;

use super::error::BridgeError;
use super::failure::{Failure, Said};
use super::thread::spawn;
use crate::druid::{
    Access, Client, ConsumerSecurity, DruidError, Proof, StreamSpecOptions, Submission, Supervisor, TaskRows,
    is_ours, keep_dimensions, make_stream_spec, set_pointer, sets_dimensions,
};
use crate::options::{BridgeDruidOptions, BridgeOptions, DRUID_TIMEOUT};
use crate::pipeline::prove::altered;
use crate::report::{BridgeDruid, counted};

/// Time between two looks, and between two tries to submit.
const LOOK: Duration = Duration::from_secs(5);

/// How long a start waits for Druid: where it refuses by then, the bridge ends.
const FIRST_ANSWER_MAX: Duration = Duration::from_secs(5);

/// The time between two looks after a stop, and the longest wait for rows then.
const LAST_LOOK: Duration = Duration::from_millis(500);
const LAST_LOOKS_MAX: Duration = Duration::from_secs(10);

/// Pieces in which is waited, so that the end is noticed.
const PIECE: Duration = Duration::from_millis(50);

/// What Druid has of each topic.
pub(super) type DruidTables = Arc<Mutex<Vec<BridgeDruid>>>;

/// The supervisors that read what the bridge writes.
pub(super) struct DruidEnd {
    /// A spec for each of the tables.
    specs: Vec<Value>,
    options: BridgeDruidOptions,
    client: Client,
    /// Waits for its answers also after a stop, as [`end`](Self::end) has to.
    patient: Client,
    pub tables: DruidTables,
    /// The run whose rows are counted.
    run: String,
    /// Kafka ends with the bridge, so Druid must have published before.
    is_last: bool,
}

/// The thread that submits and looks.
pub(super) struct DruidWatch {
    /// Messages that are expected at the end.
    is_over: Arc<Mutex<Option<u64>>>,
    thread: JoinHandle<()>,
    announcement: String,
}

/// A refusal at the first try to submit; `None`: none.
type FirstAnswer = Option<DruidError>;

impl DruidEnd {
    /// Checks the form of the address only.
    ///
    /// # Errors
    /// When it cannot be one, or a file for TLS cannot be read.
    pub fn check_address(druid: &BridgeDruidOptions) -> Result<(), BridgeError> {
        Client::new(&druid.url, &Access::from_env()?)?;
        Ok(())
    }

    /// Makes the specs; sends nothing.
    ///
    /// # Errors
    /// When the address or a spec makes no sense, or a file for TLS cannot be read.
    pub fn new(
        options: &BridgeOptions,
        druid: &BridgeDruidOptions,
        (kafka, is_embedded): (&str, bool),
        run: &str,
        stop: &Arc<AtomicBool>,
    ) -> Result<Self, BridgeError> {
        let patient = Client::new(&druid.url, &Access::from_env()?)?;
        let topics: BTreeSet<&str> = options.routes.iter().map(|route| route.topic.as_str()).collect();
        let (mut specs, mut tables) = (Vec::new(), Vec::new());
        for topic in topics {
            let mut spec = make_stream_spec(&StreamSpecOptions {
                datasource: druid.datasource.clone().unwrap_or_else(|| topic.to_owned()),
                topic: topic.to_owned(),
                kafka: druid.kafka.clone().unwrap_or_else(|| kafka.to_owned()),
                time_from: druid.time_from.clone(),
                discover: druid.discover,
                tasks: 1,
            });
            let security = match is_embedded {
                true => ConsumerSecurity::default(),
                false => ConsumerSecurity::of(&options.kafka.properties)?,
            };
            security.put_into(&mut spec["spec"]["ioConfig"]["consumerProperties"]);
            for (pointer, value) in &druid.set {
                set_pointer(&mut spec, pointer, value.clone())?;
            }
            let datasource = spec["spec"]["dataSchema"]["dataSource"].as_str().unwrap_or_default();
            tables.push(BridgeDruid::new(datasource));
            specs.push(spec);
        }
        Ok(Self {
            specs,
            options: druid.clone(),
            client: patient.clone().stopped_by(stop.clone()),
            patient,
            tables: Arc::new(Mutex::new(tables)),
            run: run.to_owned(),
            is_last: is_embedded,
        })
    }

    /// Submits the supervisors, or waits for Druid beside the bridge until they can be; then looks until
    /// [`DruidWatch::end`].
    ///
    /// # Errors
    /// When Druid refuses at once, or a supervisor is somebody else's.
    pub fn watch(self) -> Result<DruidWatch, BridgeError> {
        let is_over = Arc::new(Mutex::new(None));
        let (over, tables) = (is_over.clone(), self.tables.clone());
        let (url, run) = (self.options.url.clone(), self.run.clone());
        // Without capacity: a send fails once nobody waits for the answer.
        let (answers, answer) = bounded::<FirstAnswer>(0);
        let thread = spawn("druid", move || self.run(&over, &answers))?;
        if let Ok(Some(refused)) = answer.recv_timeout(FIRST_ANSWER_MAX) {
            // It suspends those of other topics, if this Kafka ends.
            let _ = thread.join();
            return Err(refused.into());
        }
        drop(answer);
        let tables = lock_tables(&tables);
        let words = tables.iter().map(|table| format!("{} ({})", table.datasource, table.supervisor));
        let announcement = format!("Druid  {url}: {}; run {run}\n", words.collect::<Vec<_>>().join(", "));
        Ok(DruidWatch { is_over, thread, announcement })
    }

    fn run(self, over: &Mutex<Option<u64>>, answers: &Sender<FirstAnswer>) {
        let tables = lock_tables(&self.tables).clone();
        let supervisor = |table: &BridgeDruid| Supervisor::new(self.client.clone(), &table.datasource);
        let supervisors: Vec<_> = tables.iter().map(supervisor).collect();
        let (mut answers, mut said) = (Some(answers), Said::default());
        let mut notices = vec![Notices::default(); supervisors.len()];
        loop {
            if !self.has_all() && !self.submit_rest(&supervisors, &mut answers, &mut said) {
                return self.end(&supervisors);
            }
            self.look(&supervisors, &mut notices);
            let Some(expected) = pause(over) else { continue };
            if self.has_all() {
                let until = Instant::now() + LAST_LOOKS_MAX;
                while self.look(&supervisors, &mut notices) < expected && Instant::now() < until {
                    std::thread::sleep(LAST_LOOK);
                }
            } else {
                tracing::warn!("Druid does not have all supervisors: the next start submits them");
            }
            return self.end(&supervisors);
        }
    }

    /// Whether Druid has all supervisors.
    fn has_all(&self) -> bool {
        lock_tables(&self.tables).iter().all(BridgeDruid::is_submitted)
    }

    /// Submits what Druid does not have yet. `false`: it refused at once, and the bridge ends.
    fn submit_rest(
        &self,
        supervisors: &[Supervisor],
        answers: &mut Option<&Sender<FirstAnswer>>,
        said: &mut Said,
    ) -> bool {
        let answers = answers.take();
        let Err(error) = self.submit_all(supervisors) else {
            if answers.is_none_or(|answers| answers.send(None).is_err()) {
                tracing::warn!("Druid is there, and has the supervisors");
            }
            return true;
        };
        let failure = Failure::of(&error);
        let refusal = (!failure.is_passing).then_some(error);
        if answers.is_some_and(|answers| answers.send(refusal).is_ok()) && !failure.is_passing {
            return false;
        }
        said.note(failure, LOOK);
        true
    }

    /// Tries each that Druid does not have; one that it refuses keeps no other away.
    fn submit_all(&self, supervisors: &[Supervisor]) -> Result<(), DruidError> {
        self.client.check_router()?;
        let mut first = Ok(());
        for (number, (supervisor, spec)) in supervisors.iter().zip(&self.specs).enumerate() {
            if lock_tables(&self.tables)[number].is_submitted() {
                continue;
            }
            match submit(supervisor, spec.clone(), &self.options) {
                Ok(submission) => {
                    submission.name().clone_into(&mut lock_tables(&self.tables)[number].supervisor);
                }
                Err(error) => first = first.and(Err(error)),
            }
        }
        first
    }

    /// Asks Druid once for each that it has; returns the rows that can be queried.
    fn look(&self, supervisors: &[Supervisor], notices: &mut [Notices]) -> u64 {
        let mut all = 0;
        for (number, (supervisor, notices)) in supervisors.iter().zip(notices).enumerate() {
            let table = lock_tables(&self.tables)[number].clone();
            if !table.is_submitted() {
                continue;
            }
            let state = supervisor.status();
            let rows = Proof::count(supervisor.client(), &table.datasource, (&*self.run).into());
            notices.note(supervisor, &state);
            let mut tables = lock_tables(&self.tables);
            let table = &mut tables[number];
            table.state = state.ok().flatten().map(|status| status.detailed_state);
            // An answer without some segments is no fewer rows.
            table.queryable = rows.ok().max(table.queryable);
            all += table.queryable.unwrap_or(0);
        }
        all
    }

    /// Where Kafka ends too, lets Druid publish what it has read.
    fn end(&self, supervisors: &[Supervisor]) {
        if !self.is_last {
            return;
        }
        for (number, supervisor) in supervisors.iter().enumerate() {
            let table = lock_tables(&self.tables)[number].clone();
            if !table.is_submitted() {
                continue;
            }
            let supervisor = Supervisor::new(self.patient.clone(), supervisor.name());
            let never = AtomicBool::new(false);
            let done = supervisor.suspend().and_then(|()| {
                supervisor.wait_until_published(&table.datasource, DRUID_TIMEOUT, &never, &|words| {
                    tracing::warn!("waiting {words}: the embedded Kafka ends with this bridge");
                })
            });
            if let Err(error) = done {
                tracing::warn!("Druid may not have published all: {error}");
            }
        }
    }
}

impl DruidWatch {
    /// What is said at the start.
    pub fn announcement(&self) -> &str {
        &self.announcement
    }

    /// Looks for the last time, when this many rows are there or after a few seconds.
    pub fn end(self, expected: u64) {
        *self.is_over.lock().unwrap_or_else(PoisonError::into_inner) = Some(expected);
        if self.thread.join().is_err() {
            tracing::error!("the druid thread panicked; this is a bug in tweetblast, please report it");
        }
    }
}

fn submit(
    supervisor: &Supervisor,
    mut spec: Value,
    druid: &BridgeDruidOptions,
) -> Result<Submission, DruidError> {
    let mut kept = Vec::new();
    if let Some(there) = supervisor.spec()?.filter(is_ours) {
        if !sets_dimensions(&druid.set) {
            keep_dimensions(&mut spec, &there);
        }
        if !druid.overwrite {
            kept = supervisor.alterations(&there, &druid.set);
        }
    }
    let submission = supervisor.submit(spec, &kept, druid.overwrite)?;
    if !kept.is_empty() {
        tracing::warn!("{}", altered(supervisor.name(), &kept));
    }
    Ok(submission)
}

/// Waits until the next look; returns the messages that are expected where the bridge has ended.
fn pause(over: &Mutex<Option<u64>>) -> Option<u64> {
    let until = Instant::now() + LOOK;
    loop {
        let is_over = *over.lock().unwrap_or_else(PoisonError::into_inner);
        if is_over.is_some() || Instant::now() >= until {
            return is_over;
        }
        std::thread::sleep(PIECE);
    }
}

/// What was said of one supervisor, so that it is said once.
#[derive(Debug, Clone, Default)]
struct Notices {
    is_away: bool,
    is_unwell: bool,
    unparseable: u64,
}

impl Notices {
    fn note(
        &mut self,
        supervisor: &Supervisor,
        state: &Result<Option<crate::druid::SupervisorStatus>, DruidError>,
    ) {
        let name = supervisor.name();
        let was_away = std::mem::replace(&mut self.is_away, state.is_err());
        match state {
            Err(error) if !was_away => {
                tracing::warn!("no word from Druid: {error}; Kafka keeps the messages")
            }
            Ok(_) if was_away => tracing::warn!("Druid answers again"),
            _ => {}
        }
        let Ok(status) = state else { return };
        let words = match status {
            None => Some("is gone: nothing reads for Druid".to_owned()),
            Some(status) if status.suspended => Some("is suspended: nothing reads for Druid".to_owned()),
            Some(status) if !status.healthy => {
                let error = status.errors.last().map_or(String::new(), |error| format!(": {error}"));
                Some(format!("is {}{error}", status.detailed_state))
            }
            Some(_) => None,
        };
        let was_unwell = std::mem::replace(&mut self.is_unwell, words.is_some());
        match words {
            Some(words) if !was_unwell => tracing::warn!("Druid's supervisor {name} {words}"),
            None if was_unwell => tracing::warn!("Druid's supervisor {name} reads again"),
            _ => {}
        }
        let rows = supervisor.without_patience().rows().unwrap_or_default();
        let unparseable: u64 = rows.values().map(|rows: &TaskRows| rows.unparseable).sum();
        if unparseable > 2 * self.unparseable {
            self.unparseable = unparseable;
            tracing::warn!(
                "Druid cannot parse {} of {name}: `tweetblast druid status {name}` shows the last ones",
                counted(unparseable, "message")
            );
        }
    }
}

pub(super) fn lock_tables(tables: &Mutex<Vec<BridgeDruid>>) -> MutexGuard<'_, Vec<BridgeDruid>> {
    tables.lock().unwrap_or_else(PoisonError::into_inner)
}
