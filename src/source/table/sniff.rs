//! Whether a text is a table, and what is between its cells.

use csv::{ByteRecord, ReaderBuilder};

use super::super::byte_order_mark;

/// What may be between two cells.
pub type Delimiter = u8;

/// The delimiters, of equals the first.
const DELIMITERS: [Delimiter; 4] = [b'\t', b';', b'|', b','];

/// Rows that are looked at, and bytes.
const LOOK_ROWS: usize = 50;
const LOOK_BYTES: usize = 64 << 10;

/// Longest name of a column, in bytes.
const NAME_BYTES: usize = 256;

/// What a text turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Sniffed {
    Table(Delimiter),
    NoHeader(NoHeader),
    Other,
}

/// A table whose first row has no names in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoHeader {
    /// The start of the first row.
    pub row: String,
    /// Names that would do, as a command prints them.
    pub command: String,
}

/// What a text that begins with `head` is: a table has at least two columns, names in its first row, and in most of
/// the rows after it as many cells.
pub fn sniff(head: &[u8]) -> Sniffed {
    let looks = DELIMITERS.into_iter().rev().filter_map(|delimiter| Look::new(head, delimiter));
    let Some(best) = looks.max_by_key(Look::rank).filter(Look::is_table) else { return Sniffed::Other };
    match best.no_header() {
        Some(why) => Sniffed::NoHeader(why),
        None => Sniffed::Table(best.delimiter),
    }
}

/// The delimiter of a text that is a table, because the user says so.
pub fn delimiter(head: &[u8]) -> Delimiter {
    let looks = DELIMITERS.into_iter().rev().filter_map(|delimiter| Look::new(head, delimiter));
    looks.max_by_key(Look::rank).map_or(b',', |best| best.delimiter)
}

/// A text, read with one delimiter.
struct Look {
    delimiter: Delimiter,
    header: ByteRecord,
    /// The row after it.
    second: ByteRecord,
    rows: usize,
    /// Rows with as many cells as the header.
    fitting: usize,
    /// Whether a blank comes after each delimiter of the header, as in a sentence.
    is_prose: bool,
}

impl Look {
    /// `None`: there is one column.
    fn new(head: &[u8], delimiter: Delimiter) -> Option<Self> {
        let head = &head[byte_order_mark(head)..];
        let start = head.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(head.len());
        let is_cut = head.len() - start > LOOK_BYTES;
        let head = &head[start..head.len().min(start + LOOK_BYTES)];
        let mut reader =
            ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(head);
        let mut records = reader.byte_records().map_while(Result::ok).take(LOOK_ROWS + 1).peekable();
        let header = records.next().filter(|header| width(header) > 1)?;
        let (mut rows, mut fitting, mut second) = (0, 0, None);
        while let Some(record) = records.next() {
            // The last one may be cut.
            if is_cut && rows > 0 && records.peek().is_none() {
                break;
            }
            rows += 1;
            fitting += usize::from(width(&header) <= record.len() && width(&record) <= header.len());
            second.get_or_insert(record);
        }
        let is_prose = header.iter().skip(1).all(|name| name.first() == Some(&b' '));
        Some(Self { delimiter, header, second: second.unwrap_or_default(), rows, fitting, is_prose })
    }

    /// The larger, the likelier.
    fn rank(&self) -> (usize, usize) {
        (self.fitting * 100 / self.rows.max(1), self.header.len())
    }

    fn is_table(&self) -> bool {
        let is_name = |name: &[u8]| {
            name.len() <= NAME_BYTES && !name.iter().any(|byte| matches!(byte, b'=' | b'{' | b'}' | b'<'))
        };
        let is_sure = !self.is_prose || (self.rows > 1 && self.fitting == self.rows && self.header.len() > 2);
        self.rows > 0 && self.fitting * 2 > self.rows && is_sure && self.header.iter().all(is_name)
    }

    /// Whether the first row is like the second one: with a number or a time where that has one.
    fn no_header(&self) -> Option<NoHeader> {
        let cells = self.header.iter().zip(self.second.iter());
        let mut values = cells.filter(|(first, _)| is_value(first)).peekable();
        values.peek()?;
        if !values.all(|(_, second)| is_value(second)) {
            return None;
        }
        const SHOWN_CHARS: usize = 60;
        let row: Vec<_> = self.header.iter().map(String::from_utf8_lossy).collect();
        let row = row.join(&char::from(self.delimiter).to_string());
        let row: String =
            row.chars().take(SHOWN_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
        let time = self.header.iter().position(is_time);
        let names = (0..self.header.len()).map(|at| match time {
            Some(time) if time == at => "time".to_owned(),
            _ => format!("column_{}", at + 1),
        });
        let names: Vec<String> = names.collect();
        let command = match self.delimiter {
            b'\t' => format!("printf '{}\\n'", names.join("\\t")),
            delimiter => format!("echo '{}'", names.join(&char::from(delimiter).to_string())),
        };
        Some(NoHeader { row, command })
    }
}

/// The cells of a row without the empty ones at its end.
fn width(record: &ByteRecord) -> usize {
    record.iter().collect::<Vec<_>>().iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1)
}

/// Whether a cell is hardly a name: mostly digits, or a time.
fn is_value(cell: &[u8]) -> bool {
    let cell = cell.trim_ascii();
    let digits = cell.iter().filter(|byte| byte.is_ascii_digit()).count();
    let starts = cell.strip_prefix(b"-").unwrap_or(cell).first().is_some_and(u8::is_ascii_digit);
    (starts && digits * 2 >= cell.len()) || is_time(cell)
}

/// Whether there is an hour and a minute in it, or a date in digits.
fn is_time(cell: &[u8]) -> bool {
    let has = |sign: u8| {
        cell.windows(3).any(|part| part[0].is_ascii_digit() && part[1] == sign && part[2].is_ascii_digit())
    };
    cell.len() >= 8
        && (has(b':') || (has(b'-') || has(b'/')) && cell.iter().filter(|b| b.is_ascii_digit()).count() >= 6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delimiter_is_the_one_that_makes_rows_like_the_header() {
        for (head, delimiter) in [
            ("id,text\n1,hello\n", b','),
            ("\u{feff}id;text\r\n1;\"a, b, c\"\r\n2;x\r\n", b';'),
            ("\n\nid\ttext\n1\thello, you\n", b'\t'),
            ("id|text|n\n1|a,b|2\n", b'|'),
            ("\"a,b\",\"c\"\n\"1\",\"line\nend, \"\"x\"\"\"\n", b','),
            ("a, b, c\n1, 2, 3\n4, 5, 6\n", b','),
            (",time,value\n0,2020-01-01,5\n", b','),
            ("a,b\n1,2\n3\n4,5\n", b','),
            ("host\ttime\tn\nx\t5\t6\t\t\n", b'\t'),
        ] {
            assert_eq!(sniff(head.as_bytes()), Sniffed::Table(delimiter), "{head}");
        }
    }

    #[test]
    fn other_texts_are_not_tables() {
        for head in [
            "",
            "hello",
            "Hello, you\nand you, too\n",
            "hello, you\n",
            "id,text\n",
            "a=1, b=2, c=3\na=1, b=2, c=3\na=1, b=2, c=3\n",
            "one\ntwo, three\nfour\n",
        ] {
            assert_eq!(sniff(head.as_bytes()), Sniffed::Other, "{head}");
        }
    }

    #[test]
    fn a_first_row_of_values_is_not_a_header_and_names_are_proposed() {
        let Sniffed::NoHeader(why) =
            sniff(b"0,Mon Apr 06 22:19:45 PDT 2009,x\n0,Mon Apr 06 22:19:49 PDT 2009,y\n")
        else {
            panic!("it has none");
        };
        assert_eq!(why.command, "echo 'column_1,time,column_3'");
        assert!(why.row.starts_with("0,Mon Apr 06"), "{}", why.row);
        let Sniffed::NoHeader(why) = sniff(b"a\t2020-01-01\nb\t2020-01-02\n") else { panic!("it has none") };
        assert_eq!(why.command, "printf 'column_1\\ttime\\n'");
        // Years may be names, above words.
        assert_eq!(sniff(b"country,2010,2011\nES,high,low\n"), Sniffed::Table(b','));
    }
}
