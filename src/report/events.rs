//! What is read of records that are not tweets.

use indicatif::HumanCount;
use serde::Serialize;

use super::page::Page;

/// Events that are not tweets: which fields are read of them.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EventsReport {
    /// Records of the first file that were looked at.
    pub sampled: u64,
    /// The time; null: there is none.
    pub time: Option<EventFieldReport>,
    /// Who or what an event belongs to; null: nothing was found.
    pub key: Option<EventFieldReport>,
    /// What tells an event from another; null: nothing was found.
    pub id: Option<EventFieldReport>,
    /// What the run's id is called in the payload: with an underscore where the records have a field `run`.
    pub run_name: &'static str,
    /// What the sequence number is called.
    pub seq_name: &'static str,
    /// What our time stamp is called.
    pub timestamp_name: &'static str,
}

/// A field of the records.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EventFieldReport {
    /// Its path, as --map has it.
    pub field: String,
    /// Sampled records that have it.
    pub records: u64,
    /// The next best field; null: there is none, or the user has named the field.
    pub runner_up: Option<String>,
}

impl EventsReport {
    /// Each field with its runner-up, and what ours are called where the records have such names.
    pub fn words(&self) -> Vec<String> {
        let field = |what: &str, field: &Option<EventFieldReport>| match field {
            None => format!("{what}: none found"),
            Some(EventFieldReport { field, records, runner_up }) => {
                let other = runner_up.as_ref().map_or(String::new(), |other| format!("; next best: {other}"));
                let (records, sampled) = (HumanCount(*records), HumanCount(self.sampled));
                format!("{what}: {field}, in {records} of {sampled} records{other}")
            }
        };
        let mut words = vec![field("time", &self.time), field("key", &self.key), field("id", &self.id)];
        let ours = [("run", self.run_name), ("seq", self.seq_name), ("timestamp", self.timestamp_name)];
        let moved = ours.into_iter().filter(|(usual, name)| usual != name);
        let moved: Vec<String> = moved.map(|(usual, name)| format!("our {usual} is {name}")).collect();
        if !moved.is_empty() {
            words.push(format!("{}: the records have such fields themselves", moved.join(", ")));
        }
        words
    }
}

/// The same on a page.
pub(super) fn write_events(events: &EventsReport, page: &mut Page) {
    for (number, words) in events.words().into_iter().enumerate() {
        match number {
            0 => page.row("fields", words),
            _ => page.more(words),
        }
    }
}
