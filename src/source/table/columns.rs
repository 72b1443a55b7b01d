//! The columns of a table, and how a row becomes an object.

use std::collections::HashSet;

use super::number::is_number;

/// The names of the columns, as JSON.
#[derive(Debug)]
pub(super) struct Columns {
    /// Of each column `,"name":"`.
    starts: Vec<Box<[u8]>>,
    /// Up to the last one with a name: cells that a row must have.
    needed: usize,
}

/// A class of bytes in a cell.
const ESCAPED: u8 = 1;
const TEXT: u8 = 2;
const NOT_ASCII: u8 = 4;

/// The classes of each byte: what JSON escapes, what is in no number, and what is outside ASCII.
const CLASSES: [u8; 256] = {
    let mut classes = [TEXT; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E' => 0,
            b'"' | b'\\' | 0..0x20 => TEXT | ESCAPED,
            0x80.. => TEXT | NOT_ASCII,
            _ => TEXT,
        };
        byte += 1;
    }
    classes
};

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
            let mut start = b",".to_vec();
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
        let mut object = RowObject::new(self, out);
        let (mut start, mut classes) = (0, 0);
        for (at, byte) in row.iter().enumerate() {
            if *byte == delimiter {
                object.cell(&row[start..at], classes);
                (start, classes) = (at + 1, 0);
            } else {
                classes |= CLASSES[usize::from(*byte)];
            }
        }
        object.cell(&row[start..], classes);
        object.finish(row)
    }

    /// The same of a row whose cells are unquoted already: `ends` are their ends in `cells`.
    pub fn quoted(&self, cells: &[u8], ends: &[usize], out: &mut Vec<u8>) -> Result<(), Misfit> {
        let mut object = RowObject::new(self, out);
        let mut start = 0;
        for end in ends {
            let cell = &cells[start..*end];
            object.cell(cell, classes_of(cell));
            start = *end;
        }
        object.finish(cells)
    }
}

fn classes_of(cell: &[u8]) -> u8 {
    cell.iter().fold(0, |classes, byte| classes | CLASSES[usize::from(*byte)])
}

/// An object that is being written.
struct RowObject<'a> {
    columns: &'a Columns,
    out: &'a mut Vec<u8>,
    start: usize,
    cells: usize,
    classes: u8,
    /// Whether a cell beyond the header has something in it.
    has_more: bool,
}

impl<'a> RowObject<'a> {
    fn new(columns: &'a Columns, out: &'a mut Vec<u8>) -> Self {
        let start = out.len();
        Self { columns, out, start, cells: 0, classes: 0, has_more: false }
    }

    /// Appends a cell; an empty one is omitted.
    #[inline]
    fn cell(&mut self, cell: &[u8], classes: u8) {
        let number = self.cells;
        self.cells += 1;
        if cell.is_empty() {
            return;
        }
        self.classes |= classes;
        let Some(start) = self.columns.starts.get(number) else {
            self.has_more = true;
            return;
        };
        match as_number(cell, classes) {
            Some(number) => {
                self.out.extend_from_slice(&start[..start.len() - 1]);
                self.out.extend_from_slice(number);
            }
            None => {
                self.out.extend_from_slice(start);
                match classes & ESCAPED {
                    0 => self.out.extend_from_slice(cell),
                    _ => escape(cell, self.out),
                }
                self.out.push(b'"');
            }
        }
    }

    fn finish(self, row: &[u8]) -> Result<(), Misfit> {
        let is_empty = self.out.len() == self.start && !self.has_more;
        let misfit = match () {
            () if is_empty => return Ok(()),
            () if self.has_more || self.cells < self.columns.needed => Misfit::Cells(self.cells),
            () if self.classes & NOT_ASCII != 0 && simdutf8::basic::from_utf8(row).is_err() => {
                Misfit::NotUtf8
            }
            () => {
                self.out[self.start] = b'{';
                self.out.push(b'}');
                return Ok(());
            }
        };
        self.out.truncate(self.start);
        Err(misfit)
    }
}

/// The number in a cell, without blanks around it.
fn as_number(cell: &[u8], classes: u8) -> Option<&[u8]> {
    if classes & TEXT == 0 {
        return is_number(cell).then_some(cell);
    }
    let has_blanks = cell[0] == b' ' || cell[cell.len() - 1] == b' ';
    let number = cell.trim_ascii();
    (has_blanks && is_number(number)).then_some(number)
}

/// Appends a text as it stands in a string of JSON.
fn escape(text: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| CLASSES[usize::from(*byte)] & ESCAPED != 0) {
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
        let mut out = b"before".to_vec();
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
        assert!(out.is_empty());
    }
}
