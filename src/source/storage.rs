//! How an input is stored, by its first bytes.

use memchr::memchr;

use crate::scan::is_space;

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
    /// The same: the files in a tar archive one after another, unpacked if they are compressed.
    Tar,
}

impl Storage {
    /// The storage that an input's first bytes ask for.
    pub fn of(head: &[u8]) -> Option<Storage> {
        match head {
            [0x1F, 0x8B, ..] => Some(Storage::Gzip),
            [0x28, 0xB5, 0x2F, 0xFD, ..] => Some(Storage::Zstd),
            // A skippable frame (RFC 8878, section 3.1.2), with which pzstd begins.
            [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => Some(Storage::Zstd),
            _ => is_tar(head).then_some(Storage::Tar),
        }
    }

    /// Whether more bytes than these few first ones would not change the answer of [`of`](Self::of).
    pub(super) fn is_decided(head: &[u8]) -> bool {
        match head {
            [] => false,
            // No file in an archive is named like this.
            [first, ..] if is_space(*first) || matches!(first, b'{' | b'[' | b'"' | 0xEF) => true,
            _ if head.len() < 4 => false,
            _ => head.len() >= HEAD_BYTES || Storage::of(head).is_some() || memchr(b'\n', head).is_some(),
        }
    }
}

/// Largest piece of an input that is read as it comes, in bytes.
pub(super) const PIECE_BYTES: usize = 256 * 1024;

/// Length of a tar header, in bytes: the longest signature that [`Storage::of`] knows.
pub(super) const HEAD_BYTES: usize = 512;

/// Whether this is the header of a tar archive, of any kind: its checksum is right (POSIX.1-1988, ustar). The
/// word `ustar` alone is not in old ones, and may be in a text.
fn is_tar(head: &[u8]) -> bool {
    const CHECKSUM: std::ops::Range<usize> = 148..156;
    let Some(header) = head.get(..HEAD_BYTES) else { return false };
    let written = header[CHECKSUM].trim_ascii_start();
    let digits = written.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(written.len());
    let written =
        std::str::from_utf8(&written[..digits]).ok().and_then(|sum| u32::from_str_radix(sum, 8).ok());
    let sum: u32 = header
        .iter()
        .enumerate()
        .map(|(at, byte)| if CHECKSUM.contains(&at) { u32::from(b' ') } else { u32::from(*byte) })
        .sum();
    written == Some(sum)
}
