//! What can go wrong with the spool, with messages that say what to do.

use std::io;
use std::path::PathBuf;

/// Why the spool cannot be used, or not any longer.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    #[error("cannot open the spool in {path} (--spool)", path = path.display())]
    Open { path: PathBuf, source: io::Error },
    #[error(
        "the spool in {path} is in use by another bridge; stop that one, or name another folder with --spool",
        path = path.display()
    )]
    InUse { path: PathBuf },
    /// Not by a kill, which only cuts off what nobody was told to be safe.
    #[error(
        "the spool is damaged: {path}, byte {offset}: {what}; move the file out of the folder to continue without the \
         messages in it",
        path = path.display()
    )]
    Damaged { path: PathBuf, offset: u64, what: &'static str },
    #[error("cannot write to the spool: {path}", path = path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot read from the spool: {path}", path = path.display())]
    Read { path: PathBuf, source: io::Error },
}
