//! The name of a member, and how much of it is kept, according to the tables of keys.

use crate::tweet::keys::{find_name, keep};
use crate::tweet::members::{Keep, Level};
use crate::tweet::name::Name;

/// A member that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptMember {
    pub name: &'static str,
    pub keep: Keep,
    /// At the top of a record: its place in [`KEYS`](crate::tweet::keys::KEYS).
    pub place: u8,
}

impl Level {
    /// The member with this name, if it is kept.
    pub fn member(self, name: &[u8]) -> Option<KeptMember> {
        let word = Name::of(name);
        if self == Level::Record {
            let (key, place) = find_name(&word, name)?;
            return Some(KeptMember { name: key.name, keep: keep(key.field), place });
        }
        let listed = self.listed().iter().find(|listed| word.is(name, &listed.word, listed.name))?;
        Some(KeptMember { name: listed.name, keep: listed.keep, place: u8::MAX })
    }
}
