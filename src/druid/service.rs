//! Which process of Druid answers which call.

use std::fmt;

/// What answers at Druid's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Queries.
    Broker,
    /// Supervisors and tasks.
    Overlord,
    /// Segments.
    Coordinator,
    /// Nothing answers at the address.
    Address,
}

impl Service {
    /// The process that answers a call for `path`.
    pub(super) fn of(path: &str) -> Self {
        match path {
            path if path.starts_with("/druid/v2") => Self::Broker,
            path if path.starts_with("/druid/indexer") => Self::Overlord,
            path if path.starts_with("/druid/coordinator") => Self::Coordinator,
            _ => Self::Address,
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Broker => "Druid's broker",
            Self::Overlord => "Druid's overlord",
            Self::Coordinator => "Druid's coordinator",
            Self::Address => "Druid",
        })
    }
}
