//! Files that are written: opened before anything starts, so that what cannot be written is known at
//! once, and never over the input or over a file that is not ours.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::anyhow;

use super::exit::UsageError;
use crate::options::DeadLetterFile;

/// What went wrong where standard output takes nothing.
pub(super) const STDOUT_FAILED: &str = "cannot write to standard output";

/// Whether a path means standard output.
pub(super) fn is_stdout(path: &Path) -> bool {
    ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].iter().any(|name| path == Path::new(name))
}

/// A file, or standard output.
pub(super) struct Output {
    /// `None`: standard output.
    file: Option<(PathBuf, Arc<File>)>,
    /// Whether it was made by us.
    is_ours: bool,
}

/// Files that we created and that are still empty: removed at the end.
static EMPTY_FILES: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn empty_files() -> MutexGuard<'static, Vec<PathBuf>> {
    EMPTY_FILES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes the empty files of a process that exits at once: the next run would find them there already.
pub(super) fn remove_empty_files() {
    for path in empty_files().drain(..) {
        let is_empty = std::fs::metadata(&path).is_ok_and(|found| found.len() == 0);
        if is_empty {
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Output {
    pub fn stdout() -> Self {
        Self { file: None, is_ours: false }
    }

    /// Opens what `flag` names: standard output, a device or a pipe as it is, and a plain file only where it
    /// is not there yet, or `force` is set.
    ///
    /// # Errors
    /// When it is one of the inputs or lies in one; when it is there already; when it cannot be written.
    pub fn create(flag: &str, path: &Path, inputs: &[PathBuf], force: bool) -> anyhow::Result<Self> {
        if is_stdout(path) {
            return Ok(Self::stdout());
        }
        let input = |input: &PathBuf| {
            let is_same = |path: &Path| {
                path.canonicalize().ok().zip(input.canonicalize().ok()).is_some_and(|(a, b)| a == b)
            };
            let folder = path.parent().map(|parent| match parent.as_os_str().is_empty() {
                true => Path::new("."),
                false => parent,
            });
            is_same(path) || (input.is_dir() && folder.is_some_and(is_same))
        };
        if inputs.iter().any(input) {
            let words =
                format!("{flag} {} is the input, or in its folder: name another file", path.display());
            return Err(UsageError::value(words).into());
        }
        let there = std::fs::metadata(path).ok();
        // Only a plain file has something that could be lost; a folder says by itself that it is one.
        let is_device = there.as_ref().is_some_and(|there| !there.is_file() && !there.is_dir());
        let mut open = OpenOptions::new();
        match (is_device, force) {
            (true, _) => open.write(true),
            (false, true) => open.write(true).create(true).truncate(true),
            (false, false) => open.write(true).create_new(true),
        };
        let file = open.open(path).map_err(|error| match (error.kind(), &there) {
            (ErrorKind::AlreadyExists, Some(there)) if there.is_file() => {
                anyhow!("{} is there already ({flag}): --force overwrites it", path.display())
            }
            (ErrorKind::AlreadyExists, Some(there)) if there.is_dir() => {
                UsageError::value(format!("{flag} {} is a folder: name a file", path.display())).into()
            }
            _ => anyhow::Error::new(error).context(format!("cannot write {} ({flag})", path.display())),
        })?;
        let is_ours = there.is_none();
        if is_ours {
            empty_files().push(path.to_owned());
        }
        Ok(Self { file: Some((path.to_owned(), Arc::new(file))), is_ours })
    }

    /// Leaves the file where it is, even with nothing in it.
    pub fn keep(&self) {
        if let Some((path, _)) = &self.file {
            empty_files().retain(|empty| empty != path);
        }
    }

    /// Gives up what is in it so far: a file that was made by us is removed. Whether a part of it stays.
    pub fn give_up(&self) -> bool {
        if let Some((path, _)) = self.file.as_ref().filter(|_| self.is_ours) {
            empty_files().push(path.clone());
        }
        !self.is_ours && self.file.is_some()
    }

    /// In words, for messages.
    pub fn name(&self) -> String {
        self.file.as_ref().map_or("standard output".to_owned(), |(path, _)| path.display().to_string())
    }

    /// For the replay to write to.
    pub fn dead_letters(&self) -> Option<DeadLetterFile> {
        let (path, file) = self.file.as_ref()?;
        Some(DeadLetterFile { path: path.clone(), file: file.clone() })
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.keep();
        match &mut self.file {
            Some((_, file)) => file.write(bytes),
            None => io::stdout().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.file {
            Some((_, file)) => file.flush(),
            None => io::stdout().flush(),
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Some((path, _)) = &self.file {
            let mut empty = empty_files();
            if let Some(at) = empty.iter().position(|empty| empty == path) {
                let _ = std::fs::remove_file(empty.swap_remove(at));
            }
        }
    }
}
