//! Helpers for the tests of several forms.

use super::{Parser, Record, Tweet};

/// Shows the tweet in a record, which must hold one.
pub fn tweet<T>(json: &str, look: impl FnOnce(Tweet<'_>) -> T) -> T {
    Parser::new().parse(json.as_bytes(), |record| match record {
        Ok(Record::Tweet(tweet)) => look(tweet),
        other => panic!("{other:?}"),
    })
}

/// What a record is, as text.
pub fn kind(json: &str) -> String {
    Parser::new().parse(json.as_bytes(), |record| match record {
        Ok(Record::Tweet(tweet)) => format!("tweet {:?} {}", tweet.id, tweet.text),
        Ok(Record::Group(group)) => format!("group {:?}", group.user_id),
        Ok(Record::Reject(reject)) => format!("reject {}", reject.name()),
        Err(error) => error.to_string(),
    })
}
