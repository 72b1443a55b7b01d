//! One partition's log: an append-only file of record batches, just as Kafka stores them, and in
//! memory nothing but an index of 32 bytes a batch.
//!
//! Nothing is synced to the device: what was acknowledged is in the page cache, which survives a
//! kill of the process, but not a loss of power.
//! Surprise: reading does not go through [`Log`]. It hands out a [`Slice`] of the file, read
//! without holding the partition's lock; the bytes of a slice never change.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, IoSlice, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kafka_protocol::error::ResponseError;

use super::batch::{BatchHeader, Refusal, STAMPED_BYTES, stamp};
use super::error::EndpointError;
use super::producers::{Producers, Verdict};
use super::records;
use super::recovery::recover;

/// The log file's name: Kafka's own, so that Kafka's tools (`kafka-dump-log`) read it.
pub(crate) const LOG_FILE: &str = "00000000000000000000.log";

/// Where a batch is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IndexEntry {
    base_offset: i64,
    max_timestamp_ms: i64,
    position: u64,
    batch_bytes: u32,
    last_offset_delta: i32,
}

// The promise of the module's docs.
const _: () = assert!(size_of::<IndexEntry>() == 32);

impl IndexEntry {
    pub fn new(header: &BatchHeader, base_offset: i64, position: u64) -> Self {
        Self {
            base_offset,
            max_timestamp_ms: header.max_timestamp_ms,
            position,
            // A batch's length is an i32 plus 12 on the wire.
            batch_bytes: header.batch_bytes as u32,
            last_offset_delta: header.last_offset_delta,
        }
    }

    fn last_offset(&self) -> i64 {
        self.base_offset + i64::from(self.last_offset_delta)
    }

    fn end_position(&self) -> u64 {
        self.position + u64::from(self.batch_bytes)
    }
}

/// Whole batches, one after another in the file.
#[derive(Debug, Clone)]
pub(crate) struct Slice {
    file: Arc<File>,
    position: u64,
    /// Length in bytes; 0 at the end of the log.
    pub bytes: usize,
}

impl Slice {
    /// Reads the slice; blocks on the disk when it is not cached.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        let mut out = vec![0; self.bytes];
        self.file.read_exact_at(&mut out, self.position)?;
        Ok(out)
    }
}

/// What a search by time found, to be narrowed down to the record without the lock.
#[derive(Debug)]
pub(crate) struct BatchAtTime {
    slice: Slice,
    entry: IndexEntry,
    /// `None`: the record with the batch's greatest timestamp.
    from_ms: Option<i64>,
}

impl BatchAtTime {
    /// The record's (offset, timestamp in ms). Where the records do not read, the batch's first
    /// stands for a time, so never one too late; and the last one for the greatest timestamp.
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

/// One partition.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    file: Arc<File>,
    index: Vec<IndexEntry>,
    next_offset: i64,
    /// Bytes that belong to the log. The file is longer only after a failed append that could not
    /// be cut off again.
    log_bytes: u64,
    producers: Producers,
    /// Why the last append failed, if it did: the next one cuts the file first, and says nothing if
    /// it fails too.
    failing: Option<String>,
    /// The topic is gone; an append that waited for the lock must not be acknowledged.
    deleted: bool,
}

impl Log {
    /// Opens the log in `dir` (it must exist), or begins an empty one. Verifies every batch.
    pub fn open(dir: &Path) -> Result<Self, EndpointError> {
        let path = dir.join(LOG_FILE);
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(&path)
            .map_err(|source| EndpointError::Storage { action: "open", path: path.clone(), source })?;
        let found = recover(&file, &path)?;
        Ok(Self {
            path,
            file: Arc::new(file),
            index: found.index,
            next_offset: found.next_offset,
            log_bytes: found.log_bytes,
            producers: found.producers,
            failing: None,
            deleted: false,
        })
    }

    /// The offset that the next record gets; also the high watermark.
    pub fn next_offset(&self) -> i64 {
        self.next_offset
    }

    /// The directory was renamed: for messages only, the file stays open.
    pub fn moved_to(&mut self, dir: &Path) {
        self.path = dir.join(LOG_FILE);
    }

    /// The file, and why nothing can be appended to it; `None` while appends succeed.
    pub fn fault(&self) -> Option<(&Path, &str)> {
        Some((&self.path, self.failing.as_deref()?))
    }

    /// From now on every append is refused.
    pub fn mark_deleted(&mut self) {
        self.deleted = true;
    }

    /// Appends a batch that passed `check_produced`, and gives the offset of its first record. A
    /// batch that is in the log already is not stored again. On an error the log is as before.
    pub fn append(&mut self, header: &BatchHeader, records: &[u8]) -> Result<i64, Refusal> {
        if self.deleted {
            let error = ResponseError::UnknownTopicOrPartition;
            return Err(Refusal::new(error, "the topic was deleted"));
        }
        if let Verdict::Duplicate { base_offset } = self.producers.check(header)? {
            return Ok(base_offset);
        }
        let base_offset = self.next_offset;
        self.write(&stamp(records, base_offset), &records[STAMPED_BYTES..])?;
        self.index.push(IndexEntry::new(header, base_offset, self.log_bytes));
        self.producers.record(header, base_offset);
        self.next_offset = header.last_offset(base_offset) + 1;
        self.log_bytes += header.batch_bytes;
        Ok(base_offset)
    }

    /// Writes both parts, or cuts off again what was written of them.
    fn write(&mut self, head: &[u8], rest: &[u8]) -> Result<(), Refusal> {
        let written = self.cut_if_failing().and_then(|()| {
            let mut parts = [IoSlice::new(head), IoSlice::new(rest)];
            let mut parts = &mut parts[..];
            while !parts.is_empty() {
                match (&*self.file).write_vectored(parts) {
                    Ok(0) => return Err(ErrorKind::WriteZero.into()),
                    Ok(n) => IoSlice::advance_slices(&mut parts, n),
                    Err(e) if e.kind() == ErrorKind::Interrupted => {}
                    Err(e) => return Err(e),
                }
            }
            Ok(())
        });
        match written {
            Ok(()) => {
                if self.failing.take().is_some() {
                    tracing::warn!(path = %self.path.display(), "Kafka endpoint: can append to the log again");
                }
                Ok(())
            }
            Err(error) => {
                if self.failing.replace(error.to_string()).is_none() {
                    tracing::error!(
                        path = %self.path.display(),
                        %error,
                        "Kafka endpoint: cannot append to the log; producers get error 56 and retry \
                         until there is room"
                    );
                }
                // If this fails too, the next append tries again; readers never see those bytes.
                let _ = self.cut_if_failing();
                Err(Refusal::new(ResponseError::KafkaStorageError, "cannot append to the log"))
            }
        }
    }

    fn cut_if_failing(&self) -> io::Result<()> {
        if self.failing.is_some() { self.file.set_len(self.log_bytes) } else { Ok(()) }
    }

    /// Whole batches from the one that holds `offset` on, of at most `max_bytes` together, but
    /// always at least one. Empty at the end of the log.
    pub fn slice(&self, offset: i64, max_bytes: usize) -> Result<Slice, ResponseError> {
        if offset < 0 || offset > self.next_offset {
            return Err(ResponseError::OffsetOutOfRange);
        }
        let first = self.index.partition_point(|entry| entry.last_offset() < offset);
        let position = self.index.get(first).map_or(self.log_bytes, |entry| entry.position);
        let limit = position.saturating_add(max_bytes as u64);
        let fitting = self.index[first..].partition_point(|entry| entry.end_position() <= limit);
        let end = self.index[first..].get(fitting.max(1) - 1).map_or(position, IndexEntry::end_position);
        Ok(Slice { file: self.file.clone(), position, bytes: (end - position) as usize })
    }

    /// The batch with the first record at or after a time; `None` if there is none. A pass over
    /// the index: 20 million batches a second or so.
    pub fn at_time(&self, from_ms: i64) -> Option<BatchAtTime> {
        let entry = self.index.iter().find(|entry| entry.max_timestamp_ms >= from_ms)?;
        Some(self.batch_at_time(entry, Some(from_ms)))
    }

    /// The batch with the greatest timestamp, the first of several; `None` if the log is empty.
    pub fn at_max_timestamp(&self) -> Option<BatchAtTime> {
        let entry = self.index.iter().rev().max_by_key(|entry| entry.max_timestamp_ms)?;
        Some(self.batch_at_time(entry, None))
    }

    fn batch_at_time(&self, entry: &IndexEntry, from_ms: Option<i64>) -> BatchAtTime {
        let bytes = entry.batch_bytes as usize;
        let slice = Slice { file: self.file.clone(), position: entry.position, bytes };
        BatchAtTime { slice, entry: *entry, from_ms }
    }
}

#[cfg(test)]
mod tests {
    use super::super::batch::{check_produced, tests::batch};
    use super::*;

    fn append(log: &mut Log, bytes: &[u8]) -> Result<i64, Refusal> {
        log.append(&check_produced(bytes)?, bytes)
    }

    fn read(log: &Log, offset: i64, max_bytes: usize) -> Vec<u8> {
        log.slice(offset, max_bytes).unwrap().read().unwrap()
    }

    fn base_offset(bytes: &[u8]) -> i64 {
        BatchHeader::parse(bytes.first_chunk().unwrap()).unwrap().base_offset
    }

    fn tail(dir: &Path, bytes: &[u8]) {
        let mut file = OpenOptions::new().append(true).open(dir.join(LOG_FILE)).unwrap();
        file.write_all(bytes).unwrap();
    }

    #[test]
    fn batches_come_back_whole_and_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = Log::open(dir.path()).unwrap();
        assert!(read(&log, 0, 100).is_empty());
        let bytes = batch(&[10, 20, 30], None);
        for i in 0..4 {
            assert_eq!(append(&mut log, &bytes).unwrap(), i * 3);
        }
        let two = read(&log, 4, bytes.len() * 3 - 1);
        assert_eq!((base_offset(&two), two.len()), (3, bytes.len() * 2));
        assert_eq!(base_offset(&two[bytes.len()..]), 6);
        assert_eq!(read(&log, 11, 1).len(), bytes.len());
        assert_eq!(read(&log, 0, usize::MAX).len(), bytes.len() * 4);
        assert!(read(&log, 12, 100).is_empty());
        assert_eq!(log.slice(13, 1).unwrap_err(), ResponseError::OffsetOutOfRange);
        assert_eq!(log.slice(-1, 1).unwrap_err(), ResponseError::OffsetOutOfRange);
    }

    #[test]
    fn reopening_keeps_messages_and_recognises_duplicates() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = Log::open(dir.path()).unwrap();
        for i in 0..7 {
            append(&mut log, &batch(&[1, 2], Some((5, 0, i * 2)))).unwrap();
        }
        drop(log);
        let mut log = Log::open(dir.path()).unwrap();
        assert_eq!(log.next_offset(), 14);
        assert_eq!(append(&mut log, &batch(&[1, 2], Some((5, 0, 12)))).unwrap(), 12);
        assert_eq!(append(&mut log, &batch(&[1, 2], Some((5, 0, 4)))).unwrap(), 4);
        let gap = append(&mut log, &batch(&[1, 2], Some((5, 0, 16)))).unwrap_err();
        assert_eq!(gap.error, ResponseError::OutOfOrderSequenceNumber);
        assert_eq!(log.next_offset(), 14);
        assert_eq!(append(&mut log, &batch(&[1, 2], Some((5, 0, 14)))).unwrap(), 14);
    }

    #[test]
    fn every_torn_tail_is_cut_off() {
        let good = batch(&[1, 2, 3], Some((5, 0, 0)));
        let mut next = batch(&[4, 5], Some((5, 0, 3)));
        let stamped = stamp(&next, 3);
        next[..STAMPED_BYTES].copy_from_slice(&stamped);
        let flipped = {
            let mut bytes = next.clone();
            *bytes.last_mut().unwrap() ^= 1;
            bytes
        };
        let torn = (1..next.len()).map(|n| next[..n].to_vec());
        for tail_bytes in torn.chain([flipped, vec![0; 5000]]) {
            let dir = tempfile::tempdir().unwrap();
            append(&mut Log::open(dir.path()).unwrap(), &good).unwrap();
            tail(dir.path(), &tail_bytes);
            let mut log = Log::open(dir.path()).unwrap();
            assert_eq!(log.next_offset(), 3);
            let length = std::fs::metadata(dir.path().join(LOG_FILE)).unwrap().len();
            assert_eq!(length, good.len() as u64);
            // The batch that was cut had no effect on what is remembered of its producer.
            assert_eq!(append(&mut log, &batch(&[4, 5], Some((5, 0, 3)))).unwrap(), 3);
            assert_eq!(Log::open(dir.path()).unwrap().next_offset(), 5);
        }
    }

    #[test]
    fn a_flipped_byte_before_good_batches_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = Log::open(dir.path()).unwrap();
        let bytes = batch(&[1, 2, 3], None);
        for _ in 0..4 {
            append(&mut log, &bytes).unwrap();
        }
        let path = dir.path().join(LOG_FILE);
        let whole = std::fs::read(&path).unwrap();
        for at in bytes.len()..2 * bytes.len() {
            if (bytes.len() + 12..bytes.len() + 16).contains(&at) {
                continue; // the leader epoch: outside the CRC, and not used
            }
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            std::fs::write(&path, &damaged).unwrap();
            match Log::open(dir.path()) {
                Err(EndpointError::DamagedLog { position, offset, .. }) => {
                    assert_eq!((position, offset), (bytes.len() as u64, 3));
                }
                other => panic!("byte {at}: {other:?}"),
            }
            assert_eq!(std::fs::read(&path).unwrap(), damaged, "a refused log is left alone");
        }
    }

    #[test]
    fn a_failed_write_leaves_no_trace() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = Log::open(dir.path()).unwrap();
        let first = batch(&[1], Some((5, 0, 0)));
        append(&mut log, &first).unwrap();
        // Half a batch stands in the file and cannot be cut off: a file that is open for reading
        // only fails to write and to cut.
        let path = dir.path().join(LOG_FILE);
        let writable = std::mem::replace(&mut log.file, Arc::new(File::open(&path).unwrap()));
        let second = batch(&[2], Some((5, 0, 1)));
        for _ in 0..2 {
            let refusal = append(&mut log, &second).unwrap_err();
            assert_eq!(refusal.error, ResponseError::KafkaStorageError);
        }
        (&*writable).write_all(&second[..30]).unwrap();
        assert_eq!(log.next_offset(), 1);
        log.file = writable;
        assert_eq!(append(&mut log, &second).unwrap(), 1);
        assert_eq!(read(&log, 0, usize::MAX).len(), first.len() + second.len());
        assert_eq!(Log::open(dir.path()).unwrap().next_offset(), 2);
    }

    #[test]
    fn times_are_found_to_the_record() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = Log::open(dir.path()).unwrap();
        assert!(log.at_max_timestamp().is_none());
        append(&mut log, &batch(&[10, 20, 30], None)).unwrap();
        append(&mut log, &batch(&[25, 50, 40], None)).unwrap();
        append(&mut log, &batch(&[50, 45], None)).unwrap();
        let at = |ms| log.at_time(ms).map(|found| found.record().unwrap());
        assert_eq!(at(0), Some((0, 10)));
        assert_eq!(at(11), Some((1, 20)));
        assert_eq!(at(30), Some((2, 30)));
        assert_eq!(at(31), Some((4, 50)));
        assert_eq!(at(51), None);
        assert_eq!(log.at_max_timestamp().unwrap().record().unwrap(), (4, 50));
    }

    #[test]
    fn a_deleted_log_takes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = Log::open(dir.path()).unwrap();
        log.mark_deleted();
        let refusal = append(&mut log, &batch(&[1], None)).unwrap_err();
        assert_eq!(refusal.error, ResponseError::UnknownTopicOrPartition);
    }
}
