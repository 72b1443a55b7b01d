//! The supervisor spec for our payload: it names every dimension, leaves nothing to discovery, and
//! carries our mark in its context.

use serde_json::{Map, Value, json};

use super::DruidError;
use super::dimensions::{Dimension, EventColumns, dimensions};
use crate::event::{OwnNames, PayloadForm};

/// Key in a spec's `context` that marks the supervisor as ours, with a digest of the spec.
pub const MARK: &str = "tweetblast";

/// Span of time of one segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Granularity {
    Hour,
    Day,
    Month,
    Year,
}

impl Granularity {
    /// The finest one that cuts a span of this many milliseconds into few segments. Each new
    /// segment costs an allocation at the overlord: with 2,000 hours in random order, Druid was 300
    /// to 1,000 times slower.
    #[must_use]
    pub fn for_span_ms(span_ms: i64) -> Self {
        const HOUR_MS: i64 = 3_600_000;
        const FEW: i64 = 24;
        match span_ms {
            span if span <= FEW * HOUR_MS => Self::Hour,
            span if span <= FEW * 24 * HOUR_MS => Self::Day,
            span if span <= FEW * 30 * 24 * HOUR_MS => Self::Month,
            _ => Self::Year,
        }
    }

    /// As Druid writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
            Self::Year => "year",
        }
    }
}

/// What a spec is made from.
#[derive(Debug, Clone)]
pub struct SpecOptions {
    /// Name of the datasource, and so of the supervisor.
    pub datasource: String,
    /// Topic to read.
    pub topic: String,
    /// `host:port` of Kafka, as Druid must use it.
    pub kafka: String,
    /// What the messages contain.
    pub form: PayloadForm,
    /// Additional columns of the messages, with [`PayloadForm::Tweet`].
    pub extra: Vec<Dimension>,
    /// The columns of records that are not tweets; `None`: they are tweets.
    pub events: Option<EventColumns>,
    /// Tasks that read in parallel; no more than there are partitions.
    pub tasks: usize,
    /// Span of a segment.
    pub granularity: Granularity,
}

impl SpecOptions {
    /// What run, sequence number and time stamp are called.
    pub(super) fn names(&self) -> OwnNames {
        self.events.as_ref().map(|events| events.names).unwrap_or_default()
    }
}

/// Makes the spec, with our mark.
#[must_use]
pub fn make_spec(options: &SpecOptions) -> Value {
    let names = options.names();
    let spec = json!({
        "type": "kafka",
        "spec": {
            "dataSchema": {
                "dataSource": options.datasource,
                "timestampSpec": timestamp(options.form, names),
                "dimensionsSpec": dimensions(options.form, &options.extra, options.events.as_ref()),
                "metricsSpec": [],
                "granularitySpec": {
                    "type": "uniform",
                    "segmentGranularity": options.granularity.name(),
                    "queryGranularity": "none",
                    "rollup": false,
                },
            },
            "ioConfig": {
                "type": "kafka",
                "topic": options.topic,
                "consumerProperties": {"bootstrap.servers": options.kafka},
                "inputFormat": input_format(options.form, names),
                // The first tweets may arrive before the first task starts.
                "useEarliestOffset": true,
                "taskCount": options.tasks,
                "replicas": 1,
                "taskDuration": "PT1H",
                "startDelay": "PT1S",
                "period": "PT5S",
                "completionTimeout": "PT10M",
            },
            "tuningConfig": {
                "type": "kafka",
                // Otherwise the lag that Druid reports is up to 30 s old.
                "offsetFetchPeriod": "PT5S",
                "maxSavedParseExceptions": 10,
                "logParseExceptions": true,
            },
        },
    });
    marked(spec)
}

/// Puts our mark on a spec, with a digest of all the rest: what Druid returns is full of its own
/// defaults and cannot be compared.
#[must_use]
pub(super) fn marked(mut spec: Value) -> Value {
    let mut plain = spec.clone();
    if let Some(context) = plain["context"].as_object_mut() {
        context.remove(MARK);
    }
    if let Some(plain) = plain.as_object_mut() {
        plain.retain(|_, value| !value.is_null() && value.as_object().is_none_or(|value| !value.is_empty()));
    }
    // Maps are sorted by key, so the same spec gives the same text.
    let digest = format!("{:08x}", crc32c::crc32c(plain.to_string().as_bytes()));
    if !spec["context"].is_object() {
        spec["context"] = Value::Object(Map::new());
    }
    spec["context"][MARK] = json!({"version": env!("CARGO_PKG_VERSION"), "digest": digest});
    spec
}

/// Whether a supervisor with this spec is ours.
#[must_use]
pub fn is_ours(spec: &Value) -> bool {
    spec["context"][MARK].is_object()
}

/// Whether `there` was made from the same spec as `wanted`; both carry the mark.
pub(super) fn is_same(there: &Value, wanted: &Value) -> bool {
    is_ours(there) && there["context"][MARK]["digest"] == wanted["context"][MARK]["digest"]
}

fn timestamp(form: PayloadForm, names: OwnNames) -> Value {
    match form {
        PayloadForm::Tweet | PayloadForm::Minimal => json!({"column": names.timestamp(), "format": "iso"}),
        PayloadForm::Raw => json!({"column": "kafka.timestamp", "format": "millis"}),
    }
}

fn input_format(form: PayloadForm, names: OwnNames) -> Value {
    match form {
        PayloadForm::Tweet => json!({"type": "json"}),
        PayloadForm::Minimal | PayloadForm::Raw => json!({
            "type": "kafka",
            "valueFormat": {"type": "json"},
            "headerFormat": {"type": "string", "encoding": "UTF-8"},
            // Headers become columns of their own names, unless the record has such names itself.
            "headerColumnPrefix": names.header_prefix(),
        }),
    }
}

/// Sets the value at a JSON pointer, `/ioConfig/taskCount`, counted from the spec's own `spec` (or
/// from its top, for `/spec/…`, `/context/…`, `/suspended`), and creates missing objects on the
/// way.
///
/// # Errors
/// When the pointer does not begin with a slash, or leads through something that is not an object.
pub fn set_pointer(spec: &mut Value, pointer: &str, value: Value) -> Result<(), DruidError> {
    let wrong = |words: String| DruidError::Spec(format!("--druid-set {pointer}: {words}"));
    let Some(path) = pointer.strip_prefix('/').filter(|path| !path.is_empty()) else {
        return Err(wrong("a place looks like /ioConfig/taskCount".to_owned()));
    };
    let mut keys: Vec<String> =
        path.split('/').map(|key| key.replace("~1", "/").replace("~0", "~")).collect();
    if spec["spec"].is_object() && !["spec", "context", "suspended", "type"].contains(&keys[0].as_str()) {
        keys.insert(0, "spec".to_owned());
    }
    let mut place = spec;
    for key in keys {
        if let Value::Array(items) = place {
            let found = key.parse().ok().and_then(|index: usize| items.get_mut(index));
            place = found.ok_or_else(|| wrong(format!("there is no element {key}")))?;
            continue;
        }
        if place.is_null() {
            *place = Value::Object(Map::new());
        }
        let Value::Object(object) = place else {
            return Err(wrong(format!("the parent of {key} is not an object")));
        };
        place = object.entry(key).or_insert(Value::Null);
    }
    *place = value;
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn options() -> SpecOptions {
        SpecOptions {
            datasource: "tweets".into(),
            topic: "t".into(),
            kafka: "127.0.0.1:9092".into(),
            form: PayloadForm::Tweet,
            extra: Vec::new(),
            events: None,
            tasks: 2,
            granularity: Granularity::Hour,
        }
    }

    #[test]
    fn reading_starts_at_the_first_tweet() {
        let spec = make_spec(&options());
        let io = &spec["spec"]["ioConfig"];
        assert_eq!((io["useEarliestOffset"].clone(), io["taskCount"].clone()), (true.into(), 2.into()));
    }

    #[test]
    fn a_spec_is_the_same_until_something_of_it_changes() {
        let spec = make_spec(&options());
        assert!(is_ours(&spec) && is_same(&spec, &make_spec(&options())));
        let other = make_spec(&SpecOptions { tasks: 3, ..options() });
        assert!(is_ours(&other) && !is_same(&spec, &other));
        assert!(is_same(&spec, &marked(spec.clone())), "a mark is no part of what it is made from");
        assert!(
            !is_ours(&json!({"type": "kafka", "context": {"owner": "us"}}))
                && !is_ours(&json!({"context": null}))
        );
    }

    #[test]
    fn run_and_seq_come_from_headers_where_the_payload_has_none() {
        for form in [PayloadForm::Minimal, PayloadForm::Raw] {
            let spec = make_spec(&SpecOptions { form, ..options() });
            assert_eq!(spec["spec"]["ioConfig"]["inputFormat"]["type"], "kafka");
            assert!(spec["spec"]["dataSchema"]["dimensionsSpec"].to_string().contains("seq"));
        }
    }

    #[test]
    fn events_have_the_columns_of_their_records_and_our_names_give_way() {
        use crate::druid::{DimensionType, EventColumns};
        use crate::event::TakenNames;

        let mut taken = TakenNames::default();
        ["timestamp", "run"].iter().for_each(|name| taken.note(name));
        let column = |name: &str, kind| Dimension { name: name.to_owned(), kind };
        let columns = vec![
            column("timestamp", DimensionType::Long),
            column("run", DimensionType::String),
            column("tags", DimensionType::Strings),
            column("geo", DimensionType::Json),
            column("__time", DimensionType::String),
        ];
        let events = EventColumns { columns, names: taken.free(), discover: false };
        let spec = make_spec(&SpecOptions { events: Some(events.clone()), ..options() });
        let schema = &spec["spec"]["dataSchema"];
        assert_eq!(schema["timestampSpec"]["column"], "_timestamp");
        let dimensions = schema["dimensionsSpec"]["dimensions"].as_array().unwrap();
        let words: Vec<String> =
            dimensions.iter().map(|one| format!("{} {}", one["name"], one["type"])).collect();
        let expected = [
            r#""timestamp" "long""#,
            r#""run" "string""#,
            r#""tags" "string""#,
            r#""geo" "json""#,
            r#""_run" "string""#,
            r#""seq" "long""#,
        ];
        assert_eq!(words, expected);
        let found = EventColumns { discover: true, ..events.clone() };
        let spec = make_spec(&SpecOptions { events: Some(found), ..options() });
        let dimensions = &spec["spec"]["dataSchema"]["dimensionsSpec"];
        assert_eq!(
            (&dimensions["useSchemaDiscovery"], dimensions["dimensions"].as_array().unwrap().len()),
            (&true.into(), 2)
        );
        // Both headers have one prefix.
        let raw = EventColumns { names: taken.free().of_headers(), ..events };
        let spec = make_spec(&SpecOptions { form: PayloadForm::Raw, events: Some(raw), ..options() });
        assert_eq!(spec["spec"]["ioConfig"]["inputFormat"]["headerColumnPrefix"], "_");
        let dimensions = spec["spec"]["dataSchema"]["dimensionsSpec"]["dimensions"].to_string();
        assert!(dimensions.contains("\"_run\"") && dimensions.contains("\"_seq\""), "{dimensions}");
    }

    #[test]
    fn places_are_set_made_and_refused() {
        let mut spec = make_spec(&options());
        set_pointer(&mut spec, "/ioConfig/taskCount", 4.into()).unwrap();
        set_pointer(&mut spec, "/spec/tuningConfig/maxRowsInMemory", 5.into()).unwrap();
        set_pointer(&mut spec, "/ioConfig/a~1b/c", 6.into()).unwrap();
        set_pointer(&mut spec, "/dataSchema/dimensionsSpec/dimensions/0/name", "uid".into()).unwrap();
        let spec_part = &spec["spec"];
        assert_eq!(spec_part["ioConfig"]["taskCount"], 4);
        assert_eq!(spec_part["tuningConfig"]["maxRowsInMemory"], 5);
        assert_eq!(spec_part["ioConfig"]["a/b"]["c"], 6);
        assert_eq!(spec_part["dataSchema"]["dimensionsSpec"]["dimensions"][0]["name"], "uid");
        for (pointer, words) in [
            ("taskCount", "looks like"),
            ("/ioConfig/topic/x", "not an object"),
            ("/dataSchema/metricsSpec/9", "no element"),
        ] {
            let error = set_pointer(&mut spec, pointer, 1.into()).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn scattered_times_get_long_segments() {
        let hour = 3_600_000;
        let names = [hour, 25 * hour, 24 * 25 * hour, 24 * 365 * 3 * hour]
            .map(|span| Granularity::for_span_ms(span).name());
        assert_eq!(names, ["hour", "day", "month", "year"]);
    }
}
