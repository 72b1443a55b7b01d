//! Bit masks of 64 bytes at a time.

/// Where things are in 64 bytes: one bit per byte, the lowest for the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Block {
    /// Colons and brackets outside strings; and the control character 0x1A, which nothing has there that is JSON: it
    /// differs in one bit from a colon.
    pub hops: u64,
    /// The same without the colons.
    pub brackets: u64,
    /// Quotes that open or close a string.
    pub quotes: u64,
    pub backslashes: u64,
}

/// Bytes in a block.
pub const BLOCK: usize = 64;

/// The bytes of a block.
pub type BlockBytes = [u8; BLOCK];

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LineEndsOfBlock {
    /// Where the block begins in the scanned bytes.
    pub start: usize,
    /// One bit per line feed, the lowest for the first byte.
    pub ends: u64,
}
