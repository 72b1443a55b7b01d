//! Values one after another, with lists opened: a file of any size in constant memory.
//!
//! One array; several arrays; objects with or without separators, pretty-printed or not; pages that
//! hold a list; and all of these after a JavaScript assignment (`window.YTD.tweets.part0 = [`). The
//! elements of arrays and lists come one by one, like objects between them.
//!
//! The scanner finds where an element ends, not whether it is valid: the parser decides that. Where
//! it finds no end, or none within [`FAST_BYTES`], the grammar decides, and where that finds the
//! element broken, `resync.rs` says where to continue.

use super::junk::{invisible, record_after_cut};
use super::pages::{self, Behind, Opens};
use super::steps::{container_end, step, strict_end};
use super::{Frame, byte_order_mark, resync};
use crate::scan::{Broken, is_space, space};

/// How far the fast scanner looks for the end of one element, in bytes. Otherwise an unclosed
/// string would make it run to the end of the file for each broken element.
const FAST_BYTES: usize = 16 << 20;

/// How far it looks at first: further only where an element is not broken before. Less in tests, whose inputs are small.
const NEAR_BYTES: usize = if cfg!(test) { 4 << 10 } else { 64 << 10 };

/// After a broken element, the grammar walks this many elements, so that a file with many broken
/// elements is not scanned `FAST_BYTES` far for each.
const CAREFUL_ELEMENTS: u32 = 64;

/// In a stream, bytes that must follow a position where they decide what comes next.
const MARGIN: usize = 4 << 10;

/// The values of a file, and the elements of its arrays and lists.
#[derive(Debug, Clone)]
pub struct Values<'a> {
    bytes: &'a [u8],
    /// Where `bytes` begins in the file.
    base: u64,
    opens: Opens,
    /// More bytes will come. A value that they could still change is not returned until they are
    /// there.
    is_cut: bool,
    at: Position,
}

/// The position of [`Values`], in bytes from the start of its bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Position {
    /// Everything before this is no longer needed.
    pub next: usize,
    in_array: bool,
    in_page: Option<InPage>,
    /// The last whole element.
    whole: Option<usize>,
    careful: u32,
}

/// More bytes must come first. The position is unchanged.
#[derive(Debug)]
struct MoreBytes;

/// Set within a page's list.
#[derive(Debug, Clone, Copy)]
struct InPage {
    /// Where the page starts.
    start: usize,
    /// What the list's elements share; `None`: not looked for.
    includes: Option<(usize, usize)>,
}

impl Position {
    /// At the start of `bytes`, after the byte order mark.
    pub fn start(bytes: &[u8]) -> Self {
        Self { next: byte_order_mark(bytes), ..Self::default() }
    }

    /// The first byte that is still needed.
    pub fn keep_from(&self) -> usize {
        let page = self.in_page.map_or(self.next, |page| page.start);
        self.next.min(page).min(self.whole.unwrap_or(self.next))
    }

    /// Adjusts the position after `by` bytes at the front were removed: at most [`keep_from`](Self::keep_from).
    pub fn shift(&mut self, by: usize) {
        self.next -= by;
        if let Some(whole) = &mut self.whole {
            *whole -= by;
        }
        if let Some(page) = &mut self.in_page {
            page.start -= by;
            page.includes = page.includes.map(|(from, to)| (from.saturating_sub(by), to.saturating_sub(by)));
        }
    }
}

impl<'a> Values<'a> {
    /// The values of `bytes`, a whole file; such objects that hold a list are opened.
    pub fn new(bytes: &'a [u8], opens: Opens) -> Self {
        let at = Position::start(bytes);
        Self { bytes, base: 0, opens, is_cut: false, at }
    }

    /// Continues in `bytes` at a position. `is_cut` says that more bytes will come.
    pub(super) fn resume(bytes: &'a [u8], base: u64, opens: Opens, is_cut: bool, at: Position) -> Self {
        Self { bytes, base, opens, is_cut, at }
    }

    /// The current position.
    pub(super) fn position(&self) -> Position {
        self.at
    }

    /// The values on one line, with pages opened.
    pub(super) fn on_line(line: Frame<'a>) -> Self {
        Self { base: line.offset, ..Self::new(line.bytes, Opens::Pages) }
    }

    /// The bytes between, without trailing white space.
    fn frame(&mut self, start: usize, end: usize) -> Option<Frame<'a>> {
        self.at.next = end;
        let bytes = &self.bytes[start..end];
        let length = bytes.iter().rposition(|byte| !is_space(*byte))? + 1;
        let includes = self.at.in_page.and_then(|page| page.includes);
        let includes = includes.and_then(|(from, to)| self.bytes.get(from..to));
        Some(Frame {
            offset: self.base + start as u64,
            bytes: &bytes[..length],
            includes: includes.unwrap_or_default(),
        })
    }

    /// The element at `start`, whole or not.
    fn element(&mut self, start: usize) -> Option<Frame<'a>> {
        let is_container = matches!(self.bytes[start], b'{' | b'[');
        let end = if is_container && self.at.careful == 0 { self.fast_end(start) } else { None };
        // An end in the wrong place is that of the page around the list.
        let in_page = self.at.in_page.is_some();
        let is_open =
            in_page && self.is_cut && end.is_some_and(|end| space(self.bytes, end) == self.bytes.len());
        let end = end.filter(|end| !in_page || self.may_follow(*end));
        let end = match end {
            Some(end) => end,
            None => match strict_end(self.bytes, start) {
                Ok(end) if self.is_cut && end == self.bytes.len() && !is_container => return None,
                Ok(end) => end,
                Err(broken) if self.is_cut && broken.position(self.bytes.len()) + 8 > self.bytes.len() => {
                    return None;
                }
                Err(_) if is_open => return None,
                Err(_) if !is_container => return self.words(start),
                Err(broken) => match record_after_cut(self.bytes, start, broken) {
                    Some(record) if self.is_short(record.end) => return None,
                    Some(record) if self.may_follow(record.end) => {
                        self.at.careful = CAREFUL_ELEMENTS;
                        let frame = self.frame(start, without_comma(self.bytes, start, record.start));
                        self.at.next = record.start;
                        return frame;
                    }
                    _ => return self.skip(start, broken, start, self.at.whole).ok().flatten(),
                },
            },
        };
        self.at.careful = self.at.careful.saturating_sub(1);
        self.at.whole = Some(start);
        self.frame(start, end)
    }

    /// The end of the container at `start` as the fast scanner sees it.
    fn fast_end(&self, start: usize) -> Option<usize> {
        let within = |bytes: usize| &self.bytes[..self.bytes.len().min(start + bytes)];
        let near = within(NEAR_BYTES);
        container_end(near, start).or_else(|| {
            let is_long = near.len() < self.bytes.len() && strict_end(near, start) == Err(Broken::Cut);
            if is_long { container_end(within(FAST_BYTES), start) } else { None }
        })
    }

    /// Whether what comes here may follow an element.
    fn may_follow(&self, end: usize) -> bool {
        let next = self.bytes.get(space(self.bytes, end));
        match (self.at.in_page, self.at.in_array) {
            (Some(_), _) => matches!(next, Some(b',' | b']')),
            // A comma may be missing.
            (None, true) => matches!(next, Some(b',' | b']' | b'{')),
            (None, false) => matches!(next, None | Some(b',' | b'{')),
        }
    }

    /// Bytes that are not JSON: up to the end of the line, or to where a value may start or a list
    /// end.
    fn words(&mut self, start: usize) -> Option<Frame<'a>> {
        let in_list = self.at.in_array || self.at.in_page.is_some();
        let ends = |byte: &u8| matches!(byte, b'\n' | b'{') || (in_list && matches!(byte, b',' | b']'));
        let rest = &self.bytes[start + 1..];
        let length = rest.iter().position(ends);
        if length.is_none() && self.is_cut {
            return None;
        }
        self.frame(start, start + 1 + length.unwrap_or(rest.len()))
    }

    /// Skips the broken bytes from `start` on, up to the next element like that at `like` or
    /// `whole`. No frame if that element begins at `start`.
    fn skip(
        &mut self,
        start: usize,
        broken: Broken,
        like: usize,
        whole: Option<usize>,
    ) -> Result<Option<Frame<'a>>, MoreBytes> {
        let next = resync::next_element(self.bytes, like, broken, whole);
        if self.is_short(next) {
            return Err(MoreBytes);
        }
        self.at.careful = CAREFUL_ELEMENTS;
        let frame = self.frame(start, without_comma(self.bytes, start, next));
        self.at.next = next;
        Ok(frame)
    }

    /// Steps past the bracket at `start`, which ends a list. A frame if it should not be there,
    /// since more elements follow, or if the page around the list is broken after it.
    fn close_list(&mut self, start: usize) -> Result<Option<Frame<'a>>, MoreBytes> {
        let behind = space(self.bytes, start + 1);
        if self.bytes.get(behind) == Some(&b',')
            && self.bytes.get(space(self.bytes, behind + 1)) == Some(&b'{')
        {
            return Ok(self.frame(start, start + 1));
        }
        let Some(page) = self.at.in_page else {
            self.at.next = behind;
            self.at.in_array = false;
            return Ok(None);
        };
        let (next, in_page) = match pages::behind_list(self.bytes, behind, page.includes) {
            Behind::List(next) => (next.list, Some(InPage { includes: next.includes, ..page })),
            Behind::End(end) => (end, None),
            Behind::Broken if behind == self.bytes.len() => (behind, None),
            Behind::Broken => {
                let in_page = self.at.in_page.take();
                let skipped = self.skip(behind, Broken::At(behind), page.start, None);
                if skipped.is_err() {
                    self.at.in_page = in_page;
                }
                return skipped;
            }
        };
        (self.at.next, self.at.in_page) = (next, in_page);
        Ok(None)
    }
}

impl Values<'_> {
    /// Whether too few bytes follow the one at `start` to know what it is.
    fn is_short(&self, start: usize) -> bool {
        self.is_cut && start + MARGIN > self.bytes.len()
    }

    /// Whether the object that opens at `start` ends in bytes that have not come yet.
    fn is_unended(&self, start: usize) -> bool {
        self.is_cut
            && container_end(self.bytes, start).is_none()
            && strict_end(self.bytes, start)
                .is_err_and(|broken| broken.position(self.bytes.len()) + 8 > self.bytes.len())
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        loop {
            step(1);
            let start = space(self.bytes, self.at.next);
            self.at.next = start;
            let in_list = self.at.in_array || self.at.in_page.is_some();
            match self.bytes.get(start)? {
                // One too many is accepted: `[1,,2]` has two elements for us.
                b',' => self.at.next += 1,
                b']' if in_list => {
                    if self.is_short(start) {
                        return None;
                    }
                    match self.close_list(start) {
                        Ok(None) => {}
                        Ok(frame) => return frame,
                        Err(MoreBytes) => return None,
                    }
                }
                b'[' if !in_list => {
                    self.at.in_array = true;
                    self.at.next += 1;
                }
                b'{' if self.opens != Opens::Nothing
                    && self.at.in_page.is_none()
                    && self.is_unended(start) =>
                {
                    return None;
                }
                b'{' if self.at.in_page.is_none() => match self.opens.list(self.bytes, start) {
                    Some(page) => {
                        self.at.next = page.list;
                        self.at.in_page = Some(InPage { start, includes: page.includes });
                    }
                    None => return self.element(start),
                },
                // A bracket too many, alone or with others.
                b'}' | b']' => {
                    let rest = &self.bytes[start + 1..];
                    let more = rest.iter().position(|byte| *byte != b'}');
                    if more.is_none() && self.is_cut {
                        return None;
                    }
                    let more = more.unwrap_or(rest.len());
                    return self.frame(start, start + 1 + more);
                }
                // After an account archive, and between JSON text sequences (RFC 7464).
                b';' | b'\x1e' if !in_list => self.at.next += 1,
                byte if !matches!(byte, b'{' | b'[' | b'"') && self.is_short(start) => return None,
                // Where files were concatenated.
                b'\xEF' if !in_list && byte_order_mark(&self.bytes[start..]) > 0 => self.at.next += 3,
                b'\0' | b'\xE2' | b'\xEF' if !in_list && invisible(&self.bytes[start..]) > 0 => {
                    let end = start + invisible(&self.bytes[start..]);
                    if self.is_short(end) {
                        return None;
                    }
                    return self.frame(start, end);
                }
                _ => match assignment(&self.bytes[start..]).filter(|_| !in_list) {
                    Some(length) => self.at.next += length,
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
