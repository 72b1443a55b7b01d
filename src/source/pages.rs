//! Objects that hold the list of tweets, and something beside it: a page of API v2 (`data` and
//! `includes`), a search answer (`statuses`, `results`), a hand-made `{"tweets": [...]}`.
//!
//! A list counts only when its first element is an object, so that a user with their texts
//! (`{"id": 1, "tweets": ["text"]}`) stays one record. An object without a list is a record itself.

use crate::scan::{Member, Members, container_end, space};

/// Where an object's list begins, and what belongs to its elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page<'a> {
    /// The place behind the list's opening bracket.
    pub list: usize,
    /// The value of `includes` beside a list named `data`; empty where there is none.
    pub includes: &'a [u8],
}

/// The list of the object that opens at `start`, if it has one.
pub fn open(bytes: &[u8], start: usize) -> Option<Page<'_>> {
    first_list(&mut Members::of(bytes, start), bytes)
}

/// Whether the object that opens at `start` has a list; sooner known than what belongs to it.
pub fn is_page(bytes: &[u8], start: usize) -> bool {
    Members::of(bytes, start)
        .any(|member| is_list(bytes, member) && bytes[space(bytes, member.value + 1)] == b'{')
}

/// What comes behind a list of an object.
pub enum Behind<'a> {
    /// One more list.
    List(Page<'a>),
    /// The object's end; the place behind it.
    End(usize),
    /// Nothing that belongs there.
    Broken,
}

/// What comes behind the list that ended before `at`.
pub fn behind_list(bytes: &[u8], at: usize) -> Behind<'_> {
    let mut members = Members::behind(bytes, at);
    match first_list(&mut members, bytes) {
        Some(page) => Behind::List(page),
        None => members.end().map_or(Behind::Broken, Behind::End),
    }
}

fn first_list<'a>(members: &mut Members<'a>, bytes: &'a [u8]) -> Option<Page<'a>> {
    let mut includes = None;
    while let Some(member) = members.next() {
        if member.key == b"includes" {
            includes = Some(member);
        }
        if is_list(bytes, member) {
            if member.key == b"data" && includes.is_none() {
                includes = members.clone().find(|member| member.key == b"includes");
            }
            let value = includes.and_then(|member| {
                let end = container_end(bytes, member.value)?;
                bytes.get(member.value..end)
            });
            return Some(Page { list: member.value + 1, includes: value.unwrap_or_default() });
        }
    }
    None
}

/// Whether this is a list of a page: by its key, and as an array whose first element is an object.
/// One without elements is a list too, but for the texts of a user.
fn is_list(bytes: &[u8], member: Member<'_>) -> bool {
    matches!(member.key, b"data" | b"statuses" | b"results" | b"tweets")
        && bytes.get(member.value) == Some(&b'[')
        && match bytes.get(space(bytes, member.value + 1)) {
            Some(b'{') => true,
            Some(b']') => member.key != b"tweets",
            _ => false,
        }
}
