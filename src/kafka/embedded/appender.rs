//! What the endpoint does with a produced batch after reading it: the batch is checked, then
//! appended to the log of a partition. For the benches that count its instructions; the endpoint
//! takes the same steps in `requests/produce.rs`.

use std::path::Path;

use super::batch::check_produced;
use super::error::EndpointError;
use super::log::{Log, LogSettings};

/// The log of one partition, without a topic, a lock or a client.
#[derive(Debug)]
pub struct Appender(Log);

impl Appender {
    /// Opens the log in `dir`.
    ///
    /// # Errors
    /// When the directory cannot be used, or holds a damaged log.
    pub fn open(dir: &Path) -> Result<Self, EndpointError> {
        Log::open(dir, &LogSettings::default()).map(Self)
    }

    /// Appends one record batch as a producer sends it, and returns the offset of its first record.
    ///
    /// # Errors
    /// The reason for a refusal, as the producer would get it.
    pub fn append(&mut self, batch: &[u8]) -> Result<i64, &'static str> {
        let appended = check_produced(batch).and_then(|header| self.0.append(&header, batch));
        appended.map_err(|refusal| refusal.reason)
    }
}
