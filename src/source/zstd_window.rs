//! zstd with any window: dumps of whole services are made with `--long=31`, and need up to 2 GiB to be unpacked.

use std::io::{self, BufRead, Cursor, Read};
use std::path::Path;

use indicatif::HumanBytes;
use zstd::stream::read::Decoder;

use super::error::name;

/// Largest window that zstd knows on 64 bits, as a power of two (`ZSTD_WINDOWLOG_MAX_64` in zstd.h).
const LARGEST_WINDOW_LOG: u32 = 31;

/// Window above which the memory is worth a remark, in bytes: as far as `zstd -d` goes without `--long`.
const LARGE_WINDOW_BYTES: u64 = 128 << 20;

/// Longest frame header, in bytes (RFC 8878, section 3.1.1).
const HEADER_BYTES: u64 = 18;

/// Unpacks `input`, and says how much memory that takes if it is much.
///
/// # Errors
/// When the input cannot be read, or there is no memory.
pub(super) fn decoder<R: BufRead>(
    path: &Path,
    mut input: R,
) -> io::Result<Decoder<'static, impl BufRead + use<R>>> {
    let mut header = Vec::new();
    input.by_ref().take(HEADER_BYTES).read_to_end(&mut header)?;
    if let Some(bytes) = window_bytes(&header).filter(|bytes| *bytes > LARGE_WINDOW_BYTES) {
        let (name, memory) = (name(path), HumanBytes(bytes));
        tracing::warn!(
            "{name} was made with a long window (zstd --long): unpacking it takes up to {memory} of memory"
        );
    }
    let mut decoder = Decoder::with_buffer(Cursor::new(header).chain(input))?;
    decoder.window_log_max(LARGEST_WINDOW_LOG)?;
    Ok(decoder)
}

/// The size of the window in a frame header (RFC 8878, section 3.1.1.1).
fn window_bytes(header: &[u8]) -> Option<u64> {
    const MAGIC: &[u8] = b"\x28\xB5\x2F\xFD";
    let (descriptor, rest) = header.strip_prefix(MAGIC)?.split_first()?;
    let is_single_segment = descriptor & 0x20 != 0;
    if !is_single_segment {
        let window = u64::from(*rest.first()?);
        let base = 1u64 << (10 + (window >> 3));
        return Some(base + base / 8 * (window & 7));
    }
    // The window is the content.
    let after_dictionary = rest.get([0, 1, 2, 4][usize::from(descriptor & 3)]..)?;
    let number = |length: usize| {
        let bytes = after_dictionary.get(..length)?;
        Some(bytes.iter().rev().fold(0u64, |number, byte| number << 8 | u64::from(*byte)))
    };
    match descriptor >> 6 {
        0 => number(1),
        1 => number(2).map(|size| size + 256),
        2 => number(4),
        _ => number(8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_read_from_the_header() {
        // A window of 256 MiB: exponent 18, mantissa 0.
        assert_eq!(window_bytes(b"\x28\xB5\x2F\xFD\x00\x90"), Some(256 << 20));
        assert_eq!(window_bytes(b"\x28\xB5\x2F\xFD\x00\xA9"), Some((2 << 30) + (256 << 20)));
        let packed = zstd::encode_all(&b"hello"[..], 3).unwrap();
        assert!(window_bytes(&packed).unwrap() <= 1 << 21);
        let single = zstd::bulk::compress(&[7; 70_000], 3).unwrap();
        assert_eq!(window_bytes(&single), Some(70_000));
        for cut in 0..single.len().min(6) {
            assert_eq!(window_bytes(&single[..cut]), None);
        }
    }
}
