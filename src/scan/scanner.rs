//! What a scanner does, whichever instructions it uses.

use super::block::{Block, BlockBytes, LineEndsOfBlock};

/// Scans bytes as fast as the processor can.
#[derive(Clone, Copy)]
pub(super) struct Scanner {
    /// Where the brackets that open at a position balance again, if they do.
    pub balanced_end: fn(&[u8], usize) -> Option<usize>,
    /// Copies bytes, with blanks up to the end of the last block, and fills in the blocks of the copy, for which there
    /// is just enough room; returns whether they may be JSON.
    pub fill: fn(&[u8], &mut [BlockBytes], &mut [Block]) -> bool,
    /// Finds the blocks of bytes that have line ends, in order, and returns how many. There is room
    /// for all.
    pub line_ends: fn(&[u8], &mut [LineEndsOfBlock]) -> usize,
}
