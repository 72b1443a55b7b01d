//! Where lines end: found for a whole window of bytes at once, without a branch that depends on them.
//!
//! A search that stops at each line end has the processor guess there, and a wrong guess is noticed
//! only when the bytes have come from memory; what is read ahead until then is lost. Here the bytes
//! of a window come in one go, and the guesses are about masks that are in the first-level cache.

use super::block::{BLOCK, LineEndsOfBlock};
use super::fastest::SCANNER;

/// Blocks in a window.
const BLOCKS: usize = 256;

/// The places of the line feeds, from the first to the last.
#[derive(Debug, Clone)]
pub struct LineEnds<'a> {
    /// What is behind the window.
    rest: &'a [u8],
    /// Where the window begins and ends.
    start: usize,
    end: usize,
    /// Its blocks that have line ends; so many there are, and so many were taken.
    blocks: Box<[LineEndsOfBlock; BLOCKS]>,
    found: usize,
    taken: usize,
    /// Those still to come of the block that was taken last.
    block: LineEndsOfBlock,
}

impl<'a> LineEnds<'a> {
    /// Those in `bytes`.
    pub fn of(bytes: &'a [u8]) -> Self {
        let block = LineEndsOfBlock::default();
        Self { rest: bytes, start: 0, end: 0, blocks: Box::new([block; BLOCKS]), found: 0, taken: 0, block }
    }

    /// Looks through the next window; `None` behind the last one.
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
