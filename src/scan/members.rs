//! The members of an object, one after another, without parsing their values.

use super::{space, string_end, value_end};

/// Walks over the members of one object. Ends at its closing brace, or where the object breaks.
#[derive(Debug, Clone)]
pub struct Members<'a> {
    bytes: &'a [u8],
    /// At a value, a comma, a key or the closing brace.
    at: usize,
    /// Whether the value at `at` has yet to be skipped.
    at_value: bool,
}

/// One member: its key as spelt, without quotes, and where its value starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member<'a> {
    /// The bytes between the quotes; escapes are kept.
    pub key: &'a [u8],
    /// Position of the value's first byte.
    pub value: usize,
}

impl<'a> Members<'a> {
    /// The members of the object that opens at `start`; none if no object opens there.
    pub fn of(bytes: &'a [u8], start: usize) -> Self {
        let at = if bytes.get(start) == Some(&b'{') { start + 1 } else { bytes.len() };
        Self { bytes, at, at_value: false }
    }

    /// The members from `at` on, which is after a value of the object.
    pub fn resume(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, at_value: false }
    }

    /// How far the walk has come: where it ended, or after the key of the last member.
    pub fn reached(&self) -> usize {
        self.at
    }

    /// The position after the object's closing brace. Call only once the walk has ended; `None` if
    /// it ended before such a brace.
    pub fn end(&self) -> Option<usize> {
        (self.bytes.get(self.at) == Some(&b'}')).then_some(self.at + 1)
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = Member<'a>;

    fn next(&mut self) -> Option<Member<'a>> {
        if self.at_value {
            self.at = space(self.bytes, value_end(self.bytes, self.at)?);
            self.at_value = false;
        }
        self.at = space(self.bytes, self.at);
        if self.bytes.get(self.at) == Some(&b',') {
            self.at = space(self.bytes, self.at + 1);
        }
        if self.bytes.get(self.at) != Some(&b'"') {
            return None;
        }
        let open = self.at;
        let behind = string_end(self.bytes, open)?;
        let colon = space(self.bytes, behind);
        if self.bytes.get(colon) != Some(&b':') {
            return None;
        }
        self.at = space(self.bytes, colon + 1);
        self.at_value = true;
        Some(Member { key: &self.bytes[open + 1..behind - 1], value: self.at })
    }
}
