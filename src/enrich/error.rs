//! Why a file cannot be joined, with messages that say what to do.

use std::path::PathBuf;

use crate::source::SourceError;

/// Each message names the file.
#[derive(Debug, thiserror::Error)]
pub enum EnrichError {
    /// The file cannot be opened or unpacked, or is not in a format that can be read.
    #[error("--enrich")]
    Source(#[source] SourceError),
    /// No bytes, or only white space.
    #[error("--enrich: {path} is empty", path = path.display())]
    Empty { path: PathBuf },
    #[error(
        "--enrich: {path} is not UTF-8 text; save it as CSV in UTF-8 (a spreadsheet: \"save as\"; UTF-16: iconv \
         -f UTF-16 -t UTF-8), or as JSON",
        path = path.display()
    )]
    Binary { path: PathBuf },
    #[error(
        "--enrich: {path} has no column {key}: its columns are {names}; --enrich-key COLUMN names the one with the \
         user's id",
        path = path.display()
    )]
    NoKey { path: PathBuf, key: String, names: String },
    /// No row can be used.
    #[error("--enrich: {path} has no row with a user's id ({reason})", path = path.display())]
    NoRows { path: PathBuf, reason: String },
}
