//! What was found in one table of users. Field names are keys of the JSON report.

use std::collections::BTreeMap;

use indicatif::HumanCount;
use serde::Serialize;

/// One file of users.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EnrichFileReport {
    /// Path as given.
    pub file: String,
    /// Rows, broken ones too: users + duplicate_ids + rejects.
    pub rows: u64,
    /// Users.
    pub users: u64,
    /// Rows with the id of another one; the last one counts.
    pub duplicate_ids: u64,
    /// Rows that could not be used.
    pub rejects: u64,
    /// The first of them.
    #[cfg_attr(test, schemars(length(max = 10)))]
    pub first_rejects: Vec<RejectedRow>,
    /// Columns that were not added, by name, with the reason.
    pub skipped_columns: BTreeMap<String, ColumnReject>,
}

/// Why a column was not added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnReject {
    /// The payload has a field with that name.
    OwnField,
    /// The header has an empty name there.
    NoName,
    /// It holds objects, and the payload is flat.
    Objects,
}

impl ColumnReject {
    /// A description, as in the JSON report.
    pub fn name(self) -> &'static str {
        match self {
            Self::OwnField => "a field of the tweet has this name",
            Self::NoName => "it has no name",
            Self::Objects => "it holds objects",
        }
    }
}

/// A row that could not be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RejectedRow {
    /// Line on which it starts.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub line: u64,
    /// Why it could not be used.
    pub reason: String,
}

impl EnrichFileReport {
    /// Lines about rows and columns that were not used.
    pub fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        for RejectedRow { line, reason } in &self.first_rejects {
            words.push(format!("{} line {line}: {reason}; skipped", self.file));
        }
        let more = self.rejects.saturating_sub(self.first_rejects.len() as u64);
        match more {
            0 => {}
            1 => words.push(format!("{}: 1 more row skipped", self.file)),
            more => words.push(format!("{}: {} more rows skipped", self.file, HumanCount(more))),
        }
        match self.duplicate_ids {
            0 => {}
            1 => words.push(format!("{}: 1 id is there more than once; the last row counts", self.file)),
            ids => words.push(format!(
                "{}: {} ids are there more than once; the last row counts",
                self.file,
                HumanCount(ids)
            )),
        }
        for (column, reason) in &self.skipped_columns {
            words.push(format!("{}: column {column:?} is not added: {}", self.file, reason.name()));
        }
        words
    }
}
