//! Why no rows arrive: from Druid's answers to the cause and what to do.
//!
//! Druid calls a supervisor healthy in most of these cases. `tests/druid` provokes them on a real
//! Druid; the unit tests use answers recorded there.

use std::collections::BTreeMap;
use std::fmt;

use super::{ParseError, SlotHolders, Supervisor, SupervisorStatus, TaskRows, WorkerSlots};

/// All answers, as far as there were any.
#[derive(Debug, Clone, Default)]
pub struct Symptoms {
    /// Name of the supervisor.
    pub supervisor: String,
    /// Address of Druid.
    pub druid: String,
    /// Kafka's address as given to Druid.
    pub kafka: String,
    /// Whether a server listens at that address, as seen from here.
    pub kafka_listens: Option<bool>,
    /// `None`: Druid has no such supervisor.
    pub status: Option<SupervisorStatus>,
    /// End of each partition, according to Kafka itself.
    pub ends: BTreeMap<i32, i64>,
    /// Messages of this run that Kafka has acknowledged.
    pub delivered: u64,
    /// Totals of the tasks during this run.
    pub rows: TaskRows,
    /// Messages that did not become rows.
    pub parse_errors: Vec<ParseError>,
    /// Whether the supervisor reads a new topic from its start.
    pub from_earliest: bool,
    /// Worker slots, if tasks wait for one.
    pub slots: Option<WorkerSlots>,
    /// The tasks that have them.
    pub holders: SlotHolders,
    /// Workers with our tasks, `host:port`, where nothing listens as seen from here.
    pub workers_gone: Vec<String>,
    /// Whether Druid takes secrets of Kafka from its environment.
    pub secrets: bool,
    /// Whether tasks that should read do not answer the overlord.
    pub tasks_silent: bool,
    /// Tasks of ours that failed, with Druid's reason.
    pub failed_tasks: Vec<(String, String)>,
}

/// What can keep rows from arriving. The last three are found by the code that counts rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CauseName {
    /// Druid has no such supervisor any more.
    SupervisorGone,
    /// It is suspended.
    Suspended,
    /// Tasks wait for a worker slot.
    TooFewWorkerSlots,
    /// The process that runs the tasks is away.
    WorkerGone,
    /// The Kafka that Druid reads has no such topic.
    TopicMissing,
    /// Nothing listens where Druid looks for Kafka.
    KafkaUnreachable,
    /// A server listens there, but Druid cannot connect to Kafka.
    KafkaMisadvertised,
    /// Kafka refuses Druid's login or certificate, or Druid has none.
    KafkaRefuses,
    /// The offsets from which Druid continues are those of a deleted topic.
    TopicRecreated,
    /// Messages that the spec cannot read.
    Unparseable,
    /// Messages with times outside the range that the spec accepts.
    ThrownAway,
    /// The supervisor began at the end of the topic.
    ReadsFromTheEnd,
    /// A task failed.
    TaskFailed,
    /// Druid calls the supervisor unhealthy, and nothing else is known to be wrong.
    Unhealthy,
    /// The spec lacks a column that identifies the rows of a run.
    NoColumn,
    /// The rows could not be counted.
    NoCount,
    /// Druid did not answer.
    NoAnswer,
}

impl CauseName {
    /// As in the JSON report; never changes between versions.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SupervisorGone => "supervisor gone",
            Self::Suspended => "suspended",
            Self::TooFewWorkerSlots => "too few worker slots",
            Self::WorkerGone => "worker gone",
            Self::TopicMissing => "topic missing",
            Self::KafkaUnreachable => "kafka unreachable",
            Self::KafkaMisadvertised => "kafka unreachable or misadvertised",
            Self::KafkaRefuses => "kafka refuses druid",
            Self::TopicRecreated => "topic recreated",
            Self::Unparseable => "unparseable",
            Self::ThrownAway => "thrown away",
            Self::ReadsFromTheEnd => "reads from the end",
            Self::TaskFailed => "task failed",
            Self::Unhealthy => "unhealthy",
            Self::NoColumn => "no column",
            Self::NoCount => "no count",
            Self::NoAnswer => "no answer",
        }
    }
}

/// Why rows are missing.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Cause {
    /// A short name, the same in each version.
    pub name: CauseName,
    /// What is wrong.
    pub cause: String,
    /// What helps.
    pub remedy: String,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.cause, self.remedy)
    }
}

/// What Druid 33 says where an environment variable with a secret is missing.
const NO_VARIABLE: &str = "NullPointerException";

/// What to do then.
const SECRETS: &str = "Kafka's secrets come from the environment of Druid's overlord and of every worker, which must have \
                       the variables of `tweetblast druid secrets -X @FILE` when they start";

/// Every cause that the answers show, the most specific first. Empty: no fault is known.
#[must_use]
pub fn diagnose(seen: &Symptoms) -> Vec<Cause> {
    let mut found = Vec::new();
    let mut add = |name, cause: String, remedy: String| found.push(Cause { name, cause, remedy });
    let Symptoms { kafka, rows, .. } = seen;
    let Some(status) = &seen.status else {
        add(
            CauseName::SupervisorGone,
            "Druid has no such supervisor any more".into(),
            "somebody has terminated it, and what it had not read yet is not read; the next run creates it again \
             and continues"
                .into(),
        );
        return found;
    };
    if status.suspended {
        add(
            CauseName::Suspended,
            "the supervisor is suspended".into(),
            format!("{} resumes it", seen.command("resume", &seen.supervisor)),
        );
    }
    if let Some(slots) = seen.slots.filter(|slots| slots.are_short() && slots.total > 0) {
        let held = seen.holders.to_string();
        let held = if held.is_empty() { held } else { format!(" ({held})") };
        let other = match seen.holders.other_than(&seen.supervisor) {
            Some(other) => format!("{} frees some, or ", seen.command("suspend", other)),
            None => String::new(),
        };
        add(
            CauseName::TooFewWorkerSlots,
            format!("{} tasks wait for a worker slot; all {} are taken{held}", slots.waiting, slots.total),
            format!("{other}raise druid.worker.capacity, or --druid-set /ioConfig/taskCount=1"),
        );
    }
    if !seen.workers_gone.is_empty() || seen.tasks_silent || seen.slots.is_some_and(|slots| slots.total == 0)
    {
        let place = match &seen.workers_gone[..] {
            [] if seen.tasks_silent => "the tasks that read do not answer".to_owned(),
            [] => "Druid has no worker that could run tasks".to_owned(),
            gone => format!("nothing listens at {}, where the tasks that read are", gone.join(", ")),
        };
        add(
            CauseName::WorkerGone,
            place,
            "start that worker again (indexer or middleManager; in the stack of this repository: \
             `docker/native/stack up indexer`): Druid then reads again from where it had published"
                .into(),
        );
    }
    let error = |words: &str| status.errors.iter().find(|error| error.contains(words));
    if status.partitions == 0 && error("No partitions found").is_some() {
        add(
            CauseName::TopicMissing,
            format!("the Kafka that Druid reads at {kafka} has no topic {}", status.topic),
            "if that is another Kafka than the replay's, name the right one with --druid-kafka HOST:PORT; \
             otherwise create the topic, and Druid reads it within seconds"
                .into(),
        );
    } else if let Some(error) = ["JAAS", "SaslAuthentication", "ssl.keystore", NO_VARIABLE]
        .iter()
        .find_map(|words| error(words).filter(|_| *words != NO_VARIABLE || seen.secrets))
        && !status.healthy
    {
        add(
            CauseName::KafkaRefuses,
            format!("Druid is not let into Kafka at {kafka}: {error}"),
            SECRETS.into(),
        );
    } else if status.latest.is_none() && status.is_connecting() {
        if seen.kafka_listens == Some(false) {
            add(
                CauseName::KafkaUnreachable,
                format!("nothing listens at {kafka}, where Druid looks for Kafka"),
                "name the address that Druid can reach with --druid-kafka HOST:PORT".into(),
            );
        } else {
            add(
                CauseName::KafkaMisadvertised,
                format!("Druid cannot connect to Kafka at {kafka}, although a server listens there"),
                "either that address is another machine where Druid runs (--druid-kafka HOST:PORT gives Druid another \
                 one), or Kafka's advertised listener names a host that Druid does not know (`kcat -L -b` shows it; \
                 for the embedded endpoint: --kafka-advertise)"
                    .into(),
            );
        }
    }
    let beyond = status.beyond_end(&seen.ends);
    let read_all = !seen.ends.is_empty()
        && seen
            .ends
            .iter()
            .all(|(partition, end)| status.offsets.get(partition).is_some_and(|read| read >= end));
    let nothing_taken = seen.delivered > 0 && rows.processed + rows.unparseable + rows.thrown_away == 0;
    if !beyond.is_empty() || (read_all && nothing_taken) {
        let found = beyond.first().map_or(
            "Druid had read the offsets of this run's messages before they were sent".to_owned(),
            |(partition, read, end)| {
                format!("Druid continues from offset {read} of partition {partition}, which ends at {end}")
            },
        );
        add(
            CauseName::TopicRecreated,
            format!("{found}: the topic was deleted and created again"),
            format!(
                "{} makes it read from the start again, and what was not published yet is lost; or use another \
                 topic with -t",
                seen.command("reset", &seen.supervisor)
            ),
        );
    }
    if rows.unparseable > 0 {
        let example = seen.parse_errors.first().map_or(String::new(), |error| {
            format!(" (the last: {}; {})", error.reason.trim_end_matches('.'), error.input)
        });
        add(
            CauseName::Unparseable,
            format!("{} messages are not JSON objects with a time that the spec can read{example}", rows.unparseable),
            "compare timestampSpec and inputFormat of the spec with a message; `tweetblast druid status` shows the \
             messages"
                .into(),
        );
    }
    if rows.thrown_away > 0 {
        add(
            CauseName::ThrownAway,
            format!("{} messages have times that the spec does not accept", rows.thrown_away),
            "remove lateMessageRejectionPeriod, earlyMessageRejectionPeriod and transformSpec's filter from the spec, \
             or replay with --timestamp send"
                .into(),
        );
    }
    if !seen.from_earliest && rows.processed == 0 && status.state == "RUNNING" && !status.offsets.is_empty() {
        add(
            CauseName::ReadsFromTheEnd,
            "the supervisor began at the end of the topic: what was sent before is not read".into(),
            "--druid-set /ioConfig/useEarliestOffset=true, then reset it".into(),
        );
    }
    for (task, reason) in seen.failed_tasks.iter().take(3) {
        if seen.secrets && reason.contains(NO_VARIABLE) {
            add(
                CauseName::KafkaRefuses,
                format!("task {task} has no secrets of Kafka: {reason}"),
                SECRETS.into(),
            );
            continue;
        }
        add(
            CauseName::TaskFailed,
            format!("task {task} failed: {reason}"),
            format!("its log says more: GET /druid/indexer/v1/task/{task}/log"),
        );
    }
    if found.is_empty() && !status.healthy {
        let error = status.errors.last().map_or(String::new(), |error| format!(": {error}"));
        found.push(Cause {
            name: CauseName::Unhealthy,
            cause: format!("Druid calls the supervisor {}{error}", status.detailed_state),
            remedy: match seen.secrets {
                true => format!("the overlord's log says more; {SECRETS}"),
                false => "the overlord's log says more".into(),
            },
        });
    }
    found
}

impl Symptoms {
    /// A step of ours as it can be typed.
    fn command(&self, step: &str, supervisor: &str) -> String {
        let quoted = |text: &str| match text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:/".contains(c))
        {
            true => text.to_owned(),
            false => format!("'{}'", text.replace('\'', r"'\''")),
        };
        let druid = match self.druid.as_str() {
            "" | "http://127.0.0.1:8888" => String::new(),
            url => format!(" --druid {}", quoted(url)),
        };
        format!("`tweetblast druid {step} {}{druid}`", quoted(supervisor))
    }
}

impl Supervisor {
    /// What a diagnosis needs to know of the supervisor itself.
    #[must_use]
    pub fn symptoms(&self) -> Symptoms {
        let (supervisor, druid) = (self.name().to_owned(), self.client().url().to_owned());
        Symptoms { supervisor, druid, ..Symptoms::default() }
    }
}

#[cfg(test)]
#[path = "diagnose_tests.rs"]
mod tests;
