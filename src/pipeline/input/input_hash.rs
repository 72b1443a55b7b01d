//! The checksum of the input, which shows whether two runs replayed the same bytes. Computed after
//! the replay, so that neither its start nor its CPU time includes it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::pipeline::input::files::Files;

/// Bytes read between two checks of the stop flag: a few milliseconds' worth.
const PIECE_BYTES: usize = 16 << 20;

/// Longest time for it once the user wants to leave.
const AFTER_STOP: Duration = Duration::from_secs(1);

/// `crc32c:` and the checksum in hex, over all files in order, unpacked. The CPU has an instruction
/// for it: about 10 GB/s if the files are still in memory. `None` if the user does not want to wait
/// for it, or a file was shortened meanwhile.
pub(crate) fn input_hash(files: &Files, stop: &AtomicBool) -> Option<String> {
    let began = Instant::now();
    let mut crc = 0;
    for (_, file) in files.iter() {
        if let Some(live) = file.live() {
            // The reader has computed it.
            crc = combined(crc, live.crc()?, file.size());
            continue;
        }
        // Bytes that are no longer there have no checksum.
        if file.is_shorter() {
            return None;
        }
        for piece in file.bytes().chunks(PIECE_BYTES) {
            if stop.load(Ordering::Relaxed) && began.elapsed() > AFTER_STOP {
                return None;
            }
            crc = crc32c::crc32c_append(crc, piece);
        }
    }
    Some(format!("crc32c:{crc:08x}"))
}

/// The checksum of bytes with the checksum `before` and `size` more with the checksum `crc`.
fn combined(before: u32, crc: u32, size: u64) -> u32 {
    crc32c::crc32c_combine(before, crc, usize::try_from(size).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::source::{Format, Opening};

    #[test]
    fn it_is_that_of_the_whole_file_and_unknown_when_the_file_was_shortened() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("digits.json");
        // The check value of CRC-32C.
        fs::write(&path, b"123456789").unwrap();
        let (files, stop) = (files(&path), AtomicBool::new(false));
        assert_eq!(input_hash(&files, &stop).as_deref(), Some("crc32c:e3069283"));
        fs::write(&path, b"1234").unwrap();
        assert_eq!(input_hash(&files, &stop), None);
    }

    fn files(path: &std::path::Path) -> Files {
        let lines = Opening::whole(Some(Format::Lines));
        Files::open(&[path.to_owned()], &lines).unwrap()
    }
}
