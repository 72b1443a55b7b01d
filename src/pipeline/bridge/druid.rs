//! Druid behind a bridge: a supervisor for each topic, and a thread that submits them and then looks now and then how many of
//! this bridge's messages can be queried. Druid reads when it can: while it is away, or does not answer, it holds up nothing.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, bounded};
use serde_json::Value;

use super::error::BridgeError;
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

/// What is to read what the bridge writes.
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
    /// Whether that can be an address: said before anything is started. Whether somebody listens there shows later.
    ///
    /// # Errors
    /// When it cannot be one, or a file for TLS cannot be read.
    pub fn check_address(druid: &BridgeDruidOptions) -> Result<(), BridgeError> {
        Client::new(&druid.url, &Access::from_env()?)?;
        Ok(())
    }

    /// Makes the specs, and asks nobody.
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
        // Without room: what is not taken in time is known to be not.
        let (answers, answer) = bounded::<FirstAnswer>(0);
        let thread = spawn("druid", move || self.run(&over, &answers))?;
        if let Ok(Some(refused)) = answer.recv_timeout(FIRST_ANSWER_MAX) {
            return Err(refused.into());
        }
        let tables = lock_tables(&tables);
        let words = tables.iter().map(|table| format!("{} ({})", table.datasource, table.supervisor));
        let announcement = format!("Druid  {url}: {}; run {run}\n", words.collect::<Vec<_>>().join(", "));
        Ok(DruidWatch { is_over, thread, announcement })
    }

    fn run(self, over: &Mutex<Option<u64>>, answers: &Sender<FirstAnswer>) {
        let Some(supervisors) = self.submit_when_there(over, answers) else { return };
        let mut notices = vec![Notices::default(); supervisors.len()];
        loop {
            self.look(&supervisors, &mut notices);
            let Some(expected) = pause(over) else { continue };
            let until = Instant::now() + LAST_LOOKS_MAX;
            while self.look(&supervisors, &mut notices) < expected && Instant::now() < until {
                std::thread::sleep(LAST_LOOK);
            }
            return self.end(&supervisors);
        }
    }

    /// Tries until Druid has all supervisors; `None`: it refused at once, or was not there until the end.
    fn submit_when_there(
        &self,
        over: &Mutex<Option<u64>>,
        answers: &Sender<FirstAnswer>,
    ) -> Option<Vec<Supervisor>> {
        let (mut is_first, mut said) = (true, Said::default());
        loop {
            let error = match self.submit_all() {
                Ok(supervisors) => {
                    if !is_first || answers.send(None).is_err() {
                        tracing::warn!("Druid is there, and has the supervisors");
                    }
                    return Some(supervisors);
                }
                Err(error) => error,
            };
            let (is_passing, words) = (error.is_passing(), error.to_string());
            if std::mem::take(&mut is_first)
                && answers.send((!is_passing).then_some(error)).is_ok()
                && !is_passing
            {
                return None;
            }
            said.note(is_passing, words);
            if pause(over).is_some() {
                tracing::warn!("Druid has not got all supervisors: the next start submits them");
                return None;
            }
        }
    }

    fn submit_all(&self) -> Result<Vec<Supervisor>, DruidError> {
        self.client.check_router()?;
        let submit = |(number, spec): (usize, &Value)| {
            let table = lock_tables(&self.tables)[number].clone();
            let supervisor = Supervisor::new(self.client.clone(), &table.datasource);
            if !table.is_submitted() {
                let submission = submit(&supervisor, spec.clone(), &self.options)?;
                submission.name().clone_into(&mut lock_tables(&self.tables)[number].supervisor);
            }
            Ok(supervisor)
        };
        self.specs.iter().enumerate().map(submit).collect()
    }

    /// Asks Druid once; returns the rows that can be queried.
    fn look(&self, supervisors: &[Supervisor], notices: &mut [Notices]) -> u64 {
        let mut all = 0;
        for (number, (supervisor, notices)) in supervisors.iter().zip(notices).enumerate() {
            let datasource = lock_tables(&self.tables)[number].datasource.clone();
            let state = supervisor.status();
            let rows = Proof::count(supervisor.client(), &datasource, (&*self.run).into());
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
            let datasource = lock_tables(&self.tables)[number].datasource.clone();
            let supervisor = Supervisor::new(self.patient.clone(), supervisor.name());
            let never = AtomicBool::new(false);
            let done = supervisor.suspend().and_then(|()| {
                supervisor.wait_until_published(&datasource, DRUID_TIMEOUT, &never, &|words| {
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
    if !kept.is_empty() {
        tracing::warn!("{}", altered(supervisor.name(), &kept));
    }
    supervisor.submit(spec, &kept, druid.overwrite)
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

/// What was said while Druid has not got the supervisors.
#[derive(Debug, Default)]
struct Said {
    is_away: bool,
    refusal: String,
}

impl Said {
    /// Says once that Druid is away, and each refusal once.
    fn note(&mut self, is_passing: bool, words: String) {
        match is_passing {
            true if std::mem::replace(&mut self.is_away, true) => {}
            true => tracing::warn!(
                "Druid has not got the supervisors yet, and Kafka keeps the messages until it has ({words})"
            ),
            false if self.refusal == words => {}
            false => {
                tracing::error!(
                    "Druid does not take the supervisors, and is asked again every {} s: {words}",
                    LOOK.as_secs()
                );
                self.refusal = words;
            }
        }
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
