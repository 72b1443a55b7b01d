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
    /// JSON files of tweets, folders of them, or `-` for standard input [default: ./tweets.json, else
    /// ./data/tweets.json]
    ///
    /// Several files are merged by time. A folder stands for the files in it.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Layout of the input: lines, page-lines, array, objects, pages, archive [default: detected per
    /// file]
    #[arg(hide_short_help = true, long, value_name = "FORM", help_heading = "Input")]
    format: Option<Framing>,
    /// Map fields of custom records to JSON paths; unmapped fields use common names
    ///
    /// For example time=meta.posted,text=body,user=by.0.id,id=nr: names of members, and places in
    /// arrays.
    #[arg(long, value_name = "FIELD=PATH,...", help_heading = "Input")]
    map: Option<FieldMap>,
    /// How the mapped time is written: s, ms, us, ns, or a pattern such as "%d/%m/%Y %H:%M:%S"
    /// [default: any usual way]
    #[arg(hide_short_help = true, long, value_name = "FORMAT", requires = "map", help_heading = "Input")]
    time_format: Option<TimeFormat>,
    /// Order of sending [default: time; shuffle if the tweets have no times; window for standard input]
    ///
    /// Time and shuffle keep 24 bytes per tweet in memory; time only if the input is not in order
    /// already.
    #[arg(long, value_enum, help_heading = "Input")]
    order: Option<OrderFlag>,
    /// Size of the sliding window of --order window, in tweets of 80 bytes
    #[arg(hide_short_help = true, long, value_name = "N", default_value_t = DEFAULT_WINDOW, value_parser = window, help_heading = "Input")]
    window: usize,
    /// Seed of the shuffle: the same seed gives the same order
    #[arg(hide_short_help = true, long, default_value_t = 1, help_heading = "Input")]
    seed: u64,
    /// Only tweets written at this time or later: 2020-01-31, 2020-01-31T18:00:00Z
    ///
    /// A time without a zone is UTC.
    #[arg(long, value_name = "TIME", value_parser = values::event_time, help_heading = "Input")]
    start: Option<i64>,
    /// Only tweets written before this time
    #[arg(long, value_name = "TIME", value_parser = values::event_time, help_heading = "Input")]
    end: Option<i64>,
    /// Send only the first of several tweets with one id
    ///
    /// Keeps up to 18 bytes per tweet in memory.
    #[arg(hide_short_help = true, long, help_heading = "Input")]
    dedup: bool,
    /// Send only the first N tweets of each loop, in the order of sending
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Input")]
    limit: Option<u64>,
    /// Longest record of the input; a longer one is a reject
    #[arg(hide_short_help = true, long, value_name = "SIZE", value_parser = values::size, default_value = "16MiB", help_heading = "Input")]
    max_record: usize,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum OrderFlag {
    /// Oldest first
    Time,
    /// As the input has them; it is not read beforehand
    File,
    /// File order, but sorted within a sliding window of --window tweets
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
