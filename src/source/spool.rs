//! Writes what cannot be mapped directly to a temporary file without a name: compressed files,
//! standard input, pipes, devices. Limited by the disk, not by memory; the file disappears with the
//! process, however it ends. `TMPDIR` says where it goes.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Write};
use std::path::Path;

use super::SourceError;

/// How the bytes of an input came to be mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// The file itself is mapped.
    Mapped,
    /// Copied to a temporary file.
    Copied,
    /// Unpacked from gzip to a temporary file.
    Gzip,
    /// Unpacked from zstd to a temporary file.
    Zstd,
}

impl Storage {
    /// The storage that an input's first bytes ask for.
    pub fn of(head: &[u8]) -> Option<Storage> {
        if head.starts_with(b"\x1f\x8b") {
            Some(Storage::Gzip)
        } else if head.starts_with(b"\x28\xb5\x2f\xfd") {
            Some(Storage::Zstd)
        } else {
            None
        }
    }
}

/// Longest signature that [`Storage::of`] knows, in bytes.
pub const HEAD_BYTES: usize = 4;

/// Copies all of `input` to a temporary file, unpacking it if it is compressed. Blocks until the
/// input ends.
///
/// # Errors
/// When the input cannot be read or unpacked, or the temporary file cannot be written.
pub fn spool(path: &Path, input: File) -> Result<(File, Storage), SourceError> {
    let read_error = |source| SourceError::Open { path: path.to_owned(), source };
    let mut input = BufReader::with_capacity(COPY_BYTES, input);
    let mut head = Vec::new();
    input.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head).map_err(read_error)?;
    let storage = Storage::of(&head).unwrap_or(Storage::Copied);
    let input = Cursor::new(head).chain(input);
    let file = match storage {
        Storage::Gzip => copy(path, flate2::bufread::MultiGzDecoder::new(input), Some("gzip -dc FILE")),
        Storage::Zstd => {
            copy(path, zstd_decoder(input).map_err(read_error)?, Some("zstd -dc --long=31 FILE"))
        }
        Storage::Mapped | Storage::Copied => copy(path, input, None),
    }?;
    Ok((file, storage))
}

fn zstd_decoder<R: BufRead>(input: R) -> io::Result<zstd::stream::read::Decoder<'static, R>> {
    zstd::stream::read::Decoder::with_buffer(input)
}

const COPY_BYTES: usize = 256 * 1024;

/// `unpacks` is the command that does the same; `None` if nothing is unpacked.
fn copy(path: &Path, mut input: impl Read, unpacks: Option<&'static str>) -> Result<File, SourceError> {
    let folder = std::env::temp_dir();
    let mut written = 0;
    let spool_error = |written, source| {
        let (path, folder) = (path.to_owned(), folder.clone());
        SourceError::Spool { path, folder, written, source }
    };
    let mut output = tempfile::tempfile().map_err(|source| spool_error(0, source))?;
    let mut buffer = vec![0; COPY_BYTES];
    loop {
        let length = match input.read(&mut buffer) {
            Ok(0) => return Ok(output),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(source) => {
                let path = path.to_owned();
                return Err(match unpacks {
                    Some(command) => SourceError::Compressed { path, unpacked: written, command, source },
                    None => SourceError::Open { path, source },
                });
            }
        };
        output.write_all(&buffer[..length]).map_err(|source| spool_error(written, source))?;
        written += length as u64;
    }
}
