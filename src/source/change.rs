//! Whether a file is still the one that was opened: the same file, size and time of change.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use indicatif::HumanCount;

/// A file as it was when it was opened.
#[derive(Debug)]
pub(super) struct Original {
    path: PathBuf,
    /// Standard input, which has no path. Others are asked for by path: of a folder with thousands of
    /// files, not each can be kept open.
    file: Option<File>,
    stamp: Stamp,
}

/// What changes with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    /// Device and inode.
    place: (u64, u64),
    size: u64,
    /// Seconds and nanoseconds since 1970.
    modified: (i64, i64),
}

impl Stamp {
    fn of(found: &Metadata) -> Self {
        Self {
            place: (found.dev(), found.ino()),
            size: found.len(),
            modified: (found.mtime(), found.mtime_nsec()),
        }
    }
}

impl Original {
    /// `None`: not a plain file.
    pub fn of(path: &Path, file: &File, found: &Metadata) -> Option<Self> {
        let file = match path.as_os_str() == "-" {
            true => Some(file.try_clone().ok()?),
            false => None,
        };
        found.is_file().then(|| Self { path: path.to_owned(), file, stamp: Stamp::of(found) })
    }

    fn now(&self) -> io::Result<Stamp> {
        let found = self.file.as_ref().map_or_else(|| std::fs::metadata(&self.path), File::metadata)?;
        Ok(Stamp::of(&found))
    }

    /// What has become of it since then, in words; `None`: nothing.
    pub fn change(&self) -> Option<String> {
        let name = match &self.file {
            Some(_) => "standard input".to_owned(),
            None => self.path.display().to_string(),
        };
        let before = self.stamp;
        match self.now() {
            Ok(now) if now == before => None,
            Ok(now) if now.place == before.place && now.size != before.size => {
                let (before, now) = (HumanCount(before.size), HumanCount(now.size));
                Some(format!("{name} changed during the run, from {before} to {now} bytes"))
            }
            Ok(now) if now.place == before.place => Some(format!("{name} was written to during the run")),
            _ => Some(format!("{name} was replaced or removed during the run")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_size_time_of_change_or_file_is_a_change() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        let original = || {
            std::fs::write(&path, "12345").unwrap();
            let file = File::open(&path).unwrap();
            Original::of(&path, &file, &file.metadata().unwrap()).unwrap()
        };
        let before = original();
        std::fs::read(&path).unwrap();
        assert_eq!(before.change(), None);
        std::fs::write(&path, "123").unwrap();
        assert!(before.change().unwrap().ends_with("a.json changed during the run, from 5 to 3 bytes"));
        let before = original();
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(1);
        File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
        assert!(before.change().unwrap().ends_with("a.json was written to during the run"));
        let before = original();
        std::fs::rename(&path, dir.path().join("b.json")).unwrap();
        assert!(before.change().unwrap().ends_with("a.json was replaced or removed during the run"));
        assert!(
            Original::of(dir.path(), &File::open(dir.path()).unwrap(), &dir.path().metadata().unwrap())
                .is_none()
        );
    }
}
