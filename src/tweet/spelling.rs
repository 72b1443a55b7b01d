//! Times as people and programs spell them, besides Twitter's own `created_at`.
//!
//! Two kinds: numeric dates with the year first (`2021-09-22T16:38:35.000Z`, `2023/05/25 09:00`)
//! and dates with the month by name, in any order (`Nov 4, 2014 4:56:59 PM`, `Wed, 27 Aug 2008
//! 13:08:45 +0000`, `Mon Dec 23 2013 21:30 GMT-0800 (PST)`).

use super::civil::{MONTHS, Stamp, civil_ms, stamp_of_number};

/// Longest text that can be a time, in bytes.
const LONGEST: usize = 64;

/// The time in `text`, which has no white space around it.
pub(super) fn parse(text: &str) -> Option<Stamp> {
    let bytes = text.as_bytes();
    if bytes.len() > LONGEST || !text.is_ascii() {
        return None;
    }
    if bytes.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.') {
        return stamp_of_number(text.parse().ok()?);
    }
    numbers(bytes).or_else(|| names(text))
}

/// `YYYY-MM-DD`, and what may follow.
fn numbers(bytes: &[u8]) -> Option<Stamp> {
    let (year, month, day) = (number(bytes, 0, 4)?, number(bytes, 5, 7)?, number(bytes, 8, 10)?);
    if !matches!((bytes[4], bytes[7]), (b'-', b'-') | (b'/', b'/')) {
        return None;
    }
    let rest = bytes[10..].trim_ascii();
    // Seen in files without a separator: 2012-06-0616:25:22AEST.
    let rest = rest.strip_prefix(b"T").unwrap_or(rest);
    if rest.is_empty() {
        return Some(Stamp { ms: civil_ms(year, month, day, 0)?, has_zone: false });
    }
    let (time_ms, length) = time_of_day(rest)?;
    let zone_ms = zone(std::str::from_utf8(rest[length..].trim_ascii()).ok()?)?;
    let ms = civil_ms(year, month, day, time_ms)? - zone_ms.unwrap_or(0);
    Some(Stamp { ms, has_zone: zone_ms.is_some() })
}

/// Words and numbers in any order, including a month by name.
fn names(text: &str) -> Option<Stamp> {
    let (mut year, mut month, mut day, mut time_ms, mut zone_ms) = (None, None, None, None, None);
    let mut half_day = None;
    let parts = text.split([' ', ',']).filter(|part| !part.is_empty());
    for part in parts {
        let bytes = part.as_bytes();
        if part.contains(':') && bytes[0].is_ascii_digit() {
            let (ms, length) = time_of_day(bytes)?;
            time_ms = Some(ms);
            match &part[length..] {
                "" => {}
                "AM" | "am" => half_day = Some(0),
                "PM" | "pm" => half_day = Some(12),
                rest => zone_ms = zone(rest)?,
            }
        } else if bytes.iter().all(u8::is_ascii_digit) {
            let place = if part.len() == 4 { &mut year } else { &mut day };
            if part.len() > 4 || place.replace(part.parse::<i64>().ok()?).is_some() {
                return None;
            }
        } else if let Some(at) = MONTHS.iter().position(|name| is_name(bytes, name)) {
            month = Some(at as i64 + 1);
        } else if WEEKDAYS.iter().any(|name| is_name(bytes, name)) || part.starts_with('(') {
            // Repeats what the date already says, or names the zone that precedes it in numbers.
        } else if part.eq_ignore_ascii_case("AM") {
            half_day = Some(0);
        } else if part.eq_ignore_ascii_case("PM") {
            half_day = Some(12);
        } else {
            zone_ms = zone(part)?;
        }
    }
    let mut time_ms = time_ms.unwrap_or(0);
    if let Some(add) = half_day {
        let hour = time_ms / 3_600_000;
        if !(1..=12).contains(&hour) {
            return None;
        }
        time_ms += (hour % 12 + add - hour) * 3_600_000;
    }
    let ms = civil_ms(year?, month?, day?, time_ms)? - zone_ms.unwrap_or(0);
    Some(Stamp { ms, has_zone: zone_ms.is_some() })
}

const WEEKDAYS: [&[u8]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];

/// Whether a word is a name by its first three letters.
fn is_name(word: &[u8], name: &[u8]) -> bool {
    word.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(name))
        && word.iter().all(u8::is_ascii_alphabetic)
}

/// `HH:MM`, `HH:MM:SS` or `HH:MM:SS.fff`: milliseconds of the day, and how long the text is.
fn time_of_day(bytes: &[u8]) -> Option<(i64, usize)> {
    let hour_digits = bytes.iter().position(|byte| *byte == b':')?;
    let hour = number(bytes, 0, hour_digits).filter(|_| hour_digits <= 2)?;
    let mut at = hour_digits + 3;
    let minute = number(bytes, hour_digits + 1, at)?;
    let (mut second, mut ms) = (0, 0);
    if bytes.get(at) == Some(&b':') {
        second = number(bytes, at + 1, at + 3)?;
        at += 3;
        if matches!(bytes.get(at), Some(b'.' | b',')) {
            let digits = bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            let thousandths = (0..3).map(|nth| if nth < digits { bytes[at + 1 + nth] - b'0' } else { 0 });
            ms = thousandths.fold(0, |sum, digit| sum * 10 + i64::from(digit));
            at += 1 + digits;
        }
    }
    // 60: a leap second, which this count has no separate number for.
    let is_time = hour <= 23 && minute <= 59 && second <= 60;
    is_time.then_some((hour * 3_600_000 + minute * 60_000 + second * 1_000 + ms, at))
}

/// How far a zone is from UTC, in milliseconds; `Some(None)` if there is none or its name is
/// ambiguous, `None` if it is not a zone.
fn zone(text: &str) -> Option<Option<i64>> {
    const HOUR_MS: i64 = 3_600_000;
    let text = text.trim_end_matches([')', ' ']);
    let (name, offset) = text.split_at(text.find(['+', '-']).unwrap_or(text.len()));
    let hours = match name.trim().to_ascii_uppercase().as_str() {
        "Z" | "UTC" | "GMT" | "UT" => 0,
        "EDT" => -4,
        "EST" => -5,
        "CDT" => -5,
        "MDT" => -6,
        "MST" => -7,
        "PDT" => -7,
        "PST" => -8,
        "CET" => 1,
        "CEST" | "EET" => 2,
        "EEST" | "MSK" => 3,
        "KST" | "JST" => 9,
        "AEST" => 10,
        "AEDT" => 11,
        "" if offset.is_empty() => return Some(None),
        "" => 0,
        // Each of these names zones that are hours apart.
        "AST" | "BST" | "CST" | "IST" | "SST" | "WST" => return Some(None),
        _ => return None,
    };
    if offset.is_empty() {
        return Some(Some(hours * HOUR_MS));
    }
    let digits: Vec<u8> = offset.bytes().skip(1).filter(|byte| *byte != b':').collect();
    let (hours, minutes) = match digits.len() {
        1 | 2 => (number(&digits, 0, digits.len())?, 0),
        4 => (number(&digits, 0, 2)?, number(&digits, 2, 4)?),
        _ => return None,
    };
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    (hours <= 14 && minutes <= 59).then_some(Some(sign * (hours * HOUR_MS + minutes * 60_000)))
}

/// A number of digits only; `None` also if it has more of them than a time can have.
fn number(bytes: &[u8], from: usize, to: usize) -> Option<i64> {
    const DIGITS_MAX: usize = 18;
    let digits = bytes.get(from..to).filter(|digits| (1..=DIGITS_MAX).contains(&digits.len()))?;
    digits.iter().try_fold(0i64, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn zoned(text: &str) -> Option<(i64, bool)> {
        parse(text).map(|stamp| (stamp.ms, stamp.has_zone))
    }

    #[test]
    fn more_digits_than_a_time_has_are_no_time() {
        for text in [" May 7 1111111111111111111111111111111111111110:3", "2020-01-99999999999999999999999"] {
            assert_eq!(zoned(text), None, "{text}");
        }
    }

    #[test]
    fn spellings_met_in_files_of_tweets() {
        let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
        for (text, meant) in [
            ("2021-09-22T16:38:35.000Z", "2021-09-22T16:38:35Z"),
            ("2021-09-22T16:38:35+00:00", "2021-09-22T16:38:35Z"),
            ("2021-09-22 16:38:35 UTC", "2021-09-22T16:38:35Z"),
            ("2021-09-22 18:38:35 +0200", "2021-09-22T16:38:35Z"),
            ("2024-09-21T09:35:21.5Z", "2024-09-21T09:35:21.5Z"),
            ("Mon Dec 23 2013 21:30 GMT-0800 (PST)", "2013-12-24T05:30:00Z"),
            ("2012-06-0616:25:22AEST", "2012-06-06T06:25:22Z"),
            ("Wed, 27 Aug 2008 13:08:45 +0000", "2008-08-27T13:08:45Z"),
            ("27 August 2008 1:08:45 pm UTC", "2008-08-27T13:08:45Z"),
            ("1625587487", "2021-07-06T16:04:47Z"),
            ("1625587487000", "2021-07-06T16:04:47Z"),
        ] {
            assert_eq!(zoned(text), Some((at(meant), true)), "{text}");
        }
        for (text, meant) in [
            ("2023-05-25 09:00:00", "2023-05-25T09:00:00Z"),
            ("2019-03-07T14:59:14", "2019-03-07T14:59:14Z"),
            ("2022-02-09T15:03:31.313999", "2022-02-09T15:03:31.313Z"),
            ("2026-07-26 15:18", "2026-07-26T15:18:00Z"),
            ("2023/05/25", "2023-05-25T00:00:00Z"),
            ("Nov 4, 2014 4:56:59 PM", "2014-11-04T16:56:59Z"),
            ("Nov 4, 2014 12:05 AM", "2014-11-04T00:05:00Z"),
            ("Nov 4, 2014", "2014-11-04T00:00:00Z"),
            ("2014-11-04 10:00:00 CST", "2014-11-04T10:00:00Z"),
        ] {
            assert_eq!(zoned(text), Some((at(meant), false)), "{text}");
        }
        for text in [
            "",
            "yesterday",
            "Sat",
            "2021",
            "04/05/2021 10:00",
            "2021-13-01",
            "2021-02-30",
            "2021-09-22T25:00",
            "2021-09-22T16:38:35 in the morning",
            "Nov 4",
            "Nov 2014",
            "Nov 4 5 2014",
            "4:56 PM",
            "Nov 4, 2014 16:00 PM",
            "2021-09-22T16:38:35+99:00",
            ":",
            "é",
        ] {
            assert_eq!(zoned(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_a_calendar_library(ms in -62_135_596_800_000i64..253_402_207_200_000, hours in -14i8..=14) {
            let time = jiff::Timestamp::from_millisecond(ms).unwrap();
            prop_assert_eq!(zoned(&time.to_string()), Some((ms, true)));
            let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(hours));
            let there = time.to_zoned_datetime(zone);
            if (1..=9_999).contains(&there.year()) {
                let written = there.strftime("%a, %d %b %Y %H:%M:%S %z").to_string();
                prop_assert_eq!(zoned(&written), Some((ms.div_euclid(1_000) * 1_000, true)), "{}", written);
                let written = there.strftime("%Y-%m-%d %H:%M:%S%:z").to_string();
                prop_assert_eq!(zoned(&written), Some((ms.div_euclid(1_000) * 1_000, true)), "{}", written);
            }
        }

        #[test]
        fn any_text_is_read_without_a_panic(text: String, digits in "[0-9:. +TZPM-]{0,40}", words in "([A-Z][a-z]{2} |[0-9]{1,4}[ ,:]?){0,8}") {
            let _ = (parse(&text), parse(&digits), parse(&words));
        }
    }
}
