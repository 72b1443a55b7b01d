//! How logs are kept, and what is known of them apart from their files.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::kafka::embedded::error::EndpointError;
use crate::kafka::embedded::options::Fsync;

/// How all logs of an endpoint are kept.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogSettings {
    pub fsync: Fsync,
    /// What is kept at least before old messages are removed, in bytes; `None`: everything.
    pub retention_bytes: Option<u64>,
    /// Whether to continue without acknowledged messages that are missing or damaged.
    pub repair: bool,
    pub removed: Arc<Removed>,
}

impl LogSettings {
    /// Acknowledged messages are missing: an error, or a warning with `--kafka-repair`.
    pub fn lost(&self, path: &Path, reason: String) -> Result<(), EndpointError> {
        if !self.repair {
            return Err(EndpointError::LostMessages { path: path.to_owned(), reason });
        }
        tracing::warn!(path = %path.display(), reason, "Kafka endpoint: goes on without messages that are missing");
        Ok(())
    }
}

/// Which offsets a partition has: the first one, and the one behind the last.
pub(crate) type Extent = (i64, i64);

/// Messages that retention has removed from all logs.
#[derive(Debug, Default)]
pub(crate) struct Removed {
    pub records: AtomicU64,
    /// Those among them that no client had fetched in this life of the endpoint.
    pub unread: AtomicU64,
}
