//! Watches the supervisor while rows are expected: what keeps them from coming is said as soon as it is
//! known, with what to type, and again when it is over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::spec_parts::{add_own_view, listens};
use super::task_log::TaskLog;
use super::tasks::Tasks;
use crate::druid::{
    Access, Cause, CauseName, DruidError, Supervisor, SupervisorStatus, Symptoms, TaskRows, diagnose,
    heap_used,
};
use crate::report::{DruidNow, IngestionReport, seconds};

/// Time from the beginning of a look to that of the next.
const LOOK: Duration = Duration::from_secs(3);

/// Time from the end of a look to the next: however long it took, and when it showed something that is only to be confirmed.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Longest wait for what the overlord asks the tasks themselves: it waits for half a minute for those of a worker that has
/// just died.
const ASK_TASKS: Duration = Duration::from_secs(5);

/// Time between two checks whether the run is over.
const SHORT: Duration = Duration::from_millis(100);

/// Looks in a row that must show a cause before it is said.
fn looks_needed(cause: CauseName) -> Option<u32> {
    match cause {
        CauseName::SupervisorGone | CauseName::Suspended | CauseName::WorkerGone => Some(2),
        CauseName::Unparseable | CauseName::ThrownAway => Some(1),
        // Passes by itself, while tasks start and hand over.
        CauseName::TooFewWorkerSlots
        | CauseName::TopicMissing
        | CauseName::KafkaUnreachable
        | CauseName::KafkaMisadvertised
        | CauseName::KafkaRefuses
        | CauseName::Unhealthy => Some(4),
        // Not to be seen before the end.
        CauseName::TopicRecreated
        | CauseName::ReadsFromTheEnd
        | CauseName::TaskFailed
        | CauseName::NoColumn
        | CauseName::NoCount
        | CauseName::NoAnswer => None,
    }
}

/// A running watch; by default none.
#[derive(Default)]
pub(super) struct Alarm {
    stop: Arc<AtomicBool>,
    gone: Arc<AtomicBool>,
    notes: Arc<Mutex<Vec<String>>>,
    log: Arc<Mutex<TaskLog>>,
}

impl Alarm {
    /// Watches a supervisor with its spec until [`end`](Self::end), and reports to `say` and to the view. `before` is
    /// what its tasks had done before the run.
    pub fn start(
        (supervisor, spec, now): (Supervisor, Value, Arc<DruidNow>),
        before: Tasks,
        say: impl Fn(&str) + Send + 'static,
    ) -> Self {
        let alarm = Self::default();
        let Self { stop, gone, notes, log } = &alarm;
        let (stop, gone, notes) = (stop.clone(), gone.clone(), notes.clone());
        let mut watch = Watch::new(supervisor, spec, before, log.clone(), now);
        let work = move || {
            while !stop.load(Ordering::Relaxed) {
                let began = Instant::now();
                let words = watch.look().unwrap_or_default();
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                gone.store(watch.is_said(CauseName::SupervisorGone), Ordering::Relaxed);
                for line in words {
                    say(&line);
                    lock(&notes).push(line);
                }
                let soon = Instant::now() + LOOK_AGAIN;
                let next = if watch.is_in_doubt() { soon } else { soon.max(began + LOOK) };
                while Instant::now() < next && !stop.load(Ordering::Relaxed) {
                    std::thread::sleep(SHORT);
                }
            }
        };
        if let Err(error) = std::thread::Builder::new().name("druid-alarm".into()).spawn(work) {
            tracing::warn!("nothing watches Druid's supervisor: cannot start a thread: {error}");
        }
        alarm
    }

    /// Whether there is no such supervisor any more.
    pub fn is_supervisor_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }

    /// What the tasks did until now, with times after `started`.
    pub fn ingestion(&self, started: Instant) -> IngestionReport {
        lock(&self.log).report(started)
    }

    /// Ends the watch, and returns what it said. Does not wait for an answer of Druid's.
    pub fn end(&self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        std::mem::take(&mut *lock(&self.notes))
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What was seen so far.
struct Watch {
    supervisor: Supervisor,
    spec: Value,
    /// Takes what each look shows.
    now: Arc<DruidNow>,
    tasks: Tasks,
    /// The worker of each task that reads, as it was last known: Druid forgets one that died, and not its tasks.
    workers: BTreeMap<String, String>,
    /// Tasks that have answered the overlord before.
    was_up: BTreeSet<String>,
    seen: Vec<Sighting>,
    log: Arc<Mutex<TaskLog>>,
    access: Access,
    /// Whether the workers say what their heaps hold.
    has_heap: bool,
}

/// A cause that the last look showed.
struct Sighting {
    name: CauseName,
    since: Instant,
    looks: u32,
    said: bool,
}

impl Watch {
    fn new(
        supervisor: Supervisor,
        spec: Value,
        tasks: Tasks,
        log: Arc<Mutex<TaskLog>>,
        now: Arc<DruidNow>,
    ) -> Self {
        // Workers are asked without TLS: not where the router has it.
        let has_heap = supervisor.client().url().starts_with("http:");
        let access = Access::from_env().unwrap_or_default();
        let (workers, was_up, seen) = (BTreeMap::new(), BTreeSet::new(), Vec::new());
        Self { supervisor, spec, now, tasks, workers, was_up, seen, log, access, has_heap }
    }

    /// Looks once; returns the lines to be shown.
    fn look(&mut self) -> Result<Vec<String>, DruidError> {
        let status = self.supervisor.status()?;
        if let Some(status) = &status {
            self.now.look(status);
        }
        let plain = match &status {
            None => Some(CauseName::SupervisorGone),
            Some(status) => status.suspended.then_some(CauseName::Suspended),
        };
        // Tasks that stop answer late or never, and this is certain without them.
        if let Some(name) = plain.filter(|name| !self.is_said(*name)) {
            let is_final = status.is_none() && self.supervisor.was_terminated().unwrap_or(false);
            return Ok(self.of_status(name, status, is_final));
        }
        let reading = status.as_ref().map_or(&[][..], |status| &status.reading);
        self.workers.retain(|task, _| reading.contains(task));
        if !reading.is_empty() {
            self.workers.extend(self.supervisor.workers_of(reading)?);
        }
        let mut workers: Vec<String> = self.workers.values().cloned().collect();
        workers.sort();
        workers.dedup();
        let is_gone = |worker: &&String| listens(worker) == Some(false);
        let workers_gone: Vec<String> = workers.iter().filter(is_gone).cloned().collect();
        // The overlord asks the tasks, and waits for those that are gone.
        let tasks = self.supervisor.asking_within(ASK_TASKS);
        let rows = if workers_gone.is_empty() { tasks.rows().ok() } else { None };
        let tasks_silent = match (&rows, &status) {
            (Some(rows), Some(status)) => {
                self.was_up.extend(rows.keys().cloned());
                let is_silent = |task: &String| self.was_up.contains(task) && !rows.contains_key(task);
                !status.reading.is_empty() && status.reading.iter().all(is_silent)
            }
            _ => false,
        };
        let rows = rows.unwrap_or_default();
        if let Some(status) = &status {
            let heap = if workers_gone.is_empty() { self.heap_used(&workers) } else { None };
            self.keep(status, &rows, heap);
        }
        self.tasks.now.extend(rows);
        let slots = self.supervisor.slots(self.supervisor.name()).ok();
        let holders = match slots.is_some_and(|slots| slots.are_short()) {
            true => self.supervisor.slot_holders().unwrap_or_default(),
            false => Default::default(),
        };
        let rows = self.tasks.since_start();
        let mut seen = Symptoms {
            status,
            rows,
            slots,
            holders,
            workers_gone,
            tasks_silent,
            ..self.supervisor.symptoms()
        };
        if rows.unparseable > 0 {
            seen.parse_errors = self.supervisor.parse_errors().unwrap_or_default();
        }
        add_own_view(&mut seen, &self.spec);
        seen.from_earliest = true;
        Ok(self.news(diagnose(&seen)))
    }

    /// What is to be said of a cause that the status alone shows. Nothing else has been looked at: what was said stays, and what
    /// was not begins again.
    fn of_status(
        &mut self,
        name: CauseName,
        status: Option<SupervisorStatus>,
        is_final: bool,
    ) -> Vec<String> {
        let mut causes = diagnose(&Symptoms { status, ..self.supervisor.symptoms() });
        causes.retain(|cause| cause.name == name);
        self.seen.retain(|seen| seen.said || seen.name == name);
        causes.iter().filter_map(|cause| self.sight(cause, is_final)).collect()
    }

    /// A worker that cannot be asked from here is not asked again.
    fn heap_used(&mut self, workers: &[String]) -> Option<u64> {
        let heap = if self.has_heap { heap_used(workers, &self.access) } else { None };
        self.has_heap &= heap.is_some() || workers.is_empty();
        heap
    }

    fn keep(&self, status: &SupervisorStatus, rows: &BTreeMap<String, TaskRows>, heap: Option<u64>) {
        let gone = lock(&self.log).look(Instant::now(), status, rows, heap);
        for task in gone {
            if let Ok(Some(Err(_))) = self.supervisor.task_end(&task) {
                lock(&self.log).failed(&task);
            }
        }
    }

    /// What is to be said of the causes that a look has shown.
    fn news(&mut self, causes: Vec<Cause>) -> Vec<String> {
        let mut lines = Vec::new();
        let is_there = |name: CauseName| causes.iter().any(|cause| cause.name == name);
        let over: Vec<Sighting> = self.seen.extract_if(.., |seen| !is_there(seen.name)).collect();
        lines.extend(causes.iter().filter_map(|cause| self.sight(cause, false)));
        if let Some(since) = over.iter().filter(|seen| seen.said).map(|seen| seen.since).min()
            && !self.seen.iter().any(|seen| seen.said)
        {
            lines
                .push(format!("the supervisor reads again after {}", seconds(since.elapsed().as_secs_f64())));
        }
        lines
    }

    /// Counts a cause that a look has shown; the line, once it is to be said.
    fn sight(&mut self, cause: &Cause, is_final: bool) -> Option<String> {
        let needed = looks_needed(cause.name)?;
        let place = self.seen.iter().position(|seen| seen.name == cause.name).unwrap_or_else(|| {
            let seen = Sighting { name: cause.name, since: Instant::now(), looks: 0, said: false };
            self.seen.push(seen);
            self.seen.len() - 1
        });
        let seen = &mut self.seen[place];
        seen.looks += 1;
        let is_news = !seen.said && (is_final || seen.looks >= needed);
        seen.said |= is_news;
        is_news.then(|| cause.to_string())
    }

    /// Whether another look soon settles what the last one showed. A supervisor that is missing without a tombstone has the
    /// usual time: Druid may be giving it another spec.
    fn is_in_doubt(&self) -> bool {
        self.seen.iter().any(|seen| seen.name == CauseName::Suspended && !seen.said)
    }

    fn is_said(&self, name: CauseName) -> bool {
        self.seen.iter().any(|seen| seen.name == name && seen.said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::druid::{Access, Client};

    #[test]
    fn what_is_certain_is_said_soon_once_and_when_it_is_over() {
        let client = Client::new("http://127.0.0.1:1", &Access::default()).unwrap();
        let supervisor = Supervisor::new(client, "t");
        let mut watch = Watch::new(supervisor, Value::Null, Tasks::default(), Arc::default(), Arc::default());
        let cause = |name: CauseName| Cause { name, cause: "away".into(), remedy: "start it".into() };
        let mut looks = |causes: &[CauseName]| watch.news(causes.iter().map(|name| cause(*name)).collect());
        let (suspended, slots) = (CauseName::Suspended, CauseName::TooFewWorkerSlots);
        assert!(looks(&[suspended]).is_empty() && looks(&[]).is_empty(), "it was passing");
        assert!(looks(&[suspended, slots]).is_empty());
        assert_eq!(looks(&[suspended, slots]), ["away: start it"]);
        assert!(looks(&[suspended, slots]).is_empty());
        assert_eq!(looks(&[suspended, slots]), ["away: start it"]);
        assert!(looks(&[slots]).is_empty(), "something is still wrong");
        let over = looks(&[]);
        assert!(over.len() == 1 && over[0].starts_with("the supervisor reads again after "), "{over:?}");
        assert!(looks(&[]).is_empty());
        assert!(looks(&[CauseName::TaskFailed; 1]).is_empty());
    }

    #[test]
    fn what_the_status_alone_shows_ends_nothing_else_that_was_seen() {
        let client = Client::new("http://127.0.0.1:1", &Access::default()).unwrap();
        let supervisor = Supervisor::new(client, "t");
        let mut watch = Watch::new(supervisor, Value::Null, Tasks::default(), Arc::default(), Arc::default());
        let status = || Some(SupervisorStatus { suspended: true, ..SupervisorStatus::default() });
        assert!(watch.of_status(CauseName::Suspended, status(), false).is_empty() && watch.is_in_doubt());
        let said = watch.of_status(CauseName::Suspended, status(), false);
        assert!(said.len() == 1 && said[0].contains("druid resume t"), "{said:?}");
        assert!(!watch.is_in_doubt());
        // Terminated after that: it does not read again.
        let gone = watch.of_status(CauseName::SupervisorGone, None, true);
        assert!(gone.len() == 1 && gone[0].contains("terminated"), "{gone:?}");
        assert!(watch.news(diagnose(&watch.supervisor.symptoms())).is_empty());
    }
}
