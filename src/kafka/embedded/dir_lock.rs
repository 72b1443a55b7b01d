//! A directory that one process at a time may use.

use std::fs::{File, TryLockError};

/// The lock on a file in it, for the lifetime of this value.
#[derive(Debug)]
pub struct DirLock(File);

impl DirLock {
    /// Locks an open file.
    ///
    /// # Errors
    /// When another process has it, or it cannot be locked.
    pub fn take(file: File) -> Result<Self, TryLockError> {
        file.try_lock()?;
        Ok(Self(file))
    }
}

impl Drop for DirLock {
    /// That the file is closed is not enough: a child process that was started a moment ago has it open until its own
    /// program begins, and would keep the lock.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_free_at_once_also_while_a_child_has_the_file_open() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let open = || File::options().write(true).open(file.path()).unwrap();
        let lock = DirLock::take(open()).unwrap();
        assert!(matches!(DirLock::take(open()), Err(TryLockError::WouldBlock)));
        // As a fork has it.
        let of_child = lock.0.try_clone().unwrap();
        drop(lock);
        assert!(DirLock::take(open()).is_ok());
        drop(of_child);
    }
}
