//! The order of keys in the records seen so far.
//!
//! The records of a file are written by one program, which writes their keys in one order, with the same blanks
//! around them; only some members come and go. So each key is remembered with those that followed it, and the next one is
//! guessed and compared in one step, together with the comma, the quotes and the colon around it. A wrong guess costs
//! little, and the result does not depend on the guesses.

use super::keep::KeptMember;
use crate::tweet::members::Level;
use crate::tweet::name::Name;

/// Keys that are remembered: far more than a tweet of any API has.
const MOST_KEYS: usize = 512;

/// Keys that are guessed to follow another one.
const FOLLOWERS: usize = 4;

/// Bytes compared at once.
const WINDOW: usize = 16;
const WINDOWS: usize = 2 * WINDOW;

/// These bytes as two numbers.
type Window = [u64; 2];

/// Bytes around the name of a key that are remembered with it: the signs, and blanks where records are indented.
const MOST_AROUND: usize = 64;

/// The position of a key: in which object, and whether it is the first one there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyPosition(u8);

impl KeyPosition {
    const FIRST: u8 = 0x80;
    /// No key is there.
    const NOWHERE: Self = Self(0x7f);

    /// The first key of an object.
    pub fn first(level: Level) -> Self {
        Self(level as u8 | Self::FIRST)
    }

    /// That of the keys after this one.
    pub fn after(self) -> Self {
        Self(self.0 & !Self::FIRST)
    }

    pub fn is_first(self) -> bool {
        self.0 & Self::FIRST != 0
    }
}

/// All keys seen, each with those that followed it.
#[derive(Debug)]
pub struct KeyOrder {
    /// The first entry is not a key: it represents the start of a record.
    known: Vec<KnownKey>,
    /// Where each key is in `known`, by its hash; 0: free.
    places: Box<[u16; PLACES]>,
    /// The previous key, and the one that followed it the last time.
    last: usize,
    next: usize,
}

const PLACE_BITS: u32 = 11;
const PLACES: usize = 1 << PLACE_BITS;

/// A key that was seen before.
#[derive(Debug)]
#[repr(align(64))]
struct KnownKey {
    /// The end of `spelt`, window by window from the last one backwards, and which of their bits count.
    ends: [Window; 2],
    masks: [Window; 2],
    position: KeyPosition,
    /// The keys that followed it, the latest first; 0, which is nowhere: fewer did.
    followers: [u16; FOLLOWERS],
    is_kept: bool,
    /// It is not kept and fits into one window.
    is_plain: bool,
    member: Option<KeptMember>,
    /// From the comma or brace before the key to the colon after it.
    spelt: Box<[u8]>,
}

impl Default for KeyOrder {
    fn default() -> Self {
        let start = KnownKey::new(b"", KeyPosition::NOWHERE, None);
        Self { known: vec![start], places: Box::new([0; PLACES]), last: 0, next: 0 }
    }
}

impl KeyOrder {
    /// Begins a new record.
    pub fn begin(&mut self) {
        self.go_to(0);
    }

    /// The previous key is this one.
    fn go_to(&mut self, last: usize) {
        self.last = last;
        self.next = usize::from(self.known[last].followers[0]);
    }

    /// If the key that ends at the colon at `colon` is the expected one: whether its member is kept. It is then the
    /// previous one.
    #[inline(always)]
    pub fn is_next(&mut self, bytes: &[u8], colon: usize, position: KeyPosition) -> Option<bool> {
        let known = self.known.get(self.next)?;
        if colon < WINDOWS {
            known.is_at(bytes, colon, position).then_some(())?;
        } else if known.position != position || !known.ends_at::<0>(bytes, colon) {
            return None;
        } else if known.is_plain {
            // Most keys.
            (self.last, self.next) = (self.next, usize::from(known.followers[0]));
            return Some(false);
        } else {
            known.begins_at(bytes, colon).then_some(())?;
        }
        (self.last, self.next) = (self.next, usize::from(known.followers[0]));
        Some(known.is_kept)
    }

    /// The previous key's member.
    #[inline]
    pub fn member(&self) -> Option<KeptMember> {
        self.known.get(self.last)?.member
    }

    /// The key that ends at the colon at `colon`, if it is one of those that followed the previous one before.
    #[inline(never)]
    pub fn guess_other(
        &mut self,
        bytes: &[u8],
        colon: usize,
        position: KeyPosition,
    ) -> Option<Option<KeptMember>> {
        let followers = &self.known.get(self.last)?.followers[1..];
        let is_it = |place: &u16| self.known[usize::from(*place)].is_at(bytes, colon, position);
        let nth = 1 + followers.iter().position(is_it)?;
        let followers = &mut self.known[self.last].followers;
        followers[..=nth].rotate_right(1);
        let found = usize::from(followers[0]);
        self.go_to(found);
        Some(self.known[found].member)
    }

    /// Remembers a key that was not guessed: its name, the bytes from the comma before it to the colon after it, and
    /// which member it is.
    pub fn learn(&mut self, name: &[u8], spelt: &[u8], position: KeyPosition, member: Option<KeptMember>) {
        if spelt.len() - name.len() > MOST_AROUND {
            return;
        }
        let mut place = place_of(spelt, position);
        let found = loop {
            match usize::from(self.places[place]) {
                0 if self.known.len() == MOST_KEYS => return,
                0 => {
                    self.places[place] = self.known.len() as u16;
                    self.known.push(KnownKey::new(spelt, position, member));
                    break self.known.len() - 1;
                }
                found if self.known[found].is_same(spelt, position) => break found,
                _ => place = (place + 1) % PLACES,
            }
        };
        let followers = &mut self.known[self.last].followers;
        followers.rotate_right(1);
        followers[0] = found as u16;
        self.go_to(found);
    }
}

/// Where to look for a key among those that are known.
fn place_of(spelt: &[u8], position: KeyPosition) -> usize {
    const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
    let Name { first, last, len } = Name::of(spelt);
    let mixed = first ^ last.rotate_left(25) ^ (len as u64) << 8 ^ u64::from(position.0);
    (mixed.wrapping_mul(SEED) >> (u64::BITS - PLACE_BITS)) as usize
}

impl KnownKey {
    fn new(spelt: &[u8], position: KeyPosition, member: Option<KeptMember>) -> Self {
        let (mut ends, mut masks) = ([[0; 2]; 2], [[0; 2]; 2]);
        for (nth, byte) in spelt.iter().rev().take(WINDOWS).enumerate() {
            let (window, place) = (nth / WINDOW, WINDOW - 1 - nth % WINDOW);
            let (half, shift) = (place / 8, 8 * (place % 8));
            ends[window][half] |= u64::from(*byte) << shift;
            masks[window][half] |= 0xff << shift;
        }
        Self {
            ends,
            masks,
            position,
            followers: [0; FOLLOWERS],
            is_kept: member.is_some(),
            is_plain: member.is_none() && spelt.len() <= WINDOW,
            member,
            spelt: spelt.into(),
        }
    }

    fn is_same(&self, spelt: &[u8], position: KeyPosition) -> bool {
        self.position == position && *self.spelt == *spelt
    }

    /// Whether this key, at this position, ends at the colon at `colon`.
    #[inline(always)]
    fn is_at(&self, bytes: &[u8], colon: usize, position: KeyPosition) -> bool {
        if colon < WINDOWS {
            return self.position == position && bytes[..=colon].ends_with(&self.spelt);
        }
        self.position == position && self.ends_at::<0>(bytes, colon) && self.begins_at(bytes, colon)
    }

    /// Whether what is before its last window is there, too.
    #[inline(always)]
    fn begins_at(&self, bytes: &[u8], colon: usize) -> bool {
        (self.spelt.len() <= WINDOW || self.ends_at::<1>(bytes, colon))
            && (self.spelt.len() <= WINDOWS || bytes[..=colon].ends_with(&self.spelt))
    }

    /// Whether the `NTH` window before `colon` has the same bytes as in `spelt`.
    #[inline(always)]
    fn ends_at<const NTH: usize>(&self, bytes: &[u8], colon: usize) -> bool {
        let window =
            bytes.get(colon + 1 - (NTH + 1) * WINDOW..).and_then(|rest| rest.first_chunk::<WINDOW>());
        let Some((first, rest)) = window.and_then(|window| window.split_first_chunk()) else { return false };
        let Some(second) = rest.first_chunk() else { return false };
        let (ends, masks) = (&self.ends[NTH], &self.masks[NTH]);
        let first = (u64::from_le_bytes(*first) ^ ends[0]) & masks[0];
        let second = (u64::from_le_bytes(*second) ^ ends[1]) & masks[1];
        first | second == 0
    }
}
