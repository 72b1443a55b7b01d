//! One partition's log: append-only files of record batches, stored as Kafka stores them. In memory
//! there is only an index, of at most 1 MiB per file.
//!
//! Without retention it is one file. With it, a new file is begun from time to time, and the oldest
//! is removed while the others hold at least the size to keep.
//! The [`Fsync`] policy decides when appended bytes reach the device. Without syncing they are in
//! the page cache, which survives a kill of the process but not a loss of power.

mod index;
mod recovery;
mod segment;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, ErrorKind, IoSlice, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use kafka_protocol::error::ResponseError;

use super::batch::{BatchHeader, Refusal, STAMPED_BYTES, stamp};
use super::error::EndpointError;
use super::options::Fsync;
use super::producers::{BatchVerdict, Producers};
use index::IndexEntry;
use recovery::{Recovered, Recovery};
pub(crate) use segment::{BatchAtTime, Slice};
use segment::{Segment, base_offset_of, file_name, open_file};
pub(crate) use settings::{Extent, LogSettings};

/// A log under retention has about this many files.
const SEGMENTS_KEPT: u64 = 10;
/// A file is never smaller than this, whatever the retention, and never larger than Kafka's
/// (`log.segment.bytes`).
const SEGMENT_BYTES: std::ops::RangeInclusive<u64> = 64 << 10..=1 << 30;

/// One partition.
#[derive(Debug)]
pub(crate) struct Log {
    dir: PathBuf,
    settings: LogSettings,
    /// Oldest first, never empty; batches are appended to the last.
    segments: VecDeque<Segment>,
    next_offset: i64,
    /// The offset after the last record that was sent to a client.
    read_until: i64,
    /// The offset behind the last record that the replay has read back, where one does: retention waits for it.
    follower: Option<i64>,
    producers: Producers,
    /// Why the last append failed, if it did. The next one first cuts the file, and logs nothing if
    /// it fails too.
    failing: Option<String>,
    unsynced: bool,
    /// What became of its files while they were open.
    gone: Option<String>,
    /// The topic is gone; an append that waited for the lock must not be acknowledged.
    deleted: bool,
}

impl Log {
    /// Opens the log in `dir` (it must exist), or begins an empty one. Verifies every batch.
    pub fn open(dir: &Path, settings: &LogSettings) -> Result<Self, EndpointError> {
        Self::open_listed(dir, settings, None)
    }

    /// The same, given the offsets that should be there.
    pub fn open_listed(
        dir: &Path,
        settings: &LogSettings,
        listed: Option<Extent>,
    ) -> Result<Self, EndpointError> {
        let failed = |action, path: &Path| {
            let path = path.to_owned();
            move |source| EndpointError::Storage { action, path, source }
        };
        let mut bases = Vec::new();
        for entry in fs::read_dir(dir).map_err(failed("read", dir))? {
            let name = entry.map_err(failed("read", dir))?.file_name();
            bases.extend(name.to_str().and_then(base_offset_of));
        }
        bases.sort_unstable();
        if bases.is_empty() {
            // Offsets are not given out twice, whatever was lost.
            bases.push(listed.map_or(0, |(_, end)| end));
            if listed.is_some() {
                settings.lost(dir, "it has no file of messages".to_owned())?;
            }
        }
        let mut producers = Producers::default();
        let mut segments: VecDeque<Segment> = VecDeque::with_capacity(bases.len());
        for (i, &base_offset) in bases.iter().enumerate() {
            let path = dir.join(file_name(base_offset));
            let expected = segments.back().map_or(base_offset, Segment::end_offset);
            if base_offset != expected {
                return Err(EndpointError::MissingMessages { path, offset: expected, found: base_offset });
            }
            let file = open_file(&path).map_err(failed("open", &path))?;
            let is_last = i + 1 == bases.len();
            let end = listed.filter(|_| is_last).map(|(_, end)| end);
            let recovery =
                Recovery { file: &file, path: &path, base_offset, is_last, end, repair: settings.repair };
            let Recovered { index, bytes, is_repaired } = recovery.run(&mut producers)?;
            segments.push_back(Segment { base_offset, file: Arc::new(file), index, bytes });
            if is_repaired {
                let later = bases[i + 1..].iter().map(|base| dir.join(file_name(*base)));
                later
                    .clone()
                    .try_for_each(fs::remove_file)
                    .map_err(failed("cut off what follows in", dir))?;
                break;
            }
        }
        let next_offset = segments.back().map_or(0, Segment::end_offset);
        if let Some((first, end)) = listed {
            let start = segments[0].base_offset;
            if next_offset < end {
                settings.lost(dir, format!("it ends before offset {next_offset}, and went on to {end}"))?;
            }
            if start > first {
                settings.lost(dir, format!("it begins at offset {start}, and began at {first}"))?;
            }
        }
        Ok(Self {
            dir: dir.to_owned(),
            settings: settings.clone(),
            read_until: segments[0].base_offset,
            follower: None,
            segments,
            next_offset,
            producers,
            failing: None,
            unsynced: false,
            gone: None,
            deleted: false,
        })
    }

    /// The first offset that is still there.
    pub fn start_offset(&self) -> i64 {
        self.segments.front().map_or(self.next_offset, |segment| segment.base_offset)
    }

    /// The offset of the next record; also the high watermark.
    pub fn next_offset(&self) -> i64 {
        self.next_offset
    }

    /// The directory was renamed: open files still work, new ones are created there.
    pub fn moved_to(&mut self, dir: &Path) {
        self.dir = dir.to_owned();
    }

    /// Why nothing can be appended; `None` while appends succeed.
    pub fn fault(&self) -> Option<&str> {
        self.failing.as_deref()
    }

    /// Where its files are.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// How many bytes of messages it has.
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// Which offsets it has.
    pub fn extent(&self) -> Extent {
        (self.start_offset(), self.next_offset)
    }

    /// What became of its files, if they are not what is open here: removed, moved away or cut. Checks them now.
    pub fn check_files(&mut self) -> Option<String> {
        if self.gone.is_none() && !self.deleted {
            self.gone = self.segments.iter().find_map(|segment| segment.what_became_of_it(&self.dir));
            if let Some(reason) = &self.gone {
                let path = self.dir.display();
                tracing::error!(%path, reason, "Kafka endpoint: acknowledged messages are gone; takes no more");
            }
        }
        self.gone.clone()
    }

    /// What became of its files, as far as was noticed.
    pub fn gone(&self) -> Option<&str> {
        self.gone.as_deref()
    }

    /// Refuses every append from now on.
    pub fn mark_deleted(&mut self) {
        self.deleted = true;
    }

    /// Records before this offset have been sent to a client.
    pub fn mark_read(&mut self, until: i64) {
        self.read_until = self.read_until.max(until);
    }

    /// Records from this offset on are not removed; `None`: nobody reads them back.
    pub fn set_follower(&mut self, offset: Option<i64>) {
        self.follower = offset;
    }

    /// Appends a batch that passed `check_produced`, and gives the offset of its first record. A
    /// batch that is in the log already is not stored again. On an error the log is as before.
    pub fn append(&mut self, header: &BatchHeader, records: &[u8]) -> Result<i64, Refusal> {
        if self.deleted {
            let error = ResponseError::UnknownTopicOrPartition;
            return Err(Refusal::new(error, "the topic was deleted"));
        }
        if self.gone.is_some() {
            return Err(Refusal::new(ResponseError::KafkaStorageError, "the files of the log are gone"));
        }
        if let BatchVerdict::Duplicate { base_offset } = self.producers.check(header)? {
            return Ok(base_offset);
        }
        let base_offset = self.next_offset;
        let written = self.begin_segment_if_full().and_then(|()| {
            let written = self.write(&stamp(records, base_offset), &records[STAMPED_BYTES..]);
            // If this fails too, the next append tries again; readers never see those bytes.
            written.inspect_err(|_| drop(self.active().and_then(|active| active.file.set_len(active.bytes))))
        });
        self.report(&written);
        if written.is_err() {
            return Err(Refusal::new(ResponseError::KafkaStorageError, "cannot append to the log"));
        }
        if let Ok(active) = self.active() {
            active.index.push(IndexEntry::new(header, base_offset, active.bytes));
            active.bytes += header.batch_bytes;
        }
        self.producers.record(header, base_offset);
        self.next_offset = header.last_offset(base_offset) + 1;
        self.unsynced = self.settings.fsync != Fsync::Always;
        self.remove_old_segments();
        Ok(base_offset)
    }

    fn active(&mut self) -> io::Result<&mut Segment> {
        self.segments.back_mut().ok_or_else(|| io::Error::other("a log without a file"))
    }

    fn write(&mut self, head: &[u8], rest: &[u8]) -> io::Result<()> {
        let (failing, fsync) = (self.failing.is_some(), self.settings.fsync);
        let active = self.active()?;
        if failing {
            active.file.set_len(active.bytes)?;
        }
        let mut parts = [IoSlice::new(head), IoSlice::new(rest)];
        let mut parts = &mut parts[..];
        while !parts.is_empty() {
            match (&*active.file).write_vectored(parts) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(n) => IoSlice::advance_slices(&mut parts, n),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        if fsync == Fsync::Always { active.file.sync_data() } else { Ok(()) }
    }

    /// Logs when appending begins to fail and when it works again, not each failure.
    fn report(&mut self, written: &io::Result<()>) {
        let path = self.dir.display();
        match written {
            Ok(()) if self.failing.is_some() => {
                tracing::warn!(%path, "Kafka endpoint: can append to the log again");
            }
            Err(error) if self.failing.is_none() => {
                tracing::error!(
                    %path,
                    %error,
                    "Kafka endpoint: cannot append to the log; producers get error 56 and retry \
                     until there is room"
                );
            }
            _ => {}
        }
        self.failing = written.as_ref().err().map(io::Error::to_string);
    }

    fn begin_segment_if_full(&mut self) -> io::Result<()> {
        let Some(retention_bytes) = self.settings.retention_bytes else { return Ok(()) };
        let full = (retention_bytes / SEGMENTS_KEPT).clamp(*SEGMENT_BYTES.start(), *SEGMENT_BYTES.end());
        if self.active()?.bytes < full {
            return Ok(());
        }
        if self.failing.is_some() {
            // Bytes that could not be cut off would look like damage in a file that is not the
            // last.
            let active = self.active()?;
            active.file.set_len(active.bytes)?;
        }
        let segment = Segment::begin(&self.dir.join(file_name(self.next_offset)), self.next_offset)?;
        if self.settings.fsync != Fsync::Never {
            self.active()?.file.sync_data()?;
            File::open(&self.dir)?.sync_all()?;
        }
        self.segments.push_back(segment);
        Ok(())
    }

    /// Removes the oldest files while the others hold what must be kept.
    fn remove_old_segments(&mut self) {
        let Some(retention_bytes) = self.settings.retention_bytes else { return };
        let mut bytes = self.bytes();
        while let [oldest, _, ..] = self.segments.make_contiguous() {
            bytes -= oldest.bytes;
            if bytes < retention_bytes || self.follower.is_some_and(|offset| offset < oldest.end_offset()) {
                return;
            }
            let path = self.dir.join(file_name(oldest.base_offset));
            if let Err(error) = fs::remove_file(&path) {
                tracing::warn!(path = %path.display(), %error, "Kafka endpoint: cannot remove old messages");
                return;
            }
            let (from, to) = (oldest.base_offset, oldest.end_offset());
            let unread = to - self.read_until.clamp(from, to);
            let removed = &self.settings.removed;
            removed.records.fetch_add((to - from) as u64, Ordering::Relaxed);
            removed.unread.fetch_add(unread as u64, Ordering::Relaxed);
            if unread > 0 {
                tracing::warn!(
                    path = %path.display(),
                    unread,
                    "Kafka endpoint: retention removed messages that nobody has read; ask for \
                     more bytes, or read faster"
                );
            }
            self.segments.pop_front();
        }
    }

    /// The file to sync to the device, if it needs it; it then counts as synced.
    pub fn take_unsynced(&mut self) -> Option<Arc<File>> {
        let unsynced = std::mem::take(&mut self.unsynced);
        self.segments.back().filter(|_| unsynced).map(|active| active.file.clone())
    }

    /// A sync failed and must be repeated.
    pub fn mark_unsynced(&mut self) {
        self.unsynced = true;
    }

    /// Whole batches, starting with the one that holds `offset`: at most `max_bytes` together, but
    /// at least one. Empty at the end of the log.
    pub fn slice(&self, offset: i64, max_bytes: usize) -> Result<Slice, ResponseError> {
        let behind = self.segments.partition_point(|segment| segment.base_offset <= offset);
        let segment = behind.checked_sub(1).and_then(|i| self.segments.get(i));
        let segment = segment.filter(|_| offset <= self.next_offset);
        Ok(segment.ok_or(ResponseError::OffsetOutOfRange)?.slice(offset, max_bytes))
    }

    /// The batch with the first record at or after a time; `None` if there is none. Scans the
    /// index.
    pub fn at_time(&self, from_ms: i64) -> Option<BatchAtTime> {
        let found = |segment: &Segment| {
            let entry = segment.index.at_time(&segment.file, |ms| ms >= from_ms)?;
            Some(segment.batch_at_time(&entry, Some(from_ms)))
        };
        self.segments.iter().find_map(found)
    }

    /// The batch with the greatest timestamp, the first of several; `None` if the log is empty.
    pub fn at_max_timestamp(&self) -> Option<BatchAtTime> {
        let times = self
            .segments
            .iter()
            .rev()
            .filter_map(|segment| Some((segment, segment.index.max_timestamp_ms()?)));
        let (segment, greatest) = times.max_by_key(|(_, greatest)| *greatest)?;
        let entry = segment.index.at_time(&segment.file, |ms| ms == greatest)?;
        Some(segment.batch_at_time(&entry, None))
    }
}
