//! Pages of API v2, one per line.

use super::{Frame, Lines, Values};

/// One page per line: the elements of their lists. Broken bytes on one line do not affect the
/// others.
#[derive(Debug, Clone)]
pub struct PageLines<'a> {
    lines: Lines<'a>,
    line: Option<Values<'a>>,
}

impl<'a> PageLines<'a> {
    /// The elements of the pages on the lines of `bytes`, a whole file.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { lines: Lines::new(bytes), line: None }
    }
}

impl<'a> Iterator for PageLines<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        loop {
            if let Some(frame) = self.line.as_mut().and_then(Iterator::next) {
                return Some(frame);
            }
            self.line = Some(Values::on_line(self.lines.next()?));
        }
    }
}
