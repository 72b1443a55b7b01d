//! Where to continue after a broken element.
//!
//! The rule: an element of a list, or an object among others, breaks where the grammar says so
//! ([`strict_end`](crate::scan::strict_end)). Bytes are skipped from its first byte to the next
//! opening brace, at or after that position, that follows a comma, a closing brace or a line break
//! and looks like the start of an element:
//!
//! - it is the first thing on its line, as the broken element was, with the same indentation; or
//! - its first key is that of the broken element, or of the last whole element before it.
//!
//! Where the broken element only ends too late, because a bracket in it is not closed, the search
//! begins after its first byte. Where nothing looks like an element, the whole rest is skipped. The
//! skipped bytes are one frame, which the parser will call unparseable.

use memchr::{memchr_iter, memrchr};

use super::steps::step;
use crate::scan::{Broken, is_space, space, string_end};

/// The position of the next element after the broken one at `start`, or the end of `bytes`. `whole`
/// is the position of the last whole element, if there was one.
pub fn next_element(bytes: &[u8], start: usize, broken: Broken, whole: Option<usize>) -> usize {
    let from = match broken {
        Broken::At(position) => position.max(start + 1),
        Broken::Cut => start + 1,
    };
    let indentation = self::indentation(bytes, start);
    let heads = [Some(start), whole].map(|start| start.and_then(|start| head(bytes, start)));
    let next = memchr_iter(b'{', bytes.get(from..).unwrap_or_default())
        .map(|at| from + at)
        .find(|at| {
            let indented = self::indentation(bytes, *at);
            let is_aligned = indented.is_some() && indented == indentation;
            let is_separate = indented.is_some() || is_behind_element(bytes, *at);
            is_aligned || (is_separate && heads.iter().flatten().any(|head| bytes[*at..].starts_with(head)))
        })
        .unwrap_or(bytes.len());
    step(next.saturating_sub(from));
    next
}

/// How far back a line break or a comma is looked for, in bytes; keeps the search linear.
const LOOK_BACK: usize = 256;

/// The white space before `at` on its line, if nothing else comes before it.
fn indentation(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let before = &bytes[at.saturating_sub(LOOK_BACK)..at];
    let line = match memrchr(b'\n', before) {
        Some(line_break) => line_break + 1,
        None if at <= LOOK_BACK => 0,
        None => return None,
    };
    let indentation = &before[line..];
    indentation.iter().all(|byte| is_space(*byte)).then_some(indentation)
}

/// Whether a comma comes before `at`, or the end of an object that nothing separates from the next.
fn is_behind_element(bytes: &[u8], at: usize) -> bool {
    let before = &bytes[at.saturating_sub(LOOK_BACK)..at];
    matches!(before.iter().rfind(|byte| !is_space(**byte)), Some(b',' | b'}'))
}

/// The bytes of an object up to the end of its first key.
fn head(bytes: &[u8], start: usize) -> Option<&[u8]> {
    let key = space(bytes, start + 1);
    let is_object = bytes[start] == b'{' && bytes.get(key) == Some(&b'"');
    bytes.get(start..string_end(bytes, key).filter(|_| is_object)?)
}
