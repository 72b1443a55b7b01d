//! One JSON value a line: LF or CRLF, blank lines between, a last line without an end.
//!
//! Every line that is not blank is a frame, be it JSON or not: a line of text is found out by the
//! parser, which counts it as unparseable with its offset.

use memchr::memchr;

use super::{Frame, byte_order_mark};
use crate::scan::is_space;

/// The non-blank lines of a file.
#[derive(Debug, Clone)]
pub struct Lines<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Lines<'a> {
    /// The lines of `bytes`, a whole file; a byte order mark at its start is left out.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: byte_order_mark(bytes) }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        while self.position < self.bytes.len() {
            let rest = &self.bytes[self.position..];
            let length = memchr(b'\n', rest).unwrap_or(rest.len());
            let line = &rest[..length];
            let line_start = self.position;
            self.position += length + 1;

            let Some(first) = line.iter().position(|byte| !is_space(*byte)) else {
                continue;
            };
            let last = line.iter().rposition(|byte| !is_space(*byte)).unwrap_or(first);
            return Some(Frame {
                includes: &[],
                offset: (line_start + first) as u64,
                bytes: &line[first..=last],
            });
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(text: &str) -> Vec<(u64, String)> {
        Lines::new(text.as_bytes())
            .map(|frame| (frame.offset, String::from_utf8(frame.bytes.to_vec()).unwrap()))
            .collect()
    }

    #[test]
    fn line_ends_of_both_kinds_blank_lines_and_a_missing_last_end() {
        assert_eq!(
            frames("{}\r\n\r\n  \n{\"a\":1}\n[]"),
            [(0, "{}".into()), (9, "{\"a\":1}".into()), (17, "[]".into())]
        );
    }

    #[test]
    fn byte_order_mark_is_no_part_of_the_first_line() {
        assert_eq!(frames("\u{feff}{}\n"), [(3, "{}".into())]);
    }

    #[test]
    fn nothing_gives_nothing() {
        assert!(frames("").is_empty());
        assert!(frames("\n \r\n").is_empty());
    }
}
