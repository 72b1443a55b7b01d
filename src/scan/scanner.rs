//! What a scanner does, whichever instructions it uses.

use super::block::{Block, LineEndsOfBlock};

/// Looks through bytes as fast as the processor can.
#[derive(Clone, Copy)]
pub(super) struct Scanner {
    /// Where the brackets balance again that open at a place, where there is one.
    pub balanced_end: fn(&[u8], usize) -> Option<usize>,
    /// Fills in the blocks of bytes; whether they may be JSON.
    pub fill: fn(&[u8], &mut [Block]) -> bool,
    /// Finds the blocks of bytes that have line ends, in order: how many. There is room for all.
    pub line_ends: fn(&[u8], &mut [LineEndsOfBlock]) -> usize,
}
