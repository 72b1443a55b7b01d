//! Times of day and zones.

use super::spelt::{Zone, number};
use super::words::zone_minutes;

const HOUR_MS: i64 = 3_600_000;

/// `HH:MM`, `HH:MM:SS` or `HH:MM:SS.fff`: milliseconds of the day, and how long the text is. `24:00:00` is
/// the end of the day.
pub(super) fn time_of_day(bytes: &[u8]) -> Option<(i64, usize)> {
    let hour_digits = bytes.iter().take(3).position(|byte| *byte == b':')?;
    let hour = number(bytes, 0, hour_digits)?;
    let mut at = hour_digits + 3;
    let minute = number(bytes, hour_digits + 1, at)?;
    let (mut second, mut ms) = (0, 0);
    if bytes.get(at) == Some(&b':') {
        second = number(bytes, at + 1, at + 3)?;
        at += 3;
        let (thousandths, length) = fraction(&bytes[at..]);
        (ms, at) = (thousandths, at + length);
    }
    Some((of_day(hour, minute, second, ms)?, at))
}

/// `HH`, `HHMM` or `HHMMSS.fff`, as [`time_of_day`] gives it.
pub(super) fn compact_time(bytes: &[u8]) -> Option<(i64, usize)> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let part = |from| if from < digits { number(bytes, from, from + 2) } else { Some(0) };
    if !matches!(digits, 2 | 4 | 6) {
        return None;
    }
    let (ms, length) = if digits == 6 { fraction(&bytes[6..]) } else { (0, 0) };
    Some((of_day(part(0)?, part(2)?, part(4)?, ms)?, digits + length))
}

/// Thousandths after a `.` or `,` at the start, cut after the third digit, and how long they are.
fn fraction(bytes: &[u8]) -> (i64, usize) {
    if !matches!(bytes.first(), Some(b'.' | b',')) {
        return (0, 0);
    }
    let digits = bytes[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let digit = |nth: usize| if nth < digits { i64::from(bytes[1 + nth] - b'0') } else { 0 };
    let ms = (0..3).fold(0, |sum, nth| sum * 10 + digit(nth));
    (ms, if digits > 0 { 1 + digits } else { 0 })
}

fn of_day(hour: i64, minute: i64, second: i64, ms: i64) -> Option<i64> {
    // 60: a leap second, which this count has no separate number for.
    let is_time = hour <= 23 && minute <= 59 && second <= 60;
    let is_end = (hour, minute, second, ms) == (24, 0, 0, 0);
    (is_time || is_end).then_some(hour * HOUR_MS + minute * 60_000 + second * 1_000 + ms)
}

/// The zone that follows a time: `Z`, `+01`, `-0330`, `GMT+1`, `CET`, `Europe/Madrid`. `None`: this is none.
pub(super) fn zone(text: &str) -> Option<Zone<'_>> {
    if text.is_empty() {
        return Some(Zone::None);
    }
    let (name, offset) = text.split_at(text.find(['+', '-']).unwrap_or(text.len()));
    match (name.trim(), offset) {
        ("", offset) => Some(Zone::Offset(offset_ms(offset)?)),
        (name, "") => named(name),
        // Etc/GMT+5 is five hours west, and America/Port-au-Prince has dashes.
        (name, _) if name.contains('/') => named(text),
        (name, offset) => Some(Zone::Offset(zone_minutes(name)? * 60_000 + offset_ms(offset)?)),
    }
}

fn named(name: &str) -> Option<Zone<'_>> {
    if let Some(minutes) = zone_minutes(name) {
        return Some(Zone::Offset(minutes * 60_000));
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+-".contains(&byte);
    if name.contains('/') && name.bytes().all(is_plain) {
        return Some(Zone::Named(name));
    }
    let is_word = (2..=5).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_uppercase());
    (is_word || name.ends_with(" Time")).then_some(Zone::Word(name))
}

/// An offset from UTC, at most 14 hours.
fn offset_ms(text: &str) -> Option<i64> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits = text.as_bytes().get(1..)?;
    let colon = digits.iter().position(|byte| *byte == b':');
    let (hours, minutes) = match (colon, digits.len()) {
        (Some(colon @ (1 | 2)), len) if len == colon + 3 => {
            (number(digits, 0, colon)?, number(digits, colon + 1, len)?)
        }
        (None, len @ (1 | 2)) => (number(digits, 0, len)?, 0),
        (None, len @ (3 | 4)) => (number(digits, 0, len - 2)?, number(digits, len - 2, len)?),
        _ => return None,
    };
    (hours <= 14 && minutes <= 59).then_some(sign * (hours * HOUR_MS + minutes * 60_000))
}
