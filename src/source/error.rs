//! What can be wrong with an input file, with messages that say what to do.

use std::io;
use std::path::PathBuf;

/// What this version can read, for the end of a message.
const READ: &str = "tweetblast reads tweets in JSON: one value a line, arrays, objects that hold a list \
     (statuses, results, data, tweets), objects one after another, account archives (tweets.js); plain, \
     gzip or zstd";

/// Why a file cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("cannot read {path}", path = path.display())]
    Open {
        /// The file as named by the user.
        path: PathBuf,
        source: io::Error,
    },
    #[error("{path} is a directory: name a file in it", path = path.display())]
    Directory { path: PathBuf },
    /// No bytes, or only white space.
    #[error("{path} is empty: there is nothing to replay", path = path.display())]
    Empty { path: PathBuf },
    /// The compressed data is broken, or ends too early.
    #[error(
        "{path} cannot be unpacked beyond {unpacked} bytes; unpack what is whole of it, for instance with \
         `{command}`, and replay that",
        path = path.display()
    )]
    Compressed {
        path: PathBuf,
        unpacked: u64,
        /// The command that unpacks such a file, even a broken one.
        command: &'static str,
        source: io::Error,
    },
    /// The temporary file for what cannot be mapped could not be written.
    #[error(
        "{path} has to be copied to a temporary file in {folder}, and that failed after {written} bytes; make \
         room there, or set TMPDIR to a folder with more",
        path = path.display(), folder = folder.display()
    )]
    Spool { path: PathBuf, folder: PathBuf, written: u64, source: io::Error },
    /// No tweets in a format that can be read.
    #[error("{path} looks like {form} (at byte {offset}){hint}; {READ}", path = path.display())]
    UnsupportedForm {
        path: PathBuf,
        form: &'static str,
        offset: u64,
        /// What the user can do about it; empty, or starting with a separator.
        hint: &'static str,
    },
}
