//! What Druid's overlord reports about a supervisor, as plain values. Absent values are empty: the
//! keys differ with the state.

use std::collections::BTreeMap;

use serde_json::Value;

/// `GET …/supervisor/NAME/status`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SupervisorStatus {
    /// `RUNNING`, `PENDING`, `SUSPENDED`, `UNHEALTHY_SUPERVISOR` and more.
    pub state: String,
    /// `CREATING_TASKS`, `CONNECTING_TO_STREAM`, `UNABLE_TO_CONNECT_TO_STREAM` and more.
    pub detailed_state: String,
    /// Druid's own judgement; true in most cases in which nothing arrives.
    pub healthy: bool,
    /// Whether it was suspended.
    pub suspended: bool,
    /// Topic it reads.
    pub topic: String,
    /// Partitions it has found.
    pub partitions: usize,
    /// Offset up to which the reading tasks have come, by partition, if they have reported it;
    /// otherwise where they start.
    pub offsets: BTreeMap<i32, i64>,
    /// End of each partition as the supervisor last saw it; `None` before it has reached Kafka.
    pub latest: Option<BTreeMap<i32, i64>>,
    /// When the offsets and ends were last updated, as Druid spells it.
    pub offsets_updated: String,
    /// Ids of the tasks that read.
    pub reading: Vec<String>,
    /// Ids of the tasks that publish what they have read.
    pub publishing: Vec<String>,
    /// Seconds until the first of the reading tasks hands over; `None`: none reads.
    pub rollover_s: Option<u64>,
    /// Messages of the last errors, oldest first, without duplicates.
    pub errors: Vec<String>,
}

impl SupervisorStatus {
    /// From the answer's JSON.
    #[must_use]
    pub fn of(answer: &Value) -> Self {
        let payload = &answer["payload"];
        let text = |key: &str| payload[key].as_str().unwrap_or_default().to_owned();
        let tasks = |key: &str| payload[key].as_array().cloned().unwrap_or_default();
        let ids = |tasks: &[Value]| {
            tasks.iter().filter_map(|task| Some(task["id"].as_str()?.to_owned())).collect::<Vec<_>>()
        };
        let (active, publishing) = (tasks("activeTasks"), tasks("publishingTasks"));
        let mut errors: Vec<String> = Vec::new();
        for error in tasks("recentErrors") {
            let Some(message) = error["message"].as_str() else { continue };
            // `org.apache.druid.java.util.common.ISE: words`: the class is for developers.
            let words = match message.split_once(": ") {
                Some((class, words)) if !class.contains(' ') => words,
                _ => message,
            };
            if !errors.iter().any(|known| known == words) {
                errors.push(words.to_owned());
            }
        }
        Self {
            state: text("state"),
            detailed_state: text("detailedState"),
            healthy: payload["healthy"].as_bool().unwrap_or(false),
            suspended: payload["suspended"].as_bool().unwrap_or(false),
            topic: text("stream"),
            partitions: payload["partitions"].as_u64().unwrap_or(0) as usize,
            offsets: ["startingOffsets", "currentOffsets"]
                .iter()
                .flat_map(|key| active.iter().flat_map(|task| by_partition(&task[*key])))
                .collect(),
            latest: payload["latestOffsets"].as_object().map(|_| by_partition(&payload["latestOffsets"])),
            offsets_updated: text("offsetsLastUpdated"),
            reading: ids(&active),
            publishing: ids(&publishing),
            rollover_s: active.iter().filter_map(|task| task["remainingSeconds"].as_u64()).min(),
            errors,
        }
    }

    /// Whether it is still on its way to Kafka. In the last two states Druid has the list of partitions,
    /// which any listener provides, and asks for their offsets.
    #[must_use]
    pub fn is_connecting(&self) -> bool {
        [
            "CONNECTING_TO_STREAM",
            "UNABLE_TO_CONNECT_TO_STREAM",
            "LOST_CONTACT_WITH_STREAM",
            "DISCOVERING_INITIAL_TASKS",
            "CREATING_TASKS",
        ]
        .contains(&self.detailed_state.as_str())
    }

    /// Partitions whose task has read beyond the end of the topic, with both offsets: the topic was
    /// deleted and created again, and Druid calls that healthy.
    #[must_use]
    pub fn beyond_end(&self, ends: &BTreeMap<i32, i64>) -> Vec<(i32, i64, i64)> {
        let beyond = |(partition, read): (&i32, &i64)| {
            let end = ends.get(partition)?;
            (read > end).then_some((*partition, *read, *end))
        };
        self.offsets.iter().filter_map(beyond).collect()
    }
}

fn by_partition(offsets: &Value) -> BTreeMap<i32, i64> {
    let entry = |(partition, offset): (&String, &Value)| Some((partition.parse().ok()?, offset.as_i64()?));
    offsets.as_object().into_iter().flatten().filter_map(entry).collect()
}

/// What tasks did with the messages they read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TaskRows {
    /// Became rows.
    pub processed: u64,
    /// Became rows with a field that did not fit its type.
    pub processed_with_error: u64,
    /// Not JSON, or without a time.
    pub unparseable: u64,
    /// Outside the times that the spec accepts.
    pub thrown_away: u64,
}

impl TaskRows {
    /// By task, from `GET …/supervisor/NAME/stats`. Each task counts from 0.
    #[must_use]
    pub fn by_task(answer: &Value) -> BTreeMap<String, Self> {
        Self::by_group(answer).into_values().flatten().collect()
    }

    /// The same by group: the tasks of a group read the same partitions, one after the other or as replicas.
    #[must_use]
    pub fn by_group(answer: &Value) -> BTreeMap<usize, BTreeMap<String, Self>> {
        let groups = answer.as_object().into_iter().flatten();
        groups.filter_map(|(group, tasks)| Some((group.parse().ok()?, Self::of_group(tasks)))).collect()
    }

    fn of_group(tasks: &Value) -> BTreeMap<String, Self> {
        let tasks = tasks.as_object().into_iter().flatten();
        tasks
            .map(|(id, task)| {
                let totals = &task["totals"]["buildSegments"];
                let count = |key: &str| totals[key].as_u64().unwrap_or(0);
                let rows = Self {
                    processed: count("processed"),
                    processed_with_error: count("processedWithError"),
                    unparseable: count("unparseable"),
                    thrown_away: count("thrownAway"),
                };
                (id.clone(), rows)
            })
            .collect()
    }
}

/// One message that did not become a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// The message as Druid shows it, shortened.
    pub input: String,
    pub reason: String,
}

impl ParseError {
    /// From `GET …/supervisor/NAME/parseErrors`.
    #[must_use]
    pub fn all(answer: &Value) -> Vec<Self> {
        let cut = |text: Option<&str>| text.unwrap_or_default().chars().take(160).collect::<String>();
        let one = |error: &Value| Self {
            input: cut(error["input"].as_str()),
            reason: cut(error["details"][0].as_str()),
        };
        answer.as_array().into_iter().flatten().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_recorded_answer_is_read() {
        let status = SupervisorStatus::of(
            &json!({"id":"bench1m","payload":{"stream":"bench1m","partitions":1,"durationSeconds":3600,
            "activeTasks":[{"id":"index_kafka_bench1m_9a43f854d31eaac_fefcohog","startingOffsets":{"0":0},"remainingSeconds":3515,
            "type":"ACTIVE","currentOffsets":{"0":1000000},"lag":{"0":0}}],
            "publishingTasks":[],"latestOffsets":{"0":1000000},"minimumLag":{"0":0},"aggregateLag":0,
            "offsetsLastUpdated":"2026-11-23T23:43:24.506Z","suspended":false,"healthy":true,
            "state":"RUNNING","detailedState":"RUNNING","recentErrors":[]}}),
        );
        assert_eq!((status.state.as_str(), status.healthy, status.partitions), ("RUNNING", true, 1));
        assert_eq!(status.offsets, BTreeMap::from([(0, 1_000_000)]));
        assert_eq!(status.latest, Some(BTreeMap::from([(0, 1_000_000)])));
        assert_eq!((status.reading.len(), status.rollover_s), (1, Some(3_515)));
        assert_eq!(status.beyond_end(&BTreeMap::from([(0, 10)])), [(0, 1_000_000, 10)]);
        assert!(status.beyond_end(&BTreeMap::from([(0, 1_000_000)])).is_empty());
    }

    #[test]
    fn a_task_that_has_not_spoken_yet_is_where_it_starts() {
        let status = SupervisorStatus::of(&json!({"payload":{"activeTasks":[
            {"id":"a","startingOffsets":{"0":5},"currentOffsets":{}},
            {"id":"b","startingOffsets":{"1":0},"currentOffsets":{"1":7}},
            {"id":"c","startingOffsets":null,"currentOffsets":null}]}}));
        assert_eq!((status.offsets, status.latest), (BTreeMap::from([(0, 5), (1, 7)]), None));
        assert_eq!(status.reading, ["a", "b", "c"]);
    }

    #[test]
    fn rows_are_read_by_task_and_an_empty_answer_is_none() {
        let rows = TaskRows::by_task(&json!({"0":{"index_kafka_x":{
            "movingAverages":{"buildSegments":{"1m":{"processed":9900.4}}},
            "totals":{"buildSegments":{"processed":11,"processedBytes":244810985,"processedWithError":1,"thrownAway":2,"unparseable":19}}}}}));
        let expected = TaskRows { processed: 11, processed_with_error: 1, unparseable: 19, thrown_away: 2 };
        assert_eq!(rows, BTreeMap::from([("index_kafka_x".to_owned(), expected)]));
        assert!(TaskRows::by_task(&json!({})).is_empty());
    }

    #[test]
    fn parse_errors_have_input_and_reason() {
        let errors = ParseError::all(&json!([{"input":"{user_id=3, tweet=no ts}","errorType":"unparseable",
            "details":["Timestamp[null] is unparseable! Event: {user_id=3, tweet=no ts} (Record: 1)"],"timeOfExceptionMillis":1795477631077_u64}]));
        assert_eq!(errors[0].input, "{user_id=3, tweet=no ts}");
        assert!(errors[0].reason.starts_with("Timestamp[null] is unparseable!"));
    }
}
