//! What the report says about facts that were joined to the tweets. Field names are the keys of the
//! JSON report.

use serde::Serialize;

use crate::enrich::{ColumnType, EnrichFileReport};

/// What `--enrich` came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EnrichReport {
    /// Tweets encoded, in all loops, whose user is in a file.
    pub enriched: u64,
    /// Tweets encoded whose user is in no file, or that have no user; they were sent without.
    pub not_enriched: u64,
    /// Users in all files together.
    pub users: u64,
    /// Columns that were added, each as a member of the payload and a dimension in Druid.
    pub columns: Vec<EnrichColumn>,
    /// Each file.
    pub files: Vec<EnrichFileReport>,
}

/// A column that was added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EnrichColumn {
    /// Name of the column, and so of the payload's member.
    pub name: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: ColumnType,
}
