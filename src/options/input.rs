//! What is read, which tweets of it are sent, and in which order.

use std::path::PathBuf;

use crate::source::Format;
use crate::tweet::{ParserOptions, Path};

/// The input of a replay.
#[derive(Debug, Clone)]
pub struct InputOptions {
    /// Files, and folders with files; several are merged by time.
    pub files: Vec<PathBuf>,
    /// The format of all files; `None`: detected for each file.
    pub framing: Option<Format>,
    /// What the records are; `None`: found out from the first ones.
    pub form: Option<InputForm>,
    /// Where the key of events is; `None`: found out.
    pub key_from: Option<Path>,
    /// How records are read.
    pub parser: ParserOptions,
    /// Largest length of one frame, in bytes; a longer one is a reject.
    pub max_record_bytes: usize,
    /// Largest temporary copy of an input that cannot be mapped, in bytes; `None`: half of what is free there.
    pub spool_limit: Option<u64>,
    /// Tables to join to the tweets of each user.
    pub enrich: Enrich,
    pub select: Select,
    /// In which order; `None`: by time, and shuffled where there are no times.
    pub order: Option<OrderBy>,
    /// For the shuffle, which there must be if it is given.
    pub seed: Option<u64>,
}

impl Default for InputOptions {
    fn default() -> Self {
        Self {
            files: Vec::new(),
            framing: None,
            form: None,
            key_from: None,
            parser: ParserOptions::default(),
            max_record_bytes: DEFAULT_MAX_RECORD_BYTES,
            spool_limit: None,
            enrich: Enrich::default(),
            select: Select::default(),
            order: None,
            seed: None,
        }
    }
}

/// What records are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputForm {
    Tweets,
    /// Any records that have a time.
    Events,
}

/// Tweets that wait to be sorted if there is no phase one. Saved streams step back by about a
/// second; the whole of Twitter was 6,000 per second.
pub const DEFAULT_WINDOW: usize = 10_000;

/// Largest length of one frame of the input, in bytes.
pub const DEFAULT_MAX_RECORD_BYTES: usize = 16 << 20;

/// Tables to join to the tweets of each user.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Enrich {
    /// Tables of users, in CSV or JSON.
    pub files: Vec<PathBuf>,
    /// Column with the user's id; `None`: one of the usual names.
    pub key: Option<String>,
}

/// Which tweets of the input are sent, in each loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Select {
    /// Only those written at this time or later, in milliseconds since 1970 UTC.
    pub start_ms: Option<i64>,
    /// Only those written before this time.
    pub end_ms: Option<i64>,
    /// Of several tweets with one id, only the first in the input.
    pub dedup: bool,
    /// Only this many, in the order of sending.
    pub limit: Option<u64>,
}

impl Select {
    /// Whether the selection depends on event times.
    pub fn by_time(&self) -> bool {
        self.start_ms.is_some() || self.end_ms.is_some()
    }
}

/// Order of sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderBy {
    /// Oldest first.
    Time,
    /// As in the file; there is no phase one.
    File,
    /// As in the file, sorted by time within a window of this many tweets.
    Window(usize),
    /// A random permutation.
    Shuffle,
}
