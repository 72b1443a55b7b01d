//! Objects that hold a list of tweets among other members: a page of API v2 (`data` and
//! `includes`), a search answer (`statuses`, `results`), a hand-made `{"tweets": [...]}`.
//!
//! A list counts only if its first element is an object, so that a user with their texts (`{"id":
//! 1, "tweets": ["text"]}`) stays one record. An object without a list is a record itself.

use crate::scan::{Member, Members, container_end, space};

/// Where an object's list begins, and what belongs to its elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TweetPage {
    /// The position after the list's opening bracket.
    pub list: usize,
    /// Where the value of `includes` next to a list named `data` begins and ends; otherwise empty.
    pub includes: (usize, usize),
}

/// The list of the object that opens at `start`, if it has one.
pub fn open(bytes: &[u8], start: usize) -> Option<TweetPage> {
    first_list(&mut Members::of(bytes, start), bytes)
}

/// Whether the object that opens at `start` has a list; faster than [`open`], which also finds the
/// `includes`.
pub fn is_page(bytes: &[u8], start: usize) -> bool {
    Members::of(bytes, start)
        .any(|member| is_list(bytes, member) && bytes[space(bytes, member.value + 1)] == b'{')
}

/// What follows a list of an object.
pub enum Behind {
    /// Another list.
    List(TweetPage),
    /// The object's end, with the position after it.
    End(usize),
    /// Something that does not belong there.
    Broken,
}

/// What follows the list that ended before `at`.
pub fn behind_list(bytes: &[u8], at: usize) -> Behind {
    let mut members = Members::resume(bytes, at);
    match first_list(&mut members, bytes) {
        Some(page) => Behind::List(page),
        None => members.end().map_or(Behind::Broken, Behind::End),
    }
}

fn first_list<'a>(members: &mut Members<'a>, bytes: &'a [u8]) -> Option<TweetPage> {
    let mut includes = None;
    while let Some(member) = members.next() {
        if member.key == b"includes" {
            includes = Some(member);
        }
        if is_list(bytes, member) {
            if member.key == b"data" && includes.is_none() {
                includes = members.clone().find(|member| member.key == b"includes");
            }
            let value = includes.and_then(|member| Some((member.value, container_end(bytes, member.value)?)));
            return Some(TweetPage { list: member.value + 1, includes: value.unwrap_or_default() });
        }
    }
    None
}

/// Whether this is a page's list: by its key, and as an array whose first element is an object. An
/// empty array is a list too, except for a user's texts.
fn is_list(bytes: &[u8], member: Member<'_>) -> bool {
    matches!(member.key, b"data" | b"statuses" | b"results" | b"tweets")
        && bytes.get(member.value) == Some(&b'[')
        && match bytes.get(space(bytes, member.value + 1)) {
            Some(b'{') => true,
            Some(b']') => member.key != b"tweets",
            _ => false,
        }
}
