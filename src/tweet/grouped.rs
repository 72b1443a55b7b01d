//! User-grouped records, `{"id": 1608, "tweets": ["text", …]}`: all texts of one user, no times.

use simd_json::prelude::*;
use simd_json::tape::Value;

use super::parser::Fields;
use super::{Reject, Tweet};

/// One user and their texts.
#[derive(Debug, Clone)]
pub struct Group<'a> {
    /// The user's id; `None` when it is no integer below 2^63.
    pub user_id: Option<i64>,
    items: Value<'a, 'a>,
}

impl<'a> Group<'a> {
    /// The tweets, in their order; an item that is no text is a reject.
    pub fn items(&self) -> impl Iterator<Item = Result<Tweet<'a>, Reject>> + '_ {
        self.items.as_array().into_iter().flat_map(|items| items.iter()).map(|item| {
            match item.into_string() {
                Some(text) => Ok(Tweet { user_id: self.user_id, text, ..Tweet::default() }),
                None => Err(Reject::NotAText),
            }
        })
    }
}

/// The group in these fields, when they are one.
pub(super) fn read<'a>(fields: &Fields<'a>) -> Option<Group<'a>> {
    let items = fields.tweets.filter(|items| items.as_array().is_some())?;
    let id = fields.id.or(fields.id_str)?;
    let user_id = id.as_i64().or_else(|| id.into_string()?.parse().ok());
    Some(Group { user_id, items })
}
