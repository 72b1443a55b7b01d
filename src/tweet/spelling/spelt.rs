//! What a spelling says, and what it leaves open.

/// A date and a time of day as a text spells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spelt<'t> {
    /// Milliseconds since 1970 as if the zone were UTC; of `03/04/2020` those of April 3.
    pub ms: i64,
    pub order: DateOrder,
    pub zone: Zone<'t>,
}

/// What is known of the order of day and month in a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateOrder {
    /// The spelling itself says which is which.
    Fixed,
    /// Day and month before the year, and only this order gives a date.
    DayFirst,
    MonthFirst,
    /// Both orders give one: the month first `apart_ms` after the day first, in milliseconds.
    Either {
        apart_ms: i64,
    },
}

/// The zone of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone<'t> {
    None,
    /// Milliseconds east of UTC.
    Offset(i64),
    /// A place: `Europe/Madrid`.
    Named(&'t str),
    /// A word for several zones, or for none that is known: `IST`, `Turkey Standard Time`.
    Word(&'t str),
}

/// A number of digits only; `None` also if it has more of them than a time can have.
pub(super) fn number(bytes: &[u8], from: usize, to: usize) -> Option<i64> {
    const DIGITS_MAX: usize = 18;
    let digits = bytes.get(from..to).filter(|digits| (1..=DIGITS_MAX).contains(&digits.len()))?;
    digits.iter().try_fold(0i64, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
}
