//! How inputs are opened.

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::looks_like::TABLE;
use super::{Format, SourceError};

/// Longest wait for an input before a stop is checked.
pub(super) const LOOK: Duration = Duration::from_millis(50);

/// How inputs are opened.
#[derive(Clone, Copy)]
pub struct Opening<'a> {
    /// The format; `None`: detected for each input.
    pub framing: Option<Format>,
    /// Whether a table is read; otherwise it is an error, as a file that is beside the tweets.
    pub tables: bool,
    /// Whether an input that cannot be mapped is read as it comes; otherwise it is copied to a temporary file.
    pub streams: bool,
    /// Largest copy, in bytes; `None`: half of the free space in its folder.
    pub spool_limit: Option<u64>,
    /// Longest record that is not a reject, in bytes.
    pub max_record_bytes: usize,
    /// Ends the wait for an input.
    pub stop: &'a AtomicBool,
    /// Receives the state of the input again and again.
    pub watch: &'a dyn Fn(OpeningState),
}

/// The state of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpeningState {
    /// Nothing has come for this long.
    Waiting(Duration),
    /// This many bytes have been copied.
    Copied(u64),
    /// It is open.
    Open,
}

static NEVER: AtomicBool = AtomicBool::new(false);

impl Opening<'_> {
    /// Opens the whole input, in this format, and waits for its end.
    pub fn whole(framing: Option<Format>) -> Self {
        let (streams, spool_limit, max_record_bytes) = (false, None, usize::MAX);
        Self { framing, tables: true, streams, spool_limit, max_record_bytes, stop: &NEVER, watch: &|_| {} }
    }

    /// # Errors
    /// When the input at `path` is a table, and none is wanted.
    pub(super) fn check_table(&self, path: &Path) -> Result<(), SourceError> {
        let (form, hint) = TABLE;
        match self.tables || self.framing == Some(Format::Table) {
            true => Ok(()),
            false => {
                Err(SourceError::UnsupportedForm { path: path.to_owned(), form, line: 1, offset: 0, hint })
            }
        }
    }

    /// # Errors
    /// When the user stopped it.
    pub(super) fn check_stop(&self) -> Result<(), SourceError> {
        if self.stop.load(Ordering::Relaxed) { Err(SourceError::Stopped) } else { Ok(()) }
    }
}

impl fmt::Debug for Opening<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening").field("framing", &self.framing).finish_non_exhaustive()
    }
}
