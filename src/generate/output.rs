//! The buffer of a file that is being written, and what was written so far.

use std::io::{self, Write};

use super::GenerateSummary;

/// The buffer is written out when it holds this much.
const BUFFER_BYTES: usize = 64 * 1024;

/// A file being written, and how much has been written.
pub(super) struct FormWriter<'a, W> {
    pub out: &'a mut W,
    pub buffer: Vec<u8>,
    pub done: GenerateSummary,
}

impl<'a, W: Write> FormWriter<'a, W> {
    pub fn new(out: &'a mut W) -> Self {
        let buffer = Vec::with_capacity(BUFFER_BYTES + BUFFER_BYTES / 4);
        Self { out, buffer, done: GenerateSummary::default() }
    }

    pub fn flush_if_full(&mut self) -> io::Result<()> {
        if self.buffer.len() >= BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    /// Writes out what the buffer holds.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&self.buffer)?;
        self.done.bytes += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Counts a tweet or an event that was written.
    pub fn count(&mut self, ms: u64) -> io::Result<()> {
        self.done.tweets += 1;
        self.done.first_ms = Some(self.done.first_ms.map_or(ms, |first| first.min(ms)));
        self.done.last_ms = Some(self.done.last_ms.map_or(ms, |last| last.max(ms)));
        self.flush_if_full()
    }

    /// The separator between two records; nothing before the first.
    pub fn separate(&mut self, separator: &[u8]) {
        if self.done.records > 0 {
            self.buffer.extend_from_slice(separator);
        }
        self.done.records += 1;
    }
}
