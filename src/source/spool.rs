//! Copies an input that cannot be mapped to a temporary file without a name: compressed files,
//! standard input, pipes, devices. Limited by the disk, not by memory; the file disappears with the
//! process, however it ends. `TMPDIR` says where it goes.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use super::detect::{LOOK_BYTES, detect};
use super::opening::{LOOK, Opening, OpeningState};
use super::pieces::{Incoming, Pieces};
use super::{Format, SourceError};

/// A whole input in a temporary file.
pub(super) struct Copy {
    pub file: File,
    /// Its format, where that is known.
    pub framing: Option<Format>,
}

/// Copies a whole input to a temporary file; of a table, the JSON lines of its rows. Its first bytes are checked
/// before the rest is copied: a small compressed file may become large, and contain nothing that can be replayed.
///
/// # Errors
/// When the input cannot be read or unpacked, contains nothing that can be replayed or is larger than the limit, when
/// the temporary file cannot be written, and when the wait is stopped.
pub(super) fn spool(path: &Path, pieces: &mut Pieces, opening: &Opening<'_>) -> Result<Copy, SourceError> {
    let folder = std::env::temp_dir();
    let spool_error = |written, source| {
        let (path, folder) = (path.to_owned(), folder.clone());
        SourceError::Spool { path, folder, written, source }
    };
    let limit = opening.spool_limit.or_else(|| half_of_free(&folder)).unwrap_or(u64::MAX);
    let over_limit = || SourceError::SpoolLimit { path: path.to_owned(), folder: folder.clone(), limit };
    let mut file = tempfile::tempfile().map_err(|source| spool_error(0, source))?;
    let mut written = 0;
    let mut write = |bytes: &[u8]| {
        if written + bytes.len() as u64 > limit {
            return Err(over_limit());
        }
        file.write_all(bytes).map_err(|source| spool_error(written, source))?;
        written += bytes.len() as u64;
        (opening.watch)(OpeningState::Copied(written));
        Ok(())
    };
    let mut head = Vec::new();
    while head.len() < 2 * LOOK_BYTES
        && let Some(bytes) = next(pieces, opening)?
    {
        head.extend_from_slice(&bytes);
        if head.len() as u64 > limit {
            return Err(over_limit());
        }
    }
    let framing = checked(path, &head, opening)?;
    match framing {
        Some(Format::Table) => write(&pieces.read_as_table(&head))?,
        _ => write(&head)?,
    }
    drop(head);
    while let Some(bytes) = next(pieces, opening)? {
        write(&bytes)?;
    }
    (opening.watch)(OpeningState::Open);
    Ok(Copy { file, framing })
}

/// The next piece, however long it takes; `None`: there is none.
fn next(pieces: &mut Pieces, opening: &Opening<'_>) -> Result<Option<Vec<u8>>, SourceError> {
    let mut waited = Duration::ZERO;
    loop {
        opening.check_stop()?;
        match pieces.next(LOOK)? {
            Incoming::Bytes(bytes) => return Ok(Some(bytes)),
            Incoming::End => return Ok(None),
            Incoming::Nothing => {
                waited += LOOK;
                (opening.watch)(OpeningState::Waiting(waited));
            }
        }
    }
}

/// The format of an input with this start, as far as it is known.
///
/// # Errors
/// When it contains nothing that can be replayed, whatever comes after, or a table where none is wanted.
fn checked(path: &Path, head: &[u8], opening: &Opening<'_>) -> Result<Option<Format>, SourceError> {
    if opening.framing.is_some() {
        return Ok(opening.framing);
    }
    match detect(path, head) {
        Err(error @ SourceError::NoHeader { .. }) => Err(error),
        Err(error @ SourceError::UnsupportedForm { offset, .. }) if offset <= LOOK_BYTES as u64 => Err(error),
        Ok(Format::Table) => opening.check_table(path).map(|()| Some(Format::Table)),
        // Decided by the whole of it.
        _ => Ok(None),
    }
}

/// Half of the bytes that are free in a folder; `None`: unknown.
fn half_of_free(folder: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(folder).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize) / 2)
}
