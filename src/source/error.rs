//! What can be wrong with an input file, with messages that say what to do.

use std::io;
use std::path::{Path, PathBuf};

use indicatif::HumanCount;

use super::looks_like::has_no_tweets;
use super::table::NoHeader;

/// What this version can read, for the end of a message.
const READ: &str = "tweetblast reads tweets in JSON: one value per line, arrays, objects that hold a list (statuses,\n  \
     results, data, tweets), objects one after another, account archives (tweets.js); plain, gzip, zstd or tar.\n  \
     It reads tables (CSV, TSV) with a header and at least one row.";

/// Why a file cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("cannot read {path}", path = name(path))]
    Open {
        /// The file as named by the user.
        path: PathBuf,
        source: io::Error,
    },
    #[error("{path} is a directory: name a file in it", path = name(path))]
    Directory { path: PathBuf },
    /// No bytes, or only white space.
    #[error("{path} is empty: there is nothing to replay", path = name(path))]
    Empty { path: PathBuf },
    /// The compressed data is broken, or ends too early.
    #[error(
        "cannot unpack more than {} bytes of {path} (`{} | tweetblast -` replays these)",
        HumanCount(*unpacked),
        self::command(path, command),
        path = name(path)
    )]
    Compressed {
        path: PathBuf,
        unpacked: u64,
        /// The command that unpacks such a file, even a broken one.
        command: &'static str,
        source: io::Error,
    },
    /// The compressed data ends too early; all that is whole can be replayed.
    #[error(
        "{path} was cut: its data ends too early, and what came after the first {} bytes, unpacked, is not there",
        HumanCount(*unpacked), path = name(path)
    )]
    Cut { path: PathBuf, unpacked: u64 },
    /// An archive in which no file is read.
    #[error("{path} is an archive without a file to replay: skipped {skipped}", path = name(path))]
    NoFiles { path: PathBuf, skipped: String },
    /// The temporary file for what cannot be mapped could not be written.
    #[error(
        "{path} has to be copied to a temporary file in {folder}, and that failed after {} bytes; make \
         room there, or set TMPDIR to a folder with more",
        HumanCount(*written), path = name(path), folder = folder.display()
    )]
    Spool { path: PathBuf, folder: PathBuf, written: u64, source: io::Error },
    /// The temporary copy would be larger than allowed.
    #[error(
        "{path} has to be copied to a temporary file in {folder} for this order, and is larger than the {limit} \
         bytes allowed there; raise --spool-limit, set TMPDIR to another folder, or use --order window or file, \
         which need no copy",
        path = path.display(), folder = folder.display()
    )]
    SpoolLimit { path: PathBuf, folder: PathBuf, limit: u64 },
    /// A page that is too large for memory.
    #[error(
        "{path}: the page of tweets at byte {offset} is longer than the {limit} bytes that a stream \
         may hold in memory; --order time copies the input to a temporary file first",
        path = path.display()
    )]
    LongPage { path: PathBuf, offset: u64, limit: usize },
    /// The reading thread cannot be started.
    #[error("cannot start a thread to read {path}", path = path.display())]
    Thread { path: PathBuf, source: io::Error },
    /// Another program cut the end of the file off while it was replayed.
    #[error(
        "{path} was shortened by another program while it was replayed; replay a copy that nothing writes to",
        path = name(path)
    )]
    Shortened { path: PathBuf },
    /// The user stopped it.
    #[error("stopped while the input was read")]
    Stopped,
    /// A table whose columns have no names.
    #[error(
        "{path} looks like a table without a header: its first row is {row}\n  name its columns on the way: ({names}; {}) | \
         tweetblast -\n  or, if these are the names: --format csv",
        printed(.path), path = name(path), row = .why.row, names = .why.command
    )]
    NoHeader { path: PathBuf, why: NoHeader },
    /// No tweets in a format that can be read.
    #[error("{path} looks like {form}{}{}", at(*.line, *.offset), todo(.path, .hint), path = name(path))]
    UnsupportedForm {
        path: PathBuf,
        form: &'static str,
        line: u64,
        offset: u64,
        /// What the user can type, with FILE for the path; empty, or starting with a separator.
        hint: &'static str,
    },
}

impl SourceError {
    /// Why a file is not meant to be replayed if it is one of several in a folder or an archive; `None`: its
    /// tweets would be missing.
    pub fn is_no_input(&self) -> Option<&'static str> {
        match self {
            SourceError::Empty { .. } => Some("empty"),
            SourceError::NoHeader { .. } => Some("a table without a header"),
            SourceError::UnsupportedForm { form, hint, .. } => has_no_tweets(form, hint).then_some(*form),
            _ => None,
        }
    }
}

/// A file as a message names it.
pub(super) fn name(path: &Path) -> String {
    match path.to_str() {
        Some("-") => "standard input".to_owned(),
        _ => path.display().to_string(),
    }
}

/// Where it was seen, unless at the very start.
fn at(line: u64, offset: u64) -> String {
    if offset == 0 {
        String::new()
    } else {
        format!(" (line {}, byte {})", HumanCount(line), HumanCount(offset))
    }
}

/// What to do about a file that is not read; where nothing is known, what is read.
fn todo(path: &Path, hint: &str) -> String {
    match hint {
        "" => format!("\n  {READ}"),
        hint => command(path, hint),
    }
}

/// A command for this path. Most programs read standard input if no file is named; the others need a file.
fn command(path: &Path, words: &str) -> String {
    if path.as_os_str() != "-" {
        return words.replace("FILE", &quoted(&path.display().to_string()));
    }
    match ["unzip", "7z", "unrar"].iter().any(|program| words.contains(program)) {
        true => format!("; save it to a file first{words}"),
        false => words.replace("tar xOf FILE", "tar xOf -").replace(" <FILE", "").replace(" FILE", ""),
    }
}

/// The command that prints a file, unpacked.
fn printed(path: &Path) -> String {
    let program = match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => "gzip -dc",
        Some("zst") => "zstd -dc",
        _ => "cat",
    };
    command(path, &format!("{program} FILE"))
}

/// A path as a shell takes it.
fn quoted(path: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./+,".contains(&byte);
    match path.bytes().all(is_plain) {
        true => path.to_owned(),
        false => format!("'{}'", path.replace('\'', r"'\''")),
    }
}
