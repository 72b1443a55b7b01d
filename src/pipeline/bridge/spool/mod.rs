//! Messages on disk, for when Kafka is away for longer than memory lasts. They are numbered, written at the end, read
//! from the start, and forgotten once Kafka has them; a file goes when all of its messages are forgotten.
//!
//! What [`Spool::append`] has returned survives a kill of the process, and with `Fsync::Always` a power cut. What a kill
//! cuts off was not returned, and is removed at the next start. After a kill, messages may come again that Kafka had
//! already: those that were on their way there.

mod error;
mod open;
mod position;
mod record;
mod segment;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

pub use error::SpoolError;
use position::Position;
use record::encode;
use segment::{FILE_HEAD_BYTES, Next, Segment, SegmentReader, file_head, path};

use super::message::BridgeMessage;
use crate::kafka::embedded::{DirLock, Fsync};
use crate::net;
use crate::options::SpoolOptions;

/// Size at which the next file is begun.
const SEGMENT_BYTES: u64 = 16 << 20;

/// After this long without a message, a file whose messages are done is removed.
const IDLE: Duration = Duration::from_secs(1);

/// Pause after a disk was found full, unless a file of ours is removed.
const FULL_PAUSE: Duration = Duration::from_millis(200);

/// Bytes written at a time.
const WRITE_BYTES: usize = 1 << 20;

/// The spool in one folder.
pub(super) struct Spool {
    options: SpoolOptions,
    /// Held as long as the folder is in use.
    _lock: DirLock,
    segments: VecDeque<Segment>,
    /// The last segment, while it is written to.
    writer: Option<File>,
    written_at: Instant,
    is_unsynced: bool,
    synced_at: Instant,
    bytes: u64,
    /// Number of the next message that comes.
    next: u64,
    /// Number of the next message to be read, and the file that it is in.
    cursor: u64,
    reader: Option<(u64, SegmentReader)>,
    /// All messages before this one are done; after it, these.
    done_to: u64,
    done_ahead: BTreeSet<u64>,
    position: Position,
    /// Why nothing more could be written, if that was so the last time.
    lacks: Option<String>,
    /// When the disk was last found full.
    full_at: Option<Instant>,
}

impl Spool {
    /// Messages that are not done.
    pub fn pending(&self) -> u64 {
        self.next - self.done_to - self.done_ahead.len() as u64
    }

    /// Messages that have not been read.
    pub fn unread(&self) -> u64 {
        self.next - self.cursor
    }

    /// Messages from the first that is not done to the last that has been read: a kill brings them all again.
    pub fn read_ahead(&self) -> u64 {
        self.cursor - self.done_to
    }

    /// Bytes on disk.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Writes as many of `messages` as there is room for, from the first on, and returns how many. When it returns they
    /// are as safe as the options say.
    ///
    /// # Errors
    /// When the folder cannot be written to for another reason than a lack of room.
    pub fn append<'a>(
        &mut self,
        messages: impl Iterator<Item = &'a BridgeMessage>,
    ) -> Result<u64, SpoolError> {
        if self.full_at.is_some_and(|at| at.elapsed() < FULL_PAUSE) {
            return Ok(0);
        }
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        for message in messages {
            encode(message, &mut bytes);
            if self.bytes + FILE_HEAD_BYTES + bytes.len() as u64 > self.options.max_bytes {
                self.lacks = Some("--spool-max".to_owned());
                break;
            }
            ends.push(bytes.len());
            if bytes.len() >= WRITE_BYTES {
                break;
            }
        }
        if ends.is_empty() || !self.is_open()? {
            return Ok(0);
        }
        while let Some(length) = ends.last().copied() {
            if self.write(&bytes[..length], ends.len() as u64)? {
                return Ok(ends.len() as u64);
            }
            // The disk is full: perhaps half of them fit.
            ends.truncate(ends.len() / 2);
        }
        self.full_at = Some(Instant::now());
        Ok(0)
    }

    /// Writes the bytes of `count` messages behind the last. `false`: the disk is full, and nothing is written.
    fn write(&mut self, bytes: &[u8], count: u64) -> Result<bool, SpoolError> {
        let (Some(writer), Some(segment)) = (&self.writer, self.segments.back_mut()) else {
            return Ok(false);
        };
        let failed = |source| SpoolError::Write { path: segment.path.clone(), source };
        let written = writer.write_all_at(bytes, segment.bytes).and_then(|()| match self.options.fsync {
            Fsync::Always => writer.sync_data(),
            Fsync::Never | Fsync::Every(_) => Ok(()),
        });
        if let Err(error) = written {
            // What was written in part must not stand before what is written next.
            writer.set_len(segment.bytes).map_err(failed)?;
            if !is_full(&error) {
                return Err(failed(error));
            }
            self.lacks = Some(net::words(&error));
            return Ok(false);
        }
        self.is_unsynced = self.options.fsync != Fsync::Always;
        segment.bytes += bytes.len() as u64;
        segment.count += count;
        self.bytes += bytes.len() as u64;
        self.next += count;
        self.written_at = Instant::now();
        Ok(true)
    }

    /// The same for messages that Kafka has been given already: they will not be read. Returns the number of the first.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn append_read<'a>(
        &mut self,
        messages: impl Iterator<Item = &'a BridgeMessage>,
    ) -> Result<(u64, u64), SpoolError> {
        let first = self.next;
        let count = self.append(messages)?;
        if count > 0 {
            self.cursor = self.next;
            self.reader = None;
            if let Some(segment) = self.segments.back() {
                self.reader = Some((segment.first, SegmentReader::open(&segment.path, segment.bytes)?));
            }
        }
        Ok((first, count))
    }

    /// The next message and its number; `None` if all have been read.
    ///
    /// # Errors
    /// When it cannot be read, or is not what was written.
    pub fn read(&mut self) -> Result<Option<(u64, BridgeMessage)>, SpoolError> {
        let Some(segment) = self.segments.iter().find(|segment| self.cursor < segment.end()) else {
            return Ok(None);
        };
        if self.reader.as_ref().is_none_or(|(first, _)| *first != segment.first) {
            self.reader = Some((segment.first, SegmentReader::open(&segment.path, FILE_HEAD_BYTES)?));
        }
        let Some((_, reader)) = &mut self.reader else { return Ok(None) };
        let Next::Message(message) = reader.next()? else {
            return Err(reader.damaged("it ends before its last message"));
        };
        self.cursor += 1;
        Ok(Some((self.cursor - 1, message)))
    }

    /// Kafka has this message, or will never take it.
    pub fn done(&mut self, number: u64) {
        self.done_ahead.insert(number);
        while self.done_ahead.remove(&self.done_to) {
            self.done_to += 1;
        }
        while self.segments.len() > 1
            && self.segments.front().is_some_and(|first| first.end() <= self.done_to)
        {
            self.remove_first();
        }
    }

    /// Why there was no room for a message the last time that there was none.
    pub fn lacks(&self) -> &str {
        self.lacks.as_deref().unwrap_or_default()
    }

    /// Does what is due: writes down what is done, syncs, removes what nobody needs.
    ///
    /// # Errors
    /// When the disk takes no sync.
    pub fn tick(&mut self, now: Instant) -> Result<(), SpoolError> {
        self.position.note(self.done_to);
        if let Fsync::Every(interval) = self.options.fsync
            && now.saturating_duration_since(self.synced_at) >= interval
        {
            self.sync()?;
        }
        let is_idle = now.saturating_duration_since(self.written_at) >= IDLE;
        if is_idle && self.pending() == 0 && !self.segments.is_empty() {
            (self.writer, self.reader) = (None, None);
            self.remove_first();
        }
        Ok(())
    }

    /// Syncs what is not, and writes down what is done.
    ///
    /// # Errors
    /// When the disk takes no sync.
    pub fn close(&mut self) -> Result<(), SpoolError> {
        if self.options.fsync != Fsync::Never {
            self.sync()?;
        }
        self.position.note(self.done_to);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), SpoolError> {
        self.synced_at = Instant::now();
        if let (true, Some(writer), Some(segment)) = (self.is_unsynced, &self.writer, self.segments.back()) {
            writer.sync_data().map_err(|source| SpoolError::Write { path: segment.path.clone(), source })?;
            self.is_unsynced = false;
        }
        Ok(())
    }

    fn remove_first(&mut self) {
        let Some(segment) = self.segments.pop_front() else { return };
        self.full_at = None;
        self.bytes -= segment.bytes;
        if self.reader.as_ref().is_some_and(|(first, _)| *first == segment.first) {
            self.reader = None;
        }
        if let Err(error) = std::fs::remove_file(&segment.path) {
            tracing::warn!("cannot remove {} ({error}): Kafka has its messages", segment.path.display());
        }
    }

    /// Makes sure that there is a file to write to. `false`: there is no room for one.
    fn is_open(&mut self) -> Result<bool, SpoolError> {
        let is_open = self.segments.back().is_some_and(|segment| segment.bytes < SEGMENT_BYTES);
        if is_open && self.writer.is_some() {
            return Ok(true);
        }
        if self.options.fsync != Fsync::Never {
            self.sync()?;
        }
        let path = path(&self.options.dir, self.next);
        match self.begin(&path) {
            Ok(file) => self.writer = Some(file),
            Err(error) if is_full(&error) => {
                let _ = std::fs::remove_file(&path);
                self.lacks = Some(net::words(&error));
                self.full_at = Some(Instant::now());
                return Ok(false);
            }
            Err(source) => return Err(SpoolError::Write { path, source }),
        }
        self.segments.push_back(Segment { path, first: self.next, count: 0, bytes: FILE_HEAD_BYTES });
        self.bytes += FILE_HEAD_BYTES;
        Ok(true)
    }

    fn begin(&self, path: &PathBuf) -> io::Result<File> {
        let file = File::options().read(true).write(true).create(true).truncate(true).open(path)?;
        file.write_all_at(&file_head(self.next), 0)?;
        if self.options.fsync != Fsync::Never {
            file.sync_all()?;
            File::open(&self.options.dir)?.sync_all()?;
        }
        Ok(file)
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge)
}
