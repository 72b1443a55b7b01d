//! One JSON value per line: LF or CRLF, blank lines between, a last line without a line end.
//!
//! Every line that is not blank is a frame, whether it is JSON or not: the parser finds a line of
//! text, and counts it as unparseable with its offset.

use super::{Frame, byte_order_mark};
use crate::scan::{LineEnds, is_space};

/// The non-blank lines of a file.
#[derive(Debug, Clone)]
pub struct Lines<'a> {
    bytes: &'a [u8],
    position: usize,
    ends: LineEnds<'a>,
}

impl<'a> Lines<'a> {
    /// The lines of `bytes`, a whole file; a byte order mark at its start is skipped.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: byte_order_mark(bytes), ends: LineEnds::of(bytes) }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        while self.position < self.bytes.len() {
            let line_start = self.position;
            let line_end = self.ends.next().unwrap_or(self.bytes.len());
            let line = &self.bytes[line_start..line_end];
            self.position = line_end + 1;

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
    fn no_line_is_missing_where_windows_of_bytes_meet() {
        // Lines of 1 to 99 bytes over 100 KB: they end at every position of a block and around
        // windows.
        let lines: Vec<String> = (0..2_000).map(|nth| "x".repeat(1 + nth * 7 % 99)).collect();
        for end in ["\n", "\r\n", "\n\n"] {
            let found: Vec<String> = frames(&lines.join(end)).into_iter().map(|(_, line)| line).collect();
            assert!(found == lines, "{end:?}");
        }
    }

    #[test]
    fn nothing_gives_nothing() {
        assert!(frames("").is_empty());
        assert!(frames("\n \r\n").is_empty());
    }
}
