//! The note of what is done, written in place: it costs so little that it is written after each report of Kafka.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Its name. In it: the number of the first message that is not done, and the CRC-32C of that.
const POSITION: &str = "position";

/// The note in one folder.
pub(super) struct Position {
    path: PathBuf,
    /// `None` until it is first written.
    file: Option<File>,
    noted: u64,
}

impl Position {
    /// Reads it. What a power cut has left of it in part is not known, and 0: then messages come twice, and none is lost.
    pub fn open(dir: &Path) -> Self {
        let path = dir.join(POSITION);
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        Self { path, file: None, noted: number(&text).unwrap_or(0) }
    }

    /// The number of the first message that is not done, as it was last noted.
    pub fn noted(&self) -> u64 {
        self.noted
    }

    /// Notes which messages are done. On a full disk the old note stays: then messages come twice, and none is lost.
    pub fn note(&mut self, done_to: u64) {
        if self.noted == done_to {
            return;
        }
        // Always of the same length, so that nothing of an older note is left behind it.
        let text = format!("{done_to:020}");
        let line = format!("{text} {:08x}\n", crc32c::crc32c(text.as_bytes()));
        if self.file.is_none() {
            let file = File::options().write(true).create(true).truncate(false).open(&self.path);
            self.file = file.and_then(|file| file.set_len(line.len() as u64).map(|()| file)).ok();
        }
        if self.file.as_ref().is_some_and(|file| file.write_all_at(line.as_bytes(), 0).is_ok()) {
            self.noted = done_to;
        }
    }
}

fn number(text: &str) -> Option<u64> {
    let (number, crc) = text.trim().split_once(' ')?;
    let is_whole = u32::from_str_radix(crc, 16) == Ok(crc32c::crc32c(number.as_bytes()));
    number.parse().ok().filter(|_| is_whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_again_and_one_in_part_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let mut position = Position::open(dir.path());
        assert_eq!(position.noted(), 0);
        for done_to in [7, u64::MAX, 123] {
            position.note(done_to);
            assert_eq!(Position::open(dir.path()).noted(), done_to);
        }
        let path = dir.path().join(POSITION);
        let whole = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 3]).unwrap();
        assert_eq!(Position::open(dir.path()).noted(), 0);
        // As it was written before: of any length.
        std::fs::write(&path, format!("42 {:08x}\n", crc32c::crc32c(b"42"))).unwrap();
        assert_eq!(Position::open(dir.path()).noted(), 42);
        std::fs::write(&path, format!("{whole}of something else")).unwrap();
        Position::open(dir.path()).note(43);
        assert_eq!(Position::open(dir.path()).noted(), 43);
    }
}
