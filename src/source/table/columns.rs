//! The columns of a table, and how a row becomes an object.

use std::collections::HashSet;

use memchr::memchr;

use super::number::{Kinds, NO_NUMBER, kind, may_begin, number_in};

/// The names of the columns, as JSON.
#[derive(Debug)]
pub(super) struct Columns {
    starts: Vec<Start>,
    /// Up to the last one with a name: cells that a row must have.
    needed: usize,
}

/// Most bytes of a start, and of a cell, that are copied at once.
const START: usize = 32;
const CELL: usize = 16;

/// Of a column `","name":"`: without its first byte behind a number, without its last one before a number.
#[derive(Debug)]
struct Start {
    /// Followed by zeros, so that a part of it can be copied at once.
    bytes: Box<[u8]>,
    length: usize,
}

/// A row that was found: what it is, and where it is in the bytes that have come.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowBytes<'a> {
    /// From its start on, and beyond its end.
    pub bytes: &'a [u8],
    /// Its length without the line end.
    pub length: usize,
    /// Whether it is known to be UTF-8.
    pub is_utf8: bool,
}

/// Why a row is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misfit {
    /// This many cells, and not as many as the header.
    Cells(usize),
    NotUtf8,
}

impl Columns {
    /// By the cells of a header. A column without a name is `column_3`, by its place; of those with one name the
    /// second is `name_2`.
    pub fn new<'a>(cells: impl Iterator<Item = &'a [u8]>) -> Self {
        let cells: Vec<String> = cells.map(|cell| String::from_utf8_lossy(cell).trim().to_owned()).collect();
        let needed = cells.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1);
        let given: HashSet<&str> = cells.iter().map(String::as_str).collect();
        let (mut taken, mut starts) = (HashSet::new(), Vec::new());
        for (at, cell) in cells.iter().enumerate() {
            let base = if cell.is_empty() { format!("column_{}", at + 1) } else { cell.clone() };
            let mut name = base.clone();
            let is_taken = |name: &str| taken.contains(name) || (name != cell && given.contains(name));
            for number in 2.. {
                if !is_taken(&name) {
                    break;
                }
                name = format!("{base}_{number}");
            }
            let mut start = b"\",".to_vec();
            start.extend_from_slice(serde_json::Value::from(&name[..]).to_string().as_bytes());
            start.extend_from_slice(b":\"");
            let length = start.len();
            start.resize(length + START, 0);
            starts.push(Start { bytes: start.into_boxed_slice(), length });
            taken.insert(name);
        }
        Self { starts, needed }
    }

    /// How many cells a row must have.
    pub fn needed(&self) -> usize {
        self.needed
    }

    /// Appends the object of a row without quotes and line ends. Nothing if all of its cells are empty.
    ///
    /// # Errors
    /// When it is not a row of this table; then nothing is appended either.
    pub fn plain(&self, row: RowBytes<'_>, delimiter: u8, out: &mut Vec<u8>) -> Result<(), Misfit> {
        let RowBytes { bytes, length, is_utf8 } = row;
        let mut object = RowObject::new(self, is_utf8, out);
        object.may_escape = has_escaped(&bytes[..length], delimiter);
        let mut rest = bytes;
        let mut left = length;
        loop {
            let (cell, kinds) = first_cell(&rest[..left], delimiter);
            object.cell(rest, cell, kinds);
            if cell == left {
                return object.finish();
            }
            rest = &rest[cell + 1..];
            left -= cell + 1;
        }
    }

    /// The same of a row whose cells are unquoted already.
    pub fn cells<'a>(
        &self,
        cells: impl Iterator<Item = &'a [u8]>,
        is_utf8: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), Misfit> {
        let mut object = RowObject::new(self, is_utf8, out);
        object.may_escape = true;
        for cell in cells {
            // A longer one is looked at again in any case.
            let kinds = cell.iter().take(16).map(|byte| kind(*byte)).sum();
            object.cell(cell, cell.len(), kinds);
        }
        object.finish()
    }
}

/// The length of the first cell of a row, and what its bytes are, as far as it may be a number.
#[inline]
fn first_cell(row: &[u8], delimiter: u8) -> (usize, Kinds) {
    if row.first().is_some_and(|first| may_begin(*first)) {
        let mut kinds = 0;
        for (at, byte) in row.iter().enumerate() {
            if *byte == delimiter {
                return (at, kinds);
            }
            kinds = Kinds::wrapping_add(kinds, kind(*byte));
        }
        return (row.len(), kinds);
    }
    let (short, long) = row.split_at(row.len().min(CELL));
    let end = short.iter().position(|byte| *byte == delimiter);
    let length = || short.len() + memchr(delimiter, long).unwrap_or(long.len());
    (end.unwrap_or_else(length), NO_NUMBER)
}

/// Appends the first `length` bytes. If these are few, more are copied, always as many, and taken off again: to copy a
/// fixed length takes fewer steps.
#[inline]
fn put<const MANY: usize>(bytes: &[u8], length: usize, out: &mut Vec<u8>) {
    match bytes.first_chunk::<MANY>() {
        Some(chunk) if length <= MANY => {
            out.extend_from_slice(chunk);
            out.truncate(out.len() - (MANY - length));
        }
        _ => out.extend_from_slice(&bytes[..length]),
    }
}

/// An object that is being written.
struct RowObject<'a> {
    columns: &'a Columns,
    out: &'a mut Vec<u8>,
    start: usize,
    cells: usize,
    /// Whether a cell of the row may have something that JSON escapes.
    may_escape: bool,
    is_utf8: bool,
    /// Whether the last value is a text, whose closing quote is yet to come.
    in_text: bool,
    /// Whether a cell beyond the header has something in it.
    has_more: bool,
}

impl<'a> RowObject<'a> {
    fn new(columns: &'a Columns, is_utf8: bool, out: &'a mut Vec<u8>) -> Self {
        let start = out.len();
        Self { columns, out, start, cells: 0, may_escape: false, is_utf8, in_text: false, has_more: false }
    }

    /// Appends the cell at the start of `rest`; an empty one is omitted.
    #[inline]
    fn cell(&mut self, rest: &[u8], length: usize, kinds: Kinds) {
        let number = self.cells;
        self.cells += 1;
        if length == 0 {
            return;
        }
        let Some(start) = self.columns.starts.get(number) else {
            self.has_more = true;
            return;
        };
        let skipped = usize::from(!self.in_text);
        let (start, start_length) = (&start.bytes[skipped..], start.length - skipped);
        let cell = &rest[..length];
        match number_in(cell, kinds) {
            Some(found) => {
                put::<START>(start, start_length - 1, self.out);
                match found.len() == length {
                    true => put::<CELL>(rest, length, self.out),
                    false => self.out.extend_from_slice(found),
                }
                self.in_text = false;
            }
            None => {
                put::<START>(start, start_length, self.out);
                match self.may_escape && has_escaped(cell, b'"') {
                    false => put::<CELL>(rest, length, self.out),
                    true => escape(cell, self.out),
                }
                self.in_text = true;
            }
        }
    }

    fn finish(self) -> Result<(), Misfit> {
        let is_empty = self.out.len() == self.start && !self.has_more;
        let misfit = match () {
            () if is_empty => return Ok(()),
            () if self.has_more || self.cells < self.columns.needed => Misfit::Cells(self.cells),
            () if !self.is_utf8 && simdutf8::basic::from_utf8(&self.out[self.start..]).is_err() => {
                Misfit::NotUtf8
            }
            () => {
                self.out[self.start] = b'{';
                self.out.extend_from_slice(if self.in_text { b"\"}" } else { b"}" });
                return Ok(());
            }
        };
        self.out.truncate(self.start);
        Err(misfit)
    }
}

/// Whether JSON escapes a byte in a text.
fn is_escaped(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Whether JSON escapes any byte of a text, but for this one if it is a control character.
fn has_escaped(text: &[u8], but: u8) -> bool {
    // Without branches, so that many bytes are compared at once.
    let any = |part: &[u8]| {
        part.iter().fold(0, |any, byte| {
            let is_control = u8::from(*byte < 0x20) & u8::from(*byte != but);
            any | is_control | u8::from(*byte == b'"') | u8::from(*byte == b'\\')
        }) != 0
    };
    let (parts, rest) = text.as_chunks::<32>();
    parts.iter().any(|part| any(part)) || any(rest)
}

/// Appends a text as it stands in a string of JSON.
fn escape(text: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| is_escaped(*byte)) {
        out.extend_from_slice(&rest[..at]);
        match rest[at] {
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            byte @ (b'"' | b'\\') => out.extend_from_slice(&[b'\\', byte]),
            byte => {
                let digit = |shift: u8| HEX[usize::from(byte >> shift & 0xF)];
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(4), digit(0)]);
            }
        }
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(header: &str, row: &str) -> Result<String, Misfit> {
        let columns = Columns::new(header.split(',').map(str::as_bytes));
        let mut out = Vec::new();
        out.extend_from_slice(b"before");
        let row = RowBytes { bytes: row.as_bytes(), length: row.len(), is_utf8: true };
        let fits = columns.plain(row, b',', &mut out);
        let json = String::from_utf8(out).unwrap().strip_prefix("before").unwrap().to_owned();
        fits.map(|()| json)
    }

    #[test]
    fn a_row_is_an_object_whose_numbers_are_numbers_and_whose_empty_cells_are_omitted() {
        let json = row("a,b,c,d,e", "1.50,x\\y, 12,007,").unwrap();
        assert_eq!(json, r#"{"a":1.50,"b":"x\\y","c":12,"d":"007"}"#);
        assert_eq!(row("a,b", ",x").unwrap(), r#"{"b":"x"}"#);
        assert_eq!(row("a,b", " x ,é\u{1}").unwrap(), r#"{"a":" x ","b":"é\u0001"}"#);
        assert_eq!(row("a,b", ",").unwrap(), "");
    }

    #[test]
    fn empty_cells_beyond_the_header_do_not_count_and_others_make_a_misfit() {
        assert_eq!(row("a,b", "1,2,,").unwrap(), r#"{"a":1,"b":2}"#);
        assert_eq!(row("a,b", "1,2,,3"), Err(Misfit::Cells(4)));
        assert_eq!(row("a,b", "1"), Err(Misfit::Cells(1)));
        assert_eq!(row("a,b,,", "1,2").unwrap(), r#"{"a":1,"b":2}"#);
        assert_eq!(row("a,b,,", "1,2,3").unwrap(), r#"{"a":1,"b":2,"column_3":3}"#);
    }

    #[test]
    fn columns_without_a_name_and_with_the_same_one_can_be_told_apart() {
        let json = row("a,a,,\"a_2\", a ,column_3", "1,2,3,4,5,6").unwrap();
        assert_eq!(json, r#"{"a":1,"a_2":2,"column_3_2":3,"\"a_2\"":4,"a_3":5,"column_3":6}"#);
        assert_eq!(row("a,a_2,a", "1,2,3").unwrap(), r#"{"a":1,"a_2":2,"a_3":3}"#);
    }

    #[test]
    fn a_row_that_is_not_utf_8_is_a_misfit() {
        let columns = Columns::new([&b"a"[..], b"b"].into_iter());
        let mut out = Vec::new();
        let row = RowBytes { bytes: b"x,caf\xe9", length: 6, is_utf8: false };
        assert_eq!(columns.plain(row, b',', &mut out), Err(Misfit::NotUtf8));
        assert_eq!(out.len(), 0);
    }
}
