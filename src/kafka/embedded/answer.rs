//! An answer to be written: bytes in memory, with slices of log files between them.
//!
//! Slices are read piece by piece while they are written, so the longest answer to a fetch takes no
//! more memory than a short one.

use std::io::{self, ErrorKind, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use bytes::BytesMut;

use super::log::Slice;
use super::memory::Taken;
use super::request::ConnectionError;

/// Bytes read and written at a time: fits the processor's cache.
const PIECE_BYTES: usize = 256 << 10;

/// A part of an answer.
#[derive(Debug)]
pub(crate) enum Part {
    Bytes(BytesMut),
    Slice(Slice),
}

/// An answer, ready to be written.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    pub parts: Vec<Part>,
    /// Released once the answer is written.
    _memory: Option<Taken<'a>>,
}

impl From<BytesMut> for Answer<'_> {
    fn from(frame: BytesMut) -> Self {
        Self::new(vec![Part::Bytes(frame)])
    }
}

impl<'a> Answer<'a> {
    pub fn new(parts: Vec<Part>) -> Self {
        Self { parts, _memory: None }
    }

    /// Keeps `memory` taken until the answer is written.
    pub fn holding(self, memory: Taken<'a>) -> Self {
        Self { _memory: Some(memory), ..self }
    }

    /// Writes all of it; fails when the client accepts nothing for longer than `stall_max`.
    pub fn write_to(&self, stream: &TcpStream, stall_max: Duration) -> Result<(), ConnectionError> {
        if let [Part::Bytes(frame)] = &self.parts[..] {
            return write_all(stream, frame, stall_max);
        }
        let mut piece = Vec::with_capacity(self.bytes().min(PIECE_BYTES));
        for part in &self.parts {
            let bytes = match part {
                Part::Bytes(bytes) => bytes.len(),
                Part::Slice(slice) => slice.bytes,
            };
            let mut done = 0;
            while done < bytes {
                let next = (bytes - done).min(PIECE_BYTES - piece.len());
                match part {
                    Part::Bytes(bytes) => piece.extend_from_slice(&bytes[done..done + next]),
                    Part::Slice(slice) => slice.read_into(&mut piece, done, next)?,
                }
                done += next;
                if piece.len() == PIECE_BYTES {
                    write_all(stream, &piece, stall_max)?;
                    piece.clear();
                }
            }
        }
        write_all(stream, &piece, stall_max)
    }

    pub fn bytes(&self) -> usize {
        let part = |part: &Part| match part {
            Part::Bytes(bytes) => bytes.len(),
            Part::Slice(slice) => slice.bytes,
        };
        self.parts.iter().map(part).sum()
    }
}

fn write_all(mut stream: &TcpStream, mut bytes: &[u8], stall_max: Duration) -> Result<(), ConnectionError> {
    let mut stalled_since = None;
    while !bytes.is_empty() {
        match stream.write(bytes) {
            Ok(0) => return Err(ConnectionError::Io(ErrorKind::WriteZero.into())),
            Ok(n) => {
                bytes = &bytes[n..];
                stalled_since = None;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if is_timeout(&error) => {
                let since = *stalled_since.get_or_insert_with(Instant::now);
                if since.elapsed() >= stall_max {
                    return Err(ConnectionError::Slow(stall_max));
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Whether a time-out shows as one kind or the other depends on the system.
pub(crate) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
