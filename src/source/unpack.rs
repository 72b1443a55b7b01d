//! Unpacks an input: gzip, zstd, tar, and these in one another.
//!
//! A tar archive stands for the files in it, one after another. Of data that ends too early, all that is whole
//! comes out, and the end is reported.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use super::detect::{LOOK_BYTES, detect};
use super::gzip::GzipMembers;
use super::looks_like::{Form, TABLE_IN_TAR, packed_in_tar};
use super::storage::{HEAD_BYTES, PIECE_BYTES, Storage};
use super::unwanted::{SkippedFiles, unwanted};
use super::{Format, SourceError, zstd_window};

/// Takes the bytes that come out; `false`: it wants no more.
type Take<'a> = &'a mut dyn FnMut(Vec<u8>) -> bool;

/// Unpacks one input.
pub(super) struct Unpacker<'a> {
    path: &'a Path,
    take: Take<'a>,
    /// Bytes that have come out.
    unpacked: u64,
    /// The last of them.
    last: Option<u8>,
    has_left: bool,
}

impl<'a> Unpacker<'a> {
    pub fn new(path: &'a Path, take: Take<'a>) -> Self {
        Self { path, take, unpacked: 0, last: None, has_left: false }
    }

    /// Unpacks all of `input`, which is stored like this.
    ///
    /// # Errors
    /// When it cannot be read or unpacked; [`SourceError::Cut`] when it only ends too early.
    pub fn run<'r>(mut self, storage: Storage, input: Box<dyn BufRead + 'r>) -> Result<(), SourceError> {
        match storage {
            Storage::Mapped | Storage::Copied => self.copy(input, None),
            Storage::Tar => self.files(input, "tar xOf FILE"),
            Storage::Gzip | Storage::Zstd => {
                let command = command(storage);
                let (inner, unpacked) = opened(self.decoder(storage, input)?);
                match inner.map_err(|source| self.broken(Some(command), source))? {
                    Some(Storage::Tar) => self.files(unpacked, "tar xOf FILE"),
                    _ => self.copy(unpacked, Some(command)),
                }
            }
        }
    }

    fn decoder<'r>(
        &self,
        storage: Storage,
        input: Box<dyn BufRead + 'r>,
    ) -> Result<Box<dyn BufRead + 'r>, SourceError> {
        match storage {
            Storage::Gzip => {
                Ok(Box::new(BufReader::with_capacity(PIECE_BYTES, GzipMembers::new(self.path, input))))
            }
            _ => {
                let decoder = zstd_window::decoder(self.path, input);
                let decoder = decoder.map_err(|source| self.broken(Some(command(storage)), source))?;
                Ok(Box::new(BufReader::with_capacity(PIECE_BYTES, decoder)))
            }
        }
    }

    /// The files in an archive. `command` extracts them.
    fn files(&mut self, input: Box<dyn BufRead + '_>, command: &'static str) -> Result<(), SourceError> {
        let ended = Cell::new(false);
        let mut archive = tar::Archive::new(NotingEnd { input, ended: &ended });
        // Archives may have been joined.
        archive.set_ignore_zeros(true);
        let (mut skipped, mut cut) = (SkippedFiles::default(), None);
        for entry in archive.entries().map_err(|source| self.broken(Some(command), source))? {
            let entry = match entry {
                Ok(entry) => entry,
                Err(source) => {
                    let kind = if ended.get() { io::ErrorKind::UnexpectedEof } else { source.kind() };
                    return Err(self.broken(Some(command), io::Error::new(kind, source)));
                }
            };
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let name = entry.path().map_or_else(|_| PathBuf::from("?"), |name| name.into_owned());
            match self.member(&name, entry.size(), entry) {
                Ok(None) => skipped.read += 1,
                Ok(Some(why)) => skipped.add(&name, why),
                // The others may be whole.
                Err(error @ SourceError::Cut { .. }) => cut = cut.or(Some(error)),
                Err(error) => return Err(error),
            }
            if self.has_left {
                return Ok(());
            }
        }
        skipped.remark(self.path);
        match cut {
            Some(error) => Err(error),
            None if skipped.read == 0 => {
                Err(SourceError::NoFiles { path: self.path.to_owned(), skipped: skipped.words() })
            }
            None => Ok(()),
        }
    }

    /// One file of an archive; returns why it was skipped.
    fn member(
        &mut self,
        name: &Path,
        size: u64,
        input: impl Read,
    ) -> Result<Option<&'static str>, SourceError> {
        if let Some(why) = unwanted(name) {
            return Ok(Some(why));
        }
        if size == 0 {
            return Ok(Some("empty"));
        }
        const COMMAND: &str = "tar xOf FILE";
        let (storage, input) = opened(Box::new(BufReader::with_capacity(PIECE_BYTES, input)));
        let storage = storage.map_err(|source| self.broken(Some(COMMAND), source))?;
        let command = storage.map_or(COMMAND, command);
        let mut input = match storage {
            Some(storage @ (Storage::Gzip | Storage::Zstd)) => self.decoder(storage, input)?,
            Some(_) => {
                return Err(
                    self.unsupported(("a tar archive of tar archives", "; unpack it first: tar xf FILE"))
                );
            }
            None => input,
        };
        let mut head = Vec::new();
        let looked = input.by_ref().take(LOOK_BYTES as u64).read_to_end(&mut head);
        if let Some(form) = packed_in_tar(&head) {
            return Err(self.unsupported(form));
        }
        match detect(name, &head) {
            _ if looked.is_err() => {}
            // Files of an archive are read as one.
            Ok(Format::Table) => return Ok(Some(TABLE_IN_TAR)),
            Ok(_) => {}
            Err(error) => {
                if let Some(why) = error.is_no_input() {
                    return Ok(Some(why));
                }
            }
        }
        if self.last.is_some_and(|last| last != b'\n') {
            self.pass(b"\n".to_vec());
        }
        self.pass(head);
        looked.map_err(|source| self.broken(Some(command), source))?;
        self.copy(input, Some(command))?;
        Ok(None)
    }

    fn unsupported(&self, (form, hint): Form) -> SourceError {
        SourceError::UnsupportedForm { path: self.path.to_owned(), form, line: 1, offset: 0, hint }
    }

    /// `unpacks` is the command that does the same; `None` if nothing is unpacked.
    fn copy(&mut self, mut input: impl Read, unpacks: Option<&'static str>) -> Result<(), SourceError> {
        let mut buffer = vec![0; PIECE_BYTES];
        while !self.has_left {
            match input.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => self.pass(buffer[..length].to_vec()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(self.broken(unpacks, source)),
            }
        }
        Ok(())
    }

    fn pass(&mut self, bytes: Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        self.unpacked += bytes.len() as u64;
        self.last = bytes.last().copied();
        self.has_left |= !(self.take)(bytes);
    }

    fn broken(&self, unpacks: Option<&'static str>, source: io::Error) -> SourceError {
        let (path, unpacked) = (self.path.to_owned(), self.unpacked);
        match unpacks {
            None => SourceError::Open { path, source },
            Some(_) if source.kind() == io::ErrorKind::UnexpectedEof && unpacked > 0 => {
                SourceError::Cut { path, unpacked }
            }
            Some(command) => SourceError::Compressed { path, unpacked, command, source },
        }
    }
}

/// Notes when its input has ended.
struct NotingEnd<'a, R> {
    input: R,
    ended: &'a Cell<bool>,
}

impl<R: Read> Read for NotingEnd<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer);
        self.ended.set(matches!(read, Ok(0)) && !buffer.is_empty());
        read
    }
}

/// Gives an error that came before it could be told.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// The command that unpacks an input that is stored like this.
fn command(storage: Storage) -> &'static str {
    match storage {
        Storage::Gzip => "gzip -dc FILE",
        Storage::Zstd => "zstd -dc --long=31 FILE",
        _ => "cat FILE",
    }
}

/// How an input is stored, and the input. Waits for as few bytes as that takes.
pub(super) fn opened<'r>(
    mut input: Box<dyn BufRead + 'r>,
) -> (io::Result<Option<Storage>>, Box<dyn BufRead + 'r>) {
    let mut head = Vec::new();
    let mut buffer = [0; HEAD_BYTES];
    let storage = loop {
        if Storage::is_decided(&head) {
            break Ok(Storage::of(&head));
        }
        match input.read(&mut buffer[head.len()..]) {
            Ok(0) => break Ok(Storage::of(&head)),
            Ok(length) => head.extend_from_slice(&buffer[head.len()..][..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // What has come is read first.
            Err(error) if !head.is_empty() => {
                input = Box::new(BufReader::new(Failing(Some(error))));
                break Ok(Storage::of(&head));
            }
            Err(error) => break Err(error),
        }
    };
    (storage, Box::new(Cursor::new(head).chain(input)))
}
