//! Reads a table piece by piece, and gives it out as JSON lines.

use memchr::memchr_iter;

use super::super::byte_order_mark;
use super::super::steps::step;
use super::columns::{Columns, Misfit, RowBytes};
use super::row::{Row, RowKind, Rows};

/// Reads one table.
#[derive(Debug)]
pub struct TableReader {
    delimiter: u8,
    rows: Rows,
    has_begun: bool,
    /// The row with the names, and what it says; `None`: it has not come.
    header: Option<(Vec<u8>, Columns)>,
    /// The start of a row whose end has not come.
    rest: Vec<u8>,
    /// Room for the JSON lines of the next piece.
    json_bytes: usize,
    /// How many bytes of `rest`, then of what is read now, are known as UTF-8: all but a character that is cut at
    /// their end. `None`: others are among them.
    utf8: Option<usize>,
}

impl TableReader {
    /// At the start of a table with this delimiter.
    pub fn new(delimiter: u8) -> Self {
        let rows = Rows::new(delimiter);
        Self {
            delimiter,
            rows,
            has_begun: false,
            header: None,
            rest: Vec::new(),
            json_bytes: 0,
            utf8: Some(0),
        }
    }

    /// The rows that end in the next bytes of the table, as JSON lines.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        // The names of the columns come with each row: as many bytes as the piece before became.
        let mut out = Vec::with_capacity(self.json_bytes.max(bytes.len()));
        if self.rest.is_empty() {
            let done = self.read(bytes, false, &mut out);
            self.rest.extend_from_slice(&bytes[done..]);
        } else {
            let mut all = std::mem::take(&mut self.rest);
            all.extend_from_slice(bytes);
            let done = self.read(&all, false, &mut out);
            step(if done == 0 { 0 } else { all.len() - done });
            all.drain(..done);
            self.rest = all;
        }
        self.json_bytes = out.len() + out.len() / 8;
        out
    }

    /// The last row, if it has no line end.
    pub fn finish(&mut self) -> Vec<u8> {
        let (rest, mut out) = (std::mem::take(&mut self.rest), Vec::new());
        self.read(&rest, true, &mut out);
        out
    }

    /// Appends the rows that end in `bytes`; returns the bytes that are done with.
    fn read(&mut self, bytes: &[u8], is_last: bool, out: &mut Vec<u8>) -> usize {
        let mut at = 0;
        if !self.has_begun {
            if bytes.len() < 3 && !is_last {
                return 0;
            }
            (self.has_begun, at) = (true, byte_order_mark(bytes));
        }
        let known = bytes.len() - if is_last { 0 } else { cut_character(bytes) };
        self.utf8 = self.utf8.and_then(|from| {
            let new = bytes.get(from..known).unwrap_or_default();
            step(new.len());
            simdutf8::basic::from_utf8(new).is_ok().then_some(known)
        });
        while at < bytes.len()
            && let Some(row) = self.rows.next(&bytes[at..], is_last)
        {
            self.row(&bytes[at..], row, out);
            at += row.next;
        }
        self.utf8 = match self.utf8 {
            Some(known) => Some(known.saturating_sub(at)),
            // The bytes that are not UTF-8 may have been in the rows that are done.
            None => (at > 0).then_some(0),
        };
        at
    }

    /// Appends the row at the start of `bytes`, with its line ends.
    fn row(&mut self, bytes: &[u8], row: Row, out: &mut Vec<u8>) {
        step(row.next);
        let is_utf8 = self.utf8.is_some();
        let content = &bytes[..row.end];
        match &self.header {
            _ if content.is_empty() => {}
            None if content.trim_ascii().is_empty() => {}
            None => self.header = Some((content.to_vec(), self.columns(content, row.kind))),
            // Where tables were joined.
            Some((header, _)) if header == content => {}
            Some((_, columns)) => {
                let fits = match row.kind {
                    RowKind::Plain => {
                        let row = RowBytes { bytes, length: row.end, is_utf8 };
                        columns.plain(row, self.delimiter, out)
                    }
                    RowKind::Simple => {
                        let cells = self.rows.ranges().iter().map(|range| &content[range.clone()]);
                        columns.cells(cells, is_utf8, out)
                    }
                    RowKind::Quoted => columns.cells(self.cells(), is_utf8, out),
                    RowKind::Broken => {
                        put_junk(content, "a quote in it is not closed", out);
                        Ok(())
                    }
                };
                match fits {
                    Err(Misfit::Cells(1)) if content.trim_ascii().is_empty() => {}
                    Err(Misfit::Cells(cells)) => {
                        let (noun, needed) = (if cells == 1 { "cell" } else { "cells" }, columns.needed());
                        put_junk(content, &format!("{cells} {noun}, the header has {needed}"), out);
                    }
                    Err(Misfit::NotUtf8) => put_junk(content, "not in UTF-8", out),
                    Ok(()) => {}
                }
            }
        }
        let line_ends = match row.kind {
            RowKind::Simple | RowKind::Quoted => memchr_iter(b'\n', &bytes[..row.next]).count().max(1),
            _ => 1,
        };
        out.extend(std::iter::repeat_n(b'\n', line_ends));
    }

    fn columns(&self, content: &[u8], kind: RowKind) -> Columns {
        match kind {
            RowKind::Simple => Columns::new(self.rows.ranges().iter().map(|range| &content[range.clone()])),
            RowKind::Quoted => Columns::new(self.cells()),
            RowKind::Plain | RowKind::Broken => Columns::new(content.split(|byte| *byte == self.delimiter)),
        }
    }

    /// The cells of a quoted row.
    fn cells(&self) -> impl Iterator<Item = &[u8]> {
        let (cells, ends) = self.rows.cells();
        let starts = std::iter::once(0).chain(ends.iter().copied());
        starts.zip(ends).map(|(start, end)| &cells[start..*end])
    }
}

/// Bytes at the end of a text that may be the start of a character of UTF-8: at most three.
fn cut_character(text: &[u8]) -> usize {
    let more = text.iter().rev().take(2).take_while(|byte| matches!(byte, 0x80..0xC0)).count();
    let starts = text.len().checked_sub(more + 1).is_some_and(|first| text[first] >= 0xC0);
    if starts { more + 1 } else { 0 }
}

/// Appends what is not a row, on one line, with the reason. No object in it may be taken for a record.
fn put_junk(content: &[u8], why: &str, out: &mut Vec<u8>) {
    let shown = content.iter().map(|byte| match byte {
        b'\n' | b'\r' => b' ',
        b'{' => b'[',
        byte => *byte,
    });
    out.extend(shown);
    out.extend_from_slice(format!(" ({why})").as_bytes());
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
