//! Finds where a JSON value ends, without parsing it: brackets are counted, strings are skipped.
//!
//! There are two ways. [`container_end`] and [`string_end`] look at a few kinds of bytes only, the
//! first of them 64 at a time if the processor has AVX-512 or AVX2 (checked at run time). They find
//! the end of a well-formed value, and may find some end for a broken one. [`strict_end`] follows
//! the whole grammar byte by byte and says where a value breaks; it is used when the fast way finds
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

/// The position after the bracket that closes the object or array which opens at `start`.
///
/// `None` if there is no such position in `bytes`, if `start` is not at an opening bracket, and if
/// this cannot be JSON: a line break in a string or a backslash outside one before the end, or a
/// bracket of the other kind there. Brackets in between are only counted.
pub fn container_end(bytes: &[u8], start: usize) -> Option<usize> {
    let close = match bytes.get(start)? {
        b'{' => b'}',
        b'[' => b']',
        _ => return None,
    };
    (SCANNER.balanced_end)(bytes, start).filter(|end| bytes[end - 1] == close)
}

/// The position after the value that starts at `start`: for an object or array as
/// [`container_end`], for a string as [`string_end`], and otherwise up to white space, a comma or a
/// bracket.
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

/// The first position from `at` on that is not white space; the end of `bytes` if there is none.
pub fn space(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| !is_space(*byte)).unwrap_or(rest.len())
}

/// JSON's white space (RFC 8259, section 2).
pub fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}
