//! A `--time-format` that reads a time as one record writes it.

use crate::tweet::TimeFormat;

/// A pattern that reads `text`. Where day and month may be either, the day is taken to come first.
pub(crate) fn pattern_of(text: &str) -> Option<String> {
    let text = text.trim();
    let pattern = write_pattern(text)?;
    let format: TimeFormat = pattern.parse().ok()?;
    format.reads(text).then_some(pattern)
}

/// The same with the month before the day, where that reads it too: nobody but the writer knows which it is.
pub(crate) fn other_pattern_of(pattern: &str, text: &str) -> Option<String> {
    let swapped = pattern.replace("%d", "%\0").replace("%m", "%d").replace("%\0", "%m");
    let format: TimeFormat = swapped.parse().ok()?;
    (pattern.starts_with("%d") && swapped != pattern && format.reads(text)).then_some(swapped)
}

/// Longest text that can be a time.
const LONGEST: usize = 64;

fn write_pattern(text: &str) -> Option<String> {
    if text.len() > LONGEST || !text.is_ascii() || text.contains('%') {
        return None;
    }
    let runs = runs_of(text);
    let has_half_day = runs.iter().any(|run| matches!(&run.to_ascii_uppercase()[..], "AM" | "PM"));
    let hour = if has_half_day { "%I" } else { "%H" };
    let mut days = days_of(&runs).into_iter();
    let mut times = [hour, "%M", "%S"].into_iter();
    let mut pattern = String::new();
    for (at, run) in runs.iter().enumerate() {
        let is_number = run.bytes().all(|byte| byte.is_ascii_digit());
        match (is_number, run.len()) {
            (true, 14) => pattern.push_str("%Y%m%d%H%M%S"),
            (true, 12) => pattern.push_str("%Y%m%d%H%M"),
            (true, 8) => pattern.push_str("%Y%m%d"),
            (true, 4) => pattern.push_str("%Y"),
            (true, 1 | 2) if is_of_day(&runs, at) => pattern.push_str(times.next()?),
            (true, 1 | 2) => pattern.push_str(days.next()?),
            (true, _) => return None,
            (false, _) if run.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                pattern.push_str(word(run)?);
            }
            (false, _) => pattern.push_str(run),
        }
    }
    Some(pattern)
}

/// The text cut into numbers, words, and what stands between.
fn runs_of(text: &str) -> Vec<&str> {
    let kind = |byte: u8| (byte.is_ascii_digit(), byte.is_ascii_alphabetic());
    let (bytes, mut runs, mut start) = (text.as_bytes(), Vec::new(), 0);
    for at in 1..=bytes.len() {
        if at == bytes.len() || kind(bytes[at]) != kind(bytes[at - 1]) {
            runs.push(&text[start..at]);
            start = at;
        }
    }
    runs
}

/// Whether the number at this place is of the time of day: a colon is next to it.
fn is_of_day(runs: &[&str], at: usize) -> bool {
    let is_colon = |run: Option<&&str>| run.is_some_and(|run| *run == ":");
    is_colon(runs.get(at + 1)) || (at > 0 && is_colon(runs.get(at - 1)))
}

/// What the one or two digits of the date are, in their order.
fn days_of(runs: &[&str]) -> Vec<&'static str> {
    let is_number = |run: &&str| run.bytes().all(|byte| byte.is_ascii_digit());
    let is_small = |run: &str| run.len() <= 2 && is_number(&run);
    let small = |(at, run): (usize, &&str)| {
        (is_small(run) && !is_of_day(runs, at)).then(|| run.parse::<u32>().unwrap_or(0))
    };
    let small: Vec<u32> = runs.iter().enumerate().filter_map(small).collect();
    let has_name = runs.iter().any(|run| word(run).is_some_and(|word| word.eq_ignore_ascii_case("%b")));
    let year_first = runs.iter().find(|run| is_number(run)).is_some_and(|run| run.len() == 4);
    match small[..] {
        _ if has_name => vec!["%d", "%y"],
        _ if year_first => vec!["%m", "%d"],
        [_, second, ..] if second > 12 => vec!["%m", "%d", "%y"],
        _ => vec!["%d", "%m", "%y"],
    }
}

/// The part of a pattern that reads a word.
fn word(word: &str) -> Option<&'static str> {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let name = word.to_ascii_lowercase();
    let (start, is_short) = (name.get(..3), name.len() == 3);
    match &name[..] {
        "am" | "pm" => return Some("%p"),
        "t" => return Some("T"),
        "z" => return Some("Z"),
        _ => {}
    }
    let start = start?;
    match () {
        () if MONTHS.contains(&start) => Some(if is_short { "%b" } else { "%B" }),
        () if DAYS.contains(&start) => Some(if is_short { "%a" } else { "%A" }),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_no_reader_guesses_get_a_pattern() {
        for (text, pattern) in [
            ("09/03/2024 18:00", "%d/%m/%Y %H:%M"),
            ("3/13/2020 1:00 PM", "%m/%d/%Y %I:%M %p"),
            ("13.04.2020 10:00:00", "%d.%m.%Y %H:%M:%S"),
            ("20200303100058", "%Y%m%d%H%M%S"),
            ("3-Mar-20", "%d-%b-%y"),
            ("Monday, 02 March 2020", "%A, %d %B %Y"),
        ] {
            assert_eq!(pattern_of(text).as_deref(), Some(pattern), "{text}");
        }
    }

    #[test]
    fn a_date_that_may_be_read_in_two_ways_has_two_patterns() {
        assert_eq!(other_pattern_of("%d/%m/%Y", "03/04/2020").as_deref(), Some("%m/%d/%Y"));
        assert_eq!(other_pattern_of("%d/%m/%Y", "13/04/2020"), None);
        assert_eq!(other_pattern_of("%Y%m%d", "20200304"), None);
    }

    #[test]
    fn what_is_no_time_gets_none() {
        for text in ["", "soon", "99/99/2024", "12", "%d", "a1b2"] {
            assert_eq!(pattern_of(text), None, "{text}");
        }
    }
}
