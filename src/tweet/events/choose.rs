//! Chooses among the fields of a sample which is the time, the key and the id: by name and by value.

use super::EventFields;
use super::names::{UNNAMED_TIME, id_rank, key_rank};
use super::sample::{EventSample, FieldSample, Fields};
use crate::tweet::map::{Path, TimePath};
use crate::tweet::reading::TimeOptions;

/// Fields that the user names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WantedFields {
    pub time: Option<TimePath>,
    pub key: Option<Path>,
    pub id: Option<Path>,
}

/// What was chosen for one file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventChoice {
    pub fields: EventFields,
    /// Records in the sample that may be events.
    pub records: u64,
    pub time: Option<ChosenField>,
    pub key: Option<ChosenField>,
    pub id: Option<ChosenField>,
}

/// A field that was chosen, or is named by the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChosenField {
    /// As `--map` has it.
    pub field: String,
    /// Records of the sample that have it.
    pub records: u64,
    /// What would have been chosen without it.
    pub runner_up: Option<String>,
}

/// Points that a field loses with each level at which it lies deeper.
const PER_LEVEL: f64 = 6.0;

/// Points that a time loses that lies long before another one of the same records: it is of something that the event
/// is about, such as an account.
const LONG_BEFORE: f64 = 30.0;
const LONG_MS: i64 = 180 * 86_400_000;

/// Share of the records in which a time or a key must be.
const MOST: f64 = 0.5;
/// The same of a time whose name does not say that it is one.
const NEARLY_ALL: f64 = 0.9;

impl EventSample {
    /// The fields of the records, with those that the user names in place of what would be chosen.
    pub fn choose(&self, wanted: &WantedFields, times: &TimeOptions) -> EventChoice {
        let found = self.fields(times);
        let named = |path: &Path| {
            found.fields.iter().find(|field| field.path == *path).map_or(0, |field| field.records)
        };
        let mut choice = EventChoice { records: found.records, ..EventChoice::default() };
        let times = ranked(&found, |field| time_score(field, &found));
        (choice.fields.time, choice.time) = match &wanted.time {
            Some(time) => {
                let field = ChosenField { field: time.words(), records: named(&time.first), runner_up: None };
                (Some(time.clone()), Some(field))
            }
            None => (
                times.first().map(|time| TimePath::of(time.path.clone())),
                chosen(&times, |field| field.times.len() as u64),
            ),
        };
        let keys = ranked(&found, |field| key_score(field, &found));
        (choice.fields.key, choice.key) = match &wanted.key {
            Some(key) => {
                let field = ChosenField { field: key.join("."), records: named(key), runner_up: None };
                (vec![key.clone()], Some(field))
            }
            None => {
                let paths = keys.first().map(|key| with_before(&key.path, &found)).unwrap_or_default();
                let mut key = chosen(&keys, |field| field.records);
                if let (Some(key), [_, before]) = (&mut key, &paths[..]) {
                    key.field = format!("{} or {}", key.field, before.join("."));
                }
                (paths, key)
            }
        };
        let ids = ranked(&found, |field| {
            id_score(field, &found).filter(|_| !choice.fields.key.contains(&field.path))
        });
        (choice.fields.id, choice.id) = match &wanted.id {
            Some(id) => {
                let field = ChosenField { field: id.join("."), records: named(id), runner_up: None };
                (Some(id.clone()), Some(field))
            }
            None => (ids.first().map(|id| id.path.clone()), chosen(&ids, |field| field.records)),
        };
        // The user who names the time has said what an event is.
        if wanted.time.is_none() {
            choice.fields.usual = usual_names(&found, &choice.fields);
        }
        choice
    }
}

/// The fields with a score, the best first; of equal ones the first in the records.
fn ranked(found: &Fields, score: impl Fn(&FieldSample) -> Option<f64>) -> Vec<&FieldSample> {
    let mut ranked: Vec<_> = found.fields.iter().filter_map(|field| Some((score(field)?, field))).collect();
    ranked.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    ranked.into_iter().map(|(_, field)| field).collect()
}

fn chosen(ranked: &[&FieldSample], records: impl Fn(&FieldSample) -> u64) -> Option<ChosenField> {
    let (first, rest) = ranked.split_first()?;
    let runner_up = rest.first().map(|field| field.path.join("."));
    Some(ChosenField { field: first.path.join("."), records: records(first), runner_up })
}

fn share(count: usize, found: &Fields) -> f64 {
    count as f64 / found.records.max(1) as f64
}

fn depth(field: &FieldSample) -> f64 {
    (field.path.len() - 1) as f64 * PER_LEVEL
}

/// How sure a field is the time of the event; `None`: it is not a time, or not one of most records.
fn time_score(field: &FieldSample, found: &Fields) -> Option<f64> {
    let covered = share(field.times.len(), found);
    let rank = field.time_rank;
    // Other values under a name are a sign that it is not that of a time.
    let is_time = field.times.len() as u64 * 2 > field.records;
    let is_covered = covered >= if rank.is_some() { MOST } else { NEARLY_ALL };
    if !is_time || !is_covered {
        return None;
    }
    let others = || found.fields.iter().filter(|other| other.path != field.path);
    let is_long_before = others().any(|other| {
        let counts = other.time_rank.is_some_and(|rank| rank >= 40);
        counts && share(other.times.len(), found) >= MOST && median_gap(field, other) > LONG_MS
    });
    // Of two that are alike, a beginning and an end, the beginning.
    let is_before = others().any(|other| {
        other.time_rank == rank && other.path.len() == field.path.len() && median_gap(field, other) > 0
    });
    let rank = f64::from(rank.unwrap_or(UNNAMED_TIME));
    let long_before = if is_long_before { LONG_BEFORE } else { 0.0 };
    Some(rank * covered - depth(field) - long_before + f64::from(u8::from(is_before && !is_long_before)))
}

/// Half of the records have a longer time between these two fields, in milliseconds; below 0 where the second comes
/// first.
fn median_gap(field: &FieldSample, other: &FieldSample) -> i64 {
    let both = field.times.iter().filter_map(|(number, ms)| Some(((*ms)?, (*other.times.get(number)?)?)));
    let mut gaps: Vec<i64> = both.map(|(ms, other_ms)| other_ms.saturating_sub(ms)).collect();
    gaps.sort_unstable();
    gaps.get(gaps.len() / 2).copied().unwrap_or(0)
}

/// How sure a field is the key.
fn key_score(field: &FieldSample, found: &Fields) -> Option<f64> {
    let rank = key_rank(&field.path)?;
    let before = with_before(&field.path, found);
    let others = before.get(1).and_then(|path| found.fields.iter().find(|field| field.path == *path));
    let covered = share(field.records as usize, found)
        + others.map_or(0.0, |field| share(field.records as usize, found));
    // An id that occurs once in a while only tells one event from another.
    let repeats = field.distinct.len() as u64 * 2 <= field.records;
    let is_plain_id = field.path.len() == 1 && field.path[0].eq_ignore_ascii_case("id");
    let is_key = field.are_names && covered >= MOST && (repeats || !is_plain_id);
    is_key.then(|| f64::from(rank) * covered.min(1.0) - depth(field))
}

/// A field, and where a database says what was changed, the same of the row before: that of one that was deleted.
fn with_before(path: &Path, found: &Fields) -> Vec<Path> {
    let mut paths = vec![path.clone()];
    if let [after, rest @ ..] = &path[..]
        && after == "after"
        && !rest.is_empty()
    {
        let before = [&["before".to_owned()][..], rest].concat();
        paths.extend(found.fields.iter().find(|field| field.path == before).map(|field| field.path.clone()));
    }
    paths
}

/// How sure a field is the id.
fn id_score(field: &FieldSample, found: &Fields) -> Option<f64> {
    let rank = id_rank(&field.path)?;
    let all_differ = field.distinct.len() as u64 * 50 >= field.records * 49 && field.records > 0;
    let is_id = field.are_names && all_differ && share(field.records as usize, found) >= 0.95;
    // A UUID is made to tell one event from another; a small number may be that of a row.
    let uuid = if field.uuids * 2 > field.records && rank > 90 { 15.0 } else { 0.0 };
    let level = (field.path.len() - 1) as f64 * 10.0;
    is_id.then_some(f64::from(rank) + uuid - level)
}

/// Names that nearly all records have at their top, besides that of the time; none where there are few of them.
fn usual_names(found: &Fields, fields: &EventFields) -> Vec<String> {
    const FEW: usize = 3;
    const SHARE: f64 = 0.95;
    let time = fields.time.as_ref().and_then(|time| time.first.first());
    let is_usual =
        |(name, count): &(&String, &u64)| share(**count as usize, found) >= SHARE && Some(*name) != time;
    let mut names: Vec<String> = found.names.iter().filter(is_usual).map(|(name, _)| name.clone()).collect();
    names.sort_unstable();
    if names.len() < FEW { Vec::new() } else { names }
}

#[cfg(test)]
#[path = "choose_tests.rs"]
mod tests;
