//! The tape of a record, with only the members that some form reads.
//!
//! simd-json writes every value of a record to its tape, and most of them are never read. Here the
//! record is scanned once for its structure; then the walk goes from colon to colon, writes the
//! kept members as simd-json would, and skips everything else by counting brackets. A reader of the
//! tape cannot tell the difference.
//!
//! The whole record must be UTF-8, and each string in it must end and be free of control
//! characters, read or not. `None` means that this way fails: the record is broken, or spelt in a
//! rare way (an escape in a key, a number with an exponent). simd-json then has the last word. The
//! only errors that go unnoticed are those where strings are whole and brackets balance: between a
//! colon before a skipped value and the next key or the end of the object, such as
//! `{"a": tru, "text": "t"}`, and strings and words after the comma behind a kept value.
//!
//! To skim a record for its place ([`Wanted::Place`]), fewer members are kept, and texts with their escapes: breaks in what
//! is not kept then go unnoticed, too.
//!
//! A user with their texts is left to simd-json, which reads texts as fast. The texts are then
//! located by a second scan, which any error in the record would stop.

mod escapes;
mod keep;
mod layout;
mod number;

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod skim_tests;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use memchr::memmem::Finder;
use simd_json::{Node, StaticNode};

use super::members::{Keep, Level};
use crate::scan::{Cursor, Structure, is_space};
use escapes::unescape;
use keep::KeptMember;
pub use keep::Wanted;
use layout::{KeyOrder, KeyPosition};

/// The buffers of one thread.
#[derive(Debug, Default)]
pub struct Buffers {
    structure: Structure,
    /// One for each of [`Wanted`].
    layouts: [KeyOrder; 2],
    unescaped: Vec<u8>,
}

/// Deeper values are left to simd-json.
const MAX_DEPTH: usize = 16;

/// The key of a user's texts.
static TEXTS_KEY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"tweets\""));

/// Where a record is written to, and how much of it.
pub struct Pruned<'a, 'w> {
    pub wanted: Wanted,
    /// The tape, empty.
    pub nodes: &'w mut Vec<Node<'a>>,
    /// The places in [`KEYS`](super::keys::KEYS) of the members at the top, empty.
    pub places: &'w mut Vec<u8>,
}

/// Writes the kept members of the record in `json`, or the text. What is written is of a copy.
pub fn fill<'a>(json: &[u8], buffers: &'a mut Buffers, to: Pruned<'a, '_>) -> Option<()> {
    let is_record = match json.first()? {
        b'{' => true,
        b'"' => false,
        _ => return None,
    };
    // A large record that begins like a user with their texts is not scanned for nothing.
    if json.len() > 4_096 && TEXTS_KEY.find(&json[..64]).is_some() {
        return None;
    }
    let Buffers { structure, layouts, unescaped } = buffers;
    let layout = &mut layouts[to.wanted as usize];
    let cursor = structure.of(json)?;
    let (json, len) = (cursor.bytes(), json.len());
    let text = simdutf8::basic::from_utf8(json).ok()?;
    // Unescaping makes no text longer.
    if unescaped.len() < len {
        unescaped.resize(len, 0);
    }
    layout.begin();
    let mut writer = Writer { text, bytes: cursor.padded(), cursor, layout, to, room: unescaped };
    let end = if is_record {
        writer.value(0, Keep::Members(Level::Record), MAX_DEPTH)?
    } else {
        writer.string(0)?
    };
    (end == len).then_some(())
}

struct Writer<'a, 'w> {
    text: &'a str,
    bytes: &'a [u8],
    cursor: Cursor<'w>,
    layout: &'w mut KeyOrder,
    to: Pruned<'a, 'w>,
    /// Where texts with escapes are decoded.
    room: &'a mut [u8],
}

/// The walk over the members of an object.
struct InObject {
    open: usize,
    /// Of the next key.
    position: KeyPosition,
    /// The colon before a value that is not kept; 0: there is none.
    unasked: usize,
}

// Each function gets the position where something starts, appends it, and returns the position after it.
impl<'a> Writer<'a, '_> {
    /// A value that the cursor has not entered yet; the cursor ends up after it.
    #[inline]
    fn value(&mut self, start: usize, keep: Keep, depth: usize) -> Option<usize> {
        match (self.bytes.get(start)?, keep) {
            (b'"', Keep::Spelt) => self.spelt(start),
            (b'"', _) => self.string(start),
            (b'{' | b'[', Keep::Whole) => {
                let end = self.whole(start, depth)?;
                self.cursor.go_to(end);
                Some(end)
            }
            (b'[', Keep::Each(level)) => self.each(start, level, depth.checked_sub(1)?),
            (b'{', Keep::Members(level)) => {
                self.hop_to(start)?;
                self.members(start, level, depth.checked_sub(1)?)
            }
            (b'{', Keep::Spelt) => self.closed(start, Node::Object { len: 0, count: 0 }),
            (b'{', _) => self.wrapped(start, depth),
            (b'[', _) => self.closed(start, Node::Array { len: 0, count: 0 }),
            _ => self.word(start),
        }
    }

    /// An object in the place of a plain value: one of MongoDB's wrappers, or nothing that is read.
    #[cold]
    fn wrapped(&mut self, start: usize, depth: usize) -> Option<usize> {
        let key = self.space(start + 1)?;
        match &self.bytes[key..] {
            // An escape may stand for the dollar sign.
            [b'"', b'\\', ..] => None,
            [b'"', b'$', ..] => self.value(start, Keep::Whole, depth),
            _ => self.closed(start, Node::Object { len: 0, count: 0 }),
        }
    }

    /// An object or array whose contents are not kept.
    fn closed(&mut self, start: usize, node: Node<'a>) -> Option<usize> {
        self.to.nodes.push(node);
        self.hop_to(start)?;
        self.cursor.skip(start)
    }

    /// Hops, which must lead to `at`.
    #[inline]
    fn hop_to(&mut self, at: usize) -> Option<()> {
        (self.cursor.hop()? == at).then_some(())
    }

    /// The kept members of the object at `open`, where the cursor has just arrived.
    fn members(&mut self, open: usize, level: Level, depth: usize) -> Option<usize> {
        let (node, mut len) = (self.to.nodes.len(), 0);
        self.to.nodes.push(Node::Object { len, count: 0 });
        let mut position = KeyPosition::first(level);
        // The colon before a value that is not kept; 0: there is none.
        let mut unasked = 0;
        loop {
            let hop = self.cursor.hop()?;
            if *self.bytes.get(hop)? != b':' {
                if self.bracket(hop, &InObject { open, position, unasked })? {
                    let count = self.to.nodes.len() - node - 1;
                    self.to.nodes[node] = Node::Object { len, count };
                    return Some(hop + 1);
                }
                unasked = 0;
                continue;
            }
            let member = match self.layout.is_next(self.bytes, hop, position) {
                Some(false) => None,
                Some(true) => self.layout.member(),
                None => match self.layout.guess_other(self.bytes, hop, position) {
                    Some(member) => member,
                    None => self.member(hop, level, position)?,
                },
            };
            position = position.after();
            let Some(KeptMember { name, keep, place }) = member else {
                unasked = hop;
                continue;
            };
            if keep == Keep::NotHere {
                return None;
            }
            if node == 0 {
                self.to.places.push(place);
            }
            self.to.nodes.push(Node::String(name));
            len += 1;
            let start = self.space(hop + 1)?;
            let end = match self.bytes[start] {
                b'"' if keep != Keep::Spelt => self.string(start)?,
                _ => self.value(start, keep, depth)?,
            };
            if self.bytes.get(end..)?.first_chunk() != Some(b",\"") {
                let behind = self.space(end)?;
                let is_end = match self.bytes[behind] {
                    b',' => self.bytes[self.space(behind + 1)?] == b'"',
                    byte => byte == b'}',
                };
                is_end.then_some(())?;
            }
            unasked = 0;
        }
    }

    /// A bracket at `hop`: skips a value that is not kept; `true`: the object ends.
    #[inline(never)]
    fn bracket(&mut self, hop: usize, object: &InObject) -> Option<bool> {
        let before = self.back(hop)?;
        let byte = self.bytes[hop];
        if matches!(byte, b'{' | b'[') {
            (before == object.unasked).then_some(())?;
            self.cursor.skip(hop)?;
            return Some(false);
        }
        // Nothing may be between the braces, and no comma before the last one.
        let is_end =
            if object.position.is_first() { before == object.open } else { self.bytes[before] != b',' };
        (is_end && byte == b'}').then_some(true)
    }

    /// The member whose key is before the colon at `colon`, if it is kept.
    #[cold]
    fn member(&mut self, colon: usize, level: Level, position: KeyPosition) -> Option<Option<KeptMember>> {
        let close = self.back(colon)?;
        let open = self.cursor.mark_before(close)?;
        let before = self.back(open)?;
        let is_key = self.bytes[close] == b'"'
            // Otherwise it is a backslash.
            && self.bytes[open] == b'"'
            && self.bytes[before] == if position.is_first() { b'{' } else { b',' };
        let name = self.bytes.get(open + 1..close).filter(|_| is_key)?;
        let member = self.to.wanted.member(level, name);
        self.layout.learn(name, &self.bytes[before..=colon], position, member);
        Some(member)
    }

    /// The elements of the array at `open`, and the kept members of those that are objects.
    fn each(&mut self, open: usize, level: Level, depth: usize) -> Option<usize> {
        let (node, mut len) = (self.to.nodes.len(), 0);
        self.to.nodes.push(Node::Array { len, count: 0 });
        self.hop_to(open)?;
        let mut at = self.space(open + 1)?;
        if self.bytes[at] != b']' {
            loop {
                let end = self.value(at, Keep::Members(level), depth)?;
                at = self.space(end)?;
                len += 1;
                match self.bytes[at] {
                    b',' => at = self.space(at + 1)?,
                    b']' => break,
                    _ => return None,
                }
            }
        }
        self.hop_to(at)?;
        let count = self.to.nodes.len() - node - 1;
        self.to.nodes[node] = Node::Array { len, count };
        Some(at + 1)
    }

    /// A value with everything in it. The cursor does not move.
    fn whole(&mut self, start: usize, depth: usize) -> Option<usize> {
        let (is_object, close) = match self.bytes.get(start)? {
            b'"' => return self.string(start),
            b'{' => (true, b'}'),
            b'[' => (false, b']'),
            _ => return self.word(start),
        };
        let depth = depth.checked_sub(1)?;
        let (node, mut len) = (self.to.nodes.len(), 0);
        self.to.nodes.push(Node::Array { len, count: 0 });
        let mut at = self.space(start + 1)?;
        if self.bytes[at] != close {
            loop {
                if is_object {
                    (self.bytes[at] == b'"').then_some(())?;
                    at = self.string(at)?;
                    at = self.space(at)?;
                    (self.bytes[at] == b':').then_some(())?;
                    at = self.space(at + 1)?;
                }
                at = self.whole(at, depth)?;
                at = self.space(at)?;
                len += 1;
                match self.bytes[at] {
                    b',' => at = self.space(at + 1)?,
                    byte if byte == close => break,
                    _ => return None,
                }
            }
        }
        let count = self.to.nodes.len() - node - 1;
        self.to.nodes[node] =
            if is_object { Node::Object { len, count } } else { Node::Array { len, count } };
        Some(at + 1)
    }

    #[inline]
    fn string(&mut self, open: usize) -> Option<usize> {
        let (close, has_escapes) = self.cursor.string_end(open + 1)?;
        let raw = self.text.get(open + 1..close)?;
        let text = if has_escapes { self.unescaped(raw)? } else { raw };
        self.to.nodes.push(Node::String(text));
        Some(close + 1)
    }

    /// A text as it is, with its escapes.
    #[inline]
    fn spelt(&mut self, open: usize) -> Option<usize> {
        let (close, _) = self.cursor.string_end(open + 1)?;
        self.to.nodes.push(Node::String(self.text.get(open + 1..close)?));
        Some(close + 1)
    }

    /// A text with its escapes decoded.
    #[inline(never)]
    fn unescaped(&mut self, raw: &str) -> Option<&'a str> {
        let room = std::mem::take(&mut self.room);
        let len = unescape(raw.as_bytes(), room)?;
        let (text, room) = room.split_at_mut(len);
        self.room = room;
        simdutf8::basic::from_utf8(text).ok()
    }

    /// A number, `true`, `false` or `null`.
    #[inline]
    fn word(&mut self, start: usize) -> Option<usize> {
        let rest = &self.bytes[start..];
        let (node, len) = match rest.first()? {
            b'n' => (StaticNode::Null, rest.starts_with(b"null").then_some(4)?),
            b't' => (StaticNode::Bool(true), rest.starts_with(b"true").then_some(4)?),
            b'f' => (StaticNode::Bool(false), rest.starts_with(b"false").then_some(5)?),
            // Most counts have one digit.
            digit @ b'0'..=b'9' if matches!(rest.get(1)?, b',' | b'}') => {
                (StaticNode::U64(u64::from(digit - b'0')), 1)
            }
            _ => number::parse(rest)?,
        };
        self.to.nodes.push(Node::Static(node));
        Some(start + len)
    }

    /// The first position from `at` on that is not white space.
    #[inline]
    fn space(&self, at: usize) -> Option<usize> {
        let mut at = at;
        while is_space(*self.bytes.get(at)?) {
            at += 1;
        }
        Some(at)
    }

    /// The last position before `at` that is not white space.
    #[inline]
    fn back(&self, at: usize) -> Option<usize> {
        let mut at = at.checked_sub(1)?;
        while is_space(self.bytes[at]) {
            at = at.checked_sub(1)?;
        }
        Some(at)
    }
}
