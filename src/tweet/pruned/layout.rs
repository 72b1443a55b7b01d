//! The order of keys in the records seen so far.
//!
//! The records of a file are written by one program, which writes their keys in one order. So the
//! next key is guessed from the previous one, and compared in one step, together with the comma and
//! the quotes around it. A wrong guess costs little, and the result does not depend on the guesses.

use super::keep::KeptMember;
use crate::tweet::members::Level;

/// Keys that are remembered: far more than a tweet of any API has.
const MOST_KEYS: usize = 512;

/// Bytes compared at once.
const WINDOW: usize = 16;

/// The position of a key: in which object, and whether it is the first one there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyPosition(u8);

impl KeyPosition {
    const FIRST: u8 = 0x80;

    /// The first key of an object.
    pub fn first(level: Level) -> Self {
        Self(level as u8 | Self::FIRST)
    }

    /// A key after other members.
    pub fn later(level: Level) -> Self {
        Self(level as u8)
    }

    pub fn is_first(self) -> bool {
        self.0 & Self::FIRST != 0
    }
}

/// All keys seen, each with the one that followed it the last time.
#[derive(Debug)]
pub struct KeyOrder {
    /// The first entry is not a key: it represents the start of a record.
    known: Vec<KnownKey>,
    /// The previous key.
    last: usize,
    /// The key that followed it the last time.
    next: usize,
}

#[derive(Debug)]
struct KnownKey {
    /// The end of `spelt`, as numbers from the last one backwards, and which of their bits count.
    ends: [u128; 2],
    masks: [u128; 2],
    position: KeyPosition,
    next: usize,
    member: Option<KeptMember>,
    /// From the comma or brace before the key to its closing quote.
    spelt: Box<[u8]>,
}

impl Default for KeyOrder {
    fn default() -> Self {
        let start = KnownKey::new(b"", KeyPosition::later(Level::Record), None);
        Self { known: vec![start], last: 0, next: 0 }
    }
}

impl KeyOrder {
    /// Begins a new record.
    pub fn begin(&mut self) {
        (self.last, self.next) = (0, self.known[0].next);
    }

    /// The member whose key ends before the colon at `colon`, if it is the expected key; then it
    /// may also be one that is not kept.
    #[inline]
    pub fn guess(&mut self, bytes: &[u8], colon: usize, position: KeyPosition) -> Option<Option<KeptMember>> {
        let known = self.known.get(self.next)?;
        let is_it = known.position == position
            && self.next != 0
            && if colon < WINDOW2 {
                bytes[..colon].ends_with(&known.spelt)
            } else {
                known.ends_at::<0>(bytes, colon)?
                    && (known.spelt.len() <= WINDOW || known.ends_at::<1>(bytes, colon)?)
                    && (known.spelt.len() <= WINDOW2 || bytes[..colon].ends_with(&known.spelt))
            };
        is_it.then(|| {
            (self.last, self.next) = (self.next, known.next);
            known.member
        })
    }

    /// Remembers a key that was not guessed: its bytes with those around it, and which member it
    /// is.
    pub fn learn(&mut self, spelt: &[u8], position: KeyPosition, member: Option<KeptMember>) {
        let is_it = |known: &KnownKey| *known.spelt == *spelt && known.position == position;
        let found = match self.known.iter().position(is_it) {
            Some(found) => found,
            None if self.known.len() == MOST_KEYS => return,
            None => {
                self.known.push(KnownKey::new(spelt, position, member));
                self.known.len() - 1
            }
        };
        self.known[self.last].next = found;
        (self.last, self.next) = (found, self.known[found].next);
    }
}

const WINDOW2: usize = 2 * WINDOW;

impl KnownKey {
    fn new(spelt: &[u8], position: KeyPosition, member: Option<KeptMember>) -> Self {
        let (mut ends, mut masks) = ([0; 2], [0; 2]);
        for (nth, byte) in spelt.iter().rev().take(WINDOW2).enumerate() {
            let shift = 8 * (WINDOW - 1 - nth % WINDOW);
            ends[nth / WINDOW] |= u128::from(*byte) << shift;
            masks[nth / WINDOW] |= 0xff << shift;
        }
        Self { ends, masks, position, next: 0, member, spelt: spelt.into() }
    }

    /// Whether the `NTH` window before `colon` has the same bytes as in `spelt`.
    #[inline]
    fn ends_at<const NTH: usize>(&self, bytes: &[u8], colon: usize) -> Option<bool> {
        let window = bytes.get(colon - (NTH + 1) * WINDOW..)?.first_chunk()?;
        Some(u128::from_le_bytes(*window) & self.masks[NTH] == self.ends[NTH])
    }
}
