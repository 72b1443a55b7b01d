//! Walks through the bytes of a request before they are decoded, so that no request costs more
//! memory than its length.
//!
//! Why: the codecs reserve room for as many elements as an array's length field announces, before
//! they read the first one. A few bytes can announce 2 billion, and a failed allocation aborts the
//! process. The walk follows the same fields and refuses what does not end inside the request.

use bytes::Buf;

/// Elements and tagged fields that one request may have in all: each becomes a few hundred bytes of
/// decoded request and answer. A fetch of every partition that the endpoint can hold has about a
/// thousand.
const ELEMENTS_MAX: usize = 1 << 12;

/// What a field looks like on the wire.
#[derive(Debug, Clone, Copy)]
pub(crate) enum FieldKind {
    /// A number or a flag of this many bytes.
    Fixed(usize),
    /// A string, nullable or not.
    Text,
    /// Bytes, nullable or not.
    Blob,
    /// An array of numbers of this many bytes.
    Numbers(usize),
    /// An array of strings.
    Texts,
    /// An array of structures, each with these fields.
    List(&'static [FieldShape]),
}

/// A field and the versions of the request that have it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FieldShape {
    since: i16,
    until: i16,
    kind: FieldKind,
}

/// A field of every version.
pub(crate) const fn field(kind: FieldKind) -> FieldShape {
    FieldShape { since: 0, until: i16::MAX, kind }
}

impl FieldShape {
    /// In this version and later ones only.
    pub const fn since(mut self, version: i16) -> Self {
        self.since = version;
        self
    }

    /// Up to this version only.
    pub const fn until(mut self, version: i16) -> Self {
        self.until = version;
        self
    }
}

/// Checks a request's body against its fields. `flexible` requests have compact lengths and tagged
/// fields. Bytes after the last field are ignored, as by the codecs. Returns the number of elements
/// and tagged fields.
pub(crate) fn check(
    body: &[u8],
    fields: &[FieldShape],
    version: i16,
    flexible: bool,
) -> Result<usize, &'static str> {
    let mut walk = Walk { rest: body, version, flexible, elements_left: ELEMENTS_MAX };
    walk.structure(fields)?;
    Ok(ELEMENTS_MAX - walk.elements_left)
}

/// How many bytes at the beginning are tagged fields: those of a request's header.
pub(crate) fn tagged_fields_bytes(bytes: &[u8]) -> Result<usize, &'static str> {
    let mut walk = Walk { rest: bytes, version: 0, flexible: true, elements_left: ELEMENTS_MAX };
    walk.structure(&[])?;
    Ok(bytes.len() - walk.rest.len())
}

struct Walk<'a> {
    rest: &'a [u8],
    version: i16,
    flexible: bool,
    elements_left: usize,
}

const CUT_OFF: &str = "a field goes past the end of the request";

impl Walk<'_> {
    fn structure(&mut self, fields: &[FieldShape]) -> Result<(), &'static str> {
        for field in fields {
            if (field.since..=field.until).contains(&self.version) {
                self.kind(field.kind)?;
            }
        }
        if self.flexible {
            for _ in 0..self.counted()? {
                self.varint()?; // tag
                let bytes = self.varint()?;
                self.skip(bytes as usize)?;
            }
        }
        Ok(())
    }

    fn kind(&mut self, kind: FieldKind) -> Result<(), &'static str> {
        match kind {
            FieldKind::Fixed(bytes) => self.skip(bytes),
            FieldKind::Text => {
                let bytes = match self.flexible {
                    true => self.compact_length()?,
                    false => usize::try_from(self.rest.try_get_i16().map_err(|_| CUT_OFF)?).unwrap_or(0),
                };
                self.skip(bytes)
            }
            FieldKind::Blob => {
                let bytes = self.length()?;
                self.skip(bytes)
            }
            FieldKind::Numbers(bytes) => {
                let count = self.length()?;
                self.count(count)?;
                self.skip(count * bytes)
            }
            FieldKind::Texts => {
                let count = self.length()?;
                self.count(count)?;
                (0..count).try_for_each(|_| self.kind(FieldKind::Text))
            }
            FieldKind::List(fields) => {
                let count = self.length()?;
                self.count(count)?;
                (0..count).try_for_each(|_| self.structure(fields))
            }
        }
    }

    /// Length of bytes or of an array; null counts as 0.
    fn length(&mut self) -> Result<usize, &'static str> {
        match self.flexible {
            true => self.compact_length(),
            false => Ok(usize::try_from(self.rest.try_get_i32().map_err(|_| CUT_OFF)?).unwrap_or(0)),
        }
    }

    fn compact_length(&mut self) -> Result<usize, &'static str> {
        Ok((self.varint()? as usize).saturating_sub(1))
    }

    /// The number of tagged fields.
    fn counted(&mut self) -> Result<usize, &'static str> {
        let count = self.varint()? as usize;
        self.count(count)?;
        Ok(count)
    }

    fn count(&mut self, elements: usize) -> Result<(), &'static str> {
        self.elements_left =
            self.elements_left.checked_sub(elements).ok_or("more elements than any client asks for")?;
        Ok(())
    }

    fn skip(&mut self, bytes: usize) -> Result<(), &'static str> {
        self.rest = self.rest.get(bytes..).ok_or(CUT_OFF)?;
        Ok(())
    }

    fn varint(&mut self) -> Result<u32, &'static str> {
        let mut value = 0u32;
        for shift in (0..35).step_by(7) {
            let byte = self.rest.try_get_u8().map_err(|_| CUT_OFF)?;
            value |= u32::from(byte & 0x7f).wrapping_shl(shift);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("a number of more than five bytes")
    }
}

/// Random well-formed bodies, made from the same fields.
#[cfg(test)]
pub(crate) mod generate {
    use rand::seq::IndexedRandom;
    use rand::{Rng, RngExt};

    use super::{FieldKind, FieldShape};

    /// Makes bodies of one version.
    pub(crate) struct Generator<'a, R> {
        pub rng: &'a mut R,
        pub version: i16,
        pub flexible: bool,
        /// Values of strings and bytes, besides null.
        pub texts: &'a [&'a str],
        pub blobs: &'a [&'a [u8]],
        pub numbers: &'a [i64],
    }

    impl<R: Rng> Generator<'_, R> {
        pub fn body(&mut self, fields: &[FieldShape]) -> Vec<u8> {
            let mut out = Vec::new();
            for field in fields {
                if (field.since..=field.until).contains(&self.version) {
                    self.kind(field.kind, &mut out);
                }
            }
            if self.flexible {
                let tags = if self.rng.random_ratio(1, 8) { 1 } else { 0 };
                out.push(tags);
                if tags > 0 {
                    out.extend([99, 2, b'h', b'i']);
                }
            }
            out
        }

        fn kind(&mut self, kind: FieldKind, out: &mut Vec<u8>) {
            match kind {
                // Fields of several numbers mostly become noise.
                FieldKind::Fixed(bytes @ (1 | 2 | 4 | 8)) => {
                    let number = self.numbers.choose(self.rng).copied().unwrap_or_default();
                    out.extend(&number.to_be_bytes()[8 - bytes..]);
                }
                FieldKind::Fixed(bytes) => (0..bytes).for_each(|_| out.push(self.rng.random_range(0..3))),
                FieldKind::Text => {
                    let text = self.texts.choose(self.rng).filter(|_| self.rng.random_ratio(9, 10));
                    let bytes = text.map(|text| text.as_bytes());
                    self.length(bytes.map(<[u8]>::len), 2, out);
                    out.extend(bytes.unwrap_or_default());
                }
                FieldKind::Blob => {
                    let blob = self.blobs.choose(self.rng).copied().filter(|_| self.rng.random_ratio(9, 10));
                    self.length(blob.map(<[u8]>::len), 4, out);
                    out.extend(blob.unwrap_or_default());
                }
                FieldKind::Numbers(_) | FieldKind::Texts | FieldKind::List(_) => {
                    let count = self.rng.random_range(0..3);
                    let is_null = count == 0 && self.rng.random();
                    self.length((!is_null).then_some(count), 4, out);
                    for _ in 0..count {
                        match kind {
                            FieldKind::Numbers(bytes) => self.kind(FieldKind::Fixed(bytes), out),
                            FieldKind::List(fields) => out.extend(self.body(fields)),
                            _ => self.kind(FieldKind::Text, out),
                        }
                    }
                }
            }
        }

        fn length(&mut self, length: Option<usize>, bytes: usize, out: &mut Vec<u8>) {
            if self.flexible {
                let mut rest = length.map_or(0, |length| length + 1);
                while rest >= 0x80 {
                    out.push(rest as u8 | 0x80);
                    rest >>= 7;
                }
                out.push(rest as u8);
            } else {
                let length = length.map_or(-1, |length| length as i64);
                out.extend(&length.to_be_bytes()[8 - bytes..]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::FieldKind::*;
    use super::*;

    const FIELDS: &[FieldShape] =
        &[field(Text).since(3), field(Fixed(4)), field(List(&[field(Text), field(Numbers(4)), field(Blob)]))];

    #[test]
    fn well_formed_bodies_pass() {
        let old = b"\0\0\0\x07\0\0\0\x01\0\x02ab\0\0\0\x02aaaabbbb\0\0\0\x01z";
        assert_eq!(check(old, FIELDS, 2, false), Ok(3));
        let nulls = b"\xff\xff\0\0\0\x07\xff\xff\xff\xff";
        assert_eq!(check(nulls, FIELDS, 3, false), Ok(0));
        let flexible = b"\x03ab\0\0\0\x07\x02\x03ab\x03aaaabbbb\x02z\0\x01\x05\x02hi";
        assert_eq!(check(flexible, FIELDS, 9, true), Ok(4));
        for length in 0..flexible.len() {
            assert!(check(&flexible[..length], FIELDS, 9, true).is_err(), "{length}");
        }
    }

    #[test]
    fn strings_in_an_array_have_no_tagged_fields_of_their_own() {
        let fields = &[field(Texts)];
        assert_eq!(check(b"\x03\x02a\x03bc\0", fields, 9, true), Ok(2));
        assert_eq!(check(b"\0\0\0\x02\0\x01a\0\x02bc", fields, 2, false), Ok(2));
        assert!(check(b"\x03\x02a\x03b", fields, 9, true).is_err());
        assert_eq!(tagged_fields_bytes(b"\x01\x05\x02hirest"), Ok(5));
    }

    #[test]
    fn announced_lengths_are_not_believed() {
        assert!(check(b"\0\0\0\x07\x7f\xff\xff\xff", FIELDS, 2, false).is_err());
        assert!(check(b"\0\0\0\0\x07\xff\xff\xff\xff\x0f", FIELDS, 9, true).is_err());
        // Within the request, but pointless: 100,000 empty elements.
        let mut many = b"\0\0\0\x07\0\x01\x86\xa0".to_vec();
        many.resize(2_000_000, 0);
        assert!(check(&many, FIELDS, 2, false).is_err());
    }
}
