//! Spans of time, and times at which tweets were written.

use std::time::Duration;

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use crate::report::quantity;

/// Longest time that can be asked for: ten years.
pub(super) const LONGEST: Duration = Duration::from_secs(3_650 * 86_400);

/// A time to wait, which may be 0: `4s`, `500ms`, `5m`, `1h30m`, or seconds.
pub(in crate::cli) fn wait(text: &str) -> Result<Duration, String> {
    let seconds = quantity::seconds(text).ok_or("must be a time such as 500ms, 4s, 5m or 1h30m")?;
    let duration = Duration::try_from_secs_f64(seconds).ok().filter(|duration| *duration <= LONGEST);
    duration.ok_or_else(|| "is too long: must be at most 3650d".to_owned())
}

/// A time above 0.
pub(in crate::cli) fn duration(text: &str) -> Result<Duration, String> {
    let duration = wait(text)?;
    match duration.is_zero() {
        true => Err("must be above 0, such as 500ms, 4s, 5m or 1h30m".to_owned()),
        false => Ok(duration),
    }
}

/// An event time in milliseconds since 1970 UTC: `2020-01-31`, `2020-01-31T18:00`, `2020-01-31 18:00:00 UTC`,
/// `2020-01-31T18:00:00.500+01:00`. Without an offset it is UTC.
pub(in crate::cli) fn event_time(text: &str) -> Result<i64, String> {
    let plain = text.trim();
    let plain = plain.strip_suffix("UTC").map_or(plain, str::trim_end);
    let with_offset = || plain.parse::<Timestamp>().ok();
    let utc = || TimeZone::UTC.to_timestamp(plain.parse::<DateTime>().ok()?).ok();
    let time = with_offset().or_else(utc).map(Timestamp::as_millisecond);
    time.ok_or_else(|| {
        "must be a time such as 2020-01-31, 2020-01-31T18:00:00 or 2020-01-31T18:00:00Z".to_owned()
    })
}

/// A time zone by its name, or by what it is away from UTC.
pub(in crate::cli) fn time_zone(text: &str) -> Result<TimeZone, String> {
    let parser = jiff::fmt::temporal::DateTimeParser::new();
    let zone = match text.trim() {
        "local" => TimeZone::try_system().ok(),
        "Z" | "z" | "UTC" | "utc" => Some(TimeZone::UTC),
        name => parser.parse_time_zone(name).ok(),
    };
    zone.ok_or_else(|| "must be a time zone such as Europe/Madrid, +02:00, UTC or local".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_places_or_offsets() {
        let offset_s = |text| {
            let zone = time_zone(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            zone.to_offset(Timestamp::from_second(1_593_770_400).unwrap()).seconds()
        };
        for (text, hours) in
            [("Europe/Madrid", 2), ("europe/madrid", 2), ("-05:00", -5), ("UTC", 0), ("Z", 0)]
        {
            assert_eq!(offset_s(text), hours * 3_600, "{text}");
        }
        for wrong in ["", "Madrid", "CEST", "+99:00", "IST"] {
            assert!(time_zone(wrong).unwrap_err().contains("Europe/Madrid"), "{wrong}");
        }
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(5_400)));
        assert_eq!(duration("10 min 16 s"), Ok(Duration::from_secs(616)));
        assert_eq!(duration("5"), Ok(Duration::from_secs(5)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(wait("0"), Ok(Duration::ZERO));
        for wrong in ["", "4x", "-4s", "soon"] {
            assert!(wait(wrong).unwrap_err().contains("such as 500ms"), "{wrong}");
        }
        for zero in ["0", "0s", "0ms"] {
            assert!(duration(zero).unwrap_err().contains("above 0"), "{zero}");
        }
        for long in ["3651d", "99999999d", "99999999999999d", "1e18", "1e300"] {
            assert!(wait(long).unwrap_err().contains("too long"), "{long}");
        }
    }

    #[test]
    fn event_times_without_a_zone_are_utc() {
        let noon = Ok(1_577_880_000_000);
        for text in [
            "2020-01-01T12:00:00",
            "2020-01-01 12:00",
            "2020-01-01T12:00:00Z",
            "2020-01-01 12:00:00 UTC",
            "2020-01-01T13:00:00+01:00",
        ] {
            assert_eq!(event_time(text), noon, "{text}");
        }
        assert_eq!(event_time("2020-01-01"), Ok(1_577_836_800_000));
        for wrong in ["", "yesterday", "2020", "2020-13-01", "1577880000"] {
            assert!(event_time(wrong).is_err(), "{wrong}");
        }
    }
}
