//! Copies an input that cannot be mapped to a temporary file without a name: compressed files,
//! standard input, pipes, devices. Limited by the disk, not by memory; the file disappears with the
//! process, however it ends. `TMPDIR` says where it goes.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use super::SourceError;
use super::detect::{LOOK_BYTES, detect};
use super::opening::{LOOK, Opening, OpeningState};
use super::pieces::{Incoming, Pieces};

/// Copies a whole input to a temporary file. Its first bytes are checked before the rest is copied: a
/// small compressed file may become large, and contain nothing that can be replayed.
///
/// # Errors
/// When the input cannot be read or unpacked, contains no JSON or is larger than the limit, when the
/// temporary file cannot be written, and when the wait is stopped.
pub(super) fn spool(path: &Path, pieces: &mut Pieces, opening: &Opening<'_>) -> Result<File, SourceError> {
    let folder = std::env::temp_dir();
    let spool_error = |written, source| {
        let (path, folder) = (path.to_owned(), folder.clone());
        SourceError::Spool { path, folder, written, source }
    };
    let limit = opening.spool_limit.or_else(|| half_of_free(&folder)).unwrap_or(u64::MAX);
    let mut output = tempfile::tempfile().map_err(|source| spool_error(0, source))?;
    let (mut written, mut waited) = (0, Duration::ZERO);
    let mut head = opening.framing.is_none().then(Vec::new);
    loop {
        opening.check_stop()?;
        let bytes = match pieces.next(LOOK)? {
            Incoming::Bytes(bytes) => bytes,
            Incoming::Nothing => {
                waited += LOOK;
                (opening.watch)(OpeningState::Waiting(waited));
                continue;
            }
            Incoming::End => break,
        };
        waited = Duration::ZERO;
        if let Some(looked_at) = &mut head {
            looked_at.extend_from_slice(&bytes);
            if looked_at.len() >= 2 * LOOK_BYTES {
                check(path, looked_at)?;
                head = None;
            }
        }
        if written + bytes.len() as u64 > limit {
            return Err(SourceError::SpoolLimit { path: path.to_owned(), folder, limit });
        }
        output.write_all(&bytes).map_err(|source| spool_error(written, source))?;
        written += bytes.len() as u64;
        (opening.watch)(OpeningState::Copied(written));
    }
    (opening.watch)(OpeningState::Open);
    Ok(output)
}

/// # Errors
/// When an input with this start contains no JSON, whatever comes after.
fn check(path: &Path, head: &[u8]) -> Result<(), SourceError> {
    match detect(path, head) {
        Err(error @ SourceError::UnsupportedForm { offset, .. }) if offset <= LOOK_BYTES as u64 => Err(error),
        _ => Ok(()),
    }
}

/// Half of the bytes that are free in a folder; `None`: unknown.
fn half_of_free(folder: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(folder).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize) / 2)
}
