//! Detects the format of a file by its first bytes, never by its name.

use std::path::Path;

use memchr::{memchr, memchr_iter};

use super::junk::{FramePart, frame_parts, invisible};
use super::looks_like::{BROKEN, TEXT, looks_like, packed};
use super::pages::{Opens, is_only_list, is_page};
use super::table::{Sniffed, sniff};
use super::values::assignment;
use super::{Frame, SourceError, Values, byte_order_mark};
use crate::scan::{Broken, container_end, space, strict_end};

/// How the JSON values of a file are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One value per line (NDJSON).
    Lines,
    /// One object per line, each with a list of tweets.
    PageLines,
    /// One array around all values, or several arrays.
    Array,
    /// Objects one after another, pretty-printed or without any line breaks; also a single one.
    Objects,
    /// Objects with a list of tweets, one or many.
    Pages,
    /// One object around one list that has any name, as in GeoJSON.
    List,
    /// An array after a JavaScript assignment, as in an account archive.
    Script,
    /// A table with a header, one record per row. Its frames are those of the JSON lines that the rows become.
    Table,
}

impl Format {
    pub const ALL: [Format; 8] = [
        Format::Lines,
        Format::PageLines,
        Format::Array,
        Format::Objects,
        Format::Pages,
        Format::List,
        Format::Script,
        Format::Table,
    ];

    /// A description for people.
    pub fn name(self) -> &'static str {
        match self {
            Format::Lines => "one JSON value per line",
            Format::PageLines => "one page of tweets per line",
            Format::Array => "one array",
            Format::Objects => "objects one after another",
            Format::Pages => "objects that hold the list",
            Format::List => "an object around one list",
            Format::Script => "an account archive (tweets.js)",
            Format::Table => "a table with a header (CSV, TSV)",
        }
    }

    /// One word, as in `--format`.
    pub fn flag(self) -> &'static str {
        match self {
            Format::Lines => "lines",
            Format::PageLines => "page-lines",
            Format::Array => "array",
            Format::Objects => "objects",
            Format::Pages => "pages",
            Format::List => "list",
            Format::Script => "script",
            Format::Table => "csv",
        }
    }
}

/// How far the detection looks for a first value, in bytes: saved streams may start with a log line
/// or an error page, hardly more.
pub(super) const LOOK_BYTES: usize = 256 * 1024;

/// How many values are checked for being pages.
const LOOK_VALUES: usize = 16;

/// The format of `bytes`, a whole file that is not compressed.
///
/// # Errors
/// When the file holds only white space, or neither JSON nor a table with a header.
pub fn detect(path: &Path, bytes: &[u8]) -> Result<Format, SourceError> {
    check_packed(path, bytes)?;
    let first = space(bytes, byte_order_mark(bytes));
    if first == bytes.len() {
        return Err(SourceError::Empty { path: path.to_owned() });
    }
    let first = first + invisible(&bytes[first..]);
    let head = &bytes[first..bytes.len().min(first + LOOK_BYTES)];
    let framing = match head.first() {
        Some(b'{') => of_objects(bytes, first, head),
        Some(b'[') => of_array(bytes, head),
        _ if assignment(head).is_some() => Some(Format::Script),
        _ => of_lines(head),
    };
    framing.map_or_else(|| of_text(path, bytes, first, head), Ok)
}

/// The format of a file without JSON: a table, or an error that says what it looks like.
fn of_text(path: &Path, bytes: &[u8], first: usize, head: &[u8]) -> Result<Format, SourceError> {
    let (form, hint) = looks_like(&bytes[..bytes.len().min(LOOK_BYTES)]);
    let sniffed = if form == TEXT { sniff(bytes) } else { Sniffed::Other };
    match sniffed {
        Sniffed::Table(_) => Ok(Format::Table),
        Sniffed::NoHeader(why) => Err(SourceError::NoHeader { path: path.to_owned(), why }),
        Sniffed::Other => {
            // Broken JSON is shown where it breaks.
            let first = match strict_end(head, 0) {
                Err(Broken::At(position)) if form == BROKEN => first + position,
                _ => first,
            };
            let line = memchr_iter(b'\n', &bytes[..first]).count() as u64 + 1;
            Err(SourceError::UnsupportedForm {
                path: path.to_owned(),
                form,
                line,
                offset: first as u64,
                hint,
            })
        }
    }
}

/// Refuses archives and compressed files that are not read, whatever format is given.
///
/// # Errors
/// When the bytes begin like one.
pub(super) fn check_packed(path: &Path, bytes: &[u8]) -> Result<(), SourceError> {
    match packed(bytes) {
        Some((form, hint)) => {
            Err(SourceError::UnsupportedForm { path: path.to_owned(), form, line: 1, offset: 0, hint })
        }
        None => Ok(()),
    }
}

/// The format of a file whose first byte opens an object.
fn of_objects(bytes: &[u8], first: usize, head: &[u8]) -> Option<Format> {
    let has_line_break = |length: usize| memchr(b'\n', &head[..length]).is_some();
    match strict_end(head, 0) {
        Ok(end) => {
            let line_end = memchr(b'\n', &head[end..]).map_or(head.len(), |length| end + length);
            let is_alone = head[end..line_end].trim_ascii().is_empty();
            if is_alone && !has_line_break(end) {
                let is_list = !is_page(bytes, first) && is_only_list(bytes, first);
                return if is_list { Some(Format::List) } else { of_lines(head) };
            }
        }
        Err(Broken::Cut) if has_line_break(head.len()) || head.len() < LOOK_BYTES => {}
        // One line, longer than the detection looks.
        Err(Broken::Cut) if !is_page(bytes, first) => {
            return Some(if is_only_list(bytes, first) { Format::List } else { Format::Lines });
        }
        Err(Broken::Cut) => {
            let line = memchr(b'\n', &bytes[first..]).map(|length| &bytes[first..first + length]);
            let is_whole = line.is_some_and(|line| container_end(line, 0).is_some());
            return Some(if is_whole { Format::PageLines } else { Format::Pages });
        }
        Err(Broken::At(position)) => {
            let lines = of_lines(head);
            // The first of several pretty-printed objects may be broken, too.
            if lines.is_some() || !has_line_break(position) {
                return lines;
            }
        }
    }
    let mut at = first;
    for _ in 0..LOOK_VALUES {
        if is_page(bytes, at) {
            return Some(Format::Pages);
        }
        let window = &bytes[..bytes.len().min(at + LOOK_BYTES)];
        at = match container_end(window, at) {
            Some(end) => space(bytes, end),
            None => break,
        };
    }
    Some(if is_only_list(bytes, first) { Format::List } else { Format::Objects })
}

/// The format of a file whose first byte is `[`: an array, or lines after something like `[INFO]`.
fn of_array(bytes: &[u8], head: &[u8]) -> Option<Format> {
    let line = memchr(b'\n', head).unwrap_or(head.len());
    if let Err(Broken::At(position)) = strict_end(head, 0)
        && position < line
        && memchr(b'{', &head[..position]).is_none()
    {
        return of_lines(head);
    }
    let mut elements = Values::new(bytes, Opens::Nothing).take(LOOK_VALUES);
    let has_pages = elements.any(|element| is_page(element.bytes, 0));
    Some(if has_pages { Format::Pages } else { Format::Array })
}

/// The format of a file that has a whole object on one of its first lines. Lines of text and broken
/// lines may come before it.
fn of_lines(head: &[u8]) -> Option<Format> {
    let lines = || head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    // An object, or a string in which there is one.
    let is_record = |line: &[u8]| line.first() == Some(&b'{') || line.starts_with(b"\"{");
    let objects = lines().filter(|line| is_record(line) && strict_end(line, 0) == Ok(line.len()));
    lines_of(objects).or_else(|| lines_of(lines().filter_map(after_junk)))
}

/// The object on a line that begins with invisible bytes or a broken record, and not with text.
fn after_junk(line: &[u8]) -> Option<&[u8]> {
    let first = invisible(line);
    line.get(first).filter(|byte| **byte == b'{')?;
    let parts = frame_parts(Frame { offset: 0, bytes: line, includes: &[] });
    parts.into_iter().find_map(|part| match part {
        FramePart::Record(record) => Some(record.bytes),
        FramePart::Junk(_) => None,
    })
}

fn lines_of<'a>(objects: impl Iterator<Item = &'a [u8]>) -> Option<Format> {
    let mut framing = None;
    for object in objects.take(LOOK_VALUES) {
        if is_page(object, 0) {
            return Some(Format::PageLines);
        }
        framing = Some(Format::Lines);
    }
    framing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing(text: &str) -> Result<Format, String> {
        detect(Path::new("t.json"), text.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn lines() {
        assert_eq!(framing("{\"a\":1}\n{\"b\":2}\n"), Ok(Format::Lines));
        assert_eq!(framing("{\"a\":1}"), Ok(Format::Lines));
        assert_eq!(framing("\"{\\\"a\\\":1}\"\n"), Ok(Format::Lines));
        assert_eq!(framing("\0\0\u{feff}{\"a\":1}\n"), Ok(Format::Lines));
        assert_eq!(
            framing("{\"a\":1,\"b\":\"cu{\"a\":1}\n{\"a\":1,\"b\":\"cu{\"a\":1}\n"),
            Ok(Format::Lines)
        );
        assert_eq!(framing("\u{feff}\r\n {\"a\":{}}\r\n"), Ok(Format::Lines));
        assert_eq!(framing(&format!("{{\"a\":\"{}\"}}\n{{}}", "x".repeat(LOOK_BYTES))), Ok(Format::Lines));
    }

    #[test]
    fn text_and_broken_lines_may_come_first() {
        assert_eq!(framing("HTTP/1.1 200 OK\n{\"a\":\"cut\n{\"b\":2}\n"), Ok(Format::Lines));
        assert_eq!(framing("{\"a\":\"cut\n{\"b\":2}\n"), Ok(Format::Lines));
        assert_eq!(framing("[INFO] on\n{\"b\":2}\n"), Ok(Format::Lines));
        assert_eq!(framing("[2021-04-01] on\n{\"b\":2}\n"), Ok(Format::Lines));
    }

    #[test]
    fn arrays_and_archives() {
        assert_eq!(framing("\n [\n {\"a\":1}"), Ok(Format::Array));
        assert_eq!(framing("[{\"id\":1,\"tweets\":[\"a\"]}]"), Ok(Format::Array));
        assert_eq!(framing("[]"), Ok(Format::Array));
        assert_eq!(framing("window.YTD.tweets.part0 = [ ]"), Ok(Format::Script));
        assert_eq!(framing("Grailbird.data.tweets_2013_05 =\n [ {"), Ok(Format::Script));
        assert_eq!(framing("var tweets = [{}]"), Ok(Format::Script));
    }

    #[test]
    fn objects_over_several_lines_or_on_one() {
        assert_eq!(framing("{\n \"a\": 1\n}\n"), Ok(Format::Objects));
        assert_eq!(framing("{\n \"a\": 1\n}{\n \"a\": {}\n}\n"), Ok(Format::Objects));
        assert_eq!(framing("{\"a\":1}{\"a\":2}"), Ok(Format::Objects));
        assert_eq!(framing("{\"a\":1},\n{\"a\":2},\n"), Ok(Format::Objects));
        // One line that is whole by itself does not make the file lines.
        assert_eq!(framing("{\n \"a\": [\n{\"b\":1}\n ]\n}\n"), Ok(Format::List));
        assert_eq!(framing("{\n \"a\": [\n{\"b\":1}\n "), Ok(Format::Objects));
    }

    #[test]
    fn tables() {
        assert_eq!(framing("id,text\n1,hello\n"), Ok(Format::Table));
        assert_eq!(framing("\u{feff}id\ttext\r\n1\thello, you\r\n"), Ok(Format::Table));
        assert_eq!(framing("\"id\";\"text\"\n\"1\";\"{\"\"a\"\":1}\"\n"), Ok(Format::Table));
        // JSON comes first.
        assert_eq!(framing("id,text\n1,hello\n{\"a\":1}\n"), Ok(Format::Lines));
    }

    #[test]
    fn pages() {
        let page = r#"{"meta":{"n":1},"data":[{"id":"1"}],"includes":{}}"#;
        assert_eq!(framing(page), Ok(Format::PageLines));
        assert_eq!(framing(&format!("{{}}\n{page}\n{page}\n")), Ok(Format::PageLines));
        assert_eq!(framing(&format!("{page}{page}")), Ok(Format::Pages));
        assert_eq!(framing(&format!("[{page},\n{page}]")), Ok(Format::Pages));
        assert_eq!(framing("{\n\"statuses\": [\n{\"id\":1},\n{\"id\":2}\n"), Ok(Format::Pages));
        let long = format!("{{\"results\":[{{\"a\":\"{}\"}}]}}", "x".repeat(LOOK_BYTES));
        assert_eq!(framing(&long), Ok(Format::Pages));
        assert_eq!(framing(&format!("{long}\n{long}\n")), Ok(Format::PageLines));
        assert_eq!(framing(r#"{"data":{"id":"1","text":"a"}}"#), Ok(Format::Lines));
        assert_eq!(framing(r#"{"id":1,"tweets":["a"]}"#), Ok(Format::Lines));
    }

    #[test]
    fn one_object_around_one_list_is_a_list_whatever_its_name_is() {
        let list =
            r#"{"type":"x","meta":{"n":[1]},"features":[{"a":1,"list":[{"x":1}]},{"a":2}],"bbox":[1,2]}"#;
        assert_eq!(framing(list), Ok(Format::List));
        assert_eq!(framing(&list.replace(",\"", ",\n\"")), Ok(Format::List));
        let long = format!("{{\"rows\":[{{\"a\":\"{}\"}}]}}\n", "x".repeat(LOOK_BYTES));
        assert_eq!(framing(&long), Ok(Format::List));
        assert_eq!(framing(&format!("{long}{long}")), Ok(Format::Lines));
        assert_eq!(framing(&format!("{list}\n{list}")), Ok(Format::Lines));
        for record in [
            r#"{"text":"a","matching_rules":[{"id":1,"tag":"a"},{"id":2}]}"#,
            r#"{"a":[{"x":1}],"b":[{"x":1}]}"#,
            r#"{"a":[1,2,3,4,5,6,7,8,9],"b":1}"#,
            r#"{"time":"2020-03-03T10:00:00Z","service":"a service","spans":[{"x":1}]}"#,
        ] {
            assert_eq!(framing(record), Ok(Format::Lines), "{record}");
        }
    }

    #[test]
    fn what_holds_no_tweets_is_named() {
        let named = |text: &str, words: &str| {
            let error = framing(text).unwrap_err();
            assert!(error.contains(words), "{error}");
        };
        named(
            "1,2020-01-01,a\n2,2020-01-02,b\n",
            "(echo 'column_1,time,column_3'; cat t.json) | tweetblast -",
        );
        named("id,text\n", "text, not JSON");
        named("\u{89}PNG", "text, not JSON");
        named("BZh91AY", "bzcat t.json | tweetblast -");
        named("<!DOCTYPE html>", "HTML");
        named("{'text': 'a'}\n{'text': 'b'}\n", "Python");
        named("{ int main }", "broken JSON (line 1, byte 2)");
        named("\n{\"a\":1 \"b\":2}", "broken JSON (line 2, byte 8)");
        named("hello", "text, not JSON");
        named("Hello, you\nand you, too\n", "text, not JSON");
        named("\n\nhello, you\n", "(line 3, byte 2)");
        named(
            "data: {\"text\":\"a, b\"}\n\ndata: {\"text\":\"c\"}\n",
            "sed -n 's/^data: *//p' t.json | tweetblast -",
        );
        named("event: x\nid: 1, 2\ndata: {\"text\":\"a\"}\n", "server-sent events");
        named("\"{\\\"text\\\":\\\"a, b\\\"\n", "jq -c fromjson t.json | tweetblast -");
        named("\u{1e}{\"text\":\"a, b\"}\n", "tr -d '\\036' <t.json | tweetblast -");
        named(
            "Status(_api=<tweepy.api.API object at 0x7f>, _json={'id': 1, 'text': 'a'})\n",
            "Python objects",
        );
        named("[Tweet(id=1, text='a'), Tweet(id=2, text='b')]\n", "Python objects");
        named("2024-03-09 18:00:00, INFO {\"text\":\"a\"}\n", "JSON after something else on the line");
        named(
            "a.json:{\"text\":\"a, b\"}\na.json:{\"text\":\"c\"}\n",
            "sed 's/^[^{]*//' t.json | tweetblast -",
        );
        named(" \r\n ", "is empty");
    }
}
