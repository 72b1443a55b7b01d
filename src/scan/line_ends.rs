//! Finds line ends in a whole window of bytes at once, without a branch that depends on them.
//!
//! A search that stops at each line end makes the processor guess there, and a wrong guess is
//! noticed only when the bytes have come from memory; what was read ahead until then is lost. Here
//! the bytes of a window are scanned in one go, and the guesses are about masks in the first-level
//! cache.

use super::block::{BLOCK, LineEndsOfBlock};
use super::fastest::SCANNER;

/// Blocks in a window.
const BLOCKS: usize = 256;

/// The positions of the line feeds, from first to last.
#[derive(Debug, Clone)]
pub struct LineEnds<'a> {
    /// The bytes after the window.
    rest: &'a [u8],
    /// Where the window begins and ends.
    start: usize,
    end: usize,
    /// Its blocks with line ends: how many were found, and how many of them were taken.
    blocks: Box<[LineEndsOfBlock; BLOCKS]>,
    found: usize,
    taken: usize,
    /// The line ends of the current block that are still to come.
    block: LineEndsOfBlock,
}

impl<'a> LineEnds<'a> {
    /// The line ends in `bytes`.
    pub fn of(bytes: &'a [u8]) -> Self {
        let block = LineEndsOfBlock::default();
        Self { rest: bytes, start: 0, end: 0, blocks: Box::new([block; BLOCKS]), found: 0, taken: 0, block }
    }

    /// Scans the next window; `None` after the last one.
    fn look(&mut self) -> Option<()> {
        let (window, rest) = self.rest.split_at(self.rest.len().min(BLOCKS * BLOCK));
        (!window.is_empty()).then_some(())?;
        self.rest = rest;
        self.start = self.end;
        self.end += window.len();
        self.found = (SCANNER.line_ends)(window, &mut self.blocks[..]);
        self.taken = 0;
        Some(())
    }
}

impl Iterator for LineEnds<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.block.ends == 0 {
            while self.taken == self.found {
                self.look()?;
            }
            self.block = self.blocks[self.taken];
            self.taken += 1;
        }
        let at = self.start + self.block.start + self.block.ends.trailing_zeros() as usize;
        self.block.ends &= self.block.ends - 1;
        Some(at)
    }
}
