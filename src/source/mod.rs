//! The file hop: maps a file into memory and finds where one JSON value ends and the next begins.
//!
//! A path goes in; [`Frame`]s come out: the offset and the bytes of one JSON value each, borrowed
//! from the map. Nothing is parsed or copied here. How values are laid out (the format) and what
//! they mean (the form, in [`crate::tweet`]) are two separate questions.
//!
//! Compressed files, archives, and inputs that cannot be mapped (standard input, a pipe, a device), are read as
//! they come ([`LiveReader`]), or first copied to a temporary file without a name, which is then mapped;
//! offsets count from the start of the unpacked bytes. A table is read in the same ways, as the JSON lines that its
//! rows become (`table/`).

mod bus_error;
mod change;
mod detect;
mod error;
mod file;
mod framer;
mod gzip;
mod junk;
mod lines;
mod live;
mod looks_like;
mod opening;
mod page_lines;
mod pages;
mod pieces;
mod resync;
mod spool;
mod steps;
mod storage;
mod table;
mod unpack;
mod unwanted;
mod values;
mod zstd_window;

#[cfg(test)]
mod endings_tests;

pub use detect::{Format, detect};
pub use error::SourceError;
pub use file::TweetFile;
pub use junk::{FramePart, byte_order_marks, frame_parts, invisible};
pub use lines::Lines;
pub use live::{LULL, LiveReader, LiveStep};
pub use opening::{Opening, OpeningState};
pub use page_lines::PageLines;
pub use storage::Storage;
pub use table::TableReader;
pub use unwanted::{SkippedFiles, unwanted};
pub use values::Values;

use pages::Opens;

/// The bytes of one JSON value in the input, and where they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Bytes from the start of the file to the first byte of the value.
    pub offset: u64,
    /// The value itself, without white space around it. Not checked: it may not be JSON at all.
    pub bytes: &'a [u8],
    /// For a value from the list of an API v2 page: the JSON of the page's `includes`. Otherwise
    /// empty.
    pub includes: &'a [u8],
}

/// All frames of a file, in file order, whatever its format.
#[derive(Debug, Clone)]
pub enum Frames<'a> {
    /// One value per line.
    Lines(Lines<'a>),
    /// One page per line.
    PageLines(PageLines<'a>),
    /// Elements and objects one after another.
    Values(Values<'a>),
}

impl<'a> Frames<'a> {
    /// The frames of `bytes`, a whole file in this format; of a table, the JSON lines that its rows became.
    pub fn new(framing: Format, bytes: &'a [u8]) -> Self {
        match framing {
            Format::Lines | Format::Table => Frames::Lines(Lines::new(bytes)),
            Format::PageLines => Frames::PageLines(PageLines::new(bytes)),
            Format::Array | Format::Objects | Format::Script => {
                Frames::Values(Values::new(bytes, Opens::Nothing))
            }
            Format::Pages => Frames::Values(Values::new(bytes, Opens::Pages)),
            Format::List => Frames::Values(Values::new(bytes, Opens::Lists)),
        }
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    #[inline]
    fn next(&mut self) -> Option<Frame<'a>> {
        match self {
            Frames::Lines(lines) => lines.next(),
            Frames::PageLines(lines) => lines.next(),
            Frames::Values(values) => values.next(),
        }
    }
}

/// Length of the UTF-8 byte order mark at the start of `bytes`: 3, or 0 if there is none.
fn byte_order_mark(bytes: &[u8]) -> usize {
    if bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 }
}
