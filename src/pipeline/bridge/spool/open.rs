//! What is in the folder at the start.

use std::collections::{BTreeSet, VecDeque};
use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::time::Instant;

use super::Spool;
use super::error::SpoolError;
use super::position::Position;
use super::segment::{FILE_HEAD_BYTES, Next, Segment, SegmentReader, path};
use crate::kafka::embedded::DirLock;
use crate::options::SpoolOptions;

impl Spool {
    /// Opens the folder, or makes it. What a kill cut off is removed: nobody was told that it is safe.
    ///
    /// # Errors
    /// When it cannot be used, another bridge has it, or what is in it is damaged.
    pub fn open(options: SpoolOptions) -> Result<Self, SpoolError> {
        let dir = options.dir.clone();
        let failed = |source| SpoolError::Open { path: dir.clone(), source };
        std::fs::create_dir_all(&dir).map_err(failed)?;
        let lock = File::options().write(true).create(true).truncate(false).open(dir.join("lock"));
        let lock = lock.map_err(failed)?;
        let lock = match DirLock::take(lock) {
            Ok(lock) => lock,
            Err(TryLockError::WouldBlock) => return Err(SpoolError::InUse { path: dir }),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        };
        let mut firsts = firsts(&dir).map_err(failed)?;
        firsts.sort_unstable();
        let position = Position::open(&dir);
        let done_to = position.noted().max(firsts.first().copied().unwrap_or(0));
        let (mut segments, mut reader) = (VecDeque::<Segment>::new(), None);
        let last = firsts.last().copied();
        for first in firsts {
            let path = path(&dir, first);
            if segments.back().is_some_and(|before| before.end() != first) {
                let what = "the file before it is missing, or not whole";
                return Err(SpoolError::Damaged { path, offset: 0, what });
            }
            let Some((segment, at_done)) = scan(&path, first, done_to, Some(first) == last)? else {
                continue;
            };
            if let Some(offset) = at_done {
                reader = Some((first, SegmentReader::open(&path, offset)?));
            }
            segments.push_back(segment);
        }
        let now = Instant::now();
        let next = segments.back().map_or(done_to, |segment| segment.end().max(done_to));
        let mut spool = Self {
            options,
            _lock: lock,
            bytes: segments.iter().map(|segment| segment.bytes).sum(),
            segments,
            // The last file is whole and stays as it is: the next message begins another one.
            writer: None,
            written_at: now,
            is_unsynced: false,
            synced_at: now,
            next,
            cursor: done_to,
            reader,
            done_to,
            done_ahead: BTreeSet::new(),
            position,
            lacks: None,
            full_at: None,
        };
        while spool.segments.front().is_some_and(|first| first.end() <= done_to) {
            spool.remove_first();
        }
        Ok(spool)
    }
}

/// Numbers of the files.
fn firsts(dir: &Path) -> io::Result<Vec<u64>> {
    let mut firsts = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".spool"));
        firsts.extend(number.and_then(|number| number.parse::<u64>().ok()));
    }
    Ok(firsts)
}

/// Reads a file to its end, and where message `wanted` begins in it. `None`: there is nothing in it, and it is removed.
fn scan(
    path: &Path,
    first: u64,
    wanted: u64,
    is_last: bool,
) -> Result<Option<(Segment, Option<u64>)>, SpoolError> {
    let mut reader = SegmentReader::open(path, 0)?;
    let failed = |source| SpoolError::Write { path: path.to_owned(), source };
    if !reader.is_headed(first)? {
        if !is_last {
            return Err(reader.damaged("it ends too early"));
        }
        std::fs::remove_file(path).map_err(failed)?;
        return Ok(None);
    }
    let (mut count, mut at_wanted) = (0, None);
    loop {
        if first + count == wanted {
            at_wanted = Some(reader.offset());
        }
        match reader.next()? {
            Next::Message(_) => count += 1,
            Next::End => break,
            Next::Torn if is_last => {
                let cut = File::options().write(true).open(path).map_err(failed)?;
                cut.set_len(reader.offset()).map_err(failed)?;
                break;
            }
            Next::Torn => return Err(reader.damaged("it ends within a message")),
        }
    }
    if count == 0 && is_last {
        std::fs::remove_file(path).map_err(failed)?;
        return Ok(None);
    }
    let bytes = reader.offset().max(FILE_HEAD_BYTES);
    Ok(Some((Segment { path: path.to_owned(), first, count, bytes }, at_wanted)))
}
