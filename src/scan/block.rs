//! What is known of 64 bytes at a time.

/// What is where in 64 bytes: a bit for each, the first byte's is the lowest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Block {
    /// Colons and brackets outside of strings.
    pub hops: u64,
    /// `{` and `[` outside of strings.
    pub opens: u64,
    /// `}` and `]` outside of strings.
    pub closes: u64,
    /// Quotes that open or close a string.
    pub quotes: u64,
    pub backslashes: u64,
    /// How many `opens` there are. Counted where the processor does it in one step.
    pub opened: u32,
    /// How many `closes` there are.
    pub closed: u32,
}

/// Bytes in a block.
pub const BLOCK: usize = 64;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LineEndsOfBlock {
    /// Where the block begins in the bytes looked through.
    pub start: usize,
    /// A bit for each line feed, that of the first byte is the lowest.
    pub ends: u64,
}
