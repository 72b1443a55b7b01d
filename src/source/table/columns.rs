//! The columns of a table, and how a row becomes an object.

use std::collections::HashSet;

use super::number::{Kinds, kind, number_in};

/// The names of the columns, as JSON.
#[derive(Debug)]
pub(super) struct Columns {
    /// Of each column `","name":"`: without its first byte behind a number, without its last one before a number.
    starts: Vec<Box<[u8]>>,
    /// Up to the last one with a name: cells that a row must have.
    needed: usize,
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
            starts.push(start.into_boxed_slice());
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
    pub fn plain(&self, row: &[u8], delimiter: u8, out: &mut Vec<u8>) -> Result<(), Misfit> {
        let mut object = RowObject::new(self, has_escaped(row, delimiter), out);
        let (mut start, mut kinds) = (0, 0);
        for (at, byte) in row.iter().enumerate() {
            if *byte == delimiter {
                object.cell(&row[start..at], kinds);
                (start, kinds) = (at + 1, 0);
            } else {
                kinds = Kinds::wrapping_add(kinds, kind(*byte));
            }
        }
        object.cell(&row[start..], kinds);
        object.finish()
    }

    /// The same of a row whose cells are unquoted already.
    pub fn cells<'a>(&self, cells: impl Iterator<Item = &'a [u8]>, out: &mut Vec<u8>) -> Result<(), Misfit> {
        let mut object = RowObject::new(self, true, out);
        for cell in cells {
            // A longer one is looked at again in any case.
            let kinds = cell.iter().take(16).map(|byte| kind(*byte)).sum();
            object.cell(cell, kinds);
        }
        object.finish()
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
    /// Whether the last value is a text, whose closing quote is yet to come.
    in_text: bool,
    /// Whether a cell beyond the header has something in it.
    has_more: bool,
}

impl<'a> RowObject<'a> {
    fn new(columns: &'a Columns, may_escape: bool, out: &'a mut Vec<u8>) -> Self {
        let start = out.len();
        Self { columns, out, start, cells: 0, may_escape, in_text: false, has_more: false }
    }

    /// Appends a cell; an empty one is omitted.
    #[inline]
    fn cell(&mut self, cell: &[u8], kinds: Kinds) {
        let number = self.cells;
        self.cells += 1;
        if cell.is_empty() {
            return;
        }
        let Some(start) = self.columns.starts.get(number) else {
            self.has_more = true;
            return;
        };
        let start = if self.in_text { start } else { &start[1..] };
        match number_in(cell, kinds) {
            Some(number) => {
                self.out.extend_from_slice(&start[..start.len() - 1]);
                self.out.extend_from_slice(number);
                self.in_text = false;
            }
            None => {
                self.out.extend_from_slice(start);
                match self.may_escape && has_escaped(cell, b'"') {
                    false => self.out.extend_from_slice(cell),
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
            () if simdutf8::basic::from_utf8(&self.out[self.start..]).is_err() => Misfit::NotUtf8,
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
        let fits = columns.plain(row.as_bytes(), b',', &mut out);
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
        assert_eq!(columns.plain(b"x,caf\xe9", b',', &mut out), Err(Misfit::NotUtf8));
        assert_eq!(out.len(), 0);
    }
}
