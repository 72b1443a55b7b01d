//! What somebody else has changed in a supervisor of ours: Druid's history of it has the spec as we
//! submitted it, filled in by the same Druid, so that the two can be compared.

use std::fmt;

use serde_json::Value;

use super::spec::{MARK, is_ours, marked, set_pointer};

/// One place in a spec that was changed by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alteration {
    /// As for `--druid-set`: `/ioConfig/taskCount`.
    pub place: String,
    /// What is there now.
    pub value: Value,
    /// What we submitted; null if it is not known.
    pub before: Value,
}

/// `/ioConfig/taskCount is 2, not 1`
impl fmt::Display for Alteration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}", self.place, self.value)?;
        if self.before.is_null() { Ok(()) } else { write!(f, ", not {}", self.before) }
    }
}

impl Alteration {
    /// Whether it stays when a run sets these places itself. The topic is what a run is about.
    pub(super) fn stays(&self, set: &[(String, Value)]) -> bool {
        self.place != "/ioConfig/topic" && !set.iter().any(|(place, _)| overlaps(&self.place, place))
    }
}

/// A spec with our mark, and with what somebody else has changed in the supervisor: that is no part of the
/// digest, which is of what we wanted.
pub(super) fn marked_keeping(spec: Value, kept: &[Alteration]) -> Value {
    let mut spec = marked(spec);
    for Alteration { place, value, .. } in kept {
        // A place that this spec does not have any more cannot be kept.
        if set_pointer(&mut spec, place, value.clone()).is_ok() {
            spec["context"][MARK]["kept"][place] = value.clone();
        }
    }
    spec
}

/// What was changed by hand in `there`, from the supervisor's specs, the newest first: since we submitted it, or
/// before an update of ours that kept it.
pub(super) fn alterations(there: &Value, history: &[Value]) -> Vec<Alteration> {
    let mark = &there["context"][MARK];
    let same = |spec: &&Value| is_ours(spec) && spec["context"][MARK]["digest"] == mark["digest"];
    let kept = mark["kept"].as_object().into_iter().flatten();
    let kept = kept.map(|(place, value)| Alteration {
        place: place.clone(),
        value: value.clone(),
        before: Value::Null,
    });
    let mut found: Vec<Alteration> = kept.collect();
    if let Some(submitted) = history.iter().rev().find(same) {
        let mut now = Vec::new();
        for part in ["dataSchema", "ioConfig", "tuningConfig"] {
            differences(&format!("/{part}"), inner(submitted, part), inner(there, part), &mut now);
        }
        found.retain(|one| !now.iter().any(|other| other.place == one.place));
        found.extend(now);
    }
    found
}

/// A part of a spec as Druid returns it.
fn inner<'a>(spec: &'a Value, part: &str) -> &'a Value {
    if spec["spec"][part].is_object() { &spec["spec"][part] } else { &spec[part] }
}

/// Appends the places where two values differ. Lists of dimensions are kept by other means.
fn differences(place: &str, before: &Value, now: &Value, found: &mut Vec<Alteration>) {
    if before == now || place == "/dataSchema/dimensionsSpec" {
        return;
    }
    if let (Some(old), Some(new)) = (before.as_object(), now.as_object()) {
        let keys: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for key in keys {
            let escaped = key.replace('~', "~0").replace('/', "~1");
            differences(&format!("{place}/{escaped}"), &before[key], &now[key], found);
        }
        return;
    }
    found.push(Alteration { place: place.to_owned(), value: now.clone(), before: before.clone() });
}

/// Whether one of two places holds the other.
fn overlaps(one: &str, other: &str) -> bool {
    let other = other.strip_prefix("/spec").unwrap_or(other);
    let within = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    within(one, other) || within(other, one)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::druid::make_spec;
    use crate::druid::spec::is_same;
    use crate::druid::spec::tests::options;
    use serde_json::json;

    /// As Druid returns it.
    fn spec(tasks: u64, granularity: &str, digest: &str) -> Value {
        json!({"type": "kafka", "spec": {
            "dataSchema": {"dataSource": "d", "granularitySpec": {"segmentGranularity": granularity},
                "dimensionsSpec": {"dimensions": [tasks]}},
            "ioConfig": {"topic": "t", "taskCount": tasks, "taskDuration": "PT3600S"}, "tuningConfig": {}},
            "context": {MARK: {"version": "1", "digest": digest}}})
    }

    #[test]
    fn what_was_changed_since_we_submitted_it_is_found() {
        let (ours, other) = (spec(1, "HOUR", "aa"), spec(8, "YEAR", "bb"));
        let mut there = spec(2, "DAY", "aa");
        there["suspended"] = true.into();
        // Newest first; the middle one is another spec of ours.
        let history = [there.clone(), ours.clone(), other, ours.clone()];
        let found: Vec<String> = alterations(&there, &history).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "/dataSchema/granularitySpec/segmentGranularity is \"DAY\", not \"HOUR\"",
                "/ioConfig/taskCount is 2, not 1"
            ]
        );
        assert_eq!(alterations(&ours, &history), []);
        assert_eq!(alterations(&there, &[]), [], "without a history nothing is known");
    }

    #[test]
    fn what_an_update_kept_is_still_an_alteration() {
        let mut there = spec(2, "HOUR", "cc");
        there["context"][MARK]["kept"] = json!({"/ioConfig/taskCount": 2});
        let found = alterations(&there, std::slice::from_ref(&there));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].to_string(), "/ioConfig/taskCount is 2");
    }

    #[test]
    fn places_that_hold_each_other_overlap() {
        assert!(overlaps("/ioConfig/taskCount", "/ioConfig/taskCount"));
        assert!(overlaps("/ioConfig/consumerProperties/a", "/spec/ioConfig/consumerProperties"));
        assert!(overlaps("/ioConfig", "/ioConfig/taskCount"));
        assert!(!overlaps("/ioConfig/taskCount", "/ioConfig/task"));
    }

    #[test]
    fn what_somebody_else_has_changed_is_kept_and_is_no_other_spec() {
        let kept = Alteration { place: "/ioConfig/taskCount".into(), value: 7.into(), before: 2.into() };
        let spec = marked_keeping(make_spec(&options()), &[kept]);
        assert_eq!(spec["spec"]["ioConfig"]["taskCount"], 7);
        assert_eq!(spec["context"][MARK]["kept"]["/ioConfig/taskCount"], 7);
        assert!(is_same(&spec, &make_spec(&options())));
    }
}
