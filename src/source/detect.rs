//! Tells the framing of a file from its first bytes, never from its name.
//!
//! What is known but not read yet ends in an error that names it, so that nobody's file is
//! replayed as something it is not.

use std::path::Path;

use memchr::memchr;

use super::array::string_end;
use super::{SourceError, byte_order_mark, is_space};

/// How the JSON values of a file are strung together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// One value a line (NDJSON).
    Lines,
    /// One array around all values.
    Array,
}

impl Framing {
    /// In words for people.
    pub fn name(self) -> &'static str {
        match self {
            Framing::Lines => "one JSON value a line",
            Framing::Array => "one array",
        }
    }
}

/// How far the detection looks for a first line that is JSON, in bytes: saved streams can start
/// with a log line or an error page, hardly with more.
const LOOK_BYTES: usize = 256 * 1024;

/// The framing of `bytes`, a whole file.
///
/// # Errors
/// When the file holds white space only, or has a form that this version does not read.
pub fn detect(path: &Path, bytes: &[u8]) -> Result<Framing, SourceError> {
    let unsupported = |form, offset: usize, hint| SourceError::UnsupportedForm {
        path: path.to_owned(),
        form,
        offset: offset as u64,
        hint,
    };
    if bytes.starts_with(b"\x1f\x8b") {
        return Err(unsupported("a gzip file", 0, "; unpack it first: gunzip -k FILE"));
    }
    if bytes.starts_with(b"\x28\xb5\x2f\xfd") {
        return Err(unsupported("a zstd file", 0, "; unpack it first: zstd -d FILE"));
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(unsupported("UTF-16 text", 0, "; convert it first: iconv -f UTF-16 -t UTF-8 FILE"));
    }
    let start = byte_order_mark(bytes);
    let Some(first) = bytes[start..].iter().position(|byte| !is_space(*byte)).map(|at| start + at) else {
        return Err(SourceError::Empty { path: path.to_owned() });
    };
    let head = &bytes[first..bytes.len().min(first + LOOK_BYTES)];
    if head[0] == b'[' {
        return Ok(Framing::Array);
    }
    if head.starts_with(b"window.YTD") || head.starts_with(b"YTD.tweet") {
        return Err(unsupported("an account archive (tweets.js)", first, ""));
    }
    if some_line_is_an_object(head) {
        return Ok(Framing::Lines);
    }
    if head[0] != b'{' {
        return Err(unsupported("no JSON", first, ""));
    }
    match object_end(bytes, first) {
        Some(end) => match bytes[end..].iter().position(|byte| !is_space(*byte)) {
            None => Err(unsupported("one JSON object over several lines", first, "")),
            Some(more) => Err(unsupported("JSON objects one after another", end + more, "")),
        },
        None => Err(unsupported("a JSON object that never ends", first, "")),
    }
}

/// Whether a line among the first ones holds a whole JSON object. Lines of text and broken lines
/// may stand before it.
fn some_line_is_an_object(head: &[u8]) -> bool {
    let mut rest = head;
    while !rest.is_empty() {
        let length = memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest[..length].trim_ascii();
        if line.first() == Some(&b'{') {
            match object_end(line, 0) {
                Some(end) if end == line.len() => return true,
                // The only line, longer than we look: a file of very long lines.
                None if length == rest.len() && head.len() == LOOK_BYTES && rest.len() == head.len() => {
                    return true;
                }
                _ => {}
            }
        }
        rest = &rest[(length + 1).min(rest.len())..];
    }
    false
}

/// The place behind the brace that closes the object which starts at `start`.
fn object_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut depth = 0usize;
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = string_end(bytes, at);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing(bytes: &[u8]) -> Result<Framing, String> {
        detect(Path::new("t.json"), bytes).map_err(|error| error.to_string())
    }

    #[test]
    fn lines_and_arrays() {
        assert_eq!(framing(b"{\"a\":1}\n{\"b\":2}\n"), Ok(Framing::Lines));
        assert_eq!(framing(b"{\"a\":1}"), Ok(Framing::Lines));
        assert_eq!(framing(b"\xEF\xBB\xBF\r\n {\"a\":{}}\r\n"), Ok(Framing::Lines));
        assert_eq!(framing(b"\n [\n {\"a\":1}"), Ok(Framing::Array));
    }

    #[test]
    fn text_and_broken_lines_may_come_first() {
        assert_eq!(framing(b"HTTP/1.1 200 OK\n{\"a\":\"cut\n{\"b\":2}\n"), Ok(Framing::Lines));
    }

    #[test]
    fn other_forms_are_named() {
        let named = |bytes: &[u8], words: &str| {
            let error = framing(bytes).unwrap_err();
            assert!(error.contains(words), "{error}");
        };
        named(b"\x1f\x8b\x08", "gzip");
        named(b"window.YTD.tweets.part0 = [ ]", "account archive");
        named(b"{\n \"a\": 1\n}\n", "one JSON object over several lines");
        named(b"{\n \"a\": 1\n}\n{\n \"a\": 2\n}\n", "one after another");
        named(b"id,text\n1,hello\n", "no JSON");
        named(b" \r\n ", "is empty");
    }
}
