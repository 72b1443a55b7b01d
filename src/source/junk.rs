//! Finds the good records in a frame that is not JSON as a whole: behind a byte order mark, NULs or a
//! zero-width space, behind a record that was cut, or before anything else.
//!
//! A record that is cut goes on, for the grammar, into the one after it, and breaks soon after that one's
//! first brace. So a good record begins at the last `{"` before a break, provided that it reaches beyond the
//! break; or after the break, where no object can be nested: an object inside another one follows a colon, a
//! comma or a bracket. Nothing but further records may follow it. Where these rules find nothing, the frame is
//! left as it is: a part of a broken record never becomes a record of its own.

use std::ops::Range;

use memchr::{memchr_iter, memrchr_iter};

use super::Frame;
use super::steps::{container_end, strict_end};
use crate::scan::{Broken, is_space, space};

/// A part of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FramePart<'a> {
    /// Bytes that belong to no record.
    Junk(Frame<'a>),
    /// A JSON object.
    Record(Frame<'a>),
}

/// The parts of a frame that is not JSON; none if no record is in it. Byte order marks and separators are in
/// no part. Takes time in proportion to the frame's length.
pub fn frame_parts(frame: Frame<'_>) -> Vec<FramePart<'_>> {
    let bytes = frame.bytes;
    let part = |start: usize, end: usize| Frame {
        offset: frame.offset + start as u64,
        bytes: bytes[start..end].trim_ascii_end(),
        ..frame
    };
    let junk = |start: usize, end: usize| {
        let start = start + byte_order_marks(&bytes[start..end]);
        (!is_separator(&bytes[start..end])).then(|| FramePart::Junk(part(start, end)))
    };
    let (mut parts, mut at) = (Vec::new(), 0);
    while let Some((start, end)) = next_record(bytes, at) {
        parts.extend(junk(at, start));
        parts.push(FramePart::Record(part(start, end)));
        at = end;
    }
    let start = invisible(bytes);
    if parts.is_empty() && start > 0 && start < bytes.len() {
        // Only the parser knows whether it is one.
        parts.extend(junk(0, start));
        parts.push(FramePart::Record(part(start, bytes.len())));
    } else if !parts.is_empty() {
        parts.extend(junk(at, bytes.len()));
    }
    parts
}

/// The parts of a line: all of it is one, if it is JSON or nothing in it is.
pub fn line_parts(line: Frame<'_>) -> Vec<FramePart<'_>> {
    if container_end(line.bytes, 0) == Some(line.bytes.len()) {
        return vec![FramePart::Record(line)];
    }
    match frame_parts(line) {
        parts if parts.is_empty() => vec![FramePart::Record(line)],
        parts => parts,
    }
}

/// The record into which the broken element at `start` goes on, as far as `bytes` have it: the element was cut.
pub fn record_after_cut(bytes: &[u8], start: usize, broken: Broken) -> Option<Range<usize>> {
    let Broken::At(broken_at) = broken else { return None };
    let record = last_object(bytes, start + 1, broken_at)?;
    match strict_end(bytes, record) {
        Ok(end) => Some(record..end),
        Err(Broken::Cut) => Some(record..bytes.len()),
        Err(Broken::At(_)) => None,
    }
    .filter(|record| record.end > broken_at)
}

/// Length of the invisible bytes at the start that no editor shows: NULs, byte order marks and zero-width
/// characters, with white space between them.
pub fn invisible(bytes: &[u8]) -> usize {
    const ZERO_WIDTH: [&[u8]; 5] =
        [b"\xEF\xBB\xBF", b"\xE2\x80\x8B", b"\xE2\x80\x8C", b"\xE2\x80\x8D", b"\xE2\x81\xA0"];
    let mut at = 0;
    loop {
        let rest = &bytes[at..];
        let nuls = rest.iter().position(|byte| *byte != 0).unwrap_or(rest.len());
        let zero_width = ZERO_WIDTH.iter().find(|mark| rest.starts_with(mark)).map_or(0, |mark| mark.len());
        match nuls + if nuls == 0 { zero_width } else { 0 } {
            0 => return at,
            length => at = space(bytes, at + length),
        }
    }
}

/// Length of the byte order marks at the start, with white space around them.
pub fn byte_order_marks(bytes: &[u8]) -> usize {
    let mut at = space(bytes, 0);
    while bytes[at..].starts_with(b"\xEF\xBB\xBF") {
        at = space(bytes, at + 3);
    }
    at
}

/// Whether only white space and commas are here.
fn is_separator(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| is_space(*byte) || matches!(byte, b',' | b'\x1e'))
}

/// Start and end of the first record at or after `from`, where no object is open.
fn next_record(bytes: &[u8], from: usize) -> Option<(usize, usize)> {
    let first = space(bytes, from);
    // Here nothing can be nested.
    let clean = first + invisible(bytes.get(first..)?);
    let mut at = object_after(bytes, from, false)?;
    // Whether the bytes before may be an object that has not ended.
    let mut is_inside = false;
    loop {
        at = match strict_end(bytes, at) {
            Ok(end) if at == clean || may_end(bytes, end, is_inside) => return Some((at, end)),
            Ok(end) => object_after(bytes, end, is_inside)?,
            // What follows may all belong to this one.
            Err(Broken::Cut) => return None,
            Err(Broken::At(broken_at)) => {
                is_inside = true;
                let last = last_object(bytes, at + 1, broken_at);
                match last.filter(|next| reaches_beyond(bytes, *next, broken_at)) {
                    Some(next) => next,
                    None => object_after(bytes, broken_at.max(at + 1), true)?,
                }
            }
        };
    }
}

/// Whether a record may end here.
fn may_end(bytes: &[u8], end: usize, is_inside: bool) -> bool {
    let next = space(bytes, end);
    match bytes.get(next) {
        None | Some(b'{' | b'\x1e') => true,
        Some(b',') => {
            let after = space(bytes, next + 1);
            after == bytes.len() || (!is_inside && bytes[after] == b'{')
        }
        Some(_) => invisible(&bytes[next..]) > 0,
    }
}

/// Whether the object at `start` ends, or breaks, after `position`.
fn reaches_beyond(bytes: &[u8], start: usize, position: usize) -> bool {
    match strict_end(bytes, start) {
        Ok(end) => end > position,
        Err(broken) => broken.position(bytes.len()) > position,
    }
}

/// The first brace from `from` on that opens an object with a key, and no nested one. If `is_inside` an
/// object, one that follows a colon, a comma or a bracket may be nested; otherwise only one that follows a key.
fn object_after(bytes: &[u8], from: usize, is_inside: bool) -> Option<usize> {
    let is_nested = |brace: usize| {
        let mut before = bytes[..brace].iter().rev().filter(|byte| !is_space(**byte));
        match (before.next(), is_inside) {
            (Some(b':' | b',' | b'['), true) => true,
            (Some(b':'), false) => before.next() == Some(&b'"'),
            _ => false,
        }
    };
    let braces = memchr_iter(b'{', bytes.get(from..)?).map(|at| from + at);
    braces.filter(|brace| opens_object(bytes, *brace)).find(|brace| !is_nested(*brace))
}

/// The last brace from `from` to `to` that opens an object with a key.
fn last_object(bytes: &[u8], from: usize, to: usize) -> Option<usize> {
    let between = bytes.get(from..bytes.len().min(to + 1))?;
    memrchr_iter(b'{', between).map(|at| from + at).find(|brace| opens_object(bytes, *brace))
}

fn opens_object(bytes: &[u8], brace: usize) -> bool {
    bytes.get(space(bytes, brace + 1)) == Some(&b'"')
}

#[cfg(test)]
#[path = "junk_tests.rs"]
mod tests;
