//! Names of members, to be compared quickly.

/// A name as two numbers and its length: quicker to compare than bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name {
    /// The first eight bytes, or all where there are less.
    pub first: u64,
    /// The last eight, where there are more than eight.
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

    /// Whether `name`, which this is of, reads `text`, which `known` is of.
    #[inline]
    pub fn is(&self, name: &[u8], known: &Name, text: &str) -> bool {
        // Of longer ones the middle is in neither number.
        self == known && (self.len <= 16 || name == text.as_bytes())
    }
}
