//! Pages of API v2, one per line.

use super::junk::{FramePart, line_parts};
use super::{Frame, Lines, Values};

/// One page per line: the elements of their lists. Broken bytes on one line do not affect the
/// others, and a page behind junk on its line is read.
#[derive(Debug, Clone)]
pub struct PageLines<'a> {
    lines: Lines<'a>,
    /// What is left of a line that is not one page, the last part first.
    parts: Vec<FramePart<'a>>,
    page: Option<Values<'a>>,
}

impl<'a> PageLines<'a> {
    /// The elements of the pages on the lines of `bytes`, a whole file.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { lines: Lines::new(bytes), parts: Vec::new(), page: None }
    }
}

impl<'a> Iterator for PageLines<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        loop {
            if let Some(frame) = self.page.as_mut().and_then(Iterator::next) {
                return Some(frame);
            }
            self.page = None;
            match self.parts.pop() {
                Some(FramePart::Junk(junk)) => return Some(junk),
                Some(FramePart::Record(page)) => self.page = Some(Values::on_line(page)),
                None => {
                    self.parts = line_parts(self.lines.next()?);
                    self.parts.reverse();
                }
            }
        }
    }
}
