//! Flags that say what is read, and which of it; `inspect` and the replay share them.

use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;

use super::exit::{UsageError, no_effect};
use super::{piped, values};
use crate::options::{DEFAULT_WINDOW, Enrich, InputForm, InputOptions, OrderBy, Select};
use crate::source::Format;
use crate::tweet::{FieldMap, ParserOptions, Path as FieldPath, TimeFormat, TimeOptions, parse_path};

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Input")]
pub(super) struct InputArgs {
    /// Files or folders of tweets; - is standard input [default: ./tweets.json or ./data/tweets.json]
    ///
    /// Several files are merged by time. A folder stands for the files in it. What is piped in is read where
    /// no FILE is named.
    #[arg(value_name = "FILE", display_order = 0)]
    files: Vec<PathBuf>,

    /// Layout of the input, if it was not detected correctly [default: detected per file]
    #[arg(hide_short_help = true, long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
    /// What the records are [default: detected]
    #[arg(hide_short_help = true, long, value_enum, value_name = "FORM")]
    form: Option<InputForm>,
    /// Map fields of custom records to JSON paths; unmapped fields use common names
    ///
    /// For example time=meta.posted,text=body,user=by.0.id,id=nr: names of members, and places in arrays. time=Date+Time
    /// joins two fields.
    #[arg(hide_short_help = true, long, value_name = "FIELD=PATH,...")]
    map: Option<FieldMap>,
    /// Path of the field with the key of events [default: detected]
    #[arg(hide_short_help = true, long, value_name = "PATH", value_parser = key_path)]
    key_from: Option<FieldPath>,
    /// How times are written: s, ms, us, ns, or a pattern [default: any usual way]
    ///
    /// A pattern looks like %d/%m/%Y. It is that of the mapped time, or else of the usual fields.
    #[arg(hide_short_help = true, long, value_name = "FORMAT")]
    time_format: Option<TimeFormat>,
    /// Zone of times that name none, such as Europe/Madrid or +02:00 [default: as if they were UTC]
    ///
    /// Where a time names its zone by a word that several zones have (IST, CST), it must be that of this one.
    #[arg(hide_short_help = true, long, value_name = "ZONE", value_parser = values::time_zone)]
    time_zone: Option<TimeZone>,
    /// Order of sending [default: time; shuffle without times; window for - and pipes]
    ///
    /// Time and shuffle keep 24 bytes per tweet in memory; time only if the input is not in order already. They copy
    /// what is piped in to a temporary file first; window and file send it as it comes.
    #[arg(hide_short_help = true, long, value_enum)]
    order: Option<OrderFlag>,
    /// Size of the window of --order window, in tweets of 80 bytes [default: 10k]
    ///
    /// From a pipe also at most 64 MiB of records. After a second without input all are sent, and from a slow input
    /// none waits much longer than five seconds.
    #[arg(hide_short_help = true, long, value_name = "N", value_parser = values::count::<usize>(1..=MOST_WINDOW))]
    window: Option<usize>,
    /// Seed of the shuffle: the same seed gives the same order [default: 1]
    #[arg(hide_short_help = true, long, value_name = "N", value_parser = values::count::<u64>(0..=u64::MAX))]
    seed: Option<u64>,
    /// Only tweets written at this time or later: 2020-01-31
    ///
    /// With a time of day: 2020-01-31T18:00:00Z. A time without a zone is UTC.
    #[arg(hide_short_help = true, long, alias = "since", value_name = "TIME", value_parser = values::event_time)]
    start: Option<i64>,
    /// Only tweets written before this time
    #[arg(hide_short_help = true, long, alias = "until", value_name = "TIME", value_parser = values::event_time)]
    end: Option<i64>,
    /// Send only the first of several tweets with one id
    ///
    /// Keeps up to 18 bytes per tweet in memory.
    #[arg(hide_short_help = true, long)]
    dedup: bool,
    /// Send only the first N tweets of each loop
    ///
    /// The first in the order of sending.
    #[arg(long, short_alias = 'n', alias = "count", value_name = "N", value_parser = values::count::<u64>(1..=values::MOST))]
    limit: Option<u64>,
    /// Largest temporary copy of the input [default: half of what is free in TMPDIR]
    ///
    /// Compressed files, pipes and standard input are copied, except for --order file or window.
    #[arg(hide_short_help = true, long, value_name = "SIZE", value_parser = values::size)]
    spool_limit: Option<u64>,
    /// Longest record of the input; a longer one is a reject [default: 16MiB]
    #[arg(hide_short_help = true, long, value_name = "SIZE", value_parser = values::record_size,
        default_value = "16MiB", hide_default_value = true)]
    max_record: usize,
}

/// Largest window, which then takes 8 GB.
const MOST_WINDOW: u64 = 100_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OrderFlag {
    /// Oldest first
    Time,
    /// As the input has them; it is not read beforehand
    File,
    /// File order, but sorted within a sliding window of --window tweets
    Window,
    /// At random, the same for the same --seed
    #[value(alias = "random")]
    Shuffle,
}

impl InputArgs {
    /// The files that were named.
    pub fn named(&self) -> &[PathBuf] {
        &self.files
    }

    /// Refuses what cannot be, and flags that would be ignored.
    pub fn check(&self) -> Result<(), UsageError> {
        if self.start.zip(self.end).is_some_and(|(start, end)| start >= end) {
            return Err(UsageError::value("--start is not before --end: no tweet can lie between them"));
        }
        if self.form == Some(InputForm::Events) && self.map.as_ref().is_some_and(FieldMap::has_text) {
            let words =
                "--map text= names the text of tweets, and --form events reads none: leave one of them away";
            return Err(UsageError::conflict(words));
        }
        if self.form == Some(InputForm::Tweets) {
            no_effect(&[("--key-from", self.key_from.is_some())], "with --form tweets")?;
        }
        let order = match self.order {
            Some(order) => order,
            None if self.files.iter().any(|file| is_stream(file)) => OrderFlag::Window,
            None => OrderFlag::Time,
        };
        if order != OrderFlag::Window {
            no_effect(&[("--window", self.window.is_some())], "without --order window")?;
        }
        // Without --order it is known when the input has been looked at.
        if self.order.is_some() && order != OrderFlag::Shuffle {
            no_effect(&[("--seed", self.seed.is_some())], "without --order shuffle")?;
        }
        for (place, file) in self.files.iter().enumerate() {
            if self.files[..place].iter().any(|other| is_same(other, file)) {
                let words = match file.as_os_str() == "-" {
                    true => "standard input (-) can be read once".to_owned(),
                    false => format!("{} is given twice: --loop 2 sends it twice", file.display()),
                };
                return Err(UsageError::value(words));
            }
        }
        Ok(())
    }

    /// The files that were named, or else what is piped in, or the ones by default.
    ///
    /// # Errors
    /// When there is none of them.
    pub fn files(&self) -> anyhow::Result<Vec<PathBuf>> {
        if !self.files.is_empty() {
            return Ok(self.files.clone());
        }
        if piped::brings_something() {
            return Ok(vec!["-".into()]);
        }
        const PLACES: [&str; 2] = ["tweets.json", "data/tweets.json"];
        match PLACES.iter().map(Path::new).find(|place| place.exists()) {
            Some(place) => Ok(vec![place.to_owned()]),
            None => bail!(
                "no file given, and neither ./tweets.json nor ./data/tweets.json is there: name a file, or - for \
                 standard input, or make one with `tweetblast generate -o tweets.json`"
            ),
        }
    }

    /// The input that they ask for, from `files`.
    pub fn options(self, files: Vec<PathBuf>) -> InputOptions {
        let is_stream = files.iter().any(|file| is_stream(file));
        let window = OrderBy::Window(self.window.unwrap_or(DEFAULT_WINDOW));
        let times = TimeOptions { format: self.time_format, zone: self.time_zone };
        InputOptions {
            files,
            framing: self.format,
            form: self.form,
            key_from: self.key_from,
            parser: ParserOptions { fields: self.map, times, ..ParserOptions::default() },
            max_record_bytes: self.max_record,
            spool_limit: self.spool_limit,
            enrich: Enrich::default(),
            select: Select { start_ms: self.start, end_ms: self.end, dedup: self.dedup, limit: self.limit },
            order: match self.order {
                Some(OrderFlag::Time) => Some(OrderBy::Time),
                Some(OrderFlag::File) => Some(OrderBy::File),
                Some(OrderFlag::Shuffle) => Some(OrderBy::Shuffle),
                Some(OrderFlag::Window) => Some(window),
                None if is_stream => Some(window),
                None => None,
            },
            seed: self.seed,
        }
    }
}

/// Names of members with dots between them.
fn key_path(text: &str) -> Result<FieldPath, String> {
    parse_path(text).ok_or_else(|| "must be a path such as device.id".to_owned())
}

/// Whether an input can only be read as it comes: standard input, a FIFO, a device.
pub(super) fn is_stream(path: &Path) -> bool {
    let is_pipe = |found: std::fs::Metadata| {
        let kind = found.file_type();
        kind.is_fifo() || kind.is_char_device()
    };
    path.as_os_str() == "-" || std::fs::metadata(path).is_ok_and(is_pipe)
}

fn is_same(a: &Path, b: &Path) -> bool {
    let both = a.canonicalize().ok().zip(b.canonicalize().ok());
    a == b || both.is_some_and(|(a, b)| a == b)
}
