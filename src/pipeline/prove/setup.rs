//! Which supervisor, with which spec.

use std::path::Path;

use serde_json::{Value, json};

use super::existing::{altered, is_in_use};
use super::spec_parts::{dimension_names, dimensions_of, io_config, is_loopback, part};
use crate::druid::{
    Client, ConsumerSecurity, Dimension, DimensionType, DruidAfter, DruidError, EventColumns, Granularity,
    SpecOptions, Submission, Supervisor, is_ours, keep_dimensions, make_spec, set_pointer, sets_dimensions,
};
use crate::enrich::{ColumnType, Enrichment};
use crate::event::PayloadForm;
use crate::net;
use crate::options::{DruidOptions, KafkaChoice, ReplayOptions};
use crate::pace::StampTime;
use crate::pipeline::context::Replay;
use crate::pipeline::ends::Ends;
use crate::pipeline::error::ReplayError;
use crate::pipeline::input::form::Events;
use crate::pipeline::prepare::Prepared;
use crate::report::counted;
use crate::tweet::{Column, ColumnKind};

/// Segments that a run may be cut into before a warning: each new one costs Druid an allocation, at
/// about 20 per second.
const SEGMENTS_WARNED: i64 = 100;

/// What was submitted.
pub(crate) struct Setup {
    pub supervisor: Supervisor,
    pub datasource: String,
    pub spec: Value,
    pub submitted: Submission,
    pub after: DruidAfter,
    pub notes: Vec<String>,
}

/// Creates or finds the supervisor.
pub(crate) fn set_up(
    replay: &Replay<'_>,
    choice: &DruidOptions,
    client: &Client,
    say: &dyn Fn(&str),
) -> Result<Setup, ReplayError> {
    let Replay { options, ends, prepared, .. } = *replay;
    let (extra, names) = (dimensions(replay.enrichment), options.message.names);
    let embedded = ends.endpoint.is_some();
    if let Some(name) = &choice.supervisor {
        let supervisor = Supervisor::new(client.clone(), name);
        let spec = supervisor.existing_spec()?;
        let io = io_config(&spec);
        if let Some(reads) = io["topic"].as_str().filter(|reads| *reads != options.kafka.topic) {
            let (name, topic) = (name.clone(), options.kafka.topic.clone());
            return Err(DruidError::OtherTopic { name, reads: reads.to_owned(), topic }.into());
        }
        if spec["suspended"].as_bool() == Some(true) {
            return Err(DruidError::Spec(format!(
                "Druid's supervisor {name} is suspended, and --druid-supervisor uses it as it is: resume it first"
            ))
            .into());
        }
        let mut notes: Vec<String> = unknown_columns(&extra, &spec).into_iter().collect();
        let datasource = part(&spec, "dataSchema")["dataSource"].as_str().unwrap_or_default().to_owned();
        notes.extend(client.check_columns(&datasource, dimensions_of(&spec), names)?);
        return Ok(Setup {
            datasource,
            spec,
            supervisor,
            submitted: Submission::AsItIs,
            after: DruidAfter::Keep,
            notes,
        });
    }

    let kafka = choice.kafka.clone().unwrap_or_else(|| kafka_address_for_druid(options, ends));
    let mut notes = Vec::new();
    if embedded && is_loopback(&kafka) && !is_loopback(client.host()) {
        notes.push(format!(
            "WARNING: Druid runs on another machine, and from there it cannot reach Kafka at {kafka}: --kafka-listen \
             0.0.0.0:9092 with --druid-kafka HOST:9092 gives it an address that it can reach"
        ));
    }
    let mut spec = match &choice.spec {
        Some(path) => read_spec(path)?,
        None => own_spec(replay, extra.clone(), client, &kafka, &mut notes)?,
    };
    let security = ConsumerSecurity::of(&options.kafka.properties)?;
    if choice.spec.is_none() && !embedded {
        security.put_into(&mut spec["spec"]["ioConfig"]["consumerProperties"]);
        notes.extend(security_words(&security));
    }
    if choice.spec.is_some() {
        set_pointer(&mut spec, "/ioConfig/topic", options.kafka.topic.clone().into())?;
        set_pointer(&mut spec, "/ioConfig/consumerProperties/bootstrap.servers", kafka.clone().into())?;
    }
    if let Some(datasource) = &choice.datasource {
        set_pointer(&mut spec, "/dataSchema/dataSource", datasource.clone().into())?;
    }
    for (pointer, value) in &choice.set {
        set_pointer(&mut spec, pointer, value.clone())?;
    }
    warn_of_scattered_times(options, prepared, &spec, &mut notes);
    let Some(datasource) = spec["spec"]["dataSchema"]["dataSource"].as_str().map(str::to_owned) else {
        return Err(
            DruidError::Spec("the spec names no dataSource: --druid-datasource NAME does".into()).into()
        );
    };
    // A supervisor has the name of its datasource unless its spec says otherwise.
    let name = spec["id"].as_str().unwrap_or(&datasource).to_owned();
    let supervisor = Supervisor::new(client.clone(), &name);
    let there = supervisor.spec()?.filter(is_ours);
    if let Some(there) = there.as_ref().filter(|_| choice.spec.is_none() && !sets_dimensions(&choice.set)) {
        keep_dimensions(&mut spec, there);
    }
    notes.extend(unknown_columns(&extra, &spec));
    notes.extend(client.check_columns(&datasource, dimensions_of(&spec), names)?);
    let mut kept = Vec::new();
    if let Some(there) = &there {
        let is_suspended = there["suspended"] == true;
        if is_suspended {
            let (patience, say) = (choice.timeout, |words: &str| say(&format!("waiting {words}")));
            supervisor.wait_until_published(&datasource, patience, &replay.session.stop, &say)?;
        }
        if !choice.overwrite {
            kept = supervisor.alterations(there, &choice.set);
            let (producer, stop) = (&ends.producer, &replay.session.stop);
            if !is_suspended
                && Supervisor::would_update(there, &spec)
                && is_in_use(&name, there, &spec, producer, stop)?
            {
                notes.push(format!(
                    "another run uses supervisor {name} now: it stays as it is, with what this run's flags would change"
                ));
                let (submitted, after) = (Submission::AsItIs, DruidAfter::Keep);
                return Ok(Setup { supervisor, datasource, spec: there.clone(), submitted, after, notes });
            }
        }
    }
    if !kept.is_empty() {
        notes.push(altered(&name, &kept));
    }
    let submitted = supervisor.submit(spec.clone(), &kept, choice.overwrite)?;
    let after = choice.after.unwrap_or(if embedded { DruidAfter::Suspend } else { DruidAfter::Keep });
    Ok(Setup { supervisor, datasource, spec, submitted, after, notes })
}

/// What the user must do for Druid to read a Kafka that wants a login or a key.
fn security_words(security: &ConsumerSecurity) -> Vec<String> {
    let mut words = Vec::new();
    if !security.secret.is_empty() {
        let names: Vec<&str> = security.secret.iter().map(|secret| secret.variable).collect();
        words.push(format!(
            "Druid reads Kafka's secrets from {} in the environment of its overlord and workers: `tweetblast druid \
             secrets -X @FILE` prints them",
            names.join(", ")
        ));
    }
    if !security.left.is_empty() {
        words.push(format!(
            "WARNING: Druid's consumer is not given {}: --druid-set /ioConfig/consumerProperties/NAME=VALUE gives it what \
             it needs",
            security.left.join(", ")
        ));
    }
    words
}

fn own_spec(
    replay: &Replay<'_>,
    extra: Vec<Dimension>,
    client: &Client,
    kafka: &str,
    notes: &mut Vec<String>,
) -> Result<Value, ReplayError> {
    let Replay { options, ends, prepared, .. } = *replay;
    // Half of the slots: while tasks publish, their successors read.
    let slots = Supervisor::new(client.clone(), &options.kafka.topic).slots(&options.kafka.topic)?;
    let tasks = ends.partitions.min((slots.total / 2).max(1));
    if tasks < ends.partitions {
        notes.push(format!(
            "{} read by {}: Druid has {}, and half of them are kept for handing over",
            counted(ends.partitions as u64, "partition"),
            counted(tasks as u64, "task"),
            counted(slots.total as u64, "worker slot")
        ));
    }
    Ok(make_spec(&SpecOptions {
        datasource: options.kafka.topic.clone(),
        topic: options.kafka.topic.clone(),
        kafka: kafka.to_owned(),
        form: options.message.payload,
        extra,
        events: replay.events.map(|events| event_columns(events, options)),
        tasks,
        granularity: granularity(options, prepared),
    }))
}

/// A warning about columns that a spec which is not ours has no place for.
fn unknown_columns(extra: &[Dimension], spec: &Value) -> Option<String> {
    let names = dimension_names(spec);
    if part(spec, "dataSchema")["dimensionsSpec"]["useSchemaDiscovery"] == true {
        return None;
    }
    let is_missing = |column: &&Dimension| !names.is_empty() && !names.contains(&column.name.as_str());
    let missing: Vec<&str> = extra.iter().filter(is_missing).map(|column| column.name.as_str()).collect();
    (!missing.is_empty()).then(|| {
        format!(
            "WARNING: the supervisor's spec has no dimension {}, so Druid leaves that of --enrich out",
            missing.join(", ")
        )
    })
}

/// The columns as Druid dimensions.
pub(crate) fn dimensions(enrichment: Option<&Enrichment>) -> Vec<Dimension> {
    let columns = enrichment.into_iter().flat_map(Enrichment::columns);
    let dimension = |(name, kind): (&str, ColumnType)| Dimension {
        name: name.to_owned(),
        kind: match kind {
            ColumnType::Long => DimensionType::Long,
            ColumnType::Double => DimensionType::Double,
            ColumnType::Boolean | ColumnType::Text => DimensionType::String,
        },
    };
    columns.map(dimension).collect()
}

/// The columns of events as Druid's.
pub(crate) fn event_columns(events: &Events, options: &ReplayOptions) -> EventColumns {
    let dimension = |column: &Column| Dimension {
        name: column.name.clone(),
        kind: match column.kind {
            ColumnKind::Long => DimensionType::Long,
            ColumnKind::Double => DimensionType::Double,
            ColumnKind::Text => DimensionType::String,
            ColumnKind::Texts => DimensionType::Strings,
            ColumnKind::Nested => DimensionType::Json,
        },
    };
    let columns = events.columns.iter().map(dimension).collect();
    let discover = options.druid.as_ref().is_some_and(|druid| druid.discover);
    EventColumns { columns, names: options.message.names, discover }
}

/// The column of the users, or of the key of events where it is one.
pub(crate) fn key_column(replay: &Replay<'_>) -> String {
    let Some(events) = replay.events else { return "user_id".to_owned() };
    let key = events.report().and_then(|events| events.key).map(|key| key.field);
    let is_column = |key: &String| events.columns.iter().any(|column| column.name == *key);
    key.filter(is_column).unwrap_or_else(|| replay.options.message.names.run().to_owned())
}

/// Whether the rows have the times at which they are sent.
fn has_send_times(options: &ReplayOptions) -> bool {
    options.message.timestamp == StampTime::Send || options.message.payload == PayloadForm::Raw
}

/// Whether rows of a supervisor with this spec are found by the time at which they were sent.
pub(crate) fn are_found_by_send_time(options: &ReplayOptions, spec: &Value) -> bool {
    let schema = part(spec, "dataSchema");
    let column = schema["timestampSpec"]["column"].as_str().unwrap_or_default();
    let granularity = &schema["granularitySpec"]["queryGranularity"];
    let granularity = granularity.as_str().or(granularity["type"].as_str()).unwrap_or_default();
    has_send_times(options)
        && [options.message.names.timestamp(), "kafka.timestamp"].contains(&column)
        && granularity.eq_ignore_ascii_case("none")
}

/// Segments as long as the spread of the times in them requires.
fn granularity(options: &ReplayOptions, prepared: &Prepared) -> Granularity {
    if has_send_times(options) {
        return Granularity::Hour;
    }
    match prepared.times_ms {
        // Of a stream only the first time is known.
        Some(_) if prepared.survey.is_none() => Granularity::Month,
        Some((first_ms, last_ms)) => Granularity::for_span_ms(last_ms.saturating_sub(first_ms)),
        None => Granularity::Hour,
    }
}

fn warn_of_scattered_times(
    options: &ReplayOptions,
    prepared: &Prepared,
    spec: &Value,
    notes: &mut Vec<String>,
) {
    let Some((first_ms, last_ms)) =
        prepared.times_ms.filter(|_| options.message.timestamp == StampTime::Event)
    else {
        return;
    };
    let name = spec["spec"]["dataSchema"]["granularitySpec"]["segmentGranularity"].as_str().unwrap_or("day");
    let span_ms = last_ms.saturating_sub(first_ms);
    const HOUR_MS: i64 = 3_600_000;
    let segments = span_ms
        / match name.to_ascii_lowercase().as_str() {
            "hour" => HOUR_MS,
            "day" => 24 * HOUR_MS,
            "month" => 30 * 24 * HOUR_MS,
            "year" => 365 * 24 * HOUR_MS,
            _ => return,
        };
    if segments > SEGMENTS_WARNED {
        notes.push(format!(
            "WARNING: {} lie in up to {segments} segments of one {name}, which makes Druid up \
             to 1,000 times slower: use --timestamp send, or --druid-set \
             /dataSchema/granularitySpec/segmentGranularity={}",
            options.noun().of("the times of the tweets"),
            Granularity::for_span_ms(span_ms).name()
        ));
    }
}

/// A spec from a file, with its parts in `spec`.
pub(crate) fn read_spec(path: &Path) -> Result<Value, ReplayError> {
    let wrong = |words: String| DruidError::Spec(format!("--druid-spec {}: {words}", path.display()));
    let text = std::fs::read(path).map_err(|error| wrong(net::words(&error)))?;
    let mut spec: Value =
        serde_json::from_slice(&text).map_err(|error| wrong(format!("not JSON: {error}")))?;
    // The flat form, which Druid accepts, too.
    if spec["dataSchema"].is_object() && !spec["spec"].is_object() {
        let mut inner = json!({});
        for key in ["dataSchema", "ioConfig", "tuningConfig"] {
            if let Some(value) = spec.as_object_mut().and_then(|spec| spec.remove(key)) {
                inner[key] = value;
            }
        }
        spec["spec"] = inner;
    }
    if spec["type"] != "kafka" || !spec["spec"]["dataSchema"].is_object() {
        return Err(
            wrong("that is no supervisor spec for Kafka: type kafka, with a dataSchema".into()).into()
        );
    }
    Ok(spec)
}

/// Kafka's address for Druid if the user does not give one.
fn kafka_address_for_druid(options: &ReplayOptions, ends: &Ends) -> String {
    match &options.kafka.cluster {
        KafkaChoice::Embedded(kafka) => match &kafka.advertise {
            Some((host, port)) => format!("{host}:{port}"),
            None => ends.addresses.kafka.clone(),
        },
        KafkaChoice::Cluster(brokers) => brokers.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_spec_are_read_and_others_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("spec.json");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            read_spec(&path).map_err(|error| error.to_string())
        };
        let nested = r#"{"type":"kafka","spec":{"dataSchema":{"dataSource":"d"},"ioConfig":{"topic":"t"}}}"#;
        let flat = r#"{"type":"kafka","dataSchema":{"dataSource":"d"},"ioConfig":{"topic":"t"}}"#;
        assert_eq!(read(nested).unwrap(), read(flat).unwrap());
        assert!(read("{").unwrap_err().contains("not JSON"));
        assert!(read(r#"{"type":"index_parallel"}"#).unwrap_err().contains("type kafka"));
    }
}
