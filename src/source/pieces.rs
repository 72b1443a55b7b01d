//! Reads an input that cannot be mapped, on its own thread: a read cannot be stopped, a wait for the thread
//! can. Unpacks gzip and zstd.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, stdin};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::SourceError;
use super::storage::{HEAD_BYTES, Storage};

/// Largest piece.
const PIECE_BYTES: usize = 256 * 1024;

/// Pieces that are read ahead.
const PIECES_AHEAD: usize = 4;

/// The bytes of an input, piece by piece.
#[derive(Debug)]
pub(super) struct Pieces {
    receiver: Receiver<PieceMessage>,
    storage: Storage,
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
        Ok(Self { receiver, storage: Storage::Copied })
    }

    /// The next piece, if it comes within `wait`.
    ///
    /// # Errors
    /// When the input cannot be opened, read or unpacked.
    pub fn next(&mut self, wait: Duration) -> Result<Incoming, SourceError> {
        loop {
            match self.receiver.recv_timeout(wait) {
                Ok(PieceMessage::Begins(storage)) => self.storage = storage,
                Ok(PieceMessage::Bytes(bytes)) => return Ok(Incoming::Bytes(bytes)),
                Ok(PieceMessage::Failed(error)) => return Err(error),
                Err(RecvTimeoutError::Timeout) => return Ok(Incoming::Nothing),
                Err(RecvTimeoutError::Disconnected) => return Ok(Incoming::End),
            }
        }
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
    let mut input = BufReader::with_capacity(PIECE_BYTES, file);
    let mut head = Vec::new();
    input.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head).map_err(read_error)?;
    let storage = Storage::of(&head).unwrap_or(Storage::Copied);
    if sender.send(PieceMessage::Begins(storage)).is_err() {
        return Ok(());
    }
    let input = Cursor::new(head).chain(input);
    match storage {
        Storage::Gzip => {
            send(path, flate2::bufread::MultiGzDecoder::new(input), Some("gzip -dc FILE"), sender)
        }
        Storage::Zstd => {
            send(path, zstd_decoder(input).map_err(read_error)?, Some("zstd -dc --long=31 FILE"), sender)
        }
        Storage::Mapped | Storage::Copied => send(path, input, None, sender),
    }
}

fn zstd_decoder<R: BufRead>(input: R) -> io::Result<zstd::stream::read::Decoder<'static, R>> {
    zstd::stream::read::Decoder::with_buffer(input)
}

/// `unpacks` is the command that does the same; `None` if nothing is unpacked.
fn send(
    path: &Path,
    mut input: impl Read,
    unpacks: Option<&'static str>,
    sender: &Sender<PieceMessage>,
) -> Result<(), SourceError> {
    let (mut buffer, mut unpacked) = (vec![0; PIECE_BYTES], 0);
    loop {
        let length = match input.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(source) => {
                let path = path.to_owned();
                return Err(match unpacks {
                    Some(command) => SourceError::Compressed { path, unpacked, command, source },
                    None => SourceError::Open { path, source },
                });
            }
        };
        unpacked += length as u64;
        if sender.send(PieceMessage::Bytes(buffer[..length].to_vec())).is_err() {
            return Ok(());
        }
    }
}
