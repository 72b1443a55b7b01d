//! Flat hand-made objects, by the names that people give to the fields of a tweet, and the output
//! of common scrapers (snscrape, twint). Our own payload is one of them, so it can be replayed.

use super::fields::Fields;
use super::json::Json;
use super::keys::{AUTHOR, Field, USER};
use super::members::Person;
use super::read::{user_id, whole_of};
use super::{Tweet, TweetForm};

/// The tweet in these fields. `None` if no field is a text, or only an ambiguous one (`content`)
/// without a time, an id or a user next to it.
pub(super) fn read<'a>(fields: &Fields<'a>) -> Option<Tweet<'a>> {
    let id = fields.id();
    let created = fields.created([Field::CreatedAt, Field::Time, Field::PostedTime]);
    let names_a_user = fields.mapped.has_user()
        || [Field::UserId, Field::Name, Field::User].into_iter().any(|field| fields.has(field));
    let texts = [Field::Text, Field::FullText, Field::Tweet, Field::OtherText];
    let weak = || {
        let is_likely = id.is_some() || created.is_there() || names_a_user;
        fields.longest([fields.text(Field::WeakText), fields.text(Field::Body)]).filter(|_| is_likely)
    };
    let strong = fields.longest(texts.map(|field| fields.text(field)));
    let text = strong.or_else(weak)?;

    let user = fields.inside(USER).or(fields.inside(AUTHOR));
    let in_user = |key| user?.get(key);
    let tweet = fields.tweet(text, id, created);
    let is_vague = strong.is_none() && !user.is_some_and(|user| user.is_object()) && !is_of_twitter(fields);
    Some(Tweet {
        shape: TweetForm::Flat,
        is_vague,
        user_id: in_user(Person::ID_STR)
            .or_else(|| in_user(Person::ID))
            .or(fields.get(Field::UserId))
            .or(fields.get(Field::AuthorId))
            .or(user.map(Json::plain))
            .and_then(user_id),
        screen_name: in_user(Person::SCREEN_NAME)
            .and_then(Json::text)
            .or_else(|| in_user(Person::USERNAME)?.text())
            .or_else(|| fields.text(Field::Name))
            .or_else(|| fields.text(Field::User))
            .or_else(|| fields.text(Field::Author))
            .or_else(|| {
                fields.text(Field::UserId).filter(|id| id.parse::<u64>().is_err() && whole_of(id).is_none())
            }),
        ..tweet
    })
}

/// Whether there is a field that hardly anything else has than a tweet.
fn is_of_twitter(fields: &Fields<'_>) -> bool {
    const THEIRS: [Field; 7] = [
        Field::Retweets,
        Field::Favorites,
        Field::Hashtags,
        Field::Entities,
        Field::Name,
        Field::Lang,
        Field::OtherId,
    ];
    THEIRS.into_iter().any(|field| fields.has(field))
}

#[cfg(test)]
mod tests {
    use crate::tweet::{Id, TweetForm, tests::tweet};

    #[test]
    fn common_names() {
        for json in [
            r#"{"tweet_id":"12","text":"t","user_id":"34","username":"n","date":"2021-07-06 16:04:47"}"#,
            r#"{"tweetId":12,"tweet":"t","userId":34,"screen_name":"n","created_at":"Tue Jul 06 16:04:47 +0000 2021"}"#,
            r#"{"id":12,"content":"t","user":{"username":"n","id":34},"date":"2021-07-06T16:04:47+00:00"}"#,
            r#"{"id_str":"12","full_text":"t","user_id_str":"34","user":"n","timestamp":1625587487}"#,
            r#"{"timestamp":"2026-01-01T00:00:00.000Z","user_id":34,"tweet":"t","id":"12",
                "created_at":"2021-07-06T16:04:47.000Z","screen_name":"n","hashtags":["x"],"run":"r","seq":1}"#,
        ] {
            tweet(json, |tweet| {
                assert_eq!(tweet.shape, TweetForm::Flat, "{json}");
                assert_eq!(tweet.id.and_then(Id::number), Some(12), "{json}");
                assert_eq!(
                    (tweet.text, tweet.user_id, tweet.screen_name),
                    ("t", Some(34), Some("n")),
                    "{json}"
                );
                assert_eq!(tweet.event_time_ms, Some(1_625_587_487_000), "{json}");
            });
        }
    }

    #[test]
    fn a_text_alone_is_a_tweet_and_a_content_alone_is_none() {
        tweet(r#"{"text":"t","day":"Sat"}"#, |tweet| assert_eq!(tweet.event_time_ms, None));
        assert_eq!(crate::tweet::tests::kind(r#"{"content":"t"}"#), "reject not a tweet");
        tweet(r#"{"content":"t","created_utc":1625587487.5}"#, |tweet| {
            assert_eq!(tweet.event_time_ms, Some(1_625_587_487_500));
        });
    }
}
