//! Reads numbers, ids and times from values, however they are spelt.

use super::Id;
use super::decimal::decimal;
use super::json::Json;
use super::members::Whole;

/// An id below 2^63, as a number or as a string of digits, which may be the end of a longer one
/// (`id:twitter.com:12`).
pub fn user_id<I>(value: Json<'_, I>) -> Option<i64> {
    value.i64().or_else(|| {
        let text = value.text()?;
        decimal(text).and_then(|id| id.try_into().ok()).or_else(|| digits(text).parse().ok())
    })
}

/// The id in a value; an empty text is not an id.
pub fn id_of<I>(value: Json<'_, I>) -> Option<Id<'_>> {
    match value.text() {
        Some(text) => Some(digits(text)).filter(|text| !text.is_empty()).map(Id::Text),
        None => value.u64().map(Id::Number),
    }
}

/// The part after the last colon.
fn digits(text: &str) -> &str {
    text.bytes().rposition(|byte| byte == b':').map_or(text, |colon| &text[colon + 1..])
}

/// A number, or a string of digits.
pub fn integer<I>(value: Json<'_, I>) -> Option<i64> {
    value.i64().or_else(|| {
        let text = value.text()?;
        decimal(text).and_then(|number| number.try_into().ok()).or_else(|| text.parse().ok())
    })
}

/// As [`integer`], but not negative; account archives have counts as strings.
pub fn count<I>(value: Json<'_, I>) -> Option<u64> {
    value.u64().or_else(|| value.text()?.parse().ok())
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
