//! Druid behind a bridge: a supervisor for each topic, and a thread that looks now and then how many of this bridge's
//! messages can be queried. Druid reads when it can: what it does not do yet holds up nothing.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::error::BridgeError;
use super::thread::spawn;
use crate::druid::{
    Access, Client, ConsumerSecurity, DruidError, StreamSpecOptions, Supervisor, TaskRows, is_ours,
    keep_dimensions, make_stream_spec, set_pointer, sets_dimensions,
};
use crate::options::{BridgeDruidOptions, BridgeOptions, DRUID_TIMEOUT};
use crate::pipeline::prove::altered;
use crate::report::{BridgeDruid, counted};

/// Time between two looks.
const LOOK: Duration = Duration::from_secs(5);

/// The same after a stop, and the longest wait for rows then.
const LAST_LOOK: Duration = Duration::from_millis(500);
const LAST_LOOKS_MAX: Duration = Duration::from_secs(10);

/// Pieces in which is waited, so that the end is noticed.
const PIECE: Duration = Duration::from_millis(50);

/// What Druid has of each topic.
pub(super) type DruidTables = Arc<Mutex<Vec<BridgeDruid>>>;

/// Supervisors that read what the bridge writes.
pub(super) struct DruidEnd {
    supervisors: Vec<Supervisor>,
    /// Waits for its answers also after a stop, as [`end`](Self::end) has to.
    patient: Client,
    pub tables: DruidTables,
    /// The run whose rows are counted.
    run: String,
    /// Kafka ends with the bridge, so Druid must have published before.
    is_last: bool,
}

/// The thread that looks.
pub(super) struct DruidWatch {
    /// Messages that are expected at the end.
    is_over: Arc<Mutex<Option<u64>>>,
    thread: JoinHandle<()>,
}

impl DruidEnd {
    /// Whether somebody listens there: a wrong address is said before anything is started.
    ///
    /// # Errors
    /// When nobody does.
    pub fn check_address(druid: &BridgeDruidOptions) -> Result<(), BridgeError> {
        Ok(Client::new(&druid.url, &Access::from_env()?)?.check_address()?)
    }

    /// Submits the supervisors.
    ///
    /// # Errors
    /// When Druid does not answer, or refuses, or a supervisor is somebody else's.
    pub fn start(
        options: &BridgeOptions,
        druid: &BridgeDruidOptions,
        (kafka, is_embedded): (&str, bool),
        run: &str,
        stop: &Arc<AtomicBool>,
    ) -> Result<Self, BridgeError> {
        let patient = Client::new(&druid.url, &Access::from_env()?)?;
        let client = patient.clone().stopped_by(stop.clone());
        client.check_router()?;
        let topics: BTreeSet<&str> = options.routes.iter().map(|route| route.topic.as_str()).collect();
        let (mut supervisors, mut tables) = (Vec::new(), Vec::new());
        for topic in topics {
            let spec = StreamSpecOptions {
                datasource: druid.datasource.clone().unwrap_or_else(|| topic.to_owned()),
                topic: topic.to_owned(),
                kafka: druid.kafka.clone().unwrap_or_else(|| kafka.to_owned()),
                time_from: druid.time_from.clone(),
                discover: druid.discover,
                tasks: 1,
            };
            let security = match is_embedded {
                true => ConsumerSecurity::default(),
                false => ConsumerSecurity::of(&options.kafka.properties)?,
            };
            let (supervisor, table) = submit(&client, &spec, druid, &security)?;
            supervisors.push(supervisor);
            tables.push(table);
        }
        let tables = Arc::new(Mutex::new(tables));
        Ok(Self { supervisors, patient, tables, run: run.to_owned(), is_last: is_embedded })
    }

    /// What is said at the start.
    pub fn announcement(&self, url: &str) -> String {
        let tables = lock_tables(&self.tables);
        let words = tables.iter().map(|table| format!("{} ({})", table.datasource, table.supervisor));
        format!("Druid  {url}: {}; run {}\n", words.collect::<Vec<_>>().join(", "), self.run)
    }

    /// Looks until [`DruidWatch::end`].
    pub fn watch(self) -> Result<DruidWatch, BridgeError> {
        let is_over = Arc::new(Mutex::new(None));
        let over = is_over.clone();
        let thread = spawn("druid", move || self.run(&over))?;
        Ok(DruidWatch { is_over, thread })
    }

    fn run(self, over: &Mutex<Option<u64>>) {
        let mut notices = vec![Notices::default(); self.supervisors.len()];
        let is_over = || *over.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            self.look(&mut notices);
            let until = Instant::now() + LOOK;
            while Instant::now() < until && is_over().is_none() {
                std::thread::sleep(PIECE);
            }
            let Some(expected) = is_over() else { continue };
            let until = Instant::now() + LAST_LOOKS_MAX;
            while self.look(&mut notices) < expected && Instant::now() < until {
                std::thread::sleep(LAST_LOOK);
            }
            return self.end();
        }
    }

    /// Asks Druid once; returns the rows that can be queried.
    fn look(&self, notices: &mut [Notices]) -> u64 {
        let mut all = 0;
        for (number, (supervisor, notices)) in self.supervisors.iter().zip(notices).enumerate() {
            let datasource = lock_tables(&self.tables)[number].datasource.clone();
            let state = supervisor.status();
            let rows = self.rows(supervisor, &datasource);
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

    fn rows(&self, supervisor: &Supervisor, datasource: &str) -> Result<u64, DruidError> {
        let name = datasource.replace('"', "\"\"");
        let query = format!("SELECT COUNT(*) AS \"rows\" FROM \"{name}\" WHERE \"run\" = ?");
        let answer = supervisor.client().sql(&query, &[self.run.as_str().into()])?;
        Ok(answer.first().and_then(|row| row["rows"].as_u64()).unwrap_or(0))
    }

    /// Where Kafka ends too, lets Druid publish what it has read.
    fn end(&self) {
        if !self.is_last {
            return;
        }
        for (number, supervisor) in self.supervisors.iter().enumerate() {
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
    /// Looks for the last time, when this many rows are there or after a few seconds.
    pub fn end(self, expected: u64) {
        *self.is_over.lock().unwrap_or_else(PoisonError::into_inner) = Some(expected);
        if self.thread.join().is_err() {
            tracing::error!("the druid thread panicked; this is a bug in tweetblast, please report it");
        }
    }
}

fn submit(
    client: &Client,
    options: &StreamSpecOptions,
    druid: &BridgeDruidOptions,
    security: &ConsumerSecurity,
) -> Result<(Supervisor, BridgeDruid), DruidError> {
    let mut spec = make_stream_spec(options);
    security.put_into(&mut spec["spec"]["ioConfig"]["consumerProperties"]);
    for (pointer, value) in &druid.set {
        set_pointer(&mut spec, pointer, value.clone())?;
    }
    let datasource = spec["spec"]["dataSchema"]["dataSource"].as_str().unwrap_or_default().to_owned();
    let supervisor = Supervisor::new(client.clone(), &datasource);
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
        tracing::warn!("{}", altered(&datasource, &kept));
    }
    let supervisor_is = supervisor.submit(spec, &kept, druid.overwrite)?.name().to_owned();
    let table = BridgeDruid { datasource, supervisor: supervisor_is, state: None, queryable: None };
    Ok((supervisor, table))
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
