//! Twitter API v1.1: plain, extended (`full_text`) and streamed (`extended_tweet`) tweets; also the
//! tweets wrapped in account archives, without a user and with numbers as strings.

use super::fields::Fields;
use super::keys::{EXTENDED_TWEET, Field, USER};
use super::members::{Entities, Extended, Person};
use super::read::user_id;
use super::{Hashtags, Tweet, TweetForm};

/// The tweet in these fields; `None` if there is no text.
pub(super) fn read<'a>(fields: &Fields<'a>) -> Option<Tweet<'a>> {
    let extended = fields.inside(EXTENDED_TWEET);
    let full_text = extended.and_then(|extended| extended.get(Extended::FULL_TEXT)?.text());
    let text = fields.longest([full_text, fields.text(Field::FullText), fields.text(Field::Text)])?;
    let tweet = fields.tweet(text, fields.id(), fields.created([Field::CreatedAt]));
    if fields.only_places {
        return Some(Tweet { shape: TweetForm::V11, ..tweet });
    }
    let user = fields.inside(USER);
    // The hashtags of the whole text, where `text` was cut.
    let hashtags = extended.and_then(|extended| extended.get(Extended::ENTITIES)?.get(Entities::HASHTAGS));
    Some(Tweet {
        shape: TweetForm::V11,
        user_id: user.and_then(|user| {
            user.get(Person::ID_STR).and_then(user_id).or_else(|| user.get(Person::ID).and_then(user_id))
        }),
        screen_name: user.and_then(|user| user.get(Person::SCREEN_NAME)?.text()),
        hashtags: hashtags.map_or(tweet.hashtags, Hashtags::Listed),
        ..tweet
    })
}

#[cfg(test)]
mod tests {

    use crate::tweet::{Hashtags, Id, tests::tweet};

    #[test]
    fn ids_come_from_id_str_since_the_number_may_be_rounded() {
        tweet(
            r#"{"id":505874924095815700,"id_str":"505874924095815681","text":"a",
                "user":{"id":1176567558868103200,"id_str":"1176567558868103168"}}"#,
            |tweet| {
                assert_eq!(tweet.id, Some(Id::Text("505874924095815681")));
                assert_eq!(tweet.user_id, Some(1_176_567_558_868_103_168));
            },
        );
    }

    #[test]
    fn the_longest_text_is_taken_with_its_own_entities() {
        tweet(
            r#"{"id":1,"text":"cut…","entities":{"hashtags":[]},
                "extended_tweet":{"full_text":"not cut at all","entities":{"hashtags":[{"text":"x"}]}}}"#,
            |tweet| {
                assert_eq!(tweet.text, "not cut at all");
                let Hashtags::Listed(tags) = tweet.hashtags else { panic!("{:?}", tweet.hashtags) };
                assert_eq!(tags.items().unwrap().count(), 1);
            },
        );
    }

    #[test]
    fn the_longest_text_has_most_characters_not_most_bytes() {
        let json = r#"{"id":1,"text":"ab… https","user":{},"extended_tweet":{"full_text":"abcdefghij"}}"#;
        tweet(json, |tweet| assert_eq!(tweet.text, "abcdefghij"));
    }

    #[test]
    fn coordinates_and_geo_have_opposite_orders() {
        let new = r#"{"id":1,"text":"a","coordinates":{"type":"Point","coordinates":[-73.5,40]}}"#;
        let old = r#"{"id":1,"text":"a","geo":{"type":"Point","coordinates":[40,-73.5]},"coordinates":null}"#;
        for json in [new, old] {
            tweet(json, |tweet| assert_eq!(tweet.position, Some((40.0, -73.5))));
        }
    }

    #[test]
    fn a_place_that_is_not_on_earth_is_none() {
        for point in ["[1e105,40]", "[-73.5,90.5]", "[180.1,0]"] {
            let json =
                format!(r#"{{"id":1,"text":"a","user":{{}},"coordinates":{{"coordinates":{point}}}}}"#);
            tweet(&json, |tweet| assert_eq!(tweet.position, None, "{point}"));
        }
        let both = r#"{"id":1,"text":"a","user":{},"coordinates":{"coordinates":[999,0]},"geo":{"coordinates":[90,-180]}}"#;
        tweet(both, |tweet| assert_eq!(tweet.position, Some((90.0, -180.0))));
    }

    #[test]
    fn an_empty_text_is_a_tweet_all_the_same() {
        tweet(r#"{"id":1,"text":"","user":{}}"#, |tweet| assert_eq!(tweet.text, ""));
    }

    #[test]
    fn archives_wrap_the_tweet_and_have_numbers_as_strings() {
        tweet(
            r#"{"tweet":{"id_str":"1486016280540889088","full_text":"a","favorite_count":"12","retweet_count":"3",
                "created_at":"Tue Jan 25 16:41:04 +0000 2022","lang":"en"}}"#,
            |tweet| {
                assert_eq!(tweet.shape, crate::tweet::TweetForm::Archive);
                assert_eq!((tweet.favorite_count, tweet.retweet_count), (Some(12), Some(3)));
                assert_eq!(tweet.event_time_ms.map(|ms| ms / 1_000), Some(1_643_128_864));
            },
        );
    }
}
