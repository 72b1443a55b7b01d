//! When a tweet was written: `created_at`, the id's own time, `timestamp_ms`, and which to trust.

use super::civil::{MONTHS, Stamp, days_from_civil, days_in_month};

/// Twitter's epoch for ids, in milliseconds since 1970 (2010-11-04T01:42:54.657Z).
const SNOWFLAKE_EPOCH_MS: i64 = 1_288_834_974_657;

/// Ids up to this one were sequential and carry no time: the switch was on 2010-11-04.
const LAST_ID_WITHOUT_TIME: u64 = 29_700_859_247;

/// How far a more precise time may be from `created_at` and still be trusted. Measured on 17,971
/// tweets: never more than 2 s, except for made-up ids.
const AGREEMENT_MS: u64 = 2_000;

/// The largest difference of any local time from UTC.
const FARTHEST_ZONE_MS: u64 = 14 * 3_600_000;

/// The event time of a tweet in milliseconds since 1970 UTC: `timestamp_ms`, otherwise the id's
/// time, each only if it agrees with the time that the record spells (or there is none); otherwise
/// that time.
///
/// A time without a zone may be that of any place on earth, at most 14 hours away from UTC.
pub fn event_time_ms(timestamp_ms: Option<i64>, id: Option<u64>, created: Option<Stamp>) -> Option<i64> {
    precise_ms(timestamp_ms, id, created).or(created.map(|created| created.ms))
}

/// The same without the time that the record spells, which must agree.
pub fn precise_ms(timestamp_ms: Option<i64>, id: Option<u64>, created: Option<Stamp>) -> Option<i64> {
    let agrees = |time: &i64| {
        created.is_none_or(|created| {
            let apart = if created.has_zone { AGREEMENT_MS } else { FARTHEST_ZONE_MS };
            time.abs_diff(created.ms) <= apart
        })
    };
    timestamp_ms.filter(agrees).or_else(|| id.and_then(snowflake_ms).filter(agrees))
}

/// The time in a snowflake id; `None` for older ids, which are not snowflakes.
pub fn snowflake_ms(id: u64) -> Option<i64> {
    (id > LAST_ID_WITHOUT_TIME).then(|| (id >> 22) as i64 + SNOWFLAKE_EPOCH_MS)
}

/// Parses `Wed Aug 27 13:08:45 +0000 2008`. `None` for anything else.
///
/// By hand, because every record needs it: eight bytes at a time, twenty times faster than a format string.
pub fn parse_created_at(text: &str) -> Option<i64> {
    let bytes: &[u8; 30] = text.as_bytes().try_into().ok()?;
    let word = |at: usize| bytes[at..].first_chunk().map(|word| u64::from_le_bytes(*word));
    // The sign is looked at by itself.
    let sign_at = 4;
    let signed = word(16)?;
    let zone_sign = match bytes[20] {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let unsigned = signed & !(0xff << (8 * sign_at)) | u64::from(b' ') << (8 * sign_at);
    let [date, clock, end] = [pairs::<DATE>(word(8)?), pairs::<CLOCK>(unsigned), pairs::<END>(word(22)?)];
    let pair = |pairs: u64, at: usize| (pairs >> (8 * at) & 0xff) as i64;
    let (date, clock, end) = (date?, clock?, end?);
    let (day, hour, minute) = (pair(date, 0), pair(date, 3), pair(date, 6));
    let (second, zone_hours, zone_minutes) = (pair(clock, 1), pair(clock, 5), pair(end, 1));
    let month = month(*bytes[4..].first_chunk()?).filter(|_| bytes[3] == b' ')?;
    let year = pair(end, 4) * 100 + pair(end, 6);
    // 60: a leap second, which this count has no separate number for.
    if !(1..=days_in_month(year, month)).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = days_from_civil(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second
        - zone_sign * (zone_hours * 3_600 + zone_minutes * 60);
    Some(seconds * 1_000)
}

/// Parts of a `created_at`, with a zero for each digit.
const DATE: u64 = u64::from_le_bytes(*b"00 00:00");
const CLOCK: u64 = u64::from_le_bytes(*b":00  000");
const END: u64 = u64::from_le_bytes(*b"000 0000");

/// At each byte the number of two digits that begins there; `None` if this is not `LIKE` but for other digits.
#[inline]
fn pairs<const LIKE: u64>(word: u64) -> Option<u64> {
    const SIXES: u64 = 0x0606_0606_0606_0606;
    const HIGH: u64 = 0xf0f0_f0f0_f0f0_f0f0;
    let values = word ^ LIKE;
    let wrong = (values | values.wrapping_add(SIXES)) & HIGH | values & const { not_zeros(LIKE) };
    (wrong == 0).then(|| values.wrapping_mul(10).wrapping_add(values >> 8))
}

/// All bits of the bytes that are not the digit zero.
const fn not_zeros(word: u64) -> u64 {
    let (mut bits, mut at) = (0, 0);
    while at < u64::BITS {
        if (word >> at) as u8 != b'0' {
            bits |= 0xff << at;
        }
        at += u8::BITS;
    }
    bits
}

/// The number of the month that has this name, with the blank after it.
#[inline]
fn month(name: [u8; 4]) -> Option<i64> {
    let name = u32::from_le_bytes(name);
    let (known, month) = MONTH_TABLE[month_slot(name)];
    (known == name).then_some(month)
}

/// Found by trial: with it no two months share a slot.
const fn month_slot(name: u32) -> usize {
    (name.wrapping_mul(0x67e4) >> 28) as usize
}

static MONTH_TABLE: [(u32, i64); 16] = {
    let mut table = [(0, 0); 16];
    let mut at = 0;
    while at < MONTHS.len() {
        let name = MONTHS[at];
        let name = u32::from_le_bytes([name[0], name[1], name[2], b' ']);
        assert!(table[month_slot(name)].0 == 0, "two months share a slot");
        at += 1;
        table[month_slot(name)] = (name, at as i64);
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tweet::civil::civil_from_days;
    use crate::tweet::parse_time;
    use proptest::prelude::*;

    #[test]
    fn created_at_as_the_api_writes_it() {
        assert_eq!(parse_created_at("Wed Aug 27 13:08:45 +0000 2008"), Some(1_219_842_525_000));
        assert_eq!(parse_created_at("Wed Aug 27 15:08:45 +0200 2008"), Some(1_219_842_525_000));
        for wrong in [
            "",
            "2021-09-22T16:38:35.000Z",
            "Wed Aug 32 13:08:45 +0000 2008",
            "Wed Xyz 27 13:08:45 +0000 2008",
        ] {
            assert_eq!(parse_created_at(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_byte_but_those_of_the_weekday_is_looked_at() {
        let right = "Wed Aug 27 13:08:45 +0123 2008";
        let ms = parse_created_at(right).unwrap();
        for at in 3..right.len() {
            for byte in 0..0x80u8 {
                let mut bytes = right.as_bytes().to_vec();
                let is_digit = bytes[at].is_ascii_digit() && byte.is_ascii_digit();
                bytes[at] = byte;
                let other = String::from_utf8(bytes).unwrap();
                let is_sign = at == 20 && byte == b'-';
                match parse_created_at(&other) {
                    Some(found) if other == right => assert_eq!(found, ms),
                    Some(found) => assert!(found != ms && (is_digit || is_sign), "{other}"),
                    // Such as the 37th, and 93 o'clock.
                    None => assert!(!is_sign && (!is_digit || at < 18), "{other}"),
                }
            }
        }
        for (nth, month) in MONTHS.iter().enumerate() {
            let month = std::str::from_utf8(month).unwrap();
            let found = parse_created_at(&format!("Wed {month} 01 00:00:00 +0000 2021"));
            assert_eq!(found, Some(days_from_civil(2021, nth as i64 + 1, 1) * 86_400_000));
        }
        assert_eq!(parse_created_at("Wed Aug 27 13:08:45 +0000 20é"), None);
    }

    #[test]
    fn the_id_refines_only_where_it_agrees() {
        let created = |ms| Some(Stamp { ms, has_zone: true });
        let written = created(1_409_444_936_000);
        let id = ((1_409_444_936_700 - SNOWFLAKE_EPOCH_MS) as u64) << 22;
        assert_eq!(event_time_ms(None, Some(id), written), Some(1_409_444_936_700));
        assert_eq!(event_time_ms(None, Some(id + (5_000 << 22)), written), Some(1_409_444_936_000));
        assert_eq!(event_time_ms(None, Some(20), written), Some(1_409_444_936_000), "no snowflake");
        assert_eq!(event_time_ms(Some(1_409_444_936_123), Some(id), written), Some(1_409_444_936_123));
        assert_eq!(event_time_ms(Some(5), Some(id), written), Some(1_409_444_936_700));
        assert_eq!(event_time_ms(None, Some(id), None), Some(1_409_444_936_700));
        assert_eq!(event_time_ms(None, Some(20), None), None);
    }

    #[test]
    fn the_id_says_where_a_time_without_a_zone_was() {
        // Seen as "Nov 4, 2014 4:56:59 PM" in a file of a user in California.
        let created = parse_time("Nov 4, 2014 4:56:59 PM");
        assert_eq!(created, Some(Stamp { ms: 1_415_120_219_000, has_zone: false }));
        let id = ((1_415_148_987_000i64 - SNOWFLAKE_EPOCH_MS) as u64) << 22;
        assert_eq!(event_time_ms(None, Some(id), created), Some(1_415_148_987_000));
        let far = id + ((15 * 3_600_000) << 22);
        assert_eq!(event_time_ms(None, Some(far), created), Some(1_415_120_219_000));
    }

    proptest! {
        #[test]
        fn agrees_with_a_calendar_library(second in 0i64..253_402_300_799) {
            let time = jiff::tz::TimeZone::UTC.to_datetime(jiff::Timestamp::from_second(second).unwrap());
            let written = time.strftime("%a %b %d %H:%M:%S +0000 %Y").to_string();
            prop_assert_eq!(parse_created_at(&written), Some(second * 1_000));
            let date = civil_from_days(second.div_euclid(86_400));
            prop_assert_eq!(date, (time.year() as u32, time.month() as u32, time.day() as u32));
        }
    }
}
