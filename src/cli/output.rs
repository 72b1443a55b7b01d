//! Files that are written: opened before anything starts, so that what cannot be written is known at
//! once, and never over the input or over a file that is not ours.

use std::cell::Cell;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;

use super::exit::UsageError;
use crate::options::DeadLetterFile;

/// A file, or standard output.
pub(super) struct Output {
    /// `None`: standard output.
    file: Option<(PathBuf, Arc<File>)>,
    /// Made by us, with nothing in it yet: removed when it stays so.
    is_new: Cell<bool>,
}

impl Output {
    pub fn stdout() -> Self {
        Self { file: None, is_new: Cell::new(false) }
    }

    /// Opens a file that `flag` names.
    ///
    /// # Errors
    /// When it is one of the inputs or lies in one; when it is there already, unless `force` is set;
    /// when it cannot be written.
    pub fn create(flag: &str, path: &Path, inputs: &[PathBuf], force: bool) -> anyhow::Result<Self> {
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
        let was_there = path.exists();
        let mut open = OpenOptions::new();
        match force {
            true => open.write(true).create(true).truncate(true),
            false => open.write(true).create_new(true),
        };
        let hint = if !force && was_there { " (it is there already: --force writes over it)" } else { "" };
        let file =
            open.open(path).with_context(|| format!("cannot write {} ({flag}){hint}", path.display()))?;
        Ok(Self { file: Some((path.to_owned(), Arc::new(file))), is_new: Cell::new(!was_there) })
    }

    /// Leaves the file where it is, even with nothing in it.
    pub fn keep(&self) {
        self.is_new.set(false);
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
    /// A run that did not start leaves nothing behind that the next one would stumble over.
    fn drop(&mut self) {
        if let Some((path, _)) = self.file.as_ref().filter(|_| self.is_new.get()) {
            let _ = std::fs::remove_file(path);
        }
    }
}
