//! Reads an input that cannot be mapped, on its own thread: a read cannot be stopped, a wait for the thread
//! can.

use std::fs::File;
use std::io::{self, BufReader, stdin};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::storage::PIECE_BYTES;
use super::table::{Sniffed, TableReader, delimiter, sniff};
use super::unpack::{Unpacker, opened};
use super::{SourceError, Storage};

/// Pieces that are read ahead.
const PIECES_AHEAD: usize = 4;

/// The bytes of an input, piece by piece.
#[derive(Debug)]
pub(super) struct Pieces {
    receiver: Receiver<PieceMessage>,
    storage: Storage,
    cut: Option<u64>,
    /// What makes JSON lines of a table.
    table: Option<TableReader>,
    /// Bytes of the table that have come.
    table_bytes: u64,
}

#[derive(Debug)]
enum PieceMessage {
    Begins(Storage),
    Bytes(Vec<u8>),
    Failed(SourceError),
}

/// The result of a wait for an input.
#[derive(Debug)]
pub(super) enum Incoming {
    Bytes(Vec<u8>),
    /// Nothing came during the wait.
    Nothing,
    End,
}

impl Pieces {
    /// Reads `file`; if it is `None`, the thread opens the input first, which waits for the writer of a
    /// FIFO.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn read(path: &Path, file: Option<File>) -> Result<Self, SourceError> {
        let (sender, receiver) = bounded(PIECES_AHEAD);
        let of = path.to_owned();
        let work = move || {
            if let Err(error) = send_all(&of, file, &sender) {
                // If the receiver is gone, no reader is left for the error.
                let _ = sender.send(PieceMessage::Failed(error));
            }
        };
        let started = std::thread::Builder::new().name("input".into()).spawn(work);
        started.map_err(|source| SourceError::Thread { path: path.to_owned(), source })?;
        Ok(Self { receiver, storage: Storage::Copied, cut: None, table: None, table_bytes: 0 })
    }

    /// The next piece, if it comes within `wait`.
    ///
    /// # Errors
    /// When the input cannot be opened, read or unpacked.
    pub fn next(&mut self, wait: Duration) -> Result<Incoming, SourceError> {
        loop {
            match self.receiver.recv_timeout(wait) {
                Ok(PieceMessage::Begins(storage)) => self.storage = storage,
                Ok(PieceMessage::Bytes(bytes)) => {
                    let Some(table) = &mut self.table else { return Ok(Incoming::Bytes(bytes)) };
                    self.table_bytes += bytes.len() as u64;
                    let json = table.push(&bytes);
                    // Nothing: a row that has not ended.
                    if !json.is_empty() {
                        return Ok(Incoming::Bytes(json));
                    }
                }
                // All that is whole has come.
                Ok(PieceMessage::Failed(SourceError::Cut { unpacked, .. })) => self.cut = Some(unpacked),
                Ok(PieceMessage::Failed(error)) => return Err(error),
                Err(RecvTimeoutError::Timeout) => return Ok(Incoming::Nothing),
                Err(RecvTimeoutError::Disconnected) => {
                    let last = self.table.as_mut().map(TableReader::finish).unwrap_or_default();
                    return Ok(if last.is_empty() { Incoming::End } else { Incoming::Bytes(last) });
                }
            }
        }
    }

    /// Reads the input as a table that begins with `head`, all that has come so far: gives the JSON lines of the
    /// rows in it. All that comes later is JSON lines.
    pub fn read_as_table(&mut self, head: &[u8]) -> Vec<u8> {
        let delimiter = match sniff(head) {
            Sniffed::Table(delimiter) => delimiter,
            _ => delimiter(head),
        };
        self.table_bytes = head.len() as u64;
        self.table.insert(TableReader::new(delimiter)).push(head)
    }

    /// Bytes of the table that have come, unpacked; `None`: it is none.
    pub fn table_bytes(&self) -> Option<u64> {
        self.table.as_ref().map(|_| self.table_bytes)
    }

    /// The bytes before the place where the data ends too early, unpacked; `None`: it does not, or its end has not
    /// come.
    pub fn cut(&self) -> Option<u64> {
        self.cut
    }

    /// Whether no piece has come that was not taken.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.receiver.is_empty()
    }

    /// How the input is stored; known with the first piece.
    pub fn storage(&self) -> Storage {
        self.storage
    }
}

/// Standard input.
pub(super) fn standard_input() -> io::Result<File> {
    Ok(File::from(stdin().as_fd().try_clone_to_owned()?))
}

fn send_all(path: &Path, file: Option<File>, sender: &Sender<PieceMessage>) -> Result<(), SourceError> {
    let read_error = |source| SourceError::Open { path: path.to_owned(), source };
    let file = match file {
        Some(file) => file,
        None => File::open(path).map_err(read_error)?,
    };
    let (storage, input) = opened(Box::new(BufReader::with_capacity(PIECE_BYTES, file)));
    let storage = storage.map_err(read_error)?.unwrap_or(Storage::Copied);
    if sender.send(PieceMessage::Begins(storage)).is_err() {
        return Ok(());
    }
    let mut take = |bytes| sender.send(PieceMessage::Bytes(bytes)).is_ok();
    Unpacker::new(path, &mut take).run(storage, input)
}
