//! One file of a log, and slices of it.
//!
//! Reads bypass the log. It hands out a [`Slice`] of a file, which is read without the partition's
//! lock; the bytes of a slice never change, even when the file is removed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;

use super::index::{BatchIndex, IndexEntry};
use crate::kafka::embedded::batch::BatchHeader;
use crate::kafka::embedded::records;

/// The name of a log's file, given its first offset: the same as Kafka's, so that Kafka's tools
/// (`kafka-dump-log`) can read it.
pub(crate) fn file_name(base_offset: i64) -> String {
    format!("{base_offset:020}.log")
}

/// The first offset of the file with this name, if it is a log's file.
pub(crate) fn base_offset_of(file_name: &str) -> Option<i64> {
    let digits = file_name.strip_suffix(".log").filter(|digits| digits.len() == 20)?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// Opens a log's file, or begins an empty one.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).append(true).create(true).open(path)
}

/// One file of a log.
#[derive(Debug)]
pub(crate) struct Segment {
    pub base_offset: i64,
    pub file: Arc<File>,
    pub index: BatchIndex,
    /// Bytes that belong to the log. The file is longer only if a failed append could not be cut
    /// off.
    pub bytes: u64,
}

impl Segment {
    pub fn begin(path: &Path, base_offset: i64) -> io::Result<Self> {
        let file = open_file(path)?;
        file.set_len(0)?; // an earlier attempt may have left bytes
        Ok(Self { base_offset, file: Arc::new(file), index: BatchIndex::default(), bytes: 0 })
    }

    /// Why the file in `dir` does not hold what was written here; `None`: it does.
    pub fn what_became_of_it(&self, dir: &Path) -> Option<String> {
        let name = file_name(self.base_offset);
        let (Ok(there), Ok(open)) = (fs::metadata(dir.join(&name)), self.file.metadata()) else {
            return Some(format!("{name} was removed"));
        };
        if (there.dev(), there.ino()) != (open.dev(), open.ino()) {
            return Some(format!("{name} was replaced"));
        }
        (open.len() < self.bytes).then(|| format!("{name} was cut to {} of {} bytes", open.len(), self.bytes))
    }

    /// The offset behind its last record.
    pub fn end_offset(&self) -> i64 {
        self.index.last().map_or(self.base_offset, |entry| entry.last_offset() + 1)
    }

    /// Whole batches, starting with the one that holds `offset`: at most `max_bytes` together, but
    /// at least one. Empty at the end.
    pub fn slice(&self, offset: i64, max_bytes: usize) -> Slice {
        let found = self.index.find(offset, max_bytes, &self.file);
        let (position, last) = found.map_or((self.bytes, None), |(position, last)| (position, Some(last)));
        let end = last.map_or(position, |last| last.end_position());
        Slice {
            file: self.file.clone(),
            position,
            bytes: (end - position) as usize,
            end_offset: last.map_or(offset, |last| last.last_offset() + 1),
        }
    }

    pub fn batch_at_time(&self, entry: &IndexEntry, from_ms: Option<i64>) -> BatchAtTime {
        let slice = Slice {
            file: self.file.clone(),
            position: entry.position,
            bytes: entry.bytes as usize,
            end_offset: entry.last_offset() + 1,
        };
        BatchAtTime { slice, entry: *entry, from_ms }
    }
}

/// Whole batches, one after another in a file.
#[derive(Debug, Clone)]
pub(crate) struct Slice {
    file: Arc<File>,
    position: u64,
    /// Length in bytes; 0 at the end of the log.
    pub bytes: usize,
    /// The offset after its last record.
    pub end_offset: i64,
}

impl Slice {
    /// Reads the slice; blocks on the disk if it is not cached.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        self.read_into(&mut out, 0, self.bytes)?;
        Ok(out)
    }

    /// Appends a part of it to `out`.
    pub fn read_into(&self, out: &mut Vec<u8>, from: usize, bytes: usize) -> io::Result<()> {
        let filled = out.len();
        out.resize(filled + bytes, 0);
        self.file.read_exact_at(&mut out[filled..], self.position + from as u64)
    }
}

/// Result of a search by time, to be narrowed down to the record without the lock.
#[derive(Debug)]
pub(crate) struct BatchAtTime {
    slice: Slice,
    entry: IndexEntry,
    /// `None`: the record with the batch's greatest timestamp.
    from_ms: Option<i64>,
}

impl BatchAtTime {
    /// The record's (offset, timestamp in ms). If the records cannot be read, the batch's first one
    /// stands for a time, so the result is never too late, and its last one for the greatest
    /// timestamp.
    pub fn record(&self) -> io::Result<(i64, i64)> {
        let IndexEntry { base_offset, max_timestamp_ms, .. } = self.entry;
        let batch = self.slice.read()?;
        let header = batch
            .first_chunk()
            .and_then(BatchHeader::parse)
            .ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "no header of a record batch"))?;
        let from_ms = self.from_ms.unwrap_or(max_timestamp_ms);
        let found = records::find_record(&header, &batch, |ms| ms >= from_ms);
        if let Err(error) = &found {
            tracing::debug!(%error, base_offset, "Kafka endpoint: cannot look into a batch");
        }
        Ok(match (found, self.from_ms) {
            (Ok(Some((delta, ms))), _) => (base_offset + delta, ms),
            (_, Some(_)) => (base_offset, max_timestamp_ms),
            (_, None) => (self.entry.last_offset(), max_timestamp_ms),
        })
    }
}
