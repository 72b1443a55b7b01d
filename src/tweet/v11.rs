//! Twitter API v1.1: plain, extended (`full_text`) and streamed (`extended_tweet`) tweets.

use simd_json::prelude::*;
use simd_json::tape::Value;

use super::parser::Fields;
use super::{Id, Tweet, event_time_ms, parse_created_at};

/// The tweet in these fields. `None` when there is no text, or nothing but a text: any object may
/// have one.
pub(super) fn read<'a>(fields: &Fields<'a>) -> Option<Tweet<'a>> {
    let extended = |name| fields.extended_tweet.and_then(|extended| member(extended, name));
    let text = [text_of(fields.text), text_of(fields.full_text), text_of(extended("full_text"))]
        .into_iter()
        .flatten()
        .max_by_key(|text| text.len())?;

    let id =
        text_of(fields.id_str).map(Id::Text).or_else(|| fields.id.and_then(|id| id.as_u64()).map(Id::Number));
    if id.is_none() && fields.created_at.is_none() && fields.user.is_none() {
        return None;
    }
    let user = |name| fields.user.and_then(|user| member(user, name));
    let entities = extended("entities").or(fields.entities);

    Some(Tweet {
        id,
        user_id: text_of(user("id_str"))
            .and_then(|id| id.parse().ok())
            .or_else(|| user("id").and_then(|id| id.as_i64())),
        text,
        event_time_ms: event_time_ms(
            fields.timestamp_ms.and_then(number_or_digits),
            id.and_then(Id::number),
            text_of(fields.created_at).and_then(parse_created_at),
        ),
        lang: text_of(fields.lang),
        screen_name: text_of(user("screen_name")),
        retweet_count: fields.retweet_count.and_then(|count| count.as_u64()),
        favorite_count: fields.favorite_count.and_then(|count| count.as_u64()),
        hashtags: entities.and_then(|entities| member(entities, "hashtags")),
        position: position(fields),
    })
}

/// The member `name` of an object; the last one where it comes twice.
fn member<'a>(value: Value<'a, 'a>, name: &str) -> Option<Value<'a, 'a>> {
    value.as_object()?.iter().filter(|(key, _)| *key == name).last().map(|(_, value)| value)
}

fn text_of<'a>(value: Option<Value<'a, 'a>>) -> Option<&'a str> {
    value?.into_string()
}

/// `timestamp_ms` is a string of digits in the streams, a number in some saved ones.
fn number_or_digits(value: Value<'_, '_>) -> Option<i64> {
    value.as_i64().or_else(|| value.into_string()?.parse().ok())
}

/// Latitude and longitude: `coordinates` has them as [longitude, latitude], the older `geo` the
/// other way round.
fn position(fields: &Fields<'_>) -> Option<(f64, f64)> {
    let pair = |value: Option<Value<'_, '_>>| {
        let pair = member(value?, "coordinates")?.as_array()?;
        let mut numbers = pair.iter().map(|number| number.cast_f64());
        match (numbers.next(), numbers.next(), numbers.next()) {
            (Some(Some(first)), Some(Some(second)), None) => Some((first, second)),
            _ => None,
        }
    };
    pair(fields.coordinates).map(|(lon, lat)| (lat, lon)).or_else(|| pair(fields.geo))
}

#[cfg(test)]
mod tests {
    use crate::tweet::{Id, Parser, Record, Tweet};

    fn tweet<T>(json: &str, look: impl FnOnce(Tweet<'_>) -> T) -> T {
        Parser::new().parse(json.as_bytes(), |record| match record {
            Ok(Record::Tweet(tweet)) => look(tweet),
            other => panic!("{other:?}"),
        })
    }

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
                assert_eq!(tweet.hashtags.map(|tags| tags.as_array().unwrap().len()), Some(1));
            },
        );
    }

    #[test]
    fn coordinates_are_the_other_way_round_than_geo() {
        let new = r#"{"id":1,"text":"a","coordinates":{"type":"Point","coordinates":[-73.5,40]}}"#;
        let old = r#"{"id":1,"text":"a","geo":{"type":"Point","coordinates":[40,-73.5]}}"#;
        for json in [new, old] {
            tweet(json, |tweet| assert_eq!(tweet.position, Some((40.0, -73.5))));
        }
    }

    #[test]
    fn an_empty_text_is_a_tweet_all_the_same() {
        tweet(r#"{"id":1,"text":""}"#, |tweet| assert_eq!(tweet.text, ""));
    }
}
