//! A file of the spool: `NUMBER.spool`, with the number of its first message in its name and at its start.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::error::SpoolError;
use super::record::{HEAD_BYTES, decode, head};
use crate::pipeline::bridge::message::BridgeMessage;

const MAGIC: &[u8; 8] = b"tbspool1";

/// Magic and number.
pub(super) const FILE_HEAD_BYTES: u64 = 16;

/// Bytes read at a time.
const READ_BYTES: usize = 256 << 10;

/// What is known of a file.
#[derive(Debug)]
pub(super) struct Segment {
    pub path: PathBuf,
    /// Number of its first message.
    pub first: u64,
    pub count: u64,
    pub bytes: u64,
}

impl Segment {
    /// Number of the message after its last.
    pub fn end(&self) -> u64 {
        self.first + self.count
    }
}

pub(super) fn path(dir: &Path, first: u64) -> PathBuf {
    dir.join(format!("{first:020}.spool"))
}

pub(super) fn file_head(first: u64) -> [u8; FILE_HEAD_BYTES as usize] {
    let mut bytes = [0; FILE_HEAD_BYTES as usize];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..].copy_from_slice(&first.to_be_bytes());
    bytes
}

/// Reads messages from a file, in order.
pub(super) struct SegmentReader {
    path: PathBuf,
    file: BufReader<File>,
    offset: u64,
}

/// What comes next in a file.
pub(super) enum Next {
    Message(BridgeMessage),
    /// The file ends here.
    End,
    /// It ends within a message: a kill came while it was written.
    Torn,
}

impl SegmentReader {
    /// Begins at this offset.
    pub fn open(path: &Path, offset: u64) -> Result<Self, SpoolError> {
        let failed = |source| SpoolError::Read { path: path.to_owned(), source };
        let mut file = BufReader::with_capacity(READ_BYTES, File::open(path).map_err(failed)?);
        file.seek(SeekFrom::Start(offset)).map_err(failed)?;
        Ok(Self { path: path.to_owned(), file, offset })
    }

    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Reads the head of the file. `false`: it is not all there.
    pub fn is_headed(&mut self, first: u64) -> Result<bool, SpoolError> {
        let mut bytes = [0; FILE_HEAD_BYTES as usize];
        if !self.fill(&mut bytes)? {
            return Ok(false);
        }
        self.offset = FILE_HEAD_BYTES;
        match bytes == file_head(first) {
            true => Ok(true),
            false => Err(self.damaged("it does not begin as a file of the spool does")),
        }
    }

    /// The next message.
    pub fn next(&mut self) -> Result<Next, SpoolError> {
        let mut bytes = [0; HEAD_BYTES];
        if self.is_at_end()? {
            return Ok(Next::End);
        }
        if !self.fill(&mut bytes)? {
            return Ok(Next::Torn);
        }
        let Some((length, crc)) = head(bytes) else {
            return Err(self.damaged("the length of a message is wrong"));
        };
        let mut body = vec![0; length];
        if !self.fill(&mut body)? {
            return Ok(Next::Torn);
        }
        if crc32c::crc32c(&body) != crc {
            return Err(self.damaged("the checksum of a message is wrong"));
        }
        let message =
            decode(&Bytes::from(body)).ok_or_else(|| self.damaged("what is there is not a message"))?;
        self.offset += (HEAD_BYTES + length) as u64;
        Ok(Next::Message(message))
    }

    fn is_at_end(&mut self) -> Result<bool, SpoolError> {
        use std::io::BufRead;
        let path = &self.path;
        let read = self.file.fill_buf();
        Ok(read.map_err(|source| SpoolError::Read { path: path.clone(), source })?.is_empty())
    }

    /// Whether so many bytes were there.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<bool, SpoolError> {
        match self.file.read_exact(bytes) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
            Err(source) => Err(SpoolError::Read { path: self.path.clone(), source }),
        }
    }

    pub fn damaged(&self, what: &'static str) -> SpoolError {
        SpoolError::Damaged { path: self.path.clone(), offset: self.offset, what }
    }
}
