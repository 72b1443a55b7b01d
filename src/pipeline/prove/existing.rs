//! A supervisor of ours that reads for another run at this moment stays as it is: an update would restart
//! its tasks, or take its messages' form or Kafka away from under it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::spec_parts::{dimension_names, io_config, listens, part};
use crate::druid::{Alteration, DruidError};
use crate::kafka::{ProducerOptions, end_offsets, look_at_cluster};

/// How long the ends of the topic are watched. A run that sends more seldom is not noticed.
const WATCH: Duration = Duration::from_millis(1_500);

/// Time between two checks for Ctrl-C.
const LOOK: Duration = Duration::from_millis(50);

/// What is said of a supervisor that somebody else has changed.
pub(crate) fn altered(name: &str, kept: &[Alteration]) -> String {
    let places: Vec<String> = kept.iter().map(ToString::to_string).collect();
    format!(
        "supervisor {name} was changed since tweetblast submitted it, and stays so ({}): --druid-overwrite submits it \
         without these changes",
        places.join(", ")
    )
}

/// Whether the supervisor with the spec `there` is used now, so that it must stay as it is although this run
/// wants the spec `wanted`. Blocks up to two seconds.
///
/// # Errors
/// When this run cannot do with it as it is.
pub(super) fn is_in_use(
    name: &str,
    there: &Value,
    wanted: &Value,
    producer: &ProducerOptions,
    stop: &AtomicBool,
) -> Result<bool, DruidError> {
    if !is_fed(there, producer, stop) {
        return Ok(false);
    }
    match obstacles(there, wanted) {
        obstacles if obstacles.is_empty() => Ok(true),
        obstacles => Err(DruidError::InUse { name: name.to_owned(), obstacles: obstacles.join("; ") }),
    }
}

/// Whether messages still come into the topic that a supervisor reads.
fn is_fed(spec: &Value, producer: &ProducerOptions, stop: &AtomicBool) -> bool {
    let io = io_config(spec);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let options = ProducerOptions {
        brokers: text(&io["consumerProperties"]["bootstrap.servers"]),
        topic: text(&io["topic"]),
        ..producer.clone()
    };
    if listens(&options.brokers) != Some(true) {
        return false;
    }
    let ends = || {
        let cluster = look_at_cluster(&options).ok()?;
        end_offsets(&options, cluster.partitions).ok()
    };
    let Some(before) = ends() else { return false };
    let until = Instant::now() + WATCH;
    while Instant::now() < until && !stop.load(Ordering::Relaxed) {
        std::thread::sleep(LOOK);
    }
    ends().is_some_and(|after| after != before)
}

/// Why a run that wants one spec cannot do with another.
fn obstacles(there: &Value, wanted: &Value) -> Vec<String> {
    let places = [
        ("its topic", "/topic"),
        ("its Kafka", "/consumerProperties/bootstrap.servers"),
        ("its inputFormat", "/inputFormat/type"),
    ];
    let (there_io, wanted_io) = (io_config(there), io_config(wanted));
    let differs = |(words, place): (&str, &str)| {
        let (is, wants) = (there_io.pointer(place)?, wanted_io.pointer(place)?);
        (is != wants).then(|| format!("{words} is {is}, and this run's {wants}"))
    };
    let mut found: Vec<String> = places.into_iter().filter_map(differs).collect();
    let names = dimension_names(there);
    let is_open = part(there, "dataSchema")["dimensionsSpec"]["useSchemaDiscovery"] == true;
    let wanted_names = dimension_names(wanted);
    let missing: Vec<&str> = wanted_names.into_iter().filter(|name| !names.contains(name)).collect();
    if !missing.is_empty() && !names.is_empty() && !is_open {
        found.push(format!("it has no dimension {}", missing.join(", ")));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn spec(kafka: &str, format: &str, dimensions: &[&str]) -> Value {
        json!({"spec": {"dataSchema": {"dimensionsSpec": {"dimensions": dimensions}},
            "ioConfig": {"topic": "t", "taskCount": 1, "inputFormat": {"type": format},
                "consumerProperties": {"bootstrap.servers": kafka}}}})
    }

    #[test]
    fn only_what_a_run_cannot_do_without_is_an_obstacle() {
        let there = spec("h:1", "json", &["run", "seq", "label"]);
        assert!(obstacles(&there, &spec("h:1", "json", &["run", "seq"])).is_empty());
        let found = obstacles(&there, &spec("h:2", "kafka", &["run", "age"])).join("; ");
        assert_eq!(
            found,
            "its Kafka is \"h:1\", and this run's \"h:2\"; its inputFormat is \"json\", and this run's \"kafka\"; it \
             has no dimension age"
        );
    }

    #[test]
    fn a_kafka_where_nothing_listens_feeds_nobody() {
        let producer = ProducerOptions::default();
        assert!(!is_fed(&spec("127.0.0.1:1", "json", &[]), &producer, &AtomicBool::new(false)));
    }
}
