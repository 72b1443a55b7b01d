//! Counts, rates, speeds and sizes, each with the limits of what makes sense.

use std::ops::RangeInclusive;

use indicatif::HumanCount;

use super::time::LONGEST;
use crate::options::{FASTEST_PER_S, Loops, Pace, parse_profile};
use crate::pace::Profile;
use crate::report::quantity;

/// Most of what has no other limit: tweets of a file.
pub(in crate::cli) const MOST: u64 = 1_000_000_000_000;

/// Times the input can be replayed, short of forever.
const MOST_LOOPS: u64 = 1_000_000_000;

/// Ten years in a third of a second, and a second in two weeks.
const SPEEDUPS: RangeInclusive<f64> = 1e-6..=1e9;

/// A whole number within `range`.
pub(in crate::cli) fn count<T: TryFrom<u64>>(
    range: RangeInclusive<u64>,
) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| {
        let (least, most) = (HumanCount(*range.start()), HumanCount(*range.end()));
        let number = quantity::whole(text).ok_or("must be a whole number such as 5000 or 5k")?;
        if number < *range.start() {
            return Err(format!("must be at least {least}"));
        }
        let number = Some(number).filter(|number| number <= range.end()).map(T::try_from);
        number.and_then(Result::ok).ok_or_else(|| format!("must be at most {most}"))
    }
}

/// How often: `3`, or `forever`.
pub(in crate::cli) fn loops(text: &str) -> Result<Loops, String> {
    if text.eq_ignore_ascii_case("forever") {
        return Ok(Loops::Forever);
    }
    let times = count(1..=MOST_LOOPS)(text).map(Loops::Times);
    times.map_err(|words| format!("{words}, or forever"))
}

/// A speed: `100x`, `0.5x`, `100`, or `max`.
pub(in crate::cli) fn speedup(text: &str) -> Result<Pace, String> {
    if text.eq_ignore_ascii_case("max") {
        return Ok(Pace::Max);
    }
    let factor = quantity::number(text.strip_suffix(['x', 'X']).unwrap_or(text));
    let factor = factor.ok_or("must be a speed such as 100x, 0.5x or max")?;
    match factor {
        0.0 => Err("must be above 0, such as 100x, 0.5x or max".to_owned()),
        factor if factor < *SPEEDUPS.start() => Err("must be at least 0.000001x".to_owned()),
        factor if factor > *SPEEDUPS.end() => {
            Err("must be at most 1,000,000,000x; max is as fast as it goes".to_owned())
        }
        factor => Ok(Pace::Speedup(factor)),
    }
}

/// A rate in tweets per second: `5000/s`, `5k/s`, `5000`, `300/m`, `20/h`.
pub(in crate::cli) fn rate(text: &str) -> Result<f64, String> {
    let rate = quantity::per_second(text).ok_or("must be a rate such as 5000/s, 5k/s, 300/m or 20/h")?;
    match rate {
        0.0 => Err("must be above 0, such as 5000/s, 300/m or 20/h".to_owned()),
        rate if rate > FASTEST_PER_S => {
            let most = HumanCount(FASTEST_PER_S as u64);
            Err(format!("must be at most {most}/s; --speedup max sends as fast as it goes"))
        }
        rate if rate < 1.0 / LONGEST.as_secs_f64() => Err("must be at least 1 in ten years".to_owned()),
        rate => Ok(rate),
    }
}

/// Rates over time.
pub(in crate::cli) fn profile(text: &str) -> Result<&'static Profile, String> {
    parse_profile(text).map(Profile::forever)
}

/// Length of a record in bytes: `16MiB`, `64K`, `1000`.
pub(in crate::cli) fn record_size(text: &str) -> Result<usize, String> {
    let bytes = size(text)?;
    let fits = u32::try_from(bytes).ok().and_then(|bytes| usize::try_from(bytes).ok());
    fits.ok_or_else(|| "must be below 4GiB".to_owned())
}

/// A size in bytes: `2GiB`, `16M`, `1000`.
pub(in crate::cli) fn size(text: &str) -> Result<u64, String> {
    const MOST_BYTES: f64 = (1_u64 << 53) as f64;
    let bytes = quantity::bytes(text).ok_or("must be a size such as 16MiB, 2G or 1000")?;
    match bytes {
        bytes if bytes < 1.0 => Err("must be above 0, such as 16MiB, 2G or 1000".to_owned()),
        bytes if bytes > MOST_BYTES => Err("must be below 8,388,608GiB".to_owned()),
        bytes => Ok(bytes as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_limits_and_words_for_them() {
        let partitions = count::<i32>(1..=512);
        assert_eq!(partitions("5"), Ok(5));
        assert_eq!(partitions("5e2"), Ok(500));
        assert_eq!(partitions("0"), Err("must be at least 1".to_owned()));
        assert_eq!(partitions("5k"), Err("must be at most 512".to_owned()));
        assert_eq!(count::<u64>(1..=MOST)("2e12"), Err("must be at most 1,000,000,000,000".to_owned()));
        for wrong in ["", "five", "-1", "1.5", "5x"] {
            assert!(partitions(wrong).unwrap_err().contains("such as 5000 or 5k"), "{wrong}");
        }
    }

    #[test]
    fn speeds_and_rates_are_read_as_people_write_them() {
        assert_eq!(speedup("100x"), Ok(Pace::Speedup(100.0)));
        assert_eq!(speedup("0.5"), Ok(Pace::Speedup(0.5)));
        assert_eq!(speedup("1kx"), Ok(Pace::Speedup(1_000.0)));
        assert_eq!(speedup("max"), Ok(Pace::Max));
        assert_eq!(rate("5000/s"), Ok(5_000.0));
        assert_eq!(rate("5k"), Ok(5_000.0));
        assert_eq!(rate("300/min"), Ok(5.0));
        assert_eq!(loops("3"), Ok(Loops::Times(3)));
        assert_eq!(loops("Forever"), Ok(Loops::Forever));
        assert_eq!(record_size("16MiB"), Ok(16 << 20));
        assert_eq!(size("8G"), Ok(8 << 30));
        for wrong in ["", "x", "0", "0x", "-1", "NaN", "inf", "1e308x", "1e-9x", "fast"] {
            assert!(speedup(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "0/s", "5/y", "/s", "-3/s", "1e9/s", "1e-12/h", "fast"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
        for wrong in ["0", "-1", "1.5", "often", "", "1e10"] {
            assert!(loops(wrong).unwrap_err().ends_with("or forever"), "{wrong}");
        }
        for wrong in ["", "0", "-1", "16 miles", "MiB", "99999999999999G"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
        assert!(record_size("4GiB").unwrap_err().contains("4GiB"));
    }
}
