//! What can be wrong with an input file, in words that say what to do.

use std::io;
use std::path::PathBuf;

/// Why a file cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The path cannot be opened or mapped.
    #[error("cannot read {path}: {source}", path = path.display())]
    Open {
        /// The file as named by the user.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// A directory was given.
    #[error("{path} is a directory: name one file in it", path = path.display())]
    Directory {
        /// As named by the user.
        path: PathBuf,
    },
    /// A pipe, a device, a socket.
    #[error("{path} is not a regular file and cannot be mapped: save it to a file first", path = path.display())]
    NotAFile {
        /// As named by the user.
        path: PathBuf,
    },
    /// No bytes, or white space only.
    #[error("{path} is empty: there is nothing to replay", path = path.display())]
    Empty {
        /// As named by the user.
        path: PathBuf,
    },
    /// A form that is known but not read yet.
    #[error(
        "{path} looks like {form} (at byte {offset}); this version reads one JSON value a line, one array \
         of tweets, and arrays of {{\"id\", \"tweets\": [...]}}{hint}",
        path = path.display()
    )]
    UnsupportedForm {
        /// As named by the user.
        path: PathBuf,
        /// What it looks like.
        form: &'static str,
        /// Where that shows.
        offset: u64,
        /// What the user can do about it; empty, or starting with a separator.
        hint: &'static str,
    },
}
