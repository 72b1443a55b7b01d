//! The directory that holds the logs: created, marked as ours, locked against a second process,
//! and, if it is temporary, removed at the end.
//!
//! ```text
//! DIR/lock                     held while an endpoint works here
//! DIR/tweetblast-kafka         the marker; also how far producer ids have been given out
//! DIR/manifest                 which partitions and offsets should be there
//! DIR/topics/NAME/0/….log      one directory a partition, empty ones too: their number is the count
//! DIR/groups                   what consumer groups have committed
//! DIR/tmp/                     topics being created or removed
//! ```
//!
//! The marker is written after the lock is taken. So a directory with a marker and a free lock is
//! not in use, and a temporary one may be removed.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::dir_lock::DirLock;
use super::error::EndpointError;
use super::manifest::Manifest;

/// Name prefix of temporary directories, under the system's temporary folder.
pub(crate) const TEMP_PREFIX: &str = "tweetblast-kafka-";
const LOCK_FILE: &str = "lock";
const MARKER_FILE: &str = "tweetblast-kafka";
const MARKER_TITLE: &str = "tweetblast embedded Kafka endpoint, format 2";
/// Without a manifest.
const MARKER_TITLE_1: &str = "tweetblast embedded Kafka endpoint, format 1";
const MARKER_IDS: &str = "producer ids below this may be in use: ";

/// The directory, locked for the lifetime of this value.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    temporary: bool,
    _lock: DirLock,
}

fn storage(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> EndpointError {
    let path = path.to_owned();
    move |source| EndpointError::Storage { action, path, source }
}

impl DataDir {
    /// Opens or creates the given directory.
    pub fn open(path: &Path) -> Result<Self, EndpointError> {
        fs::create_dir_all(path).map_err(storage("create", path))?;
        // Checked before anything is written: a directory that is not ours stays unchanged.
        if !path.join(MARKER_FILE).exists() {
            for entry in fs::read_dir(path).map_err(storage("read", path))? {
                if entry.map_err(storage("read", path))?.file_name() != LOCK_FILE {
                    return Err(EndpointError::ForeignDir { dir: path.to_owned() });
                }
            }
        }
        Self::take(path.to_owned(), false)
    }

    /// Creates a temporary one, after removing those that killed processes left.
    pub fn temporary() -> Result<Self, EndpointError> {
        let parent = std::env::temp_dir();
        let made = tempfile::Builder::new()
            .prefix(TEMP_PREFIX)
            // The temporary folder is everybody's; the messages are not.
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(&parent)
            .map_err(storage("create a directory in", &parent))?;
        remove_left_behind(&parent, made.path());
        Self::take(made.keep(), true)
    }

    fn take(path: PathBuf, temporary: bool) -> Result<Self, EndpointError> {
        let lock_path = path.join(LOCK_FILE);
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&lock_path)
            .map_err(storage("open", &lock_path))?;
        let _lock = match DirLock::take(lock) {
            Ok(lock) => lock,
            Err(TryLockError::WouldBlock) => return Err(EndpointError::DirInUse { dir: path }),
            Err(TryLockError::Error(e)) => return Err(storage("lock", &lock_path)(e)),
        };
        let dir = Self { path, temporary, _lock };
        for sub in [dir.topics(), dir.scratch()] {
            fs::create_dir_all(&sub).map_err(storage("create", &sub))?;
        }
        if !dir.path.join(MARKER_FILE).exists() {
            dir.save_manifest(&Manifest::default(), true)?;
            dir.save_producer_ids(0)?;
        }
        Ok(dir)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Holds a directory for each topic.
    pub fn topics(&self) -> PathBuf {
        self.path.join("topics")
    }

    /// For directories that must appear or vanish as a whole, by a rename.
    pub fn scratch(&self) -> PathBuf {
        self.path.join("tmp")
    }

    /// Producer ids below this may have been given out.
    pub fn load_producer_ids(&self) -> Result<i64, EndpointError> {
        let path = self.path.join(MARKER_FILE);
        let text = fs::read_to_string(&path).map_err(storage("read", &path))?;
        let damaged =
            |reason: &str| EndpointError::DamagedMarker { path: path.clone(), reason: reason.to_owned() };
        let mut lines = text.lines();
        if !matches!(lines.next(), Some(MARKER_TITLE | MARKER_TITLE_1)) {
            return Err(damaged("written by another version"));
        }
        lines
            .next()
            .and_then(|line| line.strip_prefix(MARKER_IDS)?.parse().ok())
            .filter(|&ids| ids >= 0)
            .ok_or_else(|| damaged("no number of producer ids"))
    }

    /// Records that ids below `ids` may be in use. Replaces the marker as a whole, and synced: even
    /// after a loss of power no id may be given out again.
    pub fn save_producer_ids(&self, ids: i64) -> Result<(), EndpointError> {
        let (path, new) = (self.path.join(MARKER_FILE), self.scratch().join(MARKER_FILE));
        let save = || {
            let mut file = File::create(&new)?;
            file.write_all(format!("{MARKER_TITLE}\n{MARKER_IDS}{ids}\n").as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, &path)?;
            File::open(&self.path)?.sync_all()
        };
        save().map_err(storage("write", &path))
    }

    /// What should be here; `None`: not known, as an earlier version made the directory, or it is gone and
    /// `repair` continues without it.
    pub fn load_manifest(&self, repair: bool) -> Result<Option<Manifest>, EndpointError> {
        let path = self.path.join(MARKER_FILE);
        let marker = fs::read_to_string(&path).map_err(storage("read", &path))?;
        match Manifest::load(&self.path) {
            Ok(None) if !marker.starts_with(MARKER_TITLE_1) && !repair => {
                let reason = "the list of what should be there is missing".to_owned();
                Err(EndpointError::LostMessages { path: self.path.clone(), reason })
            }
            Err(EndpointError::LostMessages { .. }) if repair => Ok(None),
            loaded => loaded,
        }
    }

    /// Remembers what is here.
    pub fn save_manifest(&self, manifest: &Manifest, sync: bool) -> Result<(), EndpointError> {
        manifest.save(&self.path, &self.scratch(), sync)
    }

    /// Removes the directory if it is a temporary one. Call when nothing writes into it any more.
    pub fn close(mut self) -> Result<(), EndpointError> {
        self.remove()
    }

    fn remove(&mut self) -> Result<(), EndpointError> {
        if std::mem::take(&mut self.temporary) {
            fs::remove_dir_all(&self.path).map_err(storage("remove", &self.path))?;
        }
        Ok(())
    }
}

impl Drop for DataDir {
    fn drop(&mut self) {
        if let Err(error) = self.remove() {
            tracing::warn!(%error, "Kafka endpoint: left its temporary directory behind");
        }
    }
}

/// Removes temporary directories of endpoints that no longer run. What cannot be read or removed
/// belongs to another user and stays; that does not prevent the start.
fn remove_left_behind(parent: &Path, own: &Path) {
    let (Ok(entries), Ok(own_meta)) = (fs::read_dir(parent), fs::symlink_metadata(own)) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        let named = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(TEMP_PREFIX));
        // Of the same user, and not a link: the temporary folder may be shared with strangers.
        let ours = |path: &Path, kind: fn(&fs::FileType) -> bool| {
            fs::symlink_metadata(path)
                .is_ok_and(|meta| kind(&meta.file_type()) && meta.uid() == own_meta.uid())
        };
        if !named
            || path == own
            || !ours(&path, fs::FileType::is_dir)
            || !ours(&path.join(LOCK_FILE), fs::FileType::is_file)
            || !ours(&path.join(MARKER_FILE), fs::FileType::is_file)
        {
            continue;
        }
        let Ok(lock) = OpenOptions::new().write(true).open(path.join(LOCK_FILE)) else { continue };
        let Ok(_lock) = DirLock::take(lock) else { continue };
        match fs::remove_dir_all(&path) {
            Ok(()) => {
                tracing::info!(path = %path.display(), "Kafka endpoint: removed a directory that a killed process left behind")
            }
            // Two starts at once: the other one was faster.
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "Kafka endpoint: cannot remove a directory left behind")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_endpoint_is_kept_out_until_the_first_is_gone() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/b");
        let first = DataDir::open(&path).unwrap();
        assert!(matches!(DataDir::open(&path), Err(EndpointError::DirInUse { dir }) if dir == path));
        first.save_producer_ids(3000).unwrap();
        first.close().unwrap();
        assert_eq!(DataDir::open(&path).unwrap().load_producer_ids().unwrap(), 3000);
    }

    #[test]
    fn a_foreign_directory_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("thesis.tex"), "…").unwrap();
        let refused = DataDir::open(dir.path());
        assert!(matches!(refused, Err(EndpointError::ForeignDir { .. })));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_start_that_was_killed_before_the_marker_does_not_block_the_next() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(LOCK_FILE), "").unwrap();
        DataDir::open(dir.path()).unwrap();
    }

    #[test]
    fn a_temporary_directory_is_for_its_owner_alone() {
        let dir = DataDir::temporary().unwrap();
        let mode = fs::metadata(dir.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn a_manifest_may_be_missing_only_where_an_earlier_version_made_none() {
        let parent = tempfile::tempdir().unwrap();
        let dir = DataDir::open(parent.path()).unwrap();
        assert_eq!(dir.load_manifest(false).unwrap(), Some(Manifest::default()));
        let manifest = parent.path().join("manifest");
        fs::write(&manifest, "").unwrap();
        assert!(matches!(dir.load_manifest(false), Err(EndpointError::LostMessages { .. })));
        assert_eq!(dir.load_manifest(true).unwrap(), None);
        fs::remove_file(&manifest).unwrap();
        assert!(matches!(dir.load_manifest(false), Err(EndpointError::LostMessages { .. })));
        assert_eq!(dir.load_manifest(true).unwrap(), None);
        fs::write(parent.path().join(MARKER_FILE), format!("{MARKER_TITLE_1}\n{MARKER_IDS}9\n")).unwrap();
        assert_eq!((dir.load_manifest(false).unwrap(), dir.load_producer_ids().unwrap()), (None, 9));
    }

    #[test]
    fn a_damaged_marker_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        DataDir::open(dir.path()).unwrap();
        for text in
            ["", "something else", &format!("{MARKER_TITLE}\n"), &format!("{MARKER_TITLE}\n{MARKER_IDS}-5\n")]
        {
            fs::write(dir.path().join(MARKER_FILE), text).unwrap();
            let opened = DataDir::open(dir.path()).unwrap();
            let damaged = opened.load_producer_ids();
            assert!(matches!(damaged, Err(EndpointError::DamagedMarker { .. })), "{text:?}");
        }
    }

    #[test]
    fn only_directories_left_behind_by_a_kill_are_removed() {
        let parent = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let path = parent.path().join(name);
            drop(DataDir::open(&path).unwrap());
            path
        };
        let own = make(&format!("{TEMP_PREFIX}own"));
        let dead = make(&format!("{TEMP_PREFIX}dead"));
        let other = make("other");
        let alive = parent.path().join(format!("{TEMP_PREFIX}alive"));
        let _holder = DataDir::open(&alive).unwrap();
        let unmarked = parent.path().join(format!("{TEMP_PREFIX}unmarked"));
        fs::create_dir(&unmarked).unwrap();
        fs::write(unmarked.join(LOCK_FILE), "").unwrap();
        let link = parent.path().join(format!("{TEMP_PREFIX}link"));
        std::os::unix::fs::symlink(&other, &link).unwrap();

        remove_left_behind(parent.path(), &own);
        assert!(!dead.exists());
        for kept in [own, other, alive, unmarked, link] {
            assert!(kept.exists(), "{}", kept.display());
        }
    }
}
