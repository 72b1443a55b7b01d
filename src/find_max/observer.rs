//! Samples of a running search: what Kafka has acknowledged, what the tasks have processed, what can be queried.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::stage::Stage;
use crate::count::Counters;
use crate::druid::{Client, DruidError, Proof, Supervisor};
use crate::kafka::end_offsets;
use crate::limit::Sample;
use crate::report::DruidNow;

/// Pause between two counts, as a multiple of what one takes: counting must not be what keeps Druid busy.
const PAUSE_FACTOR: u32 = 2;

/// Time between two looks at the supervisor, and at the ends of the partitions.
const LOOK_CLOSER: Duration = Duration::from_secs(2);
const LOOK_AT_ENDS: Duration = Duration::from_secs(15);

/// For as long as this Druid may give no answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Knows what is known so far.
pub(super) struct Observer<'a> {
    stage: &'a Stage,
    /// Takes each status, for the view.
    now: &'a DruidNow,
    supervisor: Supervisor,
    client: Client,
    since: Instant,
    /// Rows of each task, by group, also of those that have ended.
    rows: BTreeMap<(usize, String), u64>,
    dropped: BTreeMap<String, u64>,
    queryable: u64,
    count_after: Instant,
    looked: Option<Instant>,
    looked_at_ends: Option<Instant>,
    written_by_group: Vec<u64>,
    tasks: TaskLives,
    answered: Instant,
}

/// Which tasks read and publish.
#[derive(Default)]
struct TaskLives {
    known: BTreeSet<String>,
    publishing: BTreeMap<String, Instant>,
    /// Whether a task that reads has not said anything yet.
    starting: bool,
    rollovers: u64,
    failed: u64,
    handoff_max: Option<Duration>,
}

impl<'a> Observer<'a> {
    pub fn new(stage: &'a Stage, now: &'a DruidNow) -> Self {
        let supervisor = stage.supervisor.without_patience();
        let began = Instant::now();
        Self {
            client: supervisor.client().clone(),
            supervisor,
            stage,
            now,
            since: began,
            rows: BTreeMap::new(),
            dropped: BTreeMap::new(),
            queryable: 0,
            count_after: began,
            looked: None,
            looked_at_ends: None,
            written_by_group: Vec::new(),
            tasks: TaskLives::default(),
            answered: began,
        }
    }

    /// Seconds since the search began.
    pub fn at_s(&self) -> f64 {
        self.since.elapsed().as_secs_f64()
    }

    /// Asks everybody. Blocks for as long as the answers take.
    ///
    /// # Errors
    /// When Druid has not answered for a minute.
    pub fn sample(&mut self, counters: &Counters) -> Result<Sample, DruidError> {
        let (at_s, acked) = match self.ask(counters) {
            Ok(asked) => {
                self.answered = Instant::now();
                asked
            }
            Err(error) if self.answered.elapsed() > PATIENCE || !error.is_passing() => return Err(error),
            Err(_) => (self.at_s(), counters.delivered.get()),
        };
        let mut by_group = vec![0; self.stage.tasks];
        for ((group, _), rows) in &self.rows {
            if let Some(sum) = by_group.get_mut(*group) {
                *sum += rows / self.stage.replicas as u64;
            }
        }
        Ok(Sample {
            at_s,
            intended: 0,
            acked,
            // A row that can be queried was processed, whatever became of the task that did it.
            processed: by_group.iter().sum::<u64>().max(self.queryable),
            by_group: if self.stage.tasks > 1 { by_group } else { Vec::new() },
            written_by_group: if self.stage.tasks > 1 { self.written_by_group.clone() } else { Vec::new() },
            queryable: self.queryable,
            rolling: self.tasks.starting || !self.tasks.publishing.is_empty(),
            rollovers: self.tasks.rollovers,
            failed_tasks: self.tasks.failed,
            input_over: false,
        })
    }

    /// When the tasks were asked, in seconds, and what Kafka had acknowledged then.
    fn ask(&mut self, counters: &Counters) -> Result<(f64, u64), DruidError> {
        let (from_s, from) = (self.at_s(), counters.delivered.get());
        let groups = self.supervisor.rows_by_group()?;
        let (to_s, to) = (self.at_s(), counters.delivered.get());
        let mut answering = BTreeSet::new();
        for (group, tasks) in groups {
            for (task, rows) in tasks {
                let lost = rows.unparseable + rows.thrown_away;
                self.dropped.insert(task.clone(), lost);
                answering.insert(task.clone());
                let seen = self.rows.entry((group, task)).or_default();
                *seen = (*seen).max(rows.processed + rows.processed_with_error);
            }
        }
        if Instant::now() >= self.count_after {
            let asked = Instant::now();
            // A hand-over between tasks may hide rows for a moment.
            self.queryable = self.queryable.max(Proof::count_all(&self.client, &self.stage.datasource)?);
            self.count_after = Instant::now() + asked.elapsed() * PAUSE_FACTOR;
        }
        if self.looked.is_none_or(|looked| looked.elapsed() >= LOOK_CLOSER) {
            self.look_at_tasks(&answering)?;
            self.looked = Some(Instant::now());
        }
        self.look_at_ends();
        Ok((f64::midpoint(from_s, to_s), u64::midpoint(from, to)))
    }

    fn look_at_tasks(&mut self, answering: &BTreeSet<String>) -> Result<(), DruidError> {
        let Some(status) = self.supervisor.status()? else { return Ok(()) };
        self.now.look(&status);
        let lives = &mut self.tasks;
        let is_first = lives.known.is_empty();
        let new: Vec<&String> = status.reading.iter().filter(|task| !lives.known.contains(*task)).collect();
        if !new.is_empty() && !is_first {
            lives.rollovers += 1;
        }
        lives.starting = !is_first && status.reading.iter().any(|task| !answering.contains(task));
        let gone: Vec<String> = lives
            .known
            .iter()
            .filter(|task| !status.reading.contains(task) && !status.publishing.contains(task))
            .cloned()
            .collect();
        for task in gone {
            if let Some(since) = lives.publishing.remove(&task) {
                lives.handoff_max = lives.handoff_max.max(Some(since.elapsed()));
            }
            if let Ok(Some(Err(_))) = self.supervisor.task_end(&task) {
                lives.failed += 1;
            }
            lives.known.remove(&task);
        }
        for task in &status.publishing {
            lives.publishing.entry(task.clone()).or_insert_with(Instant::now);
        }
        lives.known.extend(status.reading.iter().chain(&status.publishing).cloned());
        Ok(())
    }

    /// What is in the partitions of each group: partition p is read by group p mod taskCount.
    fn look_at_ends(&mut self) {
        let tasks = self.stage.tasks;
        if tasks < 2 || self.looked_at_ends.is_some_and(|looked| looked.elapsed() < LOOK_AT_ENDS) {
            return;
        }
        self.looked_at_ends = Some(Instant::now());
        let Ok(ends) = end_offsets(&self.stage.producer, self.stage.partitions) else { return };
        let mut by_group = vec![0; tasks];
        for (partition, end) in ends {
            by_group[usize::try_from(partition).unwrap_or(0) % tasks] += u64::try_from(end).unwrap_or(0);
        }
        self.written_by_group = by_group;
    }

    /// Longest time that a task took to publish, as far as it was seen.
    pub fn handoff_max(&self) -> Option<Duration> {
        self.tasks.handoff_max
    }

    /// Messages that became no rows.
    pub fn dropped(&self) -> u64 {
        self.dropped.values().sum()
    }
}
