//! Where lines end: found for a whole window of bytes at once, without a branch that depends on them.
//!
//! A search that stops at each line end has the processor guess there, and a wrong guess is noticed
//! only when the bytes have come from memory; what is read ahead until then is lost. Here the bytes
//! of a window come in one go, and the guesses are about masks that are in the first-level cache.

use super::SCANNER;
use super::structure::BLOCK;

/// Blocks in a window.
const BLOCKS: usize = 256;

/// The places of the line feeds, from the first to the last.
#[derive(Debug, Clone)]
pub struct LineEnds<'a> {
    /// What is behind the window.
    rest: &'a [u8],
    window: Box<Window>,
    /// Where the window begins.
    start: usize,
    /// Where it ends.
    end: usize,
    /// Line ends still to come in the block looked at, and where it begins.
    ends: u64,
    block: usize,
    /// How many of the blocks with line ends were taken.
    taken: usize,
}

#[derive(Debug, Clone)]
struct Window {
    masks: [u64; BLOCKS],
    /// The blocks that have line ends; the first `filled` of them.
    with_ends: [u8; BLOCKS],
    filled: usize,
}

impl<'a> LineEnds<'a> {
    /// Those in `bytes`.
    pub fn of(bytes: &'a [u8]) -> Self {
        let window = Box::new(Window { masks: [0; BLOCKS], with_ends: [0; BLOCKS], filled: 0 });
        Self { rest: bytes, window, start: 0, end: 0, ends: 0, block: 0, taken: 0 }
    }

    /// Looks through the next window; `None` behind the last one.
    fn fill(&mut self) -> Option<()> {
        let (bytes, rest) = self.rest.split_at(self.rest.len().min(BLOCKS * BLOCK));
        (!bytes.is_empty()).then_some(())?;
        self.rest = rest;
        self.start = self.end;
        self.end += bytes.len();
        let masks = &mut self.window.masks[..bytes.len().div_ceil(BLOCK)];
        (SCANNER.line_ends)(bytes, masks);
        let mut filled = 0;
        for (block, mask) in masks.iter().enumerate() {
            self.window.with_ends[filled] = block as u8;
            filled += usize::from(*mask != 0);
        }
        self.window.filled = filled;
        self.taken = 0;
        Some(())
    }
}

impl Iterator for LineEnds<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.ends == 0 {
            if self.taken == self.window.filled {
                self.fill()?;
                continue;
            }
            let block = usize::from(self.window.with_ends[self.taken]);
            self.taken += 1;
            self.ends = self.window.masks[block];
            self.block = self.start + block * BLOCK;
        }
        let at = self.block + self.ends.trailing_zeros() as usize;
        self.ends &= self.ends - 1;
        Some(at)
    }
}
