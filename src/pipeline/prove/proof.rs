//! The end of a run: waits until every row is there, counts them twice, and reports what is
//! missing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::hop::DruidHop;
use super::spec_parts::dimension_names;
use crate::count::Counters;
use crate::druid::{
    Cause, CauseName, DruidError, MissingRows, Proof, SupervisorStatus, Symptoms, diagnose, missing_seqs,
};
use crate::kafka::end_offsets;
use crate::report::Screen;

/// Time between two checks of the count.
const LOOK: Duration = Duration::from_millis(100);

/// Time between two checks of the tasks, and between two lines about them.
const LOOK_CLOSER: Duration = Duration::from_secs(5);

/// Time without a new row, with everything read, after which the run stops waiting.
const ALL_READ_PATIENCE: Duration = Duration::from_secs(10);

/// Time between the two counts that must be equal.
const BETWEEN_PROOFS: Duration = Duration::from_secs(2);

/// Counts until two are equal, at most.
const PROOFS_MAX: usize = 8;

pub(crate) struct ProofOutcome {
    /// `None`: the rows could not be counted.
    pub proof: Option<Proof>,
    pub exact: bool,
    /// Why the rows could not be counted.
    pub count_error: Option<String>,
    pub missing: Option<MissingRows>,
    pub causes: Vec<Cause>,
}

impl ProofOutcome {
    fn unknown(why: String) -> Self {
        Self { proof: None, exact: false, count_error: Some(why), missing: None, causes: Vec::new() }
    }
}

impl DruidHop<'_> {
    /// Waits, counts, and finds out what is missing.
    pub(crate) fn prove(&mut self, counters: &Counters, stop: &AtomicBool, screen: &Screen) -> ProofOutcome {
        let delivered = counters.delivered.get();
        let expected = delivered + counters.duplicates.get();
        self.wait_for_rows(expected, counters, stop, screen);
        if self.queryable.rows() >= expected {
            // Nothing is counted after the last row.
            self.counting.end();
        }
        self.notes.extend(self.alarm.end());
        if self.is_cut_short(stop) {
            return ProofOutcome::unknown("stopped".to_owned());
        }
        self.tasks.look(&self.supervisor);
        let counted = self.count_twice(stop);
        self.counting.end();
        let (proof, steady) = match counted {
            Ok(Some(counted)) => counted,
            Ok(None) => return ProofOutcome::unknown("stopped".to_owned()),
            Err(error) => return ProofOutcome::unknown(error.to_string()),
        };
        // A failed tweet leaves a gap in the sequence, so then only the counts are compared.
        let whole = counters.failed.get() > 0 || expected != delivered || proof == Proof::expected(delivered);
        let exact = steady && whole && (proof.rows, proof.distinct) == (expected, delivered);
        let mut missing = MissingRows::default();
        if proof.distinct < delivered {
            let sent = counters.published.get();
            let (client, datasource) = (self.supervisor.client(), &self.datasource);
            match missing_seqs(client, datasource, self.run, sent, delivered - proof.distinct) {
                Ok(found) => {
                    self.notes.push(format!("missing seq: {}", found.words()));
                    // The ranges include those that Kafka did not accept.
                    missing = found;
                }
                Err(error) => self.notes.push(format!("which rows are missing could not be asked: {error}")),
            }
        }
        let causes = if exact { Vec::new() } else { self.causes(delivered) };
        ProofOutcome { proof: Some(proof), exact, count_error: None, missing: Some(missing), causes }
    }

    fn wait_for_rows(&mut self, expected: u64, counters: &Counters, stop: &AtomicBool, screen: &Screen) {
        let (mut rows, mut changed) = (self.queryable.rows(), Instant::now());
        let mut looked = Instant::now();
        while rows < expected && self.patience.last_change(changed).elapsed() < self.limit(stop) {
            std::thread::sleep(LOOK);
            counters.sample(Instant::now(), Some(&self.queryable));
            let now = self.queryable.rows();
            if now != rows {
                (rows, changed) = (now, Instant::now());
            }
            if self.counting.is_failing() {
                // Waits until the broker is back. If that fails, waiting for rows is useless, too.
                let counted = Proof::count(self.supervisor.client(), &self.datasource, self.run);
                if counted.is_err() {
                    break;
                }
            }
            if looked.elapsed() < LOOK_CLOSER {
                continue;
            }
            self.tasks.look(&self.supervisor);
            looked = Instant::now();
            let since = self.patience.last_change(changed);
            let reads_no_more = || self.alarm.is_supervisor_gone() || self.has_read_all();
            if since.elapsed() > ALL_READ_PATIENCE && reads_no_more() {
                break;
            }
            if screen.shows_progress() {
                let count = indicatif::HumanCount;
                screen.say_row("druid", &format!("{} of {} rows queryable", count(rows), count(expected)));
            }
        }
    }

    /// Whether the tasks say that they have read each partition to its end. Their answer is up to a
    /// few seconds old, and never too high.
    fn has_read_all(&self) -> bool {
        let supervisor = self.supervisor.without_patience();
        let Ok(Some(SupervisorStatus { offsets, .. })) = supervisor.status() else { return false };
        let Ok(ends) = end_offsets(self.producer, self.partitions) else { return false };
        ends.iter().all(|(partition, end)| offsets.get(partition).is_some_and(|read| read >= end))
    }

    /// The proof, and whether two counts gave the same, with no fewer rows than before: a broker
    /// that has just returned may not know all tasks yet. `None` if a stop cuts it short.
    fn count_twice(&self, stop: &AtomicBool) -> Result<Option<(Proof, bool)>, DruidError> {
        let count = || Proof::of_run(self.supervisor.client(), &self.datasource, self.run);
        let mut last = count()?;
        for _ in 0..PROOFS_MAX {
            let since = Instant::now();
            while since.elapsed() < BETWEEN_PROOFS {
                if self.is_cut_short(stop) {
                    return Ok(None);
                }
                std::thread::sleep(LOOK);
            }
            let next = count()?;
            if next == last && next.rows >= self.queryable.rows() {
                return Ok(Some((next, true)));
            }
            last = next;
        }
        Ok(Some((last, false)))
    }

    /// Whether a stop leaves no time for two counts.
    fn is_cut_short(&self, stop: &AtomicBool) -> bool {
        stop.load(Ordering::Relaxed) && self.session.after_stop < BETWEEN_PROOFS
    }

    fn causes(&self, delivered: u64) -> Vec<Cause> {
        let at_once = self.supervisor.without_patience();
        let mut failed_tasks = Vec::new();
        for task in &self.tasks.ids {
            if let Ok(Some(Err(reason))) = at_once.task_end(task) {
                failed_tasks.push((task.clone(), reason));
            }
        }
        let mut seen = Symptoms {
            status: match self.supervisor.status() {
                Ok(status) => status,
                Err(error) => return vec![no_answer(&error)],
            },
            delivered,
            rows: self.tasks.since_start(),
            parse_errors: at_once.parse_errors().unwrap_or_default(),
            slots: at_once.slots(&self.datasource).ok(),
            failed_tasks,
            ..self.supervisor.symptoms()
        };
        self.add_own_view(&mut seen);
        let mut causes = diagnose(&seen);
        let (dimensions, names) = (dimension_names(&self.spec), self.run.names);
        let lacks = |name: &&str| !dimensions.iter().any(|dimension| dimension == name);
        if let Some(column) =
            [names.run(), names.seq()].iter().find(|name| lacks(name)).filter(|_| !dimensions.is_empty())
        {
            causes.push(Cause {
                name: CauseName::NoColumn,
                cause: format!(
                    "the spec has no dimension {column}, by which the rows of a run are told apart"
                ),
                remedy: format!("add the dimensions {} (string) and {} (long)", names.run(), names.seq()),
            });
        }
        causes
    }
}

fn no_answer(error: &DruidError) -> Cause {
    Cause {
        name: CauseName::NoAnswer,
        cause: error.to_string(),
        remedy: "start Druid, and replay again".to_owned(),
    }
}
