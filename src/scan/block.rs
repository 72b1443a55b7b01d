//! Bit masks of 64 bytes at a time.

/// Where things are in 64 bytes: one bit per byte, the lowest for the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Block {
    /// Colons and brackets outside strings.
    pub hops: u64,
    /// `{` and `[` outside strings.
    pub opens: u64,
    /// `}` and `]` outside strings.
    pub closes: u64,
    /// Quotes that open or close a string.
    pub quotes: u64,
    pub backslashes: u64,
    /// Number of `opens`. Counted where the processor can do it in one step.
    pub opened: u32,
    /// Number of `closes`.
    pub closed: u32,
}

/// Bytes in a block.
pub const BLOCK: usize = 64;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LineEndsOfBlock {
    /// Where the block begins in the scanned bytes.
    pub start: usize,
    /// One bit per line feed, the lowest for the first byte.
    pub ends: u64,
}
