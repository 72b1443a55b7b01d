//! Objects that hold a list of tweets among other members: a page of API v2 (`data` and
//! `includes`), a search answer (`statuses`, `results`), a hand-made `{"tweets": [...]}`.
//!
//! A list counts only if its first element is an object, so that a user with their texts (`{"id":
//! 1, "tweets": ["text"]}`) stays one record. An object without a list is a record itself.
//!
//! A file that is one object around one list, whatever that is called, as in GeoJSON, is [`Format::List`](super::Format).

use super::steps::{container_end, step};
use crate::scan::{Member, Members, space};

/// Where an object's list begins, and what belongs to its elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TweetPage {
    /// The position after the list's opening bracket.
    pub list: usize,
    /// Where the value of `includes` next to a list named `data` begins and ends; empty if there is none, `None` if
    /// nobody looked for it.
    pub includes: Option<(usize, usize)>,
}

/// The list of the object that opens at `start`, if it has one.
pub fn open(bytes: &[u8], start: usize) -> Option<TweetPage> {
    first_list(&mut Members::of(bytes, start), bytes, None)
}

/// Whether the object that opens at `start` has a list; faster than [`open`], which also finds the
/// `includes`.
pub fn is_page(bytes: &[u8], start: usize) -> bool {
    Members::of(bytes, start)
        .any(|member| is_list(bytes, member) && bytes[space(bytes, member.value + 1)] == b'{')
}

/// Which objects are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opens {
    Nothing,
    /// Those with a list that has one of the names of tweets' pages.
    Pages,
    /// Also those with one list that takes much of their bytes.
    Lists,
}

impl Opens {
    /// The list of the object that opens at `start`.
    pub fn list(self, bytes: &[u8], start: usize) -> Option<TweetPage> {
        match self {
            Self::Nothing => None,
            Self::Pages => open(bytes, start),
            Self::Lists => open(bytes, start).or_else(|| only_list(bytes, start)),
        }
    }
}

/// Members with a text: what has one is a record itself, whatever list is in it.
const TEXTS: [&[u8]; 7] = [b"text", b"full_text", b"tweet", b"body", b"content", b"message", b"msg"];

/// The list of the object that opens at `start` and ends in `bytes`, if it is the only one of objects and takes more
/// than a third of its bytes.
pub fn only_list(bytes: &[u8], start: usize) -> Option<TweetPage> {
    let mut members = Members::of(bytes, start);
    let (mut found, mut from) = (None, start);
    for member in members.by_ref() {
        step(member.value - from);
        from = member.value;
        match bytes.get(member.value) {
            Some(b'[') if bytes.get(space(bytes, member.value + 1)) == Some(&b'{') => {
                let end = container_end(bytes, member.value)?;
                if found.replace(member.value..end).is_some() {
                    return None;
                }
            }
            Some(b'"') if TEXTS.contains(&member.key) => return None,
            _ => {}
        }
        // An answer of the API that is an error message.
        if member.key == b"errors" {
            return None;
        }
    }
    let (list, end) = (found?, members.end()?);
    (list.len() * 3 > end - start).then_some(TweetPage { list: list.start + 1, includes: None })
}

/// Whether a file is one object around one list: the object that opens at `first`.
pub fn is_only_list(bytes: &[u8], first: usize) -> bool {
    let ends_alone = |end: usize| bytes[end..].trim_ascii().is_empty();
    container_end(bytes, first).is_some_and(ends_alone) && only_list(bytes, first).is_some()
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

/// What follows the list that ended before `at`. `includes` are those of the object, if they have been looked for.
pub fn behind_list(bytes: &[u8], at: usize, includes: Option<(usize, usize)>) -> Behind {
    let mut members = Members::resume(bytes, at);
    match first_list(&mut members, bytes, includes) {
        Some(page) => Behind::List(page),
        None => members.end().map_or(Behind::Broken, Behind::End),
    }
}

fn first_list<'a>(
    members: &mut Members<'a>,
    bytes: &'a [u8],
    known: Option<(usize, usize)>,
) -> Option<TweetPage> {
    let range = |member: Member<'_>| Some((member.value, container_end(bytes, member.value)?));
    let (mut includes, mut from) = (known, members.reached());
    while let Some(member) = members.next() {
        step(member.value - from);
        from = member.value;
        if member.key == b"includes" {
            includes = Some(range(member).unwrap_or_default());
        }
        if is_list(bytes, member) {
            if member.key == b"data" && includes.is_none() {
                let mut rest = members.clone();
                let found = rest.find(|member| member.key == b"includes");
                step(rest.reached() - member.value);
                // Looked for once, for all lists of the object.
                includes = Some(found.and_then(range).unwrap_or_default());
            }
            return Some(TweetPage { list: member.value + 1, includes });
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
