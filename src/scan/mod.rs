//! Where a JSON value ends, without parsing it: brackets are counted, strings are stepped over.
//!
//! Two speeds. [`container_end`] and [`string_end`] look at a few kinds of bytes only, the first of them
//! 64 at a time where the processor has AVX-512 or AVX2 (found out while running); they find the end
//! of a value that is well formed, and may find some end for one that is not. [`strict_end`] follows
//! the whole grammar byte by byte and says where a value breaks; it is asked when the fast way finds
//! no end.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod block;
mod fastest;
mod grammar;
mod line_ends;
mod members;
mod scalar;
mod scanner;
mod structure;
#[cfg(target_arch = "x86_64")]
mod wide;

#[cfg(test)]
mod tests;

use fastest::SCANNER;
pub use grammar::{Broken, strict_end};
pub use line_ends::LineEnds;
pub use members::{Member, Members};
pub use scalar::string_end;
pub use structure::{Cursor, Structure};

/// The place behind the bracket that closes the object or array which opens at `start`.
///
/// `None` where there is no such place in `bytes`, where `start` is not at an opening bracket, and
/// where this cannot be JSON: a line break in a string or a backslash outside of one before the
/// end, or a bracket of the other kind there. The brackets between are counted only.
pub fn container_end(bytes: &[u8], start: usize) -> Option<usize> {
    let close = match bytes.get(start)? {
        b'{' => b'}',
        b'[' => b']',
        _ => return None,
    };
    (SCANNER.balanced_end)(bytes, start).filter(|end| bytes[end - 1] == close)
}

/// The place behind the value that starts at `start`: an object or array as [`container_end`] says,
/// a string as [`string_end`] says, and anything else up to white space, a comma or a bracket.
pub fn value_end(bytes: &[u8], start: usize) -> Option<usize> {
    match bytes.get(start)? {
        b'{' | b'[' => container_end(bytes, start),
        b'"' => string_end(bytes, start),
        _ => {
            let rest = &bytes[start..];
            let ends = |byte: &u8| is_space(*byte) || matches!(byte, b',' | b'}' | b']');
            Some(start + rest.iter().position(ends).unwrap_or(rest.len()))
        }
    }
}

/// The first place from `at` on that is not white space; the end of `bytes` when all of it is.
pub fn space(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| !is_space(*byte)).unwrap_or(rest.len())
}

/// JSON's white space (RFC 8259, section 2).
pub fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}
