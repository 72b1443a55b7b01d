//! Synthetic tweets: any number, and the same bytes for the same seed.
//!
//! In: [`GenerateOptions`]. Out: a file in one of the [`GenerateForm`]s, written as it is made, in
//! constant memory. The tweets are those of Twitter's v1.1 streaming API. Their arrivals follow the
//! hour of the day and rise in bursts; a few users write much and many write little, in eight
//! languages. They have everything a JSON reader must get right: escapes, surrogate pairs, ids
//! above 2^53, truncated texts, nested tweets, notices that are not tweets, and a few steps back in
//! time.
//!
//! Besides tweets there are readings of sensors and the log of a web server ([`GenerateForm::Readings`],
//! [`GenerateForm::Weblog`]), for which `users` is the number of devices and of clients.
//!
//! Event time always starts at [`START_MS`], not now, because the same options have to give the
//! same bytes on any day. The defaults give `data/tweets.json`.

mod arrivals;
mod events;
mod forms;
mod json;
mod output;
mod snowflake;
mod status;
mod table;
mod text;
mod user;
mod users_file;
mod words;
mod write;
mod write_other;
mod write_v2;

#[cfg(test)]
mod tests;

use std::io;

pub use arrivals::START_MS;
pub use users_file::generate_users;

// ChaCha has 2^64 streams per seed. Times, contents and each user have separate ones, so that a
// word added to one does not change the others.
const STREAM_ARRIVALS: u64 = 0;
const STREAM_CONTENT: u64 = 1;
const STREAM_FIRST_USER: u64 = 2;

/// How the tweets are put into a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GenerateForm {
    /// One JSON object per line.
    #[default]
    Lines,
    /// The same, with everything else that the API said of users: more than twice the bytes.
    FullLines,
    /// One JSON array, one element per line.
    Array,
    /// `[{"id": 1608, "tweets": ["text", ...]}, ...]`: the texts of each user, without times.
    Grouped,
    /// Pretty-printed objects one after another, with nothing between them.
    Objects,
    /// One object with the list and facts about it: `{"statuses": [...], "search_metadata": ...}`.
    Search,
    /// Pages of Twitter's API v2, one per line, each with its authors; newest tweet first within a
    /// page.
    V2Pages,
    /// The filtered stream of API v2: a tweet and its author per line.
    V2Stream,
    /// Tweets of API v2 with their author inside, one per line.
    V2Flat,
    /// `window.YTD.tweets.part0 = [{"tweet": ...}, ...]`: an account archive.
    Archive,
    /// Activity streams, one per line.
    ActivityStreams,
    /// Flat objects with common names, one per line.
    Flat,
    /// The same as a table (CSV) with a header; lines end in CRLF, and line ends in texts are LF.
    FlatTable,
    /// Readings of sensors, one JSON object per line.
    Readings,
    /// The same as a table (CSV).
    ReadingsTable,
    /// Requests to a web server, one JSON object per line.
    Weblog,
    /// The same as a table (CSV).
    WeblogTable,
}

impl GenerateForm {
    pub const ALL: [GenerateForm; 17] = [
        GenerateForm::Lines,
        GenerateForm::FullLines,
        GenerateForm::Array,
        GenerateForm::Grouped,
        GenerateForm::Objects,
        GenerateForm::Search,
        GenerateForm::V2Pages,
        GenerateForm::V2Stream,
        GenerateForm::V2Flat,
        GenerateForm::Archive,
        GenerateForm::ActivityStreams,
        GenerateForm::Flat,
        GenerateForm::FlatTable,
        GenerateForm::Readings,
        GenerateForm::ReadingsTable,
        GenerateForm::Weblog,
        GenerateForm::WeblogTable,
    ];

    /// What each of its records is, for people.
    pub fn noun(self) -> &'static str {
        match self {
            GenerateForm::Readings | GenerateForm::ReadingsTable => "reading",
            GenerateForm::Weblog | GenerateForm::WeblogTable => "request",
            _ => "tweet",
        }
    }

    /// Whether it is a table.
    pub fn is_table(self) -> bool {
        matches!(self, GenerateForm::FlatTable | GenerateForm::ReadingsTable | GenerateForm::WeblogTable)
    }
}

/// What to generate.
#[derive(Debug, Clone, PartialEq)]
pub struct GenerateOptions {
    /// Number of tweets; notices come on top.
    pub tweets: u64,
    /// Mean number of tweets per second of event time, above 0. Has no effect on
    /// [`GenerateForm::Grouped`].
    pub rate_per_s: f64,
    /// Number of users, from 1 to 2^32 - 1; not all of them need write.
    pub users: u64,
    /// Another seed gives other tweets.
    pub seed: u64,
    /// How they are put into a file.
    pub form: GenerateForm,
}

impl Default for GenerateOptions {
    /// Ten minutes of tweets, just under 6 MB.
    fn default() -> Self {
        Self { tweets: 6_000, rate_per_s: 10.0, users: 1_500, seed: 1, form: GenerateForm::default() }
    }
}

/// What was generated.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GenerateSummary {
    /// Tweets, readings or requests written: as many as asked for.
    pub tweets: u64,
    /// Delete and limit notices among them; only in forms that have them.
    pub notices: u64,
    /// Lines, array elements, objects, groups or pages.
    pub records: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Smallest event time, Unix milliseconds; `None` without tweets, and in
    /// [`GenerateForm::Grouped`].
    pub first_ms: Option<u64>,
    /// Largest event time; `None` in the same cases.
    pub last_ms: Option<u64>,
}

impl GenerateOptions {
    /// Whether such a file can be made.
    ///
    /// # Errors
    /// Which option cannot be, and what it can be.
    pub fn check(&self) -> Result<(), String> {
        if !(self.rate_per_s.is_finite() && self.rate_per_s > 0.0) {
            return Err("--rate is a number of tweets per second above 0".to_owned());
        }
        if self.users == 0 || self.users > u64::from(u32::MAX) {
            return Err(format!("--users is a number from 1 to {}", u32::MAX));
        }
        let last_ms = START_MS as f64 + self.tweets as f64 / self.rate_per_s * 1_000.0;
        // By the mean. Those that run over by chance end with an error of `generate`.
        if self.form != GenerateForm::Grouped && last_ms > snowflake::END_MS as f64 {
            return Err(format!(
                "{} tweets at --rate {} would end after the year 2080, where tweet ids do: raise --rate",
                self.tweets, self.rate_per_s
            ));
        }
        Ok(())
    }
}

/// Writes synthetic tweets to `out`, in pieces of some 64 KiB (so `out` needs no buffer of its own),
/// and flushes it.
///
/// # Errors
/// Those of `out`. [`io::ErrorKind::InvalidInput`] if the options cannot be met, as
/// [`GenerateOptions::check`] says, or if the event times still run past the year 2080: then part
/// of the file has been written.
pub fn generate(options: &GenerateOptions, out: &mut impl io::Write) -> io::Result<GenerateSummary> {
    options.check().map_err(|words| io::Error::new(io::ErrorKind::InvalidInput, words))?;
    forms::write_file(options, status::Writers::of(options)?, out)
}

fn invalid(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}
