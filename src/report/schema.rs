//! The schemas in `docs/`, made from the report's own types: names, types and what may be null as serde writes
//! them, descriptions from the comments. The tests say when the files there are no longer current, and write
//! them if asked to:
//!
//! ```text
//! TWEETBLAST_WRITE_SCHEMAS=1 cargo test --lib report::schema
//! ```

use std::path::Path;

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::json;

use super::{BridgeReport, Comparison, DoctorReport, FindMaxReport, Inspection, RunReport, SupervisorReport};

/// The schema of a type as it is written.
fn schema_of<T: JsonSchema>(title: &str, description: &str) -> String {
    let settings =
        SchemaSettings::draft2020_12().for_serialize().with_transform(RecursiveTransform(without_rust));
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    schema.insert("description".to_owned(), description.into());
    serde_json::to_string_pretty(&schema).unwrap() + "\n"
}

/// Without what says nothing of JSON: sizes of Rust's numbers, line ends of comments. Other keys are allowed: later
/// versions of the program add some.
fn without_rust(schema: &mut Schema) {
    schema.remove("format");
    if let Some(description) = schema.get_mut("description") {
        *description = json!(description.as_str().unwrap_or_default().replace('\n', " "));
    }
}

/// Compares a file in `docs/` with what it should be, or writes it.
fn check(file: &str, schema: &str) {
    assert!(
        !schema.contains("\"additionalProperties\": false"),
        "{file}: a key that is added breaks readers"
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(file);
    if std::env::var_os("TWEETBLAST_WRITE_SCHEMAS").is_some() {
        std::fs::write(&path, schema).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = committed.lines().zip(schema.lines()).find(|(committed, schema)| committed != schema);
    assert!(
        committed == schema,
        "docs/{file} is not what the types say, from here on: {differs:#?}\n\
         TWEETBLAST_WRITE_SCHEMAS=1 cargo test --lib report::schema writes it"
    );
}

#[test]
fn the_schema_of_the_report_is_current() {
    let description = "What `tweetblast --json` writes. Keys are never absent; null says that a hop was off or that there \
                       was nothing to measure. Version 2: keys are only added to it, so readers ignore those that they do \
                       not know; what changes or removes one is version 3.";
    check("report.schema.json", &schema_of::<RunReport>("Report of a tweetblast replay", description));
}

#[test]
fn the_schema_of_an_inspection_is_current() {
    let description = "What `tweetblast inspect --json` and `tweetblast --dry-run --json` write. Keys are never absent. Version 2: \
         keys are only added to it, so readers ignore those that they do not know.";
    check("inspect.schema.json", &schema_of::<Inspection>("What is in an input of tweetblast", description));
}

#[test]
fn the_schema_of_a_bridge_is_current() {
    let description = "What `tweetblast bridge --json` writes. Keys are never absent. Version 1: keys are only added to it, so \
                       readers ignore those that they do not know.";
    check("bridge.schema.json", &schema_of::<BridgeReport>("What a bridge of tweetblast did", description));
}

#[test]
fn the_schemas_of_the_other_commands_are_current() {
    let doctor = "What `tweetblast doctor --json` writes. Keys are never absent.";
    check("doctor.schema.json", &schema_of::<DoctorReport>("What tweetblast doctor found", doctor));
    let compare = "What `tweetblast compare --json` writes. Keys are never absent.";
    check("compare.schema.json", &schema_of::<Comparison>("Two reports of tweetblast side by side", compare));
    let find_max = "What `tweetblast find-max --json` writes. Keys are never absent; null says that it is not known. Times in \
                    seconds, rates in rows per second.";
    check(
        "find-max.schema.json",
        &schema_of::<FindMaxReport>("The highest rate that a Druid sustains", find_max),
    );
    let status = "What `tweetblast druid status --json` writes. Keys are never absent.";
    check(
        "druid-status.schema.json",
        &schema_of::<SupervisorReport>("What a supervisor of Druid's does", status),
    );
}
