//! Twitter API v2: an element of a page, flattened tweets with their author inside, and the stream,
//! where each record has one tweet in `data` and its author in `includes`.

use super::fields::Fields;
use super::json::Json;
use super::keys::{AUTHOR, Field, INCLUDES, NOTE_TWEET, PUBLIC_METRICS};
use super::members::{Includes, Metrics, Note, Person, RecordFields};
use super::read::{count, user_id};
use super::users::Users;
use super::{Tweet, TweetForm};

/// Whether only API v2 has such fields. A tweet requested with the default fields has only `id`, a
/// string, and `text`.
pub(super) fn is_v2(fields: &Fields<'_>) -> bool {
    [Field::AuthorId, Field::V2Mark, Field::PublicMetrics].into_iter().any(|field| fields.has(field))
        && !fields.has(Field::OtherId)
}

/// The tweet in these fields; `None` if there is no text.
pub(super) fn read<'a>(fields: &Fields<'a>, users: &Users<'a>) -> Option<Tweet<'a>> {
    let note = fields.inside(NOTE_TWEET).and_then(|note| note.get(Note::TEXT)?.text());
    let text = fields.longest([note, fields.text(Field::Text)])?;
    let tweet = fields.tweet(text, fields.id(), fields.created([Field::CreatedAt]));
    let author = fields.object(AUTHOR);
    let author_id = fields.get(Field::AuthorId).or_else(|| author?.get(Person::ID));
    let metric = |key| count(fields.inside(PUBLIC_METRICS)?.get(key)?);
    Some(Tweet {
        shape: TweetForm::V2,
        user_id: author_id.and_then(user_id),
        screen_name: author
            .and_then(|author| author.get(Person::USERNAME)?.text())
            .or_else(|| users.name(author_id?)),
        retweet_count: metric(Metrics::RETWEET_COUNT).or(tweet.retweet_count),
        favorite_count: metric(Metrics::LIKE_COUNT).or(tweet.favorite_count),
        ..tweet
    })
}

/// The tweet in a stream's record, which has these fields and an object in `data`.
pub(super) fn read_stream<'a>(fields: &Fields<'a>, data: Json<'a, RecordFields>) -> Option<Tweet<'a>> {
    let users = fields.inside(INCLUDES).and_then(|includes| includes.get(Includes::USERS));
    read(&fields.within(data)?, &users.map_or(Users::None, Users::Parsed))
}

#[cfg(test)]
mod tests {
    use crate::tweet::{Id, TweetForm, tests::tweet};

    #[test]
    fn a_record_of_the_stream_has_its_author_beside_it() {
        tweet(
            r#"{"data":{"id":"1377650090978992134","text":"a","author_id":"46","public_metrics":{"like_count":3},
                "created_at":"2021-04-01T15:52:31.000Z","geo":{"coordinates":{"type":"Point","coordinates":[-73.5,40]}}},
                "includes":{"users":[{"id":"45","username":"x"},{"username":"y","id":"46"}]},"matching_rules":[]}"#,
            |tweet| {
                assert_eq!(tweet.shape, TweetForm::V2);
                assert_eq!((tweet.user_id, tweet.screen_name), (Some(46), Some("y")));
                assert_eq!(tweet.favorite_count, Some(3));
                assert_eq!(tweet.position, Some((40.0, -73.5)));
                assert_eq!(tweet.event_time_ms.map(|ms| ms / 1_000), Some(1_617_292_351));
            },
        );
    }

    #[test]
    fn with_the_default_fields_the_time_is_in_the_id() {
        tweet(r#"{"data":{"id":"1494676113423061005","text":"a"},"matching_rules":[]}"#, |tweet| {
            assert_eq!(tweet.id, Some(Id::Text("1494676113423061005")));
            assert_eq!(
                tweet.event_time_ms,
                Some(((1_494_676_113_423_061_005u64 >> 22) + 1_288_834_974_657) as i64)
            );
        });
    }

    #[test]
    fn flattened_tweets_have_their_author_inside() {
        tweet(
            r#"{"id":"1","text":"cut","note_tweet":{"text":"not cut"},"author_id":"46","author":{"id":"46","username":"y"}}"#,
            |tweet| {
                assert_eq!((tweet.user_id, tweet.screen_name, tweet.text), (Some(46), Some("y"), "not cut"));
            },
        );
    }
}
