//! What Druid has of a bridge's messages.

use indicatif::HumanCount;
use serde::Serialize;

/// One datasource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BridgeDruid {
    pub datasource: String,
    /// What happened to its supervisor: created, updated, resumed, or there already; "not submitted" until Druid was there.
    pub supervisor: String,
    /// Druid's last word on the supervisor; null: none yet, or no answer.
    pub state: Option<String>,
    /// Rows of this bridge's messages that Druid counts; null: not known.
    pub queryable: Option<u64>,
}

/// For a supervisor that Druid does not have yet.
const NOT_SUBMITTED: &str = "not submitted";

impl BridgeDruid {
    /// Where nothing has been asked yet.
    pub fn new(datasource: &str) -> Self {
        Self {
            datasource: datasource.to_owned(),
            supervisor: NOT_SUBMITTED.to_owned(),
            state: None,
            queryable: None,
        }
    }

    /// Whether Druid has its supervisor.
    pub fn is_submitted(&self) -> bool {
        self.supervisor != NOT_SUBMITTED
    }

    /// In words.
    pub(super) fn words(&self) -> String {
        let nothing = if self.is_submitted() { "no answer" } else { NOT_SUBMITTED };
        let state = self.state.as_deref().unwrap_or(nothing);
        match self.queryable {
            Some(1) => format!("1 row in {} ({state})", self.datasource),
            Some(rows) => format!("{} rows in {} ({state})", HumanCount(rows), self.datasource),
            None => format!("rows in {} not counted ({state})", self.datasource),
        }
    }
}
