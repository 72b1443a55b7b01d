//! What the report says about facts that were joined to the tweets. Field names are the keys of the
//! JSON report.

use std::collections::BTreeMap;

use serde::Serialize;

/// What `--enrich` came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct EnrichReport {
    /// Tweets encoded, in all loops, whose user is in a file.
    pub enriched: u64,
    /// Tweets encoded whose user is in none, or that have no user; they were sent without.
    pub not_enriched: u64,
    /// Users in all files together.
    pub users: u64,
    /// Columns that were added, with their types: `long`, `double`, `boolean`, `text`.
    pub columns: Vec<EnrichColumn>,
    /// Each file.
    pub files: Vec<EnrichFileReport>,
}

/// A column that was added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnrichColumn {
    /// Name of the column, and so of the payload's member.
    pub name: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: &'static str,
}

/// One file of users.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct EnrichFileReport {
    /// Path as given.
    pub file: String,
    /// Rows, broken ones too.
    pub rows: u64,
    /// Users.
    pub users: u64,
    /// Rows with the id of one before; the last one counts.
    pub duplicate_ids: u64,
    /// Rows that could not be used.
    pub rejects: u64,
    /// The first of them.
    pub first_rejects: Vec<RejectedRow>,
    /// Columns that were not added, and why.
    pub left_out: BTreeMap<String, &'static str>,
}

/// A row that could not be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RejectedRow {
    /// Where it starts, from 1.
    pub line: u64,
    /// Why.
    pub reason: String,
}

impl EnrichFileReport {
    /// What is worth a line of its own: rows that do not count.
    pub fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        for RejectedRow { line, reason } in &self.first_rejects {
            words.push(format!("{} line {line}: {reason}; left out", self.file));
        }
        let more = self.rejects.saturating_sub(self.first_rejects.len() as u64);
        if more > 0 {
            words.push(format!("{}: {more} more rows left out", self.file));
        }
        if self.duplicate_ids > 0 {
            words.push(format!("{}: {} ids came again; the last row counts", self.file, self.duplicate_ids));
        }
        for (column, reason) in &self.left_out {
            words.push(format!("{}: column {column:?} is not added: {reason}", self.file));
        }
        words
    }
}
