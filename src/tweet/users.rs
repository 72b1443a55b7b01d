//! The authors of a page of API v2: `includes.users`, joined to its tweets by `author_id`.

use std::collections::HashMap;

use super::json::Json;
use super::members::{Each, Person, Plain};
use crate::scan::{Members, container_end, space};

/// Where to look for the name of an author.
pub enum Users<'a> {
    /// Nowhere.
    None,
    /// The parsed list in the record itself.
    Parsed(Json<'a, Each<Person>>),
    /// Found in the bytes of a page's `includes`.
    Page(&'a PageUsers, &'a [u8]),
}

impl<'a> Users<'a> {
    /// The name of the user with this id.
    pub fn name(&self, id: Json<'a, Plain>) -> Option<&'a str> {
        let id = id.text()?;
        match self {
            Users::None => None,
            Users::Parsed(users) => {
                let is_it = |user: &Json<'a, Person>| user.get(Person::ID).and_then(Json::text) == Some(id);
                users.items()?.find(is_it)?.get(Person::USERNAME)?.text()
            }
            Users::Page(users, includes) => users.name(id, includes),
        }
    }
}

/// Positions of ids and names within one `includes`, kept for all tweets of its page.
#[derive(Debug, Default)]
pub struct PageUsers {
    /// Address and length of the bytes that were scanned. Never dereferenced: they may be long
    /// gone.
    seen: (usize, usize),
    by_id: HashMap<u64, UserPlaces>,
}

/// Where an id and a name are in the bytes of `includes`: from and to.
#[derive(Debug, Clone, Copy)]
struct UserPlaces {
    id: (usize, usize),
    name: (usize, usize),
}

/// Most users of one page that are kept: far more than a page has.
const MOST_USERS: usize = 100_000;

impl PageUsers {
    /// Scans `includes`, unless it was scanned last.
    pub fn look_through(&mut self, includes: &[u8]) {
        let seen = (includes.as_ptr() as usize, includes.len());
        // Another page may be at the same address later: its users are at other positions.
        let is_same = || self.by_id.values().next().is_none_or(|places| places.fit(includes));
        if self.seen == seen && is_same() {
            return;
        }
        self.seen = seen;
        self.by_id.clear();
        let Some(users) = Members::of(includes, 0).find(|member| member.key == b"users") else { return };
        let mut at = users.value + 1;
        while self.by_id.len() < MOST_USERS {
            let start = space(includes, at);
            match includes.get(start) {
                Some(b',') => at = start + 1,
                Some(b'{') => {
                    if let Some((id, places)) = user(includes, start) {
                        self.by_id.insert(id, places);
                    }
                    let Some(end) = container_end(includes, start) else { return };
                    at = end;
                }
                _ => return,
            }
        }
    }

    fn name<'a>(&self, id: &str, includes: &'a [u8]) -> Option<&'a str> {
        let places = self.by_id.get(&id.parse().ok()?)?;
        let is_here = includes.get(places.id.0..places.id.1) == Some(id.as_bytes());
        let name = includes.get(places.name.0..places.name.1).filter(|_| is_here)?;
        std::str::from_utf8(name).ok()
    }
}

impl UserPlaces {
    /// Whether an id is between quotes at its position.
    fn fit(&self, includes: &[u8]) -> bool {
        let id = includes.get(self.id.0 - 1..=self.id.1);
        id.is_some_and(|id| id.starts_with(b"\"") && id.ends_with(b"\""))
    }
}

/// Id and positions of the user whose object opens at `start`. Names are letters, digits and
/// underscores: one with an escape is not a name.
fn user(includes: &[u8], start: usize) -> Option<(u64, UserPlaces)> {
    let (mut id, mut name) = (None, None);
    for member in Members::of(includes, start) {
        let place = match member.key {
            b"id" => &mut id,
            b"username" => &mut name,
            _ => continue,
        };
        let end = crate::scan::string_end(includes, member.value)?;
        *place = Some((member.value + 1, end - 1));
        if id.is_some() && name.is_some() {
            break;
        }
    }
    let (id, name) = (id?, name?);
    if includes.get(name.0..name.1)?.contains(&b'\\') {
        return None;
    }
    let number = std::str::from_utf8(includes.get(id.0..id.1)?).ok()?.parse().ok()?;
    Some((number, UserPlaces { id, name }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &[u8] =
        br#"{"tweets":[{"id":"1"}],"users":[{"username":"a","id":"7","x":{}}, {"id":"8","username":"b"}]}"#;

    #[test]
    fn names_are_found_by_id() {
        let mut users = PageUsers::default();
        users.look_through(PAGE);
        assert_eq!(users.name("7", PAGE), Some("a"));
        assert_eq!(users.name("8", PAGE), Some("b"));
        assert_eq!(users.name("9", PAGE), None);
        users.look_through(b"");
        assert_eq!(users.name("7", b""), None);
    }

    #[test]
    fn a_page_in_the_place_of_another_is_not_taken_for_it() {
        let mut users = PageUsers::default();
        let mut page = PAGE.to_vec();
        users.look_through(&page);
        let other = br#"{"users":[{"id":"7","username":"other"},{"id":"8","username":"another"}]}"#;
        page[..other.len()].copy_from_slice(other);
        page[other.len()..].fill(b' ');
        assert_eq!(users.name("7", &page), None);
        users.look_through(&page);
        assert_eq!(users.name("7", &page), Some("other"));
    }
}
