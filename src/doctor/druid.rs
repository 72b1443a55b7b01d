//! Druid's state before anything is sent: its services, its extension, its worker slots, and the
//! existing supervisor.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::exam::Exam;
use crate::druid::{
    Access, CauseName, Client, DruidAfter, DruidError, Service, Supervisor, SupervisorStatus, Symptoms,
    TaskRows, diagnose, is_ours,
};
use crate::kafka::{end_offsets, look_at_cluster};
use crate::options::{DruidOptions, KafkaChoice, ReplayOptions};
use crate::pipeline::add_own_view;
use crate::pipeline::io_config;
use crate::pipeline::producer_options;
use crate::report::{CheckState, with_causes};

/// The extension that reads from Kafka.
const EXTENSION: &str = "druid-kafka-indexing-service";

/// How long a supervisor without tasks may take to start some.
const STARTING: Duration = Duration::from_secs(10);

/// How a marker can be sent without harming what runs there.
pub(super) enum MarkerWay {
    /// As a replay does it: the supervisor is created, or updated to the spec of these flags.
    Submit,
    /// The same, and after it the supervisor is again what it was: gone, or suspended.
    Passing(DruidAfter),
    /// Into this supervisor of ours, which already reads the topic and stays unchanged.
    AsItIs(String),
    /// Not at all: the supervisor reads messages of another form, or is wrong.
    None,
}

/// Checks everything that can be checked without changing anything.
pub(super) fn check(
    options: &ReplayOptions,
    choice: &DruidOptions,
    stop: &Arc<AtomicBool>,
    exam: &mut Exam<'_>,
) -> MarkerWay {
    let client = match Access::from_env().and_then(|access| Client::new(&choice.url, &access)) {
        Ok(client) => client.stopped_by(stop.clone()),
        Err(error) => {
            exam.fail("druid", with_causes(&error));
            return MarkerWay::None;
        }
    };
    let Some(about) = processes(&client, exam) else { return MarkerWay::None };
    extension(&about, exam);
    let name = supervisor_name(options, choice);
    let supervisor = Supervisor::new(client, &name);
    workers(&supervisor, exam);
    match supervisor.spec() {
        Ok(None) if choice.supervisor.is_some() => {
            let error =
                supervisor.existing_spec().map(|_| String::new()).unwrap_or_else(|error| with_causes(&error));
            exam.fail("supervisor", error);
        }
        Ok(None) => {
            exam.ok("supervisor", format!("there is none called {name}: a replay makes it"));
            return MarkerWay::Passing(DruidAfter::Drop);
        }
        Ok(Some(spec)) => {
            return there_is_one(options, choice, &supervisor, &spec, exam);
        }
        Err(error) => exam.fail("supervisor", with_causes(&error)),
    }
    MarkerWay::Submit
}

/// Asks each process that only a router's address leads to; what Druid says of itself, if all are there.
fn processes(client: &Client, exam: &mut Exam<'_>) -> Option<Value> {
    let about = match client.get("/status") {
        Ok(about) => about,
        Err(error) => {
            exam.fail("druid", with_causes(&error));
            return None;
        }
    };
    let queries = client.check_router();
    if let Err(error @ DruidError::NoRouter { .. }) = queries {
        exam.fail("druid", with_causes(&error));
        return None;
    }
    // These two answer in plain text.
    let leads = |path: &str| match client.get(path) {
        Err(DruidError::Answer { .. }) => Ok(()),
        answer => answer.map(drop),
    };
    let answers = [
        (Service::Broker, "broker", queries),
        (Service::Overlord, "coordinator", leads("/druid/indexer/v1/leader")),
        (Service::Coordinator, "coordinator", leads("/druid/coordinator/v1/leader")),
    ];
    let mut all = true;
    for (service, name, answer) in answers {
        let Err(error) = answer else { continue };
        all = false;
        let words = match error.is_passing() {
            true => format!(
                "{service} does not answer at {} ({}): start it (in the stack of this repository: \
                 `docker/native/stack up {name}`)",
                client.url(),
                error.reason()
            ),
            false => with_causes(&error),
        };
        exam.fail("druid", words);
    }
    if all {
        let version = about["version"].as_str().unwrap_or("?");
        exam.ok("druid", format!("{} answers: {version}", client.url()));
    }
    all.then_some(about)
}

/// The name that the replay will use.
fn supervisor_name(options: &ReplayOptions, choice: &DruidOptions) -> String {
    choice.supervisor.as_ref().or(choice.datasource.as_ref()).unwrap_or(&options.kafka.topic).clone()
}

fn extension(about: &Value, exam: &mut Exam<'_>) {
    let modules = about["modules"].as_array().cloned().unwrap_or_default();
    if modules.iter().any(|module| module["artifact"] == EXTENSION) {
        exam.ok("extension", format!("{EXTENSION} is loaded"));
    } else {
        exam.fail(
            "extension",
            format!(
                "{EXTENSION} is not loaded: add it to druid.extensions.loadList of every service, and restart them"
            ),
        );
    }
}

fn workers(supervisor: &Supervisor, exam: &mut Exam<'_>) {
    match supervisor.slots(supervisor.name()) {
        Err(error) => exam.fail("workers", with_causes(&error)),
        Ok(slots) if slots.total == 0 => {
            exam.fail("workers", "Druid has none: start a middleManager or an indexer");
        }
        Ok(slots) if slots.used >= slots.total => {
            let holders = supervisor.slot_holders().map(|holders| holders.to_string()).unwrap_or_default();
            exam.warn(
                "workers",
                format!(
                    "all {} slots are taken ({holders}): a new task waits. Raise druid.worker.capacity, or `tweetblast \
                     druid suspend` another supervisor",
                    slots.total
                ),
            );
        }
        Ok(slots) => {
            exam.ok("workers", format!("{} of {} slots are free", slots.total - slots.used, slots.total))
        }
    }
}

fn there_is_one(
    options: &ReplayOptions,
    choice: &DruidOptions,
    supervisor: &Supervisor,
    spec: &Value,
    exam: &mut Exam<'_>,
) -> MarkerWay {
    let name = supervisor.name();
    let ours = is_ours(spec) && choice.supervisor.is_none();
    let reads = io_config(spec)["topic"].as_str().unwrap_or_default();
    let status = match settled_status(supervisor) {
        _ if !ours && choice.supervisor.is_none() && !choice.overwrite => {
            Err(DruidError::Foreign { name: name.to_owned() })
        }
        _ if choice.supervisor.is_some() && reads != options.kafka.topic => {
            let (name, topic) = (name.to_owned(), options.kafka.topic.clone());
            Err(DruidError::OtherTopic { name, reads: reads.to_owned(), topic })
        }
        status => status,
    };
    let status = match status {
        Ok(Some(status)) => status,
        Ok(None) => {
            exam.warn("supervisor", format!("{name} is about to go or to come"));
            return MarkerWay::Submit;
        }
        Err(error) => {
            exam.fail("supervisor", with_causes(&error));
            return MarkerWay::None;
        }
    };
    if status.suspended && ours {
        exam.ok("supervisor", format!("{name} is suspended: a replay resumes it"));
        return MarkerWay::Passing(DruidAfter::Suspend);
    }
    let state = format!("{name} is {} ({}), reads topic {reads}", status.state, status.detailed_state);
    let causes = diagnose(&seen(options, supervisor, spec, status));
    if causes.is_empty() {
        exam.ok("supervisor", state);
        return match &options.kafka.cluster {
            KafkaChoice::Cluster(_) if ours && io_config(spec)["inputFormat"]["type"] == "kafka" => {
                MarkerWay::None
            }
            KafkaChoice::Cluster(_) if ours && reads == options.kafka.topic => {
                MarkerWay::AsItIs(name.to_owned())
            }
            _ => MarkerWay::Submit,
        };
    }
    for cause in causes {
        let words = format!("{name}: {cause}");
        let may_go_on = match cause.name {
            // A replay brings its own Kafka and topic, and tells the supervisor where they are.
            CauseName::KafkaUnreachable
            | CauseName::KafkaMisadvertised
            | CauseName::KafkaRefuses
            | CauseName::TopicMissing
            | CauseName::Unhealthy => ours,
            // Caused by earlier messages, possibly of another program.
            CauseName::Unparseable
            | CauseName::ThrownAway
            | CauseName::TaskFailed
            | CauseName::ReadsFromTheEnd => true,
            CauseName::SupervisorGone
            | CauseName::Suspended
            | CauseName::TooFewWorkerSlots
            | CauseName::WorkerGone
            | CauseName::TopicRecreated
            | CauseName::NoColumn
            | CauseName::NoCount
            | CauseName::NoAnswer => false,
        };
        let state = if may_go_on { CheckState::Warning } else { CheckState::Failed };
        exam.add("supervisor", state, words);
    }
    MarkerWay::Submit
}

/// Its status, after enough time to start.
fn settled_status(supervisor: &Supervisor) -> Result<Option<SupervisorStatus>, DruidError> {
    let since = Instant::now();
    loop {
        let status = supervisor.status()?;
        let settled = |status: &SupervisorStatus| {
            status.suspended || status.state != "RUNNING" || !status.reading.is_empty()
        };
        if since.elapsed() > STARTING || status.as_ref().is_none_or(settled) {
            return Ok(status);
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

fn seen(
    options: &ReplayOptions,
    supervisor: &Supervisor,
    spec: &Value,
    status: SupervisorStatus,
) -> Symptoms {
    let mut rows = TaskRows::default();
    for task in supervisor.rows().unwrap_or_default().values() {
        rows.processed += task.processed;
        rows.unparseable += task.unparseable;
        rows.thrown_away += task.thrown_away;
    }
    let mut seen = Symptoms {
        status: Some(status),
        rows,
        parse_errors: supervisor.parse_errors().unwrap_or_default(),
        slots: supervisor.slots(supervisor.name()).ok(),
        ..supervisor.symptoms()
    };
    add_own_view(&mut seen, spec);
    // With the embedded endpoint there is nothing to connect to yet.
    if let KafkaChoice::Cluster(brokers) = &options.kafka.cluster {
        let producer = producer_options(options, brokers, "");
        let partitions = look_at_cluster(&producer).map_or(0, |cluster| cluster.partitions);
        seen.ends = end_offsets(&producer, partitions).unwrap_or_default();
    }
    seen
}
