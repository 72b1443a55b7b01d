//! What a supervisor of Druid's does, for `tweetblast druid status`.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use super::words::{counted, seconds};
use crate::druid::{ParseError, SupervisorStatus, TaskRows};

/// A supervisor as it is now.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SupervisorReport {
    pub supervisor: String,
    /// RUNNING, PENDING, SUSPENDED, UNHEALTHY_SUPERVISOR and more.
    pub state: String,
    /// CREATING_TASKS, CONNECTING_TO_STREAM and more.
    pub detailed_state: String,
    /// As Druid says; true in most cases in which nothing arrives.
    pub healthy: bool,
    pub suspended: bool,
    /// Topic that it reads.
    pub topic: String,
    /// Partitions that it has found.
    pub partitions: usize,
    pub offsets: Vec<PartitionOffsets>,
    /// How long ago Druid last asked its tasks and Kafka for the offsets, in seconds; null if it has not.
    pub offsets_age_s: Option<f64>,
    /// Ids of the tasks that read.
    pub reading: Vec<String>,
    /// Ids of the tasks that publish what they have read.
    pub publishing: Vec<String>,
    /// What each task did with its messages, as far as it has said so.
    pub tasks: Vec<TaskReport>,
    /// Messages of the last errors, oldest first.
    pub errors: Vec<String>,
    /// Messages that became no rows.
    pub unparseable: Vec<UnparseableMessage>,
}

/// How far a partition has been read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PartitionOffsets {
    pub partition: i32,
    /// Offset up to which it has been read.
    pub read: i64,
    /// End of the partition as the supervisor last saw it; null before it has reached Kafka.
    pub end: Option<i64>,
}

/// What one task did with the messages that it read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TaskReport {
    pub task: String,
    pub rows: u64,
    /// Rows with a field that did not fit its type.
    pub rows_with_error: u64,
    /// Not JSON, or without a time.
    pub unparseable: u64,
    /// Messages with times that the spec does not accept.
    pub thrown_away: u64,
}

/// One message that became no row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct UnparseableMessage {
    pub reason: String,
    /// The message as Druid shows it, cut.
    pub input: String,
}

impl SupervisorReport {
    /// From what Druid answers.
    pub fn new(
        name: &str,
        status: SupervisorStatus,
        rows: BTreeMap<String, TaskRows>,
        parse_errors: Vec<ParseError>,
    ) -> Self {
        let end = |partition: i32| status.latest.as_ref()?.get(&partition).copied();
        let offsets = status.offsets.iter();
        let offsets =
            offsets.map(|(&partition, &read)| PartitionOffsets { partition, read, end: end(partition) });
        let task = |(task, rows): (String, TaskRows)| TaskReport {
            task,
            rows: rows.processed,
            rows_with_error: rows.processed_with_error,
            unparseable: rows.unparseable,
            thrown_away: rows.thrown_away,
        };
        let message = |error: ParseError| UnparseableMessage { reason: error.reason, input: error.input };
        Self {
            supervisor: name.to_owned(),
            offsets: offsets.collect(),
            offsets_age_s: age_s(&status.offsets_updated),
            state: status.state,
            detailed_state: status.detailed_state,
            healthy: status.healthy,
            suspended: status.suspended,
            topic: status.topic,
            partitions: status.partitions,
            reading: status.reading,
            publishing: status.publishing,
            tasks: rows.into_iter().map(task).collect(),
            errors: status.errors,
            unparseable: parse_errors.into_iter().map(message).collect(),
        }
    }
}

/// Seconds since a time as Druid writes it.
fn age_s(time: &str) -> Option<f64> {
    let then: Timestamp = time.parse().ok()?;
    Some(Timestamp::now().duration_since(then).as_secs_f64().max(0.0))
}

/// Appends it in words.
///
/// # Errors
/// None of its own.
pub fn write_supervisor(report: &SupervisorReport, out: &mut String) -> fmt::Result {
    writeln!(out, "supervisor  {}: {} ({})", report.supervisor, report.state, report.detailed_state)?;
    let partitions = counted(report.partitions as u64, "partition");
    writeln!(out, "reads       topic {}, {partitions}", report.topic)?;
    writeln!(out, "tasks       {} read, {} publish", report.reading.len(), report.publishing.len())?;
    for PartitionOffsets { partition, read, end } in &report.offsets {
        let end = end.map_or("?".to_owned(), |end| end.to_string());
        writeln!(out, "partition   {partition}: {read} of {end} read")?;
    }
    if let Some(age_s) = report.offsets_age_s {
        writeln!(out, "offsets     {} old: the tasks may have read more since", seconds(age_s))?;
    }
    for TaskReport { task, rows, unparseable, thrown_away, .. } in &report.tasks {
        writeln!(
            out,
            "task        {task}: {rows} rows, {unparseable} unparseable, {thrown_away} thrown away"
        )?;
    }
    for error in &report.errors {
        writeln!(out, "error       {error}")?;
    }
    for UnparseableMessage { reason, input } in &report.unparseable {
        writeln!(out, "unparseable {reason}\n            {input}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_and_the_json_say_the_same() {
        let status = SupervisorStatus {
            state: "RUNNING".into(),
            detailed_state: "CREATING_TASKS".into(),
            topic: "tweets".into(),
            partitions: 2,
            offsets: BTreeMap::from([(0, 5), (1, 7)]),
            latest: Some(BTreeMap::from([(0, 9)])),
            offsets_updated: "2026-11-23T23:43:24.506Z".into(),
            reading: vec!["a".into()],
            ..SupervisorStatus::default()
        };
        let rows = BTreeMap::from([(
            "a".to_owned(),
            TaskRows { processed: 12, unparseable: 1, ..TaskRows::default() },
        )]);
        let errors = vec![ParseError { input: "{}".into(), reason: "no time".into() }];
        let report = SupervisorReport::new("live", status, rows, errors);
        let mut words = String::new();
        write_supervisor(&report, &mut words).unwrap();
        for line in [
            "live: RUNNING",
            "0: 5 of 9 read",
            "1: 7 of ? read",
            " old: the tasks may have read more since",
            "a: 12 rows, 1 unparseable",
            "no time",
        ] {
            assert!(words.contains(line), "{line}: {words}");
        }
        assert!(report.offsets_age_s.unwrap() > 0.0);
        assert_eq!((age_s(""), age_s("2999-01-01T00:00:00Z")), (None, Some(0.0)));
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["offsets"][1], serde_json::json!({"partition": 1, "read": 7, "end": null}));
        assert_eq!(
            (&json["tasks"][0]["rows"], &json["unparseable"][0]["reason"]),
            (&12.into(), &"no time".into())
        );
    }
}
