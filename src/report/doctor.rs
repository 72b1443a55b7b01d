//! What the doctor found.

use serde::Serialize;

/// All of its checks, in the order in which a tweet passes what they look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DoctorReport {
    /// Whether a replay with the same flags would work: no check failed.
    pub ok: bool,
    pub checks: Vec<Check>,
}

/// One line of the doctor's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// How it ended.
    pub state: CheckState,
    /// What was found; where that is bad, also what to do.
    pub words: String,
}

/// How one check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum CheckState {
    /// As it should be.
    Ok,
    /// A replay can go on, but somebody should know.
    Warning,
    /// A replay would fail here.
    Failed,
    /// Not asked for, or pointless after what failed before.
    Skipped,
}
