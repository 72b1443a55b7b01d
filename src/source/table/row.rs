//! Finds where a row ends, and its cells.

use std::ops::Range;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use memchr::{memchr, memchr2, memchr3};

use super::super::steps::step;

/// Longest line, in bytes: what is longer is not a row.
const LINE_BYTES: usize = 16 << 20;

/// How far a row may go on behind its first line, in bytes. So much of a stream is held back behind a quote that is
/// not closed.
const MORE_BYTES: usize = 1 << 20;

/// Bytes behind broken rows that may be searched without success in any table, before [`Rows::may_go_on`] gets strict.
const WASTED_BYTES: usize = 16 << 20;

/// A row that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub kind: RowKind,
    /// Where its content ends.
    pub end: usize,
    /// Where the next row begins.
    pub next: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowKind {
    /// No quotes: its cells are what is between the delimiters.
    Plain,
    /// No doubled quotes: its cells are in [`Rows::ranges`].
    Simple,
    /// Its cells are in [`Rows::cells`].
    Quoted,
    /// One line, in which a quote is not closed where its cell ends.
    Broken,
}

/// Finds rows one after another. State is kept between pieces of the input, so that no byte is looked at twice.
#[derive(Debug)]
pub(super) struct Rows {
    delimiter: u8,
    core: Reader,
    cells: Vec<u8>,
    ends: Vec<usize>,
    /// Where the cells of a simple row are in it.
    ranges: Vec<Range<usize>>,
    /// Filled parts of `cells` and `ends`.
    cell_bytes: usize,
    cell_count: usize,
    /// Bytes of the row that were searched for a quote or its end.
    searched: usize,
    has_quotes: bool,
    /// Whether `core` has found the end of the row.
    has_ended: bool,
    /// The end of its first line, if it has quotes.
    first_line: Option<usize>,
    /// Bytes of all rows before.
    done: usize,
    /// Bytes behind broken rows that were searched without success.
    wasted: usize,
}

impl Rows {
    pub fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            core: ReaderBuilder::new().delimiter(delimiter).build(),
            cells: vec![0; 1024],
            ends: vec![0; 64],
            ranges: Vec::new(),
            cell_bytes: 0,
            cell_count: 0,
            searched: 0,
            has_quotes: false,
            has_ended: false,
            first_line: None,
            done: 0,
            wasted: 0,
        }
    }

    /// The row at the start of `bytes`; `is_last`: no more will come. `None`: its end has not come.
    pub fn next(&mut self, bytes: &[u8], is_last: bool) -> Option<Row> {
        let row = match self.has_quotes {
            true => self.quoted(bytes, is_last),
            false => self.plain(bytes, is_last),
        }?;
        self.done += row.next;
        (self.searched, self.has_quotes) = (0, false);
        Some(row)
    }

    /// The cells of the last quoted row, one after another, and where each ends.
    pub fn cells(&self) -> (&[u8], &[usize]) {
        (&self.cells[..self.cell_bytes], &self.ends[..self.cell_count])
    }

    /// Where the cells of the last simple row are in it, without their quotes.
    pub fn ranges(&self) -> &[Range<usize>] {
        &self.ranges
    }

    fn plain(&mut self, bytes: &[u8], is_last: bool) -> Option<Row> {
        let row = |end, next| Some(Row { kind: RowKind::Plain, end, next });
        let found = memchr3(b'\n', b'\r', b'"', &bytes[self.searched..]);
        step(found.unwrap_or(bytes.len() - self.searched));
        let Some(at) = found else {
            self.searched = bytes.len();
            return match bytes.len() {
                length if is_last => row(length, length),
                length if length > LINE_BYTES => {
                    Some(Row { kind: RowKind::Broken, end: length, next: length })
                }
                _ => None,
            };
        };
        let at = self.searched + at;
        match bytes[at] {
            b'\n' => row(at, at + 1),
            b'\r' => {
                self.searched = at;
                row(at, line_end(bytes, at, is_last)?)
            }
            _ => {
                if let Some(row) = self.simple(bytes) {
                    return Some(row);
                }
                self.core.reset();
                (self.searched, self.cell_bytes, self.cell_count) = (0, 0, 0);
                (self.has_quotes, self.has_ended, self.first_line) = (true, false, None);
                self.quoted(bytes, is_last)
            }
        }
    }

    /// A row in which each quote opens a cell or closes one at its end, several times faster than by the csv crate.
    /// `None`: it is another one, or its end has not come.
    fn simple(&mut self, bytes: &[u8]) -> Option<Row> {
        self.ranges.clear();
        let (mut at, mut first_line) = (0, usize::MAX);
        loop {
            let rest = &bytes[at..];
            step(1);
            let (cell, end) = match rest.first()? {
                b'"' => {
                    let length = memchr(b'"', &rest[1..]);
                    step(length.unwrap_or(rest.len()));
                    let length = length?;
                    let cell = at + 1..at + 1 + length;
                    if first_line == usize::MAX
                        && let Some(line) = memchr(b'\n', &bytes[cell.clone()])
                    {
                        first_line = cell.start + line;
                    }
                    (cell, at + length + 2)
                }
                _ => {
                    let length = memchr3(self.delimiter, b'\n', b'"', rest);
                    step(length.unwrap_or(rest.len()));
                    let mut length = length?;
                    if rest[length] == b'\n' && rest[..length].last() == Some(&b'\r') {
                        length -= 1;
                    }
                    memchr(b'\r', &rest[..length]).is_none().then_some((at..at + length, at + length))?
                }
            };
            self.ranges.push(cell);
            let sign = *bytes.get(end)?;
            if sign == self.delimiter {
                at = end + 1;
                continue;
            }
            let is_near = end <= LINE_BYTES && end.saturating_sub(first_line) < MORE_BYTES;
            // Of the strict rule about those that go far, only the csv crate's way knows.
            if !matches!(sign, b'\n' | b'\r') || !is_near || self.wasted > 0 {
                return None;
            }
            return Some(Row { kind: RowKind::Simple, end, next: line_end(bytes, end, false)? });
        }
    }

    fn quoted(&mut self, bytes: &[u8], is_last: bool) -> Option<Row> {
        while !self.has_ended {
            let from = self.searched.min(bytes.len());
            if self.first_line.is_none() {
                let length = memchr(b'\n', &bytes[from..]);
                step(length.unwrap_or(bytes.len() - from));
                self.first_line = length.map(|length| from + length);
            }
            let limit = self.may_go_on();
            let input = match &bytes[from..bytes.len().min(limit).max(from)] {
                [] if bytes.len() >= limit => return Some(self.broken(bytes)),
                // Behind the last row comes a line end at most once: what goes on after it is in quotes.
                [] if is_last && self.searched > bytes.len() => return Some(self.broken(bytes)),
                [] if is_last => b"\n",
                [] => return None,
                input => input,
            };
            self.read(input);
        }
        let end = (self.searched - 1).min(bytes.len());
        let next = if end == bytes.len() { end } else { line_end(bytes, end, is_last)? };
        let is_whole =
            memchr2(b'\n', b'\r', &bytes[..end]).is_none() || is_well_quoted(&bytes[..end], self.delimiter);
        if is_whole { Some(Row { kind: RowKind::Quoted, end, next }) } else { Some(self.broken(bytes)) }
    }

    /// Bytes behind broken rows that were searched without success.
    #[cfg(test)]
    pub fn wasted(&self) -> usize {
        self.wasted
    }

    /// Passes more of the row to the csv crate.
    fn read(&mut self, input: &[u8]) {
        let (cells, ends) = (&mut self.cells[self.cell_bytes..], &mut self.ends[self.cell_count..]);
        let (result, read, bytes, count) = self.core.read_record(input, cells, ends);
        step(read);
        self.searched += read;
        self.cell_bytes += bytes;
        self.cell_count += count;
        match result {
            ReadRecordResult::Record => self.has_ended = true,
            ReadRecordResult::OutputFull => self.cells.resize(self.cells.len() * 2, 0),
            ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
            ReadRecordResult::InputEmpty | ReadRecordResult::End => {}
        }
    }

    /// How far the row may go on, from its start. Where much was searched without success, only as far as the time for it
    /// stays in proportion to the table.
    fn may_go_on(&self) -> usize {
        match self.first_line {
            None => LINE_BYTES,
            Some(line) if self.wasted > WASTED_BYTES + 4 * self.done => 16 * line + 64,
            Some(line) => line + MORE_BYTES,
        }
    }

    /// The first line of the row, which is not one.
    fn broken(&mut self, bytes: &[u8]) -> Row {
        let line = memchr2(b'\n', b'\r', bytes);
        let (end, next) = match line.map(|end| (end, line_end(bytes, end, true))) {
            Some((end, Some(next))) => (end, next),
            _ => (bytes.len(), bytes.len()),
        };
        self.wasted += self.searched.saturating_sub(next);
        Row { kind: RowKind::Broken, end, next }
    }
}

/// Where the line after the line end at `at` begins; `None`: a line feed may still come.
fn line_end(bytes: &[u8], at: usize, is_last: bool) -> Option<usize> {
    match (bytes[at], bytes.get(at + 1)) {
        (b'\r', Some(b'\n')) => Some(at + 2),
        (b'\r', None) if !is_last => None,
        _ => Some(at + 1),
    }
}

/// Whether each quote that opens a cell is closed where the cell ends.
fn is_well_quoted(row: &[u8], delimiter: u8) -> bool {
    let mut rest = row;
    loop {
        rest = match rest.strip_prefix(b"\"") {
            Some(cell) => {
                let mut cell = cell;
                // Two quotes are one in the cell.
                loop {
                    let Some(quote) = memchr(b'"', cell) else { return false };
                    cell = &cell[quote + 1..];
                    match cell.strip_prefix(b"\"") {
                        Some(more) => cell = more,
                        None => break,
                    }
                }
                match cell.split_first() {
                    None => return true,
                    Some((sign, more)) if *sign == delimiter => more,
                    Some(_) => return false,
                }
            }
            None => match memchr(delimiter, rest) {
                Some(end) => &rest[end + 1..],
                None => return true,
            },
        };
    }
}
