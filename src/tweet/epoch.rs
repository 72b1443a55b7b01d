//! Times as numbers: counts since 1970 in one of four units, and the digits of a date.

use super::civil::civil_ms;
use super::decimal::decimal;

/// What a count since 1970 counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EpochUnit {
    Seconds,
    Millis,
    Micros,
    Nanos,
}

/// Seconds from 1970 to the end of 2100: later times are not expected.
const LATEST_S: f64 = 4_133_980_800.0;
/// Seconds from 1970 to September 2001: what lies between the two is sure of its unit, whatever else a file has.
const SURE_S: f64 = 1e9;
/// Counts below have a unit that nobody can tell: within three years of 1970 as seconds.
const SMALLEST: f64 = 1e8;

impl EpochUnit {
    /// From the coarsest.
    pub const ALL: [Self; 4] = [Self::Seconds, Self::Millis, Self::Micros, Self::Nanos];

    pub fn per_second(self) -> u32 {
        match self {
            Self::Seconds => 1,
            Self::Millis => 1_000,
            Self::Micros => 1_000_000,
            Self::Nanos => 1_000_000_000,
        }
    }

    /// As `--time-format` has it.
    pub fn flag(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Millis => "ms",
            Self::Micros => "us",
            Self::Nanos => "ns",
        }
    }

    /// The unit of a count that no other unit makes a time of our days.
    pub fn sure(count: f64) -> Option<Self> {
        let is_in = |unit: &Self| (SURE_S..LATEST_S).contains(&(count / f64::from(unit.per_second())));
        Self::ALL.into_iter().find(is_in)
    }

    /// The unit in which no count of a file lies beyond 2100, judging by its largest and its lowest; `None`:
    /// nobody can tell.
    pub fn guess(largest: f64, lowest: f64) -> Option<Self> {
        let in_time = |unit: &Self| largest / f64::from(unit.per_second()) < LATEST_S;
        // Times before 1970 may be of any century, so that only their size tells.
        let by_size = |unit: &Self| -lowest / f64::from(unit.per_second()) < 1e11;
        match (largest >= SMALLEST, -lowest >= SMALLEST) {
            (true, _) => Self::ALL.into_iter().find(in_time),
            (false, true) => Self::ALL.into_iter().find(by_size),
            (false, false) => None,
        }
    }

    /// The time in milliseconds, if it has a year of four digits.
    pub fn ms(self, count: f64) -> Option<i64> {
        ms_of(count, self.per_second())
    }
}

/// The time of a count of which this many make a second, in milliseconds since 1970.
pub fn ms_of(count: f64, per_second: u32) -> Option<i64> {
    // From the year 0 to the year 9999.
    const TIMES_MS: std::ops::RangeInclusive<f64> = -62_167_219_200_000.0..=253_402_300_799_999.0;
    let ms = match per_second {
        1_000.. => count / f64::from(per_second / 1_000),
        _ => count * 1_000.0 / f64::from(per_second),
    };
    let ms = ms.round();
    TIMES_MS.contains(&ms).then_some(ms as i64)
}

/// The count that a text spells: digits, perhaps with a sign, a fraction or an exponent.
pub fn count_of(text: &str) -> Option<f64> {
    let is_number = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    let is_count = text.bytes().all(is_number) && text.bytes().any(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|count: &f64| is_count && count.is_finite())
}

/// The date, in milliseconds as if its zone were UTC, in `YYYYMMDD`, `YYYYMMDDhhmm`, `YYYYMMDDhhmmss` and
/// `YYYYMMDDhhmmssfff`, also with a fraction; only of the years from 1970 to 2100.
pub fn calendar_ms(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let part = |from: usize, to: usize| match whole.get(from..to) {
        Some(digits) => decimal(digits).and_then(|number| i64::try_from(number).ok()),
        None => Some(0),
    };
    let is_length = match whole.len() {
        // A count of days or of seconds may have 8 digits and a fraction.
        8 | 12 => fraction.bytes().all(|byte| byte == b'0'),
        14 => fraction.bytes().all(|byte| byte.is_ascii_digit()),
        17 => fraction.is_empty(),
        _ => false,
    };
    if !is_length || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    let thousandths = fraction.bytes().chain(*b"000").take(3);
    let ms = thousandths.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')) + part(14, 17)?;
    let year = part(0, 4)?;
    let is_time = (1970..=2100).contains(&year) && hour <= 23 && minute <= 59 && second <= 60;
    let time_ms = hour * 3_600_000 + minute * 60_000 + second * 1_000 + ms;
    civil_ms(year, part(4, 6)?, part(6, 8)?, time_ms).filter(|_| is_time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_of_our_days_is_sure_of_its_unit() {
        for (count, unit) in [
            (1_583_229_600.0, Some("s")),
            (1_583_229_600e3, Some("ms")),
            (1_583_229_600e6, Some("us")),
            (1_583_229_600e9, Some("ns")),
            (0.0, None),
            (2_020.0, None),
            (-1_583_229_600.0, None),
            (31_536_000_000.0, None),
            (f64::NAN, None),
            (f64::INFINITY, None),
        ] {
            assert_eq!(EpochUnit::sure(count).map(EpochUnit::flag), unit, "{count}");
        }
    }

    #[test]
    fn the_unit_of_others_is_the_coarsest_that_leads_to_no_later_century() {
        for (largest, lowest, unit) in [
            (31_536_000_000.0, 0.0, Some("ms")),
            (315_532_800_000.0, 0.0, Some("ms")),
            (500_000_000.0, -5e8, Some("s")),
            (0.0, -61_178_300_000_000.0, Some("ms")),
            (0.0, -500_000_000.0, Some("s")),
            (86_400.0, -12.0, None),
            (1e30, 0.0, None),
        ] {
            assert_eq!(EpochUnit::guess(largest, lowest).map(EpochUnit::flag), unit, "{largest} {lowest}");
        }
    }

    #[test]
    fn digits_of_a_date_are_a_date_and_never_a_far_future() {
        let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
        for (text, meant) in [
            ("20200303100058", "2020-03-03T10:00:58Z"),
            ("202003031000", "2020-03-03T10:00:00Z"),
            ("20200303", "2020-03-03T00:00:00Z"),
            ("20200303100058123", "2020-03-03T10:00:58.123Z"),
            ("20200303100058.5", "2020-03-03T10:00:58.5Z"),
            ("20200303100058.0", "2020-03-03T10:00:58Z"),
        ] {
            assert_eq!(calendar_ms(text), Some(at(meant)), "{text}");
        }
        for text in [
            "",
            "2020",
            "20201303",
            "20200230",
            "202003032400",
            "19690303",
            "21010303",
            "2020030310",
            "é20200303",
        ] {
            assert_eq!(calendar_ms(text), None, "{text}");
        }
    }
}
