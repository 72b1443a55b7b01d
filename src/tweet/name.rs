//! Names of members, for fast comparison.

/// A name as two numbers and its length: faster to compare than bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name {
    /// The first eight bytes, or all if there are fewer.
    pub first: u64,
    /// The last eight, if there are more than eight.
    pub last: u64,
    pub len: usize,
}

impl Name {
    pub const fn of(name: &[u8]) -> Self {
        let len = name.len();
        match (name.first_chunk(), name.last_chunk()) {
            (Some(first), Some(last)) if len > 8 => {
                Self { first: u64::from_le_bytes(*first), last: u64::from_le_bytes(*last), len }
            }
            _ => {
                let (mut first, mut at) = (0, 0);
                while at < len {
                    first |= (name[at] as u64) << (8 * at);
                    at += 1;
                }
                Self { first, last: 0, len }
            }
        }
    }

    /// Whether `name`, which `self` is made of, equals `text`, which `known` is made of.
    #[inline]
    pub fn is(&self, name: &[u8], known: &Name, text: &str) -> bool {
        // The middle of longer names is in neither number.
        self == known && (self.len <= 16 || name == text.as_bytes())
    }
}
