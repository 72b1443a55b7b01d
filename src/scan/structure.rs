//! Where strings, colons and brackets are in one JSON value: bit masks of its bytes, made in one
//! go, and a cursor that hops from one to the next.
//!
//! The masks are those of simdjson's first stage, but they stay masks. A reader that needs a few
//! members of a big object looks at its colons and brackets only, and never sees the rest.

use super::block::{BLOCK, Block};
use super::fastest::SCANNER;

/// How much deeper it is after each byte.
static DEPTHS: [i8; 256] = {
    let mut depths = [0; 256];
    depths[b'{' as usize] = 1;
    depths[b'[' as usize] = 1;
    depths[b'}' as usize] = -1;
    depths[b']' as usize] = -1;
    depths
};

/// A copy of one value and its masks; reused for the next.
#[derive(Debug, Default)]
pub struct Structure {
    copy: Vec<[u8; BLOCK]>,
    blocks: Vec<Block>,
}

impl Structure {
    /// Copies `bytes`, which may change at any time, and scans the copy. `None` if they cannot be JSON: a
    /// control character in a string, a backslash outside one, or a string without an end.
    pub fn of(&mut self, bytes: &[u8]) -> Option<Cursor<'_>> {
        let copy = &mut self.copy;
        let count = bytes.len().div_ceil(BLOCK);
        if self.blocks.len() < count {
            self.blocks.resize(count, Block::default());
        }
        // One more, so that there are always blanks after them.
        if copy.len() <= count {
            copy.resize(count + 1, [b' '; BLOCK]);
        }
        copy[count] = [b' '; BLOCK];
        let blocks = &mut self.blocks[..count];
        (SCANNER.fill)(bytes, &mut copy[..count], blocks).then_some(())?;
        let copy = &copy[..=count];
        let bytes = &copy.as_flattened()[..bytes.len()];
        Some(Cursor { bytes, copy, blocks, block: 0, hops: blocks.first()?.hops })
    }
}

/// A position in a value, from which to move on.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    /// The same with blanks after them.
    copy: &'a [[u8; BLOCK]],
    blocks: &'a [Block],
    block: usize,
    /// The hops of this block that are still to come.
    hops: u64,
}

impl<'a> Cursor<'a> {
    /// The bytes that were copied.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The same with some blanks after them.
    pub fn padded(&self) -> &'a [u8] {
        self.copy.as_flattened()
    }

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
        let (mut depth, mut number) = (1i64, self.block);
        let mut brackets = self.blocks.get(number)?.brackets & (u64::MAX << (open % BLOCK) << 1);
        loop {
            while brackets == 0 {
                number += 1;
                brackets = self.blocks.get(number)?.brackets;
            }
            let bytes = self.copy.get(number)?;
            while brackets != 0 {
                let place = brackets.trailing_zeros() as usize % BLOCK;
                brackets &= brackets - 1;
                depth += i64::from(DEPTHS[usize::from(bytes[place])]);
                if depth == 0 {
                    let behind = u64::MAX << place << 1;
                    (self.block, self.hops) = (number, self.blocks.get(number)?.hops & behind);
                    // The codes of `[` and `]` differ by two, and so do those of `{` and `}`.
                    let is_pair = bytes[place] == self.bytes[open] + 2;
                    return is_pair.then_some(number * BLOCK + place + 1);
                }
            }
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
