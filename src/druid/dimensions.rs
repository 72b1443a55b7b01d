//! The dimensions of our spec: the fields of the payload, the columns joined to it, and those that
//! an earlier run added to the same supervisor.

use serde_json::{Value, json};

use crate::event::{OwnNames, PayloadForm};

/// A column beyond those of our payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dimension {
    /// Name of the column and of the payload's member.
    pub name: String,
    pub kind: DimensionType,
}

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DimensionType {
    /// Integers below 2^63.
    Long,
    /// Numbers.
    Double,
    /// Text.
    String,
    /// Lists of texts.
    Strings,
    /// Objects and other lists: a column of JSON, which `JSON_VALUE(column, '$.path')` reads.
    Json,
}

/// The columns of records that are not tweets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventColumns {
    /// Those that a sample of the records has.
    pub columns: Vec<Dimension>,
    /// What ours are called.
    pub names: OwnNames,
    /// Whether Druid is to find the columns itself, by `useSchemaDiscovery`.
    pub discover: bool,
}

impl DimensionType {
    /// As Druid writes it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Long => "long",
            Self::Double => "double",
            Self::String | Self::Strings => "string",
            Self::Json => "json",
        }
    }
}

/// The dimensions of a spec for such messages.
pub(super) fn dimensions(form: PayloadForm, extra: &[Dimension], events: Option<&EventColumns>) -> Value {
    match events {
        Some(events) => event_dimensions(events, form),
        None => tweet_dimensions(form, extra),
    }
}

/// Druid's name for the time of a row, which no dimension can have.
const TIME: &str = "__time";

fn event_dimensions(events: &EventColumns, form: PayloadForm) -> Value {
    let EventColumns { columns, names, discover } = events;
    let ours = [json!({"type": "string", "name": names.run()}), json!({"type": "long", "name": names.seq()})];
    if *discover || form == PayloadForm::Raw {
        return json!({"useSchemaDiscovery": true, "dimensions": ours});
    }
    let column = |column: &Dimension| match column.kind {
        DimensionType::Strings => {
            json!({"type": "string", "name": column.name, "multiValueHandling": "ARRAY"})
        }
        kind => json!({"type": kind.name(), "name": column.name}),
    };
    let theirs = columns.iter().filter(|column| column.name != TIME).map(column);
    json!({"dimensions": theirs.chain(ours).collect::<Vec<_>>()})
}

fn tweet_dimensions(form: PayloadForm, extra: &[Dimension]) -> Value {
    let long = |name: &str| json!({"type": "long", "name": name});
    let double = |name: &str| json!({"type": "double", "name": name});
    let string = |name: &str| json!({"type": "string", "name": name});
    let hashtags = json!({"type": "string", "name": "hashtags", "multiValueHandling": "ARRAY"});
    let mut all = match form {
        PayloadForm::Tweet => vec![
            long("user_id"),
            string("tweet"),
            string("id"),
            string("created_at"),
            string("lang"),
            string("screen_name"),
            long("retweet_count"),
            long("favorite_count"),
            hashtags,
            double("lat"),
            double("lon"),
            string("run"),
            long("seq"),
        ],
        PayloadForm::Minimal => vec![long("user_id"), string("tweet"), string("run"), long("seq")],
        PayloadForm::Raw => {
            return json!({"useSchemaDiscovery": true, "dimensions": [string("run"), long("seq")]});
        }
    };
    if form == PayloadForm::Tweet {
        all.extend(extra.iter().map(|column| json!({"type": column.kind.name(), "name": column.name})));
    }
    json!({"dimensions": all})
}

/// Adds to `spec` the dimensions that only the spec `there` has, from an earlier run: tasks that do
/// not know them would drop them from the rows of all senders. Shared dimensions keep the order of
/// `there`, so that a spec with the same ones is the same spec.
pub fn keep_dimensions(spec: &mut Value, there: &Value) {
    const OF_SPEC: &str = "/spec/dataSchema/dimensionsSpec/dimensions";
    let there = there.pointer(OF_SPEC).or_else(|| there.pointer("/dataSchema/dimensionsSpec/dimensions"));
    let Some(there) = there.and_then(Value::as_array) else { return };
    let Some(ours) = spec.pointer_mut(OF_SPEC).and_then(Value::as_array_mut) else { return };
    let name = |dimension: &Value| dimension.as_str().or(dimension["name"].as_str()).map(str::to_owned);
    let places: Vec<_> = there.iter().map(name).collect();
    for (dimension, named) in there.iter().zip(&places) {
        if !ours.iter().any(|one| name(one) == *named) {
            ours.push(without_defaults(dimension));
        }
    }
    let place = |dimension: &Value| places.iter().position(|named| *named == name(dimension));
    ours.sort_by_key(|dimension| place(dimension).unwrap_or(usize::MAX));
}

/// Whether such settings list the dimensions themselves: then none is kept.
#[must_use]
pub fn sets_dimensions(set: &[(String, Value)]) -> bool {
    set.iter().any(|(pointer, _)| pointer.contains("/dimensionsSpec"))
}

/// A dimension as we would have written it: Druid returns it with its defaults filled in.
fn without_defaults(dimension: &Value) -> Value {
    let Some(given) = dimension.as_object() else {
        return json!({"type": "string", "name": dimension});
    };
    let is_text = given.get("type").is_none_or(|kind| kind == "string");
    let mut given = given.clone();
    given.retain(|key, value| match key.as_str() {
        "multiValueHandling" => value != "SORTED_ARRAY",
        "createBitmapIndex" => *value != is_text,
        _ => !value.is_null(),
    });
    Value::Object(given)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::druid::spec::tests::options;
    use crate::druid::spec::{is_same, marked};
    use crate::druid::{SpecOptions, make_spec};

    #[test]
    fn every_field_of_the_payload_is_a_dimension_with_its_type() {
        let spec = make_spec(&options());
        let dimensions = spec["spec"]["dataSchema"]["dimensionsSpec"]["dimensions"].as_array().unwrap();
        let types: Vec<_> = dimensions
            .iter()
            .map(|dimension| {
                format!("{} {}", dimension["name"].as_str().unwrap(), dimension["type"].as_str().unwrap())
            })
            .collect();
        assert_eq!(
            types.join(", "),
            "user_id long, tweet string, id string, created_at string, lang string, screen_name string, \
             retweet_count long, favorite_count long, hashtags string, lat double, lon double, run string, seq long"
        );
    }

    #[test]
    fn columns_of_an_earlier_run_stay_and_a_spec_with_the_same_ones_is_the_same() {
        let column = |name: &str, kind| Dimension { name: name.into(), kind };
        let extra = vec![column("label", DimensionType::String), column("total", DimensionType::Long)];
        let first = make_spec(&SpecOptions { extra: extra.clone(), ..options() });
        // As Druid returns it.
        let mut there = first.clone();
        let dimensions = &mut there["spec"]["dataSchema"]["dimensionsSpec"]["dimensions"];
        for dimension in dimensions.as_array_mut().unwrap() {
            dimension["createBitmapIndex"] = (dimension["type"] == "string").into();
            if dimension["multiValueHandling"].is_null() {
                dimension["multiValueHandling"] = "SORTED_ARRAY".into();
            }
        }
        let kept = |extra: Vec<Dimension>| {
            let mut spec = make_spec(&SpecOptions { extra, ..options() });
            keep_dimensions(&mut spec, &there);
            spec = marked(spec);
            let dimensions = spec["spec"]["dataSchema"]["dimensionsSpec"]["dimensions"].as_array().unwrap();
            let words =
                |one: &Value| format!("{} {}", one["name"].as_str().unwrap(), one["type"].as_str().unwrap());
            let extra: Vec<String> = dimensions[13..].iter().map(words).collect();
            (is_same(&first, &spec), extra.join(", "))
        };
        assert_eq!(kept(vec![]), (true, "label string, total long".into()));
        assert_eq!(kept(extra.iter().rev().cloned().collect()), (true, "label string, total long".into()));
        let others = vec![column("total", DimensionType::Double), column("age", DimensionType::Long)];
        assert_eq!(kept(others), (false, "label string, total double, age long".into()));
        let mut minimal = make_spec(&SpecOptions { form: PayloadForm::Minimal, ..options() });
        keep_dimensions(
            &mut minimal,
            &json!({"spec": {"dataSchema": {"dimensionsSpec": {"dimensions": ["a"]}}}}),
        );
        assert!(minimal.to_string().contains(r#"{"name":"a","type":"string"}"#));
    }
}
