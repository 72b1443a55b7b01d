//! Real tweet files for the benches, if `TWEETBLAST_REAL_DATA` names their folder.
#![allow(dead_code, clippy::print_stderr)] // a bench may count by itself; says what it skips

use std::path::Path;

use tweetblast::source::Format;

/// A real file of tweets.
pub struct RealInput {
    /// Used in the names of rows.
    pub name: &'static str,
    pub framing: Format,
    pub json: Vec<u8>,
    /// Number of tweets, as counted by another program.
    pub tweets: u64,
}

/// The files; none, and a line that says so, if their folder is not known.
pub fn real_inputs(bench: &str) -> Vec<RealInput> {
    let Some(folder) = std::env::var_os("TWEETBLAST_REAL_DATA") else {
        eprintln!("skipped: {bench}/*/real_* needs TWEETBLAST_REAL_DATA=FOLDER, with real tweet files");
        return Vec::new();
    };
    [
        ("real_lines", "v11-ndjson/stream-2018-extended-tweet.ndjson", Format::Lines, 72),
        ("real_array", "v11-array/public-figure-2016-2017.json", Format::Array, 2_932),
        ("real_grouped", "grouped/tweets1-form-one-line-utf8.json", Format::Array, 4_102),
    ]
    .map(|(name, file, framing, tweets)| {
        let path = Path::new(&folder).join(file);
        let json = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        RealInput { name, framing, json, tweets }
    })
    .into()
}

/// Real tables with their delimiters, in the same folder; none if it is not known.
pub fn real_tables() -> Vec<(&'static str, u8, Vec<u8>)> {
    let Some(folder) = std::env::var_os("TWEETBLAST_REAL_DATA") else { return Vec::new() };
    [
        ("real_table_of_trips", b',', "nyc-taxis.csv"),
        ("real_table_with_quotes", b',', "vaccination-tweets.csv"),
        ("real_table_with_tabs", b'\t', "nasa-http-1995-07.tsv"),
    ]
    .map(|(name, delimiter, file)| {
        let path = Path::new(&folder).join("streams").join(file);
        let table = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (name, delimiter, table)
    })
    .into()
}
