//! Activity streams, as the paid products delivered them: `postedTime`, `body`, `actor`, `verb`.

use super::fields::Fields;
use super::keys::{ACTOR, Field, LONG_OBJECT};
use super::members::{LongObject, Person};
use super::read::user_id;
use super::{Tweet, TweetForm};

/// The tweet in these fields; `None` if there is no text.
pub(super) fn read<'a>(fields: &Fields<'a>) -> Option<Tweet<'a>> {
    let long = fields.inside(LONG_OBJECT).and_then(|long| long.get(LongObject::BODY)?.text());
    let text = fields.longest([long, fields.text(Field::Body)])?;
    let tweet = fields.tweet(text, fields.id(), fields.created([Field::PostedTime]));
    let actor = fields.inside(ACTOR);
    Some(Tweet {
        shape: TweetForm::ActivityStreams,
        user_id: actor.and_then(|actor| actor.get(Person::ID)).and_then(user_id),
        screen_name: actor.and_then(|actor| actor.get(Person::PREFERRED_USERNAME)?.text()),
        ..tweet
    })
}

#[cfg(test)]
mod tests {
    use crate::tweet::{Id, TweetForm, tests::tweet};

    #[test]
    fn ids_end_longer_names() {
        tweet(
            r#"{"id":"tag:search.twitter.com,2005:887453193294282752","verb":"post","postedTime":"2017-07-18T23:25:04.000Z",
                "body":"a","long_object":{"body":"longer"},"actor":{"id":"id:twitter.com:815279070241955840",
                "preferredUsername":"x"},"favoritesCount":2,"twitter_lang":"en","geo":{"coordinates":[40,-73.5]}}"#,
            |tweet| {
                assert_eq!((tweet.shape, tweet.text), (TweetForm::ActivityStreams, "longer"));
                assert_eq!(tweet.id, Some(Id::Text("887453193294282752")));
                assert_eq!((tweet.user_id, tweet.screen_name), (Some(815_279_070_241_955_840), Some("x")));
                assert_eq!((tweet.lang, tweet.favorite_count), (Some("en"), Some(2)));
                assert_eq!(tweet.position, Some((40.0, -73.5)));
                assert_eq!(tweet.event_time_ms.map(|ms| ms / 1_000), Some(1_500_420_304));
            },
        );
    }
}
