//! The supervisor spec for what others publish: their messages are taken as they are, with the columns of tweets.

use serde_json::{Value, json};

use super::spec::marked;
use super::{Granularity, SpecOptions, make_spec};
use crate::event::PayloadForm;

/// What it is made from.
#[derive(Debug, Clone)]
pub struct StreamSpecOptions {
    /// Name of the datasource, and so of the supervisor.
    pub datasource: String,
    /// Topic to read.
    pub topic: String,
    /// `host:port` of Kafka, as Druid must use it.
    pub kafka: String,
    /// Member of a message that has its time.
    pub time_from: String,
    /// Whether members that are no columns of tweets become columns, too.
    pub discover: bool,
    /// Tasks that read in parallel; no more than there are partitions.
    pub tasks: usize,
}

/// What Druid's reader of Kafka adds to the members of a payload, and what discovery is to skip.
const NOT_COLUMNS: [&str; 4] = ["kafka.timestamp", "kafka.key", "kafka.topic", "kafka.partition"];

/// Makes the spec, with our mark. A row has the time of its message, or else the time at which that came; run and number
/// of the bridge and the topic of MQTT are taken from the headers.
#[must_use]
pub fn make_stream_spec(options: &StreamSpecOptions) -> Value {
    let mut spec = make_spec(&SpecOptions {
        datasource: options.datasource.clone(),
        topic: options.topic.clone(),
        kafka: options.kafka.clone(),
        form: PayloadForm::Tweet,
        extra: Vec::new(),
        events: None,
        tasks: options.tasks,
        granularity: Granularity::Hour,
    });
    let schema = &mut spec["spec"]["dataSchema"];
    schema["timestampSpec"] = json!({"column": "kafka.timestamp", "format": "millis"});
    schema["transformSpec"] = json!({"transforms": [
        {"type": "expression", "name": "__time", "expression": time_expression(&options.time_from)},
    ]});
    let columns = &mut schema["dimensionsSpec"];
    if let Some(columns) = columns["dimensions"].as_array_mut() {
        columns.push(json!({"type": "string", "name": "mqtt.topic"}));
    }
    if options.discover {
        columns["useSchemaDiscovery"] = true.into();
        columns["dimensionExclusions"] = json!(NOT_COLUMNS);
    }
    spec["spec"]["ioConfig"]["inputFormat"] = json!({
        "type": "kafka",
        "valueFormat": {"type": "json"},
        "headerFormat": {"type": "string", "encoding": "UTF-8"},
        // A header is a column of its own name, unless the message has such a member.
        "headerColumnPrefix": "",
    });
    marked(spec)
}

/// ISO 8601, or milliseconds, or seconds since 1970, or else the time that Kafka has. A number of milliseconds below
/// [`MILLIS_MIN`] would be in 1973, and one of seconds above it in the year 5138.
fn time_expression(member: &str) -> String {
    const MILLIS_MIN: i64 = 100_000_000_000;
    let column = format!("\"{}\"", member.replace('\\', "\\\\").replace('"', "\\\""));
    let number = format!("cast({column},'LONG')");
    format!(
        "nvl(timestamp_parse({column}),case_searched({number} > {MILLIS_MIN},{number},{number} > 0,{number} * 1000,\"__time\"))"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::druid::is_ours;

    fn options() -> StreamSpecOptions {
        StreamSpecOptions {
            datasource: "d".into(),
            topic: "t".into(),
            kafka: "h:1".into(),
            time_from: "sent at".into(),
            discover: false,
            tasks: 1,
        }
    }

    #[test]
    fn messages_have_the_columns_of_tweets_the_headers_and_a_time_in_any_case() {
        let spec = make_stream_spec(&options());
        let schema = &spec["spec"]["dataSchema"];
        let names: Vec<&str> = schema["dimensionsSpec"]["dimensions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|column| column["name"].as_str().unwrap())
            .collect();
        for name in ["user_id", "tweet", "run", "seq", "mqtt.topic"] {
            assert!(names.contains(&name), "{names:?}");
        }
        assert_eq!(schema["timestampSpec"]["column"], "kafka.timestamp");
        let expression = schema["transformSpec"]["transforms"][0]["expression"].as_str().unwrap();
        assert!(expression.starts_with("nvl(timestamp_parse(\"sent at\"),"), "{expression}");
        assert!(expression.ends_with("\"__time\"))"), "{expression}");
        assert!(is_ours(&spec) && schema["dimensionsSpec"]["useSchemaDiscovery"].is_null());
    }

    #[test]
    fn other_members_are_columns_if_asked_for_and_kafkas_own_are_not() {
        let spec = make_stream_spec(&StreamSpecOptions { discover: true, ..options() });
        let columns = &spec["spec"]["dataSchema"]["dimensionsSpec"];
        assert_eq!(columns["useSchemaDiscovery"], true);
        assert!(columns["dimensionExclusions"].to_string().contains("kafka.key"));
        assert!(columns["dimensions"].to_string().contains("\"tweet\""));
    }
}
