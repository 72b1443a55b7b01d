//! Where strings, colons and brackets are in one JSON value: bit masks of its bytes, made in one
//! go, and a cursor that hops from one to the next.
//!
//! The masks are those of simdjson's first stage, but they stay masks. A reader that needs a few
//! members of a big object looks at its colons only, skips what a bracket opens by counting, 64
//! bytes at a time, and never sees the rest.

use super::block::{BLOCK, Block};
use super::fastest::SCANNER;

/// The masks of one value; reused for the next.
#[derive(Debug, Default)]
pub struct Structure {
    blocks: Vec<Block>,
}

impl Structure {
    /// Scans `bytes`. `None` if they cannot be JSON: a control character in a string, a backslash
    /// outside one, or a string without an end.
    pub fn of<'a>(&'a mut self, bytes: &'a [u8]) -> Option<Cursor<'a>> {
        let count = bytes.len().div_ceil(BLOCK);
        if self.blocks.len() < count {
            self.blocks.resize(count, Block::default());
        }
        let blocks = &mut self.blocks[..count];
        (SCANNER.fill)(bytes, blocks).then_some(())?;
        Some(Cursor { bytes, blocks, block: 0, hops: blocks.first()?.hops })
    }
}

/// A position in a value, from which to move on.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    blocks: &'a [Block],
    block: usize,
    /// The hops of this block that are still to come.
    hops: u64,
}

impl Cursor<'_> {
    /// Moves to the next colon or bracket outside strings, and returns its position.
    #[inline]
    pub fn hop(&mut self) -> Option<usize> {
        let mut hops = self.hops;
        while hops == 0 {
            self.block += 1;
            hops = self.blocks.get(self.block)?.hops;
        }
        self.hops = hops & (hops - 1);
        Some(self.block * BLOCK + hops.trailing_zeros() as usize)
    }

    /// Skips the contents of the opening bracket at `open`, where the cursor has just arrived:
    /// returns the position after the closing one. Brackets in between are only counted.
    #[inline]
    pub fn skip(&mut self, open: usize) -> Option<usize> {
        let mut depth = 1;
        let mut left = self.hops;
        loop {
            let block = self.blocks.get(self.block)?;
            let mut brackets = (block.opens | block.closes) & left;
            while brackets != 0 {
                let bit = brackets & brackets.wrapping_neg();
                brackets ^= bit;
                if block.opens & bit != 0 {
                    depth += 1;
                    continue;
                }
                depth -= 1;
                if depth == 0 {
                    self.hops = block.hops & !(bit | (bit - 1));
                    let at = self.block * BLOCK + bit.trailing_zeros() as usize;
                    // The codes of `[` and `]` differ by two, and so do those of `{` and `}`.
                    return (self.bytes[at] == self.bytes[open] + 2).then_some(at + 1);
                }
            }
            // Whole blocks in which it cannot end.
            self.block += 1;
            while let Some(block) = self.blocks.get(self.block)
                && block.closed < depth
            {
                depth = depth + block.opened - block.closed;
                self.block += 1;
            }
            left = u64::MAX;
        }
    }

    /// Moves to `at`, so that the next hop is there or after it.
    #[inline]
    pub fn go_to(&mut self, at: usize) {
        self.block = at / BLOCK;
        self.hops = self.blocks.get(self.block).map_or(0, |block| block.hops & (u64::MAX << (at % BLOCK)));
    }

    /// The end of the string from `from` on, which is after its opening quote: the position of the
    /// closing quote, and whether there is a backslash before it.
    #[inline]
    pub fn string_end(&self, from: usize) -> Option<(usize, bool)> {
        let mut at = from / BLOCK;
        let mut block = self.blocks.get(at)?;
        let mut quotes = block.quotes & (u64::MAX << (from % BLOCK));
        let mut backslashes = block.backslashes & (u64::MAX << (from % BLOCK));
        let mut escapes = 0;
        while quotes == 0 {
            escapes |= backslashes;
            at += 1;
            block = self.blocks.get(at)?;
            (quotes, backslashes) = (block.quotes, block.backslashes);
        }
        escapes |= backslashes & (quotes - 1) & !quotes;
        Some((at * BLOCK + quotes.trailing_zeros() as usize, escapes != 0))
    }

    /// The last quote or backslash before `to`.
    #[inline]
    pub fn mark_before(&self, to: usize) -> Option<usize> {
        let mut at = to / BLOCK;
        let block = self.blocks.get(at)?;
        let mut marks = (block.quotes | block.backslashes) & !(u64::MAX << (to % BLOCK));
        while marks == 0 {
            at = at.checked_sub(1)?;
            marks = self.blocks[at].quotes | self.blocks[at].backslashes;
        }
        Some(at * BLOCK + marks.ilog2() as usize)
    }
}
