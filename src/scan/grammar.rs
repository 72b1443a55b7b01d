//! The whole grammar of JSON (RFC 8259), byte by byte, to find where a value breaks.
//!
//! Used where the fast scanner found no end, so it need not be fast. It keeps one bit per open
//! bracket, and gives up beyond [`MAX_DEPTH`], so its memory is constant.

use memchr::memchr2;

use super::space;

/// How deep brackets may be nested: as deep as simd-json accepts.
const MAX_DEPTH: usize = 1024;

/// The bytes are not a valid JSON value; says where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// The byte here does not belong here.
    At(usize),
    /// Everything is valid up to the end of the bytes, but the value is not complete.
    Cut,
}

impl Broken {
    /// The position, in bytes that end at `end`.
    pub fn position(self, end: usize) -> usize {
        match self {
            Broken::At(position) => position,
            Broken::Cut => end,
        }
    }
}

/// The position after the JSON value that starts at `start`, which must not be white space.
///
/// # Errors
/// Where the value breaks. Whether strings are UTF-8 and surrogates are paired is not checked.
pub fn strict_end(bytes: &[u8], start: usize) -> Result<usize, Broken> {
    let mut open = Open::default();
    let mut at = start;
    loop {
        // At the start of a value.
        let mut opened = false;
        match byte(bytes, at)? {
            b'{' => {
                open.push(at, true)?;
                opened = true;
            }
            b'[' => {
                open.push(at, false)?;
                opened = true;
            }
            b'"' => at = string(bytes, at)?,
            b't' => at = word(bytes, at, b"true")?,
            b'f' => at = word(bytes, at, b"false")?,
            b'n' => at = word(bytes, at, b"null")?,
            b'-' | b'0'..=b'9' => at = number(bytes, at)?,
            _ => return Err(Broken::At(at)),
        }
        if opened {
            at = space(bytes, at + 1);
            match (byte(bytes, at)?, open.in_object()) {
                (b'}', true) | (b']', false) => {}
                (_, true) => {
                    at = key(bytes, at)?;
                    continue;
                }
                (_, false) => continue,
            }
        } else if open.depth == 0 {
            return Ok(at);
        }
        // After a value, or at the bracket that closes an empty list.
        loop {
            at = space(bytes, at);
            match (byte(bytes, at)?, open.in_object()) {
                (b'}', true) | (b']', false) => {
                    at += 1;
                    open.depth -= 1;
                    if open.depth == 0 {
                        return Ok(at);
                    }
                }
                (b',', true) => {
                    at = key(bytes, space(bytes, at + 1))?;
                    break;
                }
                (b',', false) => {
                    at = space(bytes, at + 1);
                    break;
                }
                _ => return Err(Broken::At(at)),
            }
        }
    }
}

/// The open brackets: one bit each, set for `{`.
struct Open {
    objects: [u64; MAX_DEPTH / 64],
    depth: usize,
}

impl Default for Open {
    fn default() -> Self {
        Self { objects: [0; MAX_DEPTH / 64], depth: 0 }
    }
}

impl Open {
    fn push(&mut self, at: usize, is_object: bool) -> Result<(), Broken> {
        let word = self.objects.get_mut(self.depth / 64).ok_or(Broken::At(at))?;
        let bit = 1 << (self.depth % 64);
        *word = if is_object { *word | bit } else { *word & !bit };
        self.depth += 1;
        Ok(())
    }

    /// Whether the innermost open bracket is a `{`. Needs an open bracket.
    fn in_object(&self) -> bool {
        let top = self.depth - 1;
        self.objects[top / 64] >> (top % 64) & 1 == 1
    }
}

fn byte(bytes: &[u8], at: usize) -> Result<u8, Broken> {
    bytes.get(at).copied().ok_or(Broken::Cut)
}

/// The start of the value that belongs to the key at `at`.
fn key(bytes: &[u8], at: usize) -> Result<usize, Broken> {
    if byte(bytes, at)? != b'"' {
        return Err(Broken::At(at));
    }
    let colon = space(bytes, string(bytes, at)?);
    match byte(bytes, colon)? {
        b':' => Ok(space(bytes, colon + 1)),
        _ => Err(Broken::At(colon)),
    }
}

fn string(bytes: &[u8], open: usize) -> Result<usize, Broken> {
    let mut at = open + 1;
    loop {
        let rest = bytes.get(at..).ok_or(Broken::Cut)?;
        let plain = memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
        if let Some(control) = rest[..plain].iter().position(|byte| *byte < b' ') {
            return Err(Broken::At(at + control));
        }
        at += plain;
        if byte(bytes, at)? == b'"' {
            return Ok(at + 1);
        }
        match byte(bytes, at + 1)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => at += 2,
            b'u' => {
                for digit in at + 2..at + 6 {
                    if !byte(bytes, digit)?.is_ascii_hexdigit() {
                        return Err(Broken::At(digit));
                    }
                }
                at += 6;
            }
            _ => return Err(Broken::At(at + 1)),
        }
    }
}

fn word(bytes: &[u8], at: usize, word: &[u8]) -> Result<usize, Broken> {
    for (nth, wanted) in word.iter().enumerate() {
        if byte(bytes, at + nth)? != *wanted {
            return Err(Broken::At(at + nth));
        }
    }
    Ok(at + word.len())
}

fn number(bytes: &[u8], start: usize) -> Result<usize, Broken> {
    let digits = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        match rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len()) {
            0 if rest.is_empty() => Err(Broken::Cut),
            0 => Err(Broken::At(from)),
            count => Ok(from + count),
        }
    };
    let mut at = start + usize::from(bytes[start] == b'-');
    // No number except 0 itself starts with a 0.
    at = if byte(bytes, at)? == b'0' { at + 1 } else { digits(at)? };
    if bytes.get(at) == Some(&b'.') {
        at = digits(at + 1)?;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        at = digits(at + 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-'))))?;
    }
    Ok(at)
}
