//! Numbers and their units as people type them: `5k`, `5,000`, `1e6`, `300/m`, `1h30m`, `16MiB`. What the pages
//! print can be typed.

/// Units of time, in seconds. The second of each spelling of µ is the Greek letter.
const TIMES: [(&[&str], f64); 8] = [
    (&["ns"], 1e-9),
    (&["us", "µs", "μs"], 1e-6),
    (&["ms"], 1e-3),
    (&["s", "sec", "secs", "second", "seconds"], 1.0),
    (&["m", "min", "mins", "minute", "minutes"], 60.0),
    (&["h", "hr", "hrs", "hour", "hours"], 3_600.0),
    (&["d", "day", "days"], 86_400.0),
    (&["w", "week", "weeks"], 604_800.0),
];

/// Units of size, in bytes; a letter alone counts in powers of 1,024.
const SIZES: [(&[&str], f64); 7] = [
    (&["KiB", "K", "k"], 1024.0),
    (&["MiB", "M"], 1_048_576.0),
    (&["GiB", "G"], 1_073_741_824.0),
    (&["KB", "kB"], 1e3),
    (&["MB"], 1e6),
    (&["GB"], 1e9),
    (&["B"], 1.0),
];

/// A number that is not below 0: `5000`, `5,000`, `5_000`, `0.5`, `1e6`, `5k`, `2M`, `1G`.
pub fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let (digits, times) = match text.chars().next_back()? {
        'k' | 'K' => (&text[..text.len() - 1], 1e3),
        'M' => (&text[..text.len() - 1], 1e6),
        'G' => (&text[..text.len() - 1], 1e9),
        _ => (text, 1.0),
    };
    let digits = without_groups(digits)?;
    // Not what `f64` takes besides: a sign, "inf", "NaN".
    let is_number = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    digits.parse::<f64>().ok().filter(|_| is_number).map(|number| number * times).filter(|n| n.is_finite())
}

/// A whole number: as [`number`], exact where it is written out.
pub fn whole(text: &str) -> Option<u64> {
    let exact = without_groups(text.trim()).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    if let Some(exact) = exact.and_then(|digits| digits.parse().ok()) {
        return Some(exact);
    }
    const EXACT: f64 = (1_u64 << 53) as f64;
    number(text).filter(|number| number.fract() == 0.0 && *number <= EXACT).map(|number| number as u64)
}

/// A rate per second: `5000/s`, `5k/s`, `300/m`, `300/min`, `20/h`; without a unit it is per second.
pub fn per_second(text: &str) -> Option<f64> {
    match text.rsplit_once('/') {
        None => number(text),
        Some((rate, unit)) => Some(number(rate)? / unit_of(unit.trim(), &TIMES)?),
    }
}

/// A time in seconds: `500ms`, `4s`, `1h30m`, `10 min 16 s`; without a unit it is in seconds.
pub fn seconds(text: &str) -> Option<f64> {
    if let Some(seconds) = number(text) {
        return Some(seconds).filter(|_| !text.trim().ends_with(['k', 'K', 'M', 'G']));
    }
    let mut rest = text.trim();
    let mut sum = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && !".,_".contains(c))?;
        let value = number(&rest[..digits])?;
        let unit = rest[digits..].trim_start();
        let length = unit.find(|c: char| !c.is_alphabetic()).unwrap_or(unit.len());
        sum += value * unit_of(&unit[..length], &TIMES)?;
        rest = unit[length..].trim_start();
    }
    Some(sum).filter(|sum| sum.is_finite() && !text.trim().is_empty())
}

/// A size in bytes: `16MiB`, `16M`, `16MB`, `1000`.
pub fn bytes(text: &str) -> Option<f64> {
    let text = text.trim();
    let digits = text.find(|c: char| c.is_alphabetic() && c != 'e').unwrap_or(text.len());
    let unit = if digits == text.len() { 1.0 } else { unit_of(&text[digits..], &SIZES)? };
    Some(number(&text[..digits])? * unit)
}

fn unit_of(name: &str, units: &[(&[&str], f64)]) -> Option<f64> {
    units.iter().find(|(names, _)| names.contains(&name)).map(|(_, unit)| *unit)
}

/// Digits without the marks between groups of three.
fn without_groups(text: &str) -> Option<String> {
    let whole = text.find(['.', 'e', 'E']).unwrap_or(text.len());
    let groups: Vec<&str> = text[..whole].split([',', '_']).collect();
    let fits = match &groups[..] {
        [_] => true,
        [first, others @ ..] => (1..=3).contains(&first.len()) && others.iter().all(|group| group.len() == 3),
        [] => false,
    };
    fits.then(|| groups.concat() + &text[whole..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (text, expected) in [
            ("5000", 5_000),
            ("5,000", 5_000),
            ("5_000", 5_000),
            ("1,000,000", 1_000_000),
            ("5k", 5_000),
            ("1.5k", 1_500),
            ("2M", 2_000_000),
            ("1e6", 1_000_000),
            ("0", 0),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(whole(text), Some(expected), "{text}");
        }
        for wrong in [
            "", " ", "-5", "+5", "five", "1.5", "1,5", "5,00", "1,0000", "5kk", "k", "inf", "NaN", "1e400",
            "5m",
        ] {
            assert_eq!(whole(wrong), None, "{wrong}");
        }
        assert_eq!(number("0.5"), Some(0.5));
        assert_eq!(number("1,234.5"), Some(1_234.5));
    }

    #[test]
    fn rates_times_and_sizes_have_one_grammar() {
        for (text, expected) in
            [("5000/s", 5_000.0), ("5k/s", 5_000.0), ("5,000/s", 5_000.0), ("900", 900.0), ("300/m", 5.0)]
        {
            assert_eq!(per_second(text), Some(expected), "{text}");
        }
        assert_eq!(per_second("300/min"), Some(5.0));
        assert_eq!(per_second("20.00/h"), Some(20.0 / 3_600.0));
        for (text, expected) in [
            ("500ms", 0.5),
            ("4s", 4.0),
            ("5", 5.0),
            ("0.5", 0.5),
            ("1h30m", 5_400.0),
            ("10 min 16 s", 616.0),
            ("2 h 05 min", 7_500.0),
            ("7.1 days", 613_440.0),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        for (text, expected) in
            [("16MiB", 16 << 20), ("16M", 16 << 20), ("16MB", 16_000_000), ("1,000", 1_000)]
        {
            assert_eq!(bytes(text), Some(f64::from(expected)), "{text}");
        }
        for wrong in ["", "s", "5/", "/s", "5/x", "fast", "5 5s", "4x", "-4s", "5k"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
        assert_eq!(
            (per_second("5/x"), per_second("-5/s"), bytes("16XB"), bytes("MiB")),
            (None, None, None, None)
        );
    }

    #[test]
    fn what_the_pages_print_can_be_typed() {
        use crate::report::words;
        for per_s in [228_729.0, 12.0, 5.25, 0.05, 0.001] {
            let typed = per_second(&words::rate(per_s)).unwrap();
            assert!((typed / per_s - 1.0).abs() < 0.01, "{per_s}: {typed}");
        }
        for s in [0.25, 4.0, 96.0, 616.0, 7_500.0, 613_440.0] {
            let typed = seconds(&words::seconds(s)).unwrap();
            assert!((typed / s - 1.0).abs() < 0.01, "{s}: {typed}");
        }
    }
}
