//! Reads numbers, ids and times from values, however they are spelt.

use super::Id;
use super::decimal::{decimal, is_decimal};
use super::json::Json;
use super::members::Whole;

/// An id below 2^63, as a number or as a string of digits, which may be the end of a longer one
/// (`id:twitter.com:12`).
pub fn user_id<I>(value: Json<'_, I>) -> Option<i64> {
    if let Some(id) = value.i64() {
        return Some(id);
    }
    let value = value.plain().unwrapped();
    let Some(text) = value.text() else { return value.i64().or_else(|| whole(value)?.try_into().ok()) };
    decimal(text)
        .and_then(|id| id.try_into().ok())
        .or_else(|| digits(text).parse().ok())
        .or_else(|| whole_of(text)?.try_into().ok())
}

/// The id in a value; an empty text is not an id, and `5.0` is 5.
pub fn id_of<I>(value: Json<'_, I>) -> Option<Id<'_>> {
    if let Some(text) = value.text() {
        return id_in(text);
    }
    let value = value.plain().unwrapped();
    match value.text() {
        Some(text) => id_in(text),
        None => value.u64().or_else(|| whole(value)).map(Id::Number),
    }
}

fn id_in(text: &str) -> Option<Id<'_>> {
    if is_decimal(text) {
        return Some(Id::Text(text));
    }
    let text = digits(text);
    // A float in a column of a table: of a long id its last digits are lost, and nobody has them.
    if text.contains('.')
        && let Some(number) = whole_of(text)
    {
        return Some(Id::Number(number));
    }
    (!text.is_empty()).then_some(Id::Text(text))
}

/// A whole number in a text that is written as a float: `5.0`, `1.5e3`.
pub fn whole_of(text: &str) -> Option<u64> {
    let whole = text.strip_suffix(".0").and_then(decimal);
    whole.or_else(|| as_whole(super::epoch::count_of(text)?))
}

/// The whole number in a float.
fn whole<I>(value: Json<'_, I>) -> Option<u64> {
    as_whole(value.number()?)
}

fn as_whole(number: f64) -> Option<u64> {
    const END: f64 = 18_446_744_073_709_551_616.0;
    (number.fract() == 0.0 && (0.0..END).contains(&number)).then_some(number as u64)
}

/// The part after the last colon.
fn digits(text: &str) -> &str {
    text.bytes().rposition(|byte| byte == b':').map_or(text, |colon| &text[colon + 1..])
}

/// A number, or a string of digits.
pub fn integer<I>(value: Json<'_, I>) -> Option<i64> {
    value.i64().or_else(|| {
        let value = value.plain().unwrapped();
        let Some(text) = value.text() else { return value.i64().or_else(|| whole(value)?.try_into().ok()) };
        let number = decimal(text).and_then(|number| number.try_into().ok()).or_else(|| text.parse().ok());
        number.or_else(|| whole_of(text)?.try_into().ok())
    })
}

/// As [`integer`], but not negative; account archives have counts as strings.
pub fn count<I>(value: Json<'_, I>) -> Option<u64> {
    value.u64().or_else(|| {
        let value = value.plain().unwrapped();
        match value.text() {
            Some(text) => text.parse().ok().or_else(|| whole_of(text)),
            None => value.u64().or_else(|| whole(value)),
        }
    })
}

pub fn degrees<I>(value: Json<'_, I>) -> Option<f64> {
    value.number().or_else(|| value.text()?.parse().ok()).filter(|degrees| degrees.is_finite())
}

/// Whether latitude and longitude are valid: numbers beyond them are not degrees, and may be too
/// long to be read back.
pub fn on_earth(&(lat, lon): &(f64, f64)) -> bool {
    lat.abs() <= 90.0 && lon.abs() <= 180.0
}

pub fn pair(value: Json<'_, Whole>) -> Option<(f64, f64)> {
    let mut numbers = value.items()?.map(degrees);
    match (numbers.next(), numbers.next(), numbers.next()) {
        (Some(Some(first)), Some(Some(second)), None) => Some((first, second)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::tweet::{Id, tests::tweet};

    #[test]
    fn an_id_is_the_same_in_every_spelling() {
        for id in ["5", "\"5\"", "5.0", "\"5.0\"", "5e0", r#"{"$numberLong":"5"}"#, r#"{ "$numberInt" : 5 }"#]
        {
            let json = format!(r#"{{"id":{id},"text":"t","user_id":{id},"retweet_count":{id}}}"#);
            tweet(&json, |tweet| {
                assert_eq!(tweet.id.and_then(Id::number), Some(5), "{id}");
                assert_eq!((tweet.user_id, tweet.retweet_count), (Some(5), Some(5)), "{id}");
                assert_eq!(tweet.screen_name, None, "{id}");
            });
        }
        let nested =
            r#"{"id":{"$numberLong":"1234567890123456780"},"text":"t","user":{"id":{"$numberLong":"55"}}}"#;
        tweet(nested, |tweet| {
            assert_eq!((tweet.id, tweet.user_id), (Some(Id::Text("1234567890123456780")), Some(55)));
        });
        tweet(r#"{"id":{"$oid":"5fda28190d4b6097afba6340"},"text":"t"}"#, |tweet| {
            assert_eq!(tweet.id, Some(Id::Text("5fda28190d4b6097afba6340")));
        });
    }

    #[test]
    fn what_is_no_id_is_none() {
        for id in
            ["5.5", "-5.0", "\"\"", "true", "{}", "[5]", r#"{"x":5}"#, r#"{"x":5,"$numberLong":"5"}"#, "1e30"]
        {
            let json = format!(r#"{{"id":{id},"text":"t","user_id":{id}}}"#);
            tweet(&json, |tweet| {
                assert_eq!((tweet.id, tweet.user_id.filter(|id| *id > 0)), (None, None), "{json}")
            });
        }
    }
}
