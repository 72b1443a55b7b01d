//! Flags that say what is read, and which of it; `inspect` and the replay share them.

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::{Args, ValueEnum};

use super::exit::UsageError;
use super::values;
use crate::options::{DEFAULT_WINDOW, Enrich, InputOptions, OrderBy, Select};
use crate::source::Framing;
use crate::tweet::{FieldMap, ParserOptions, TimeFormat};

#[derive(Debug, Args)]
pub(super) struct InputArgs {
    /// Tweets in JSON: files, or folders for the files in them; several are merged by time. `-` is
    /// standard input [default: ./tweets.json, else ./data/tweets.json]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// How the values are strung together, where it is not found right: lines, page-lines, array,
    /// objects, pages, archive [default: each file is looked at]
    #[arg(long, value_name = "FORM", help_heading = "Input")]
    format: Option<Framing>,
    /// Where the fields of hand-made records are, as paths of names and places:
    /// time=meta.posted,text=body,user=by.0.id,id=nr. What is not mapped is found by its usual names
    #[arg(long, value_name = "FIELD=PATH,...", help_heading = "Input")]
    map: Option<FieldMap>,
    /// How the mapped time is written: s, ms, us or ns for a number; else a pattern such as
    /// "%d/%m/%Y %H:%M:%S" [default: any usual way]
    #[arg(long, value_name = "FORMAT", requires = "map", help_heading = "Input")]
    time_format: Option<TimeFormat>,
    /// Order of sending [default: time; shuffle where the tweets have no times; window for standard
    /// input]. Time and shuffle keep 24 bytes a tweet in memory, time only where the input is not in
    /// order already
    #[arg(long, value_enum, help_heading = "Input")]
    order: Option<OrderFlag>,
    /// Tweets that wait to be put in order with --order window: 80 bytes each in memory
    #[arg(long, value_name = "N", default_value_t = DEFAULT_WINDOW, value_parser = window, help_heading = "Input")]
    window: usize,
    /// For the shuffle: another seed gives another order
    #[arg(long, default_value_t = 1, help_heading = "Input")]
    seed: u64,
    /// Only tweets written at this time or later: 2020-01-31, 2020-01-31T18:00:00Z
    #[arg(long, value_name = "TIME", value_parser = values::event_time, help_heading = "Input")]
    start: Option<i64>,
    /// Only tweets written before this time
    #[arg(long, value_name = "TIME", value_parser = values::event_time, help_heading = "Input")]
    end: Option<i64>,
    /// Of several tweets with one id only the first in the input; keeps up to 18 bytes a tweet more
    /// in memory
    #[arg(long, help_heading = "Input")]
    dedup: bool,
    /// Only the first N in the order of sending, of each loop
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Input")]
    limit: Option<u64>,
    /// Longest value of the input; a longer one is a reject
    #[arg(long, value_name = "SIZE", value_parser = values::size, default_value = "16MiB", help_heading = "Input")]
    max_record: usize,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum OrderFlag {
    /// Oldest first
    Time,
    /// As the input has them, without looking through it first
    File,
    /// Likewise, but put in order as far as --window reaches
    Window,
    /// At random, the same for the same --seed
    Shuffle,
}

fn window(text: &str) -> Result<usize, String> {
    const MOST: usize = 100_000_000;
    text.parse().ok().filter(|n| (1..=MOST).contains(n)).ok_or_else(|| format!("1 to {MOST} tweets"))
}

impl InputArgs {
    /// The files that were named, or the ones by default.
    ///
    /// # Errors
    /// When none is named and there is none. A range without a moment in it is a usage error.
    pub fn files(&self) -> anyhow::Result<Vec<PathBuf>> {
        if self.start.zip(self.end).is_some_and(|(start, end)| start >= end) {
            let nothing = "--start is not before --end: no tweet can lie between them";
            return Err(UsageError::value(nothing).into());
        }
        if !self.files.is_empty() {
            return Ok(self.files.clone());
        }
        const PLACES: [&str; 2] = ["tweets.json", "data/tweets.json"];
        match PLACES.iter().map(Path::new).find(|place| place.exists()) {
            Some(place) => Ok(vec![place.to_owned()]),
            None => bail!(
                "no file given, and neither ./tweets.json nor ./data/tweets.json is there: name a file, or make \
                 one with `tweetblast generate -o tweets.json`"
            ),
        }
    }

    /// The input that they ask for, from `files`.
    pub fn options(self, files: Vec<PathBuf>) -> InputOptions {
        let is_stdin = files.iter().any(|file| file.as_os_str() == "-");
        let fields = self.map.map(|mut map| {
            map.time_format = self.time_format;
            map
        });
        InputOptions {
            files,
            framing: self.format,
            parser: ParserOptions { fields, ..ParserOptions::default() },
            max_record_bytes: self.max_record,
            enrich: Enrich::default(),
            select: Select { start_ms: self.start, end_ms: self.end, dedup: self.dedup, limit: self.limit },
            order: match self.order {
                Some(OrderFlag::Time) => Some(OrderBy::Time),
                Some(OrderFlag::File) => Some(OrderBy::File),
                Some(OrderFlag::Shuffle) => Some(OrderBy::Shuffle),
                Some(OrderFlag::Window) => Some(OrderBy::Window(self.window)),
                None if is_stdin => Some(OrderBy::Window(self.window)),
                None => None,
            },
            seed: self.seed,
        }
    }
}
