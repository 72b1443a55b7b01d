//! Values one after another, with lists opened: a file of any size in constant memory.
//!
//! One array; several arrays; objects with or without separators, pretty-printed or not; pages that
//! hold a list; and all of these after a JavaScript assignment (`window.YTD.tweets.part0 = [`). The
//! elements of arrays and lists come one by one, like objects between them.
//!
//! The scanner finds where an element ends, not whether it is valid: the parser decides that. Where
//! it finds no end, or none within [`FAST_BYTES`], the grammar decides, and where that finds the
//! element broken, `resync.rs` says where to continue.

use super::pages::{self, Behind};
use super::{Frame, byte_order_mark, resync};
use crate::scan::{Broken, container_end, is_space, space, strict_end};

/// How far the fast scanner looks for the end of one element, in bytes. Otherwise an unclosed
/// string would make it run to the end of the file for each broken element.
const FAST_BYTES: usize = 16 << 20;

/// After a broken element, the grammar walks this many elements, so that a file with many broken
/// elements is not scanned `FAST_BYTES` far for each.
const CAREFUL_ELEMENTS: u32 = 64;

/// The values of a file, and the elements of its arrays and lists.
#[derive(Debug, Clone)]
pub struct Values<'a> {
    bytes: &'a [u8],
    /// Where `bytes` begins in the file.
    base: u64,
    position: usize,
    in_array: bool,
    in_page: Option<InPage<'a>>,
    opens_pages: bool,
    /// The last whole element.
    whole: Option<usize>,
    careful: u32,
}

/// Set within a page's list.
#[derive(Debug, Clone, Copy)]
struct InPage<'a> {
    /// Where the page starts.
    start: usize,
    /// What the list's elements share.
    includes: &'a [u8],
}

impl<'a> Values<'a> {
    /// The values of `bytes`, a whole file. With `opens_pages`, objects that hold a list are
    /// opened.
    pub fn new(bytes: &'a [u8], opens_pages: bool) -> Self {
        let position = byte_order_mark(bytes);
        let (in_array, in_page) = (false, None);
        Self { bytes, base: 0, position, in_array, in_page, opens_pages, whole: None, careful: 0 }
    }

    /// The values on one line, with pages opened.
    pub(super) fn on_line(line: Frame<'a>) -> Self {
        Self { base: line.offset, ..Self::new(line.bytes, true) }
    }

    /// The bytes between, without trailing white space.
    fn frame(&mut self, start: usize, end: usize) -> Option<Frame<'a>> {
        self.position = end;
        let bytes = &self.bytes[start..end];
        let length = bytes.iter().rposition(|byte| !is_space(*byte))? + 1;
        let includes = self.in_page.map_or(&[][..], |page| page.includes);
        Some(Frame { offset: self.base + start as u64, bytes: &bytes[..length], includes })
    }

    /// The element at `start`, whole or not.
    fn element(&mut self, start: usize) -> Option<Frame<'a>> {
        let fast = self.bytes.len().min(start + FAST_BYTES);
        let is_container = matches!(self.bytes[start], b'{' | b'[');
        let end =
            if is_container && self.careful == 0 { container_end(&self.bytes[..fast], start) } else { None };
        let end = match end {
            Some(end) => end,
            None => match strict_end(self.bytes, start) {
                Ok(end) => end,
                Err(_) if !is_container => return self.words(start),
                Err(broken) => return self.skip(start, broken, start, self.whole),
            },
        };
        self.careful = self.careful.saturating_sub(1);
        self.whole = Some(start);
        self.frame(start, end)
    }

    /// Bytes that are not JSON: up to the end of the line, or to where a value may start or a list
    /// end.
    fn words(&mut self, start: usize) -> Option<Frame<'a>> {
        let in_list = self.in_array || self.in_page.is_some();
        let ends = |byte: &u8| matches!(byte, b'\n' | b'{') || (in_list && matches!(byte, b',' | b']'));
        let rest = &self.bytes[start + 1..];
        self.frame(start, start + 1 + rest.iter().position(ends).unwrap_or(rest.len()))
    }

    /// Skips the broken bytes from `start` on, up to the next element like that at `like` or
    /// `whole`.
    fn skip(&mut self, start: usize, broken: Broken, like: usize, whole: Option<usize>) -> Option<Frame<'a>> {
        self.careful = CAREFUL_ELEMENTS;
        let next = resync::next_element(self.bytes, like, broken, whole);
        let frame = self.frame(start, without_comma(self.bytes, start, next));
        self.position = next;
        frame
    }

    /// Steps past the bracket at `start`, which ends a list. A frame if it should not be there,
    /// since more elements follow, or if the page around the list is broken after it.
    fn close_list(&mut self, start: usize) -> Option<Frame<'a>> {
        let behind = space(self.bytes, start + 1);
        if self.bytes.get(behind) == Some(&b',')
            && self.bytes.get(space(self.bytes, behind + 1)) == Some(&b'{')
        {
            return self.frame(start, start + 1);
        }
        self.position = behind;
        let Some(page) = self.in_page.take() else {
            self.in_array = false;
            return None;
        };
        match pages::behind_list(self.bytes, behind) {
            Behind::List(next) => {
                self.position = next.list;
                self.in_page = Some(InPage { includes: next.includes, ..page });
                None
            }
            Behind::End(end) => {
                self.position = end;
                None
            }
            Behind::Broken if behind == self.bytes.len() => None,
            Behind::Broken => self.skip(behind, Broken::At(behind), page.start, None),
        }
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        loop {
            let start = space(self.bytes, self.position);
            self.position = start;
            let in_list = self.in_array || self.in_page.is_some();
            match self.bytes.get(start)? {
                // One too many is accepted: `[1,,2]` has two elements for us.
                b',' => self.position += 1,
                b']' if in_list => {
                    if let Some(frame) = self.close_list(start) {
                        return Some(frame);
                    }
                }
                b'[' if !in_list => {
                    self.in_array = true;
                    self.position += 1;
                }
                b'{' if self.opens_pages && self.in_page.is_none() => match pages::open(self.bytes, start) {
                    Some(page) => {
                        self.position = page.list;
                        self.in_page = Some(InPage { start, includes: page.includes });
                    }
                    None => return self.element(start),
                },
                // A bracket too many, alone or with others.
                b'}' | b']' => {
                    let rest = &self.bytes[start + 1..];
                    let more = rest.iter().position(|byte| *byte != b'}').unwrap_or(rest.len());
                    return self.frame(start, start + 1 + more);
                }
                // After an account archive, and between JSON text sequences (RFC 7464).
                b';' | b'\x1e' if !in_list => self.position += 1,
                // Where files were concatenated.
                b'\xEF' if !in_list && byte_order_mark(&self.bytes[start..]) > 0 => self.position += 3,
                _ => match assignment(&self.bytes[start..]).filter(|_| !in_list) {
                    Some(length) => self.position += length,
                    None => return self.element(start),
                },
            }
        }
    }
}

/// Where the bytes between a broken element and the next one end: before the comma, if there is
/// one.
fn without_comma(bytes: &[u8], start: usize, end: usize) -> usize {
    let last = bytes[start..end].iter().rposition(|byte| !is_space(*byte)).map_or(start, |at| start + at);
    if bytes[last] == b',' && end < bytes.len() { last } else { end }
}

/// Length of a JavaScript assignment before an array, such as `window.YTD.tweets.part0 =`.
pub fn assignment(bytes: &[u8]) -> Option<usize> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$');
    let head = &bytes[..bytes.len().min(128)];
    let mut name = head.iter().position(|byte| !is_name(byte))?;
    if matches!(&head[..name], b"var" | b"let" | b"const") {
        let second = space(head, name);
        name = second + head.get(second..)?.iter().position(|byte| !is_name(byte))?;
    }
    let equals = space(head, name);
    let value = space(head, equals + 1);
    let is_assignment = name > 0 && head[equals..].first() == Some(&b'=');
    (is_assignment && matches!(bytes.get(space(bytes, value)), Some(b'[' | b'{'))).then_some(equals + 1)
}

#[cfg(test)]
#[path = "values_tests.rs"]
mod tests;
