//! What Druid has of a bridge's messages.

use indicatif::HumanCount;
use serde::Serialize;

/// One datasource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BridgeDruid {
    pub datasource: String,
    /// What happened to its supervisor at the start: created, updated, resumed, or there already.
    pub supervisor: String,
    /// Druid's last word on the supervisor; null: none yet, or no answer.
    pub state: Option<String>,
    /// Rows of this bridge's messages that Druid counts; null: not known.
    pub queryable: Option<u64>,
}

impl BridgeDruid {
    /// In words.
    pub(super) fn words(&self) -> String {
        let state = self.state.as_deref().unwrap_or("no answer");
        match self.queryable {
            Some(1) => format!("1 row in {} ({state})", self.datasource),
            Some(rows) => format!("{} rows in {} ({state})", HumanCount(rows), self.datasource),
            None => format!("rows in {} not counted ({state})", self.datasource),
        }
    }
}
