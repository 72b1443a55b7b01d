//! An input that is read as it comes: standard input, a pipe, a device, or a compressed file. Only bytes
//! that are not yet a whole frame are kept.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use memchr::memchr_iter;

use super::detect::{LOOK_BYTES, check_packed, detect};
use super::framer::{FoundFrame, Framer};
use super::opening::{LOOK, Opening, OpeningState};
use super::pieces::{Incoming, Pieces};
use super::{Format, Frame, SourceError, Storage};

/// After a silence this long, the bytes that have come are used as they are.
pub const LULL: Duration = Duration::from_secs(1);

/// Most bytes that are searched for a first tweet.
const START_BYTES: usize = 16 << 20;

/// Bytes that are kept of an unfinished record, in addition to the longest record.
const ROOM_BYTES: usize = 16 << 20;

/// Most bytes of a page, whose `includes` may come last.
const PAGE_BYTES: usize = 64 << 20;

/// Reads an input as it comes.
#[derive(Debug)]
pub struct LiveReader {
    path: PathBuf,
    framing: Format,
    pieces: Pieces,
    framer: Framer,
    /// Bytes that are still needed, and where they begin in the input.
    buffer: Vec<u8>,
    base: u64,
    /// Line ends before `lines_to`, a position in the buffer.
    line_ends: u64,
    lines_to: usize,
    has_ended: bool,
    longest: usize,
    /// The last frame found.
    found: Option<FoundFrame>,
    crc: u32,
    bytes_read: Arc<AtomicU64>,
    /// When bytes last came after a wait.
    came_at: Option<Instant>,
    /// When there was nothing more, if nothing has come since.
    nothing_at: Option<Instant>,
}

/// The result of a step through an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiveStep {
    /// There is another frame.
    Frame,
    /// There is no frame yet.
    Nothing,
    /// There are no more frames.
    End,
}

impl LiveReader {
    /// Reads from the start until the format is known.
    ///
    /// # Errors
    /// When the input cannot be read, is empty or contains no JSON, and when the wait is stopped.
    pub(super) fn open(path: &Path, pieces: Pieces, opening: &Opening<'_>) -> Result<Self, SourceError> {
        let framing = opening.framing.unwrap_or(Format::Lines);
        let mut reader = Self {
            path: path.to_owned(),
            framing,
            pieces,
            framer: Framer::new(framing),
            buffer: Vec::new(),
            base: 0,
            line_ends: 0,
            lines_to: 0,
            has_ended: false,
            longest: opening.max_record_bytes.saturating_add(ROOM_BYTES),
            found: None,
            crc: 0,
            bytes_read: Arc::default(),
            came_at: None,
            nothing_at: None,
        };
        let mut quiet = Duration::ZERO;
        while !reader.has_ended && reader.buffer.len() < 2 * LOOK_BYTES {
            opening.check_stop()?;
            if reader.fill(LOOK)? {
                quiet = Duration::ZERO;
                continue;
            }
            quiet += LOOK;
            (opening.watch)(OpeningState::Waiting(quiet));
            if quiet >= LULL && reader.is_decided(opening.framing) {
                break;
            }
        }
        (opening.watch)(OpeningState::Open);
        if reader.has_ended && reader.buffer.is_empty() {
            return Err(SourceError::Empty { path: path.to_owned() });
        }
        check_packed(path, &reader.buffer)?;
        if opening.framing.is_none() {
            reader.framing = detect(path, &reader.buffer)?;
            reader.framer = Framer::new(reader.framing);
        }
        if reader.framing == Format::Table {
            opening.check_table(path)?;
            reader.read_as_table();
        }
        Ok(reader)
    }

    fn read_as_table(&mut self) {
        self.buffer = self.pieces.read_as_table(&self.buffer);
        self.crc = crc32c::crc32c(&self.buffer);
        self.bytes_read.store(self.buffer.len() as u64, Ordering::Relaxed);
        // Its last row may be left.
        self.has_ended = false;
    }

    /// Whether the bytes so far contain a whole value, which shows the format.
    fn is_decided(&self, framing: Option<Format>) -> bool {
        let framing = framing.or_else(|| detect(&self.path, &self.buffer).ok());
        framing.is_some_and(|framing| Framer::new(framing).next(&self.buffer, true).is_some())
    }

    /// Passes the frames that have come to `each`, from the first one; before the first [`step`](Self::step).
    pub fn look(&self, mut each: impl FnMut(Frame<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        let mut framer = Framer::new(self.framing);
        while let Some(found) = framer.next(self.start(), !self.has_ended) {
            each(found.within(&self.buffer, self.base))?;
        }
        ControlFlow::Continue(())
    }

    /// The start of the input, as far as it has come; empty if it is no longer kept.
    pub fn start(&self) -> &[u8] {
        if self.base == 0 { &self.buffer } else { &[] }
    }

    /// Waits for more to [`look`](Self::look) at; `false`: the input has ended, or it is too much.
    ///
    /// # Errors
    /// When the input cannot be read, and when the wait is stopped.
    pub fn more(&mut self, opening: &Opening<'_>) -> Result<bool, SourceError> {
        while !self.has_ended && self.buffer.len() < START_BYTES {
            opening.check_stop()?;
            if self.fill_enough(LOOK)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Goes to the next frame, if it comes within `wait`.
    ///
    /// # Errors
    /// When the input cannot be read any further.
    pub fn step(&mut self, wait: Duration) -> Result<LiveStep, SourceError> {
        loop {
            self.found = self.framer.next(&self.buffer, !self.has_ended);
            if self.found.is_none() && !self.has_ended {
                self.found = self.end_what_is_too_long()?;
            }
            if self.found.is_some() {
                return Ok(LiveStep::Frame);
            }
            if self.has_ended {
                return Ok(LiveStep::End);
            }
            let done = self.framer.keep_from();
            self.count_lines(done);
            self.lines_to -= done;
            self.buffer.drain(..done);
            self.framer.shift(done);
            self.base += done as u64;
            if !self.fill_enough(wait)? && !self.has_ended {
                return Ok(LiveStep::Nothing);
            }
        }
    }

    /// Takes the bytes that come within `wait`; returns whether any did. What is long and has not ended is looked at
    /// again when it has grown by an eighth, or when no more comes: for each piece, that would take time in
    /// proportion to the square of its length.
    fn fill_enough(&mut self, wait: Duration) -> Result<bool, SourceError> {
        const LONG_BYTES: usize = 256 << 10;
        let length = self.buffer.len();
        let enough = length + if length > LONG_BYTES { length / 8 } else { 0 };
        let mut came = false;
        loop {
            let more = self.fill(if came { Duration::ZERO } else { wait })?;
            came |= more;
            if !more || self.buffer.len() >= enough {
                return Ok(came);
            }
        }
    }

    /// The last frame found.
    pub fn frame(&self) -> Frame<'_> {
        let none = Frame { offset: self.base, bytes: &[], includes: &[] };
        self.found.clone().map_or(none, |found| found.within(&self.buffer, self.base))
    }

    /// The line where the last frame begins, from 1.
    pub fn line(&mut self) -> u64 {
        let start = self.found.as_ref().map_or(0, FoundFrame::start);
        self.count_lines(start);
        self.line_ends + 1
    }

    fn count_lines(&mut self, to: usize) {
        let more = self.buffer.get(self.lines_to..to).unwrap_or_default();
        self.line_ends += memchr_iter(b'\n', more).count() as u64;
        self.lines_to = self.lines_to.max(to);
    }

    /// When the last bytes that had not come before they were looked for came, at the earliest; `None`: all were
    /// there.
    pub fn came_at(&self) -> Option<Instant> {
        self.came_at
    }

    /// CRC-32C of the whole input; `None` before its end.
    pub fn crc(&self) -> Option<u32> {
        self.has_ended.then_some(self.crc)
    }

    pub fn framing(&self) -> Format {
        self.framing
    }

    /// As [`Pieces::cut`].
    pub(super) fn cut(&self) -> Option<u64> {
        self.pieces.cut()
    }

    /// As [`Pieces::table_bytes`].
    pub(super) fn table_bytes(&self) -> Option<u64> {
        self.pieces.table_bytes()
    }

    pub(super) fn storage(&self) -> Storage {
        self.pieces.storage()
    }

    pub(super) fn bytes_read(&self) -> Arc<AtomicU64> {
        self.bytes_read.clone()
    }

    /// Returns an unfinished frame that is longer than a record may be, as far as it goes; the parser rejects
    /// it as too large, or as not JSON.
    fn end_what_is_too_long(&mut self) -> Result<Option<FoundFrame>, SourceError> {
        let kept = self.buffer.len() - self.framer.keep_from();
        match self.framing {
            Format::Pages | Format::List if kept > PAGE_BYTES.max(self.longest) => {
                Err(SourceError::LongPage {
                    path: self.path.clone(),
                    offset: self.base + self.framer.keep_from() as u64,
                    limit: PAGE_BYTES.max(self.longest),
                })
            }
            Format::Lines | Format::PageLines | Format::Table if kept > PAGE_BYTES.max(self.longest) => {
                Ok(self.framer.cut_line(&self.buffer))
            }
            Format::Array | Format::Objects | Format::Script if kept > self.longest => {
                Ok(self.framer.next(&self.buffer, false))
            }
            _ => Ok(None),
        }
    }

    /// Takes the bytes that come within `wait`; returns whether any did.
    fn fill(&mut self, wait: Duration) -> Result<bool, SourceError> {
        let arrival = match self.pieces.next(Duration::ZERO)? {
            Incoming::Nothing if !wait.is_zero() => {
                let arrival = self.pieces.next(wait)?;
                self.nothing_at = Some(Instant::now());
                arrival
            }
            arrival => arrival,
        };
        match arrival {
            Incoming::Bytes(bytes) => {
                // They may also have come since the last wait, between it and this look.
                self.came_at = self.nothing_at.take().or(self.came_at);
                self.crc = crc32c::crc32c_append(self.crc, &bytes);
                self.bytes_read.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                self.buffer.extend_from_slice(&bytes);
                return Ok(true);
            }
            Incoming::Nothing => self.nothing_at = Some(Instant::now()),
            Incoming::End => self.has_ended = true,
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::fd::OwnedFd;
    use std::sync::atomic::AtomicBool;

    use super::*;

    #[test]
    fn what_comes_between_two_looks_did_not_come_before_the_first() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let path = Path::new("-");
        let pieces = Pieces::read(path, Some(OwnedFd::from(reader).into())).unwrap();
        let opening = Opening {
            framing: None,
            tables: true,
            streams: true,
            spool_limit: None,
            max_record_bytes: 1_000,
            stop: &AtomicBool::new(false),
            watch: &|_| {},
        };
        writer.write_all(b"{\"a\":1}\n").unwrap();
        let mut live = LiveReader::open(path, pieces, &opening).unwrap();
        assert_eq!(live.step(LOOK).unwrap(), LiveStep::Frame);
        let after_first = Instant::now();
        assert!(live.came_at().is_none_or(|at| at < after_first));
        assert_eq!(live.step(Duration::from_millis(1)).unwrap(), LiveStep::Nothing);
        let looked = Instant::now();
        writer.write_all(b"{\"a\":2}\n").unwrap();
        // It is there before the next look.
        while live.pieces.is_empty() {
            std::thread::yield_now();
        }
        assert_eq!(live.step(Duration::ZERO).unwrap(), LiveStep::Frame);
        assert!(live.came_at().is_some_and(|at| after_first <= at && at <= looked), "{:?}", live.came_at());
    }
}
