//! How times are written, as given by the user: `--time-format`.

use std::str::FromStr;

use super::civil::Stamp;
use super::epoch::{count_of, ms_of};

/// The format of a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimeFormat {
    /// A number in units of which this many make a second.
    PerSecond(u32),
    /// A text, in a strftime format.
    Pattern(String),
}

/// A pattern that cannot parse what it formats.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{pattern:?} is not a time format: {reason}; use s, ms, us, ns, or a pattern such as %d/%m/%Y %H:%M:%S"
)]
pub struct TimeFormatError {
    /// As given.
    pattern: String,
    /// What is wrong with it.
    reason: String,
}

impl FromStr for TimeFormat {
    type Err = TimeFormatError;

    fn from_str(text: &str) -> Result<Self, TimeFormatError> {
        Ok(match text {
            "s" => Self::PerSecond(1),
            "ms" => Self::PerSecond(1_000),
            "us" => Self::PerSecond(1_000_000),
            "ns" => Self::PerSecond(1_000_000_000),
            pattern => {
                let wrong = |reason: String| TimeFormatError { pattern: pattern.to_owned(), reason };
                // A time whose fields all differ: the pattern must be able to parse what it
                // formats.
                let time =
                    jiff::Timestamp::from_second(1_625_587_487).map_err(|error| wrong(error.to_string()))?;
                let time = time.to_zoned_datetime(jiff::tz::TimeZone::UTC);
                let written =
                    jiff::fmt::strtime::format(pattern, &time).map_err(|error| wrong(error.to_string()))?;
                if !pattern.contains('%') {
                    return Err(wrong("it has no % in it".to_owned()));
                }
                read_pattern(pattern, &written)
                    .ok_or_else(|| wrong("it does not say the year, the month and the day".to_owned()))?;
                Self::Pattern(pattern.to_owned())
            }
        })
    }
}

impl TimeFormat {
    /// Whether a text written like this one is a time in this format.
    pub fn reads(&self, text: &str) -> bool {
        match self {
            TimeFormat::PerSecond(_) => count_of(text.trim()).is_some(),
            TimeFormat::Pattern(pattern) => read_pattern(pattern, text.trim()).is_some(),
        }
    }

    /// The time in a text, or in the digits of a number.
    pub(super) fn read(&self, text: &str) -> Option<Stamp> {
        match self {
            TimeFormat::PerSecond(per_second) => {
                Some(Stamp { ms: ms_of(count_of(text)?, *per_second)?, has_zone: true })
            }
            TimeFormat::Pattern(pattern) => read_pattern(pattern, text),
        }
    }
}

fn read_pattern(pattern: &str, text: &str) -> Option<Stamp> {
    let parts = jiff::fmt::strtime::parse(pattern, text).ok()?;
    if let Ok(time) = parts.to_timestamp() {
        return Some(Stamp { ms: time.as_millisecond(), has_zone: true });
    }
    let time = parts.to_datetime().or_else(|_| parts.to_date().map(Into::into)).ok()?;
    let time = jiff::tz::TimeZone::UTC.to_timestamp(time).ok()?;
    Some(Stamp { ms: time.as_millisecond(), has_zone: false })
}
