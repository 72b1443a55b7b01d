//! How an input is stored, by its first bytes.

/// How an input is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// The file itself is mapped.
    Mapped,
    /// The bytes are copied to a temporary file, or read as they come.
    Copied,
    /// The same, unpacked from gzip.
    Gzip,
    /// The same, unpacked from zstd.
    Zstd,
}

impl Storage {
    /// The storage that an input's first bytes ask for.
    pub fn of(head: &[u8]) -> Option<Storage> {
        if head.starts_with(b"\x1f\x8b") {
            Some(Storage::Gzip)
        } else if head.starts_with(b"\x28\xb5\x2f\xfd") {
            Some(Storage::Zstd)
        } else {
            None
        }
    }
}

/// Longest signature that [`Storage::of`] knows, in bytes.
pub(super) const HEAD_BYTES: usize = 4;
