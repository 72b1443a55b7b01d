//! Dates of the Gregorian calendar, and times as records spell them.

/// A time as a record spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Milliseconds since 1970; in UTC when `has_zone`, else as if the time were UTC.
    pub ms: i64,
    /// Whether the record says which zone the time is in.
    pub has_zone: bool,
}

pub(super) const MONTHS: [&[u8]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// Milliseconds since 1970 of a date and a time of day; `None` if there is no such date.
pub(super) fn civil_ms(year: i64, month: i64, day: i64, time_ms: i64) -> Option<i64> {
    let is_date = (0..=9_999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day);
    is_date.then(|| days_from_civil(year, month, day) * 86_400_000 + time_ms)
}

pub(super) fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar, for the years from 0 to 9999. The year is treated as beginning
/// in March, so that the leap day is its last.
pub(super) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    // Before the first of each month, in a year that begins in March.
    const BEFORE: [u32; 13] = [0, 306, 337, 0, 31, 61, 92, 122, 153, 184, 214, 245, 275];
    // Counted from one era earlier, so that nothing is below 0.
    let year = (year + 400) as u32 - u32::from(month <= 2);
    let (era, year_of_era) = (year / 400, year % 400);
    let before = BEFORE.get(month as usize).copied().unwrap_or_default();
    let days = era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + before;
    i64::from(days) + day - 1 - 719_468 - 146_097
}

/// Year, month and day of a number of days since 1970-01-01; the inverse of [`days_from_civil`],
/// for the years from 0 to 9999.
pub(super) fn civil_from_days(days: i64) -> (u32, u32, u32) {
    // Counted from one era earlier, so that nothing is below 0.
    let days = (days + 719_468 + 146_097) as u32;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u32::from(month <= 2) - 400;
    (year, month, day)
}
