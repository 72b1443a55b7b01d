//! What a search works on: a topic, a supervisor and a datasource of its own, which are dropped at the end.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde_json::Value;

use super::options::FindMaxOptions;
use crate::druid::{
    Access, Client, EventColumns, Granularity, ReadyWait, SpecOptions, Supervisor, make_spec, set_pointer,
};
use crate::kafka::{ProducerOptions, delete_topic, prepare_topic};
use crate::options::{DruidOptions, KafkaChoice, Session};
use crate::pipeline::{
    Opened, ReplayError, add_own_view, io_config, is_loopback, producer_options, read_spec, tuning_config,
};
use crate::report::quantity;

/// Places in a spec.
pub const TASK_DURATION: &str = "/ioConfig/taskDuration";
pub const TASK_COUNT: &str = "/ioConfig/taskCount";

/// So that rollovers happen within a search; Druid's own default is an hour.
pub const DEFAULT_TASK_DURATION: Duration = Duration::from_secs(300);

/// Druid's own `maxRowsPerSegment`: its documentation, "Kafka ingestion", `tuningConfig`.
const ROWS_PER_SEGMENT: f64 = 5_000_000.0;

/// Longest wait for the tasks to end at the end.
const DROP_PATIENCE: Duration = Duration::from_secs(60);

/// The topic, the supervisor, the datasource.
pub(super) struct Stage {
    pub supervisor: Supervisor,
    pub datasource: String,
    pub producer: ProducerOptions,
    pub partitions: usize,
    pub tasks: usize,
    pub replicas: usize,
    pub task_duration_s: f64,
    pub segment_rows: f64,
    pub spec: Value,
    keep: bool,
    is_down: bool,
}

impl Stage {
    /// Makes all of them under this name, and waits until each partition is read.
    pub fn set_up(
        options: &FindMaxOptions,
        (name, opened): (&str, &Opened),
        swept: Option<(&String, &Value)>,
        session: &Session,
        say: &dyn Fn(&str),
    ) -> Result<Self, ReplayError> {
        let replay = &options.replay;
        let (KafkaChoice::Cluster(brokers), Some(choice)) = (&replay.kafka.cluster, &replay.druid) else {
            return Err(ReplayError::Usage("find-max needs --kafka and --druid".to_owned()));
        };
        let client = Client::new(&choice.url, &Access::from_env()?)?;
        client.check_sql()?;
        let supervisor = Supervisor::new(client, name);
        let slots = supervisor.slots(name)?;
        let mut producer = producer_options(replay, brokers, name);
        name.clone_into(&mut producer.topic);
        let kafka = choice.kafka.as_ref().unwrap_or(brokers);
        let events = opened.event_columns();
        let spec = |tasks| spec(choice, (name, kafka), tasks, &events, swept);
        // What is asked for decides how many partitions are needed.
        let asked = io_config(&spec(1)?)["taskCount"].as_u64().unwrap_or(1) as i32;
        producer.partitions = producer.partitions.max(asked).max(most_tasks(options));
        let partitions = prepare_topic(&producer)?.partitions;
        let spec = spec(partitions.min((slots.total / 2).max(1)))?;
        let io = io_config(&spec);
        let count = |key: &str| io[key].as_u64().unwrap_or(1).max(1) as usize;
        let stage = Self {
            supervisor,
            datasource: name.to_owned(),
            producer,
            partitions,
            tasks: count("taskCount").min(partitions),
            replicas: count("replicas"),
            task_duration_s: seconds_of(&io["taskDuration"]),
            segment_rows: segment_rows(&spec),
            spec,
            keep: options.keep,
            is_down: false,
        };
        stage.submit(choice.timeout.min(options.budget), &session.stop, say)?;
        Ok(stage)
    }

    fn submit(&self, patience: Duration, stop: &AtomicBool, say: &dyn Fn(&str)) -> Result<(), ReplayError> {
        self.supervisor.submit(self.spec.clone(), &[], false)?;
        let wait = ReadyWait {
            partitions: self.partitions,
            patience,
            stop,
            say: &|words| say(&format!("waiting {words}")),
            look_closer: &|seen| add_own_view(seen, &self.spec),
            same_machine: is_loopback(self.supervisor.client().host()),
        };
        self.supervisor.wait_until_read(&self.datasource, &wait)?;
        Ok(())
    }

    /// Worker slots that are needed while tasks publish.
    pub fn worker_slots(&self) -> usize {
        2 * self.replicas * self.tasks
    }

    /// Drops all of it, or with --keep lets the tasks publish; returns what could not be done.
    pub fn take_down(&mut self) -> Vec<String> {
        if std::mem::replace(&mut self.is_down, true) {
            return Vec::new();
        }
        let name = &self.datasource;
        if self.keep {
            let suspended = self.supervisor.suspend();
            return suspended
                .err()
                .map(|error| format!("supervisor {name} still runs: {error}"))
                .into_iter()
                .collect();
        }
        let dropped = self.supervisor.drop_datasource(name, DROP_PATIENCE);
        let dropped = dropped.err().map(|error| format!("datasource {name} was not dropped: {error}"));
        let deleted = delete_topic(&self.producer).err().map(|error| error.to_string());
        dropped.into_iter().chain(deleted).collect()
    }
}

impl Drop for Stage {
    /// After an error.
    fn drop(&mut self) {
        for left in self.take_down() {
            tracing::warn!("{left}");
        }
    }
}

/// The most tasks of a sweep: each of its searches gets as many partitions.
fn most_tasks(options: &FindMaxOptions) -> i32 {
    let values = options.sweep.iter().filter(|(place, _)| place == TASK_COUNT).flat_map(|(_, values)| values);
    values.filter_map(Value::as_i64).max().and_then(|tasks| i32::try_from(tasks).ok()).unwrap_or(1)
}

fn spec(
    choice: &DruidOptions,
    (name, kafka): (&str, &str),
    tasks: usize,
    events: &Option<EventColumns>,
    swept: Option<(&String, &Value)>,
) -> Result<Value, ReplayError> {
    let mut spec = match &choice.spec {
        Some(path) => read_spec(path)?,
        None => make_spec(&SpecOptions {
            datasource: name.to_owned(),
            topic: name.to_owned(),
            kafka: kafka.to_owned(),
            form: crate::event::PayloadForm::Tweet,
            extra: Vec::new(),
            events: events.clone(),
            tasks,
            granularity: Granularity::Hour,
        }),
    };
    let set = |spec: &mut Value, place: &str, value: Value| set_pointer(spec, place, value);
    set(&mut spec, "/ioConfig/topic", name.into())?;
    set(&mut spec, "/ioConfig/consumerProperties/bootstrap.servers", kafka.into())?;
    set(&mut spec, "/dataSchema/dataSource", name.into())?;
    if choice.spec.is_none() {
        let task_duration = format!("PT{}S", DEFAULT_TASK_DURATION.as_secs());
        set(&mut spec, TASK_DURATION, task_duration.into())?;
    }
    for (place, value) in &choice.set {
        set(&mut spec, place, value.clone())?;
    }
    if let Some((place, value)) = swept {
        set(&mut spec, place, value.clone())?;
    }
    if let Some(id) = spec.get_mut("id") {
        *id = name.into();
    }
    Ok(spec)
}

/// Rows of a segment; Druid's own number where there is none, and for 0 and less.
fn segment_rows(spec: &Value) -> f64 {
    let asked = tuning_config(spec)["maxRowsPerSegment"].as_f64();
    asked.filter(|rows| *rows >= 1.0).unwrap_or(ROWS_PER_SEGMENT)
}

/// A period such as PT5M or PT300S in seconds; an hour if it is written in another way.
fn seconds_of(period: &Value) -> f64 {
    let text = period.as_str().and_then(|text| text.strip_prefix("PT")).map(str::to_ascii_lowercase);
    text.and_then(|text| quantity::seconds(&text)).unwrap_or(3_600.0)
}

/// Refuses flags that name what a search makes by itself.
///
/// # Errors
/// With the flag.
pub(super) fn check(choice: &DruidOptions) -> Result<(), ReplayError> {
    let given = [
        ("--druid-datasource", choice.datasource.is_some()),
        ("--druid-supervisor", choice.supervisor.is_some()),
        ("--druid-after", choice.after.is_some()),
    ];
    match given.iter().find(|(_, is_given)| *is_given) {
        Some((flag, _)) => Err(ReplayError::Usage(format!(
            "{flag} has no effect on find-max, which makes a topic, a supervisor and a datasource of its own"
        ))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn segments_have_rows_whatever_the_spec_says() {
        let of = |rows: Value| segment_rows(&json!({"spec": {"tuningConfig": {"maxRowsPerSegment": rows}}}));
        assert_eq!(of(json!(750_000)), 750_000.0);
        for rows in [json!(0), json!(-1), json!(null), json!("many")] {
            assert_eq!(of(rows), ROWS_PER_SEGMENT);
        }
    }

    #[test]
    fn periods_of_specs_are_read() {
        assert_eq!(seconds_of(&json!("PT5M")), 300.0);
        assert_eq!(seconds_of(&json!("PT1H30M")), 5_400.0);
        assert_eq!((seconds_of(&json!("P1D")), seconds_of(&json!(null))), (3_600.0, 3_600.0));
    }
}
