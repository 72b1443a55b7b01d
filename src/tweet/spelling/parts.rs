//! Times in any order of their parts: `Nov 4, 2014 4:56:59 PM`, `13.04.2020 10:00`, `20200303T100000Z`,
//! `2020-W10-2`, `3 de marzo de 2020`.

use super::clock::{compact_time, time_of_day, zone};
use super::spelt::{DateOrder, Spelt, Zone, number};
use super::words::{Word, word};
use crate::tweet::civil::{civil_ms, days_from_civil};

const DAY_MS: i64 = 86_400_000;

/// A plain number: its value and how many digits it has.
#[derive(Debug, Clone, Copy)]
struct Plain {
    value: i64,
    digits: usize,
    /// Whether the name of the month came before it.
    after_month: bool,
}

/// What was found so far.
#[derive(Debug, Default)]
struct Parts<'t> {
    /// A date of numbers alone: its days since 1970 in milliseconds, and whether that is certain.
    date: Option<(i64, DateOrder)>,
    plain: [Option<Plain>; 3],
    month: Option<i64>,
    perhaps_month: Option<i64>,
    half_day: Option<i64>,
    time_ms: Option<i64>,
    zone: Option<Zone<'t>>,
    /// From where to where there are words that nothing else explains.
    unknown: Option<(usize, usize)>,
}

/// The time in `text`.
pub(super) fn parse(text: &str) -> Option<Spelt<'_>> {
    let mut parts = Parts::default();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let Some(start) = rest.find(|c| !is_blank(c)) else { break };
        let rest = &rest[start..];
        at += start;
        let len = match rest.strip_prefix('(') {
            // Repeats the zone in words.
            Some(inner) => inner.find(')').map_or(rest.len(), |end| end + 2),
            None => rest.find(is_blank).unwrap_or(rest.len()),
        };
        // The monotonic clock that Go prints.
        let part = &rest[..len];
        if !part.starts_with('(') && !part.starts_with("m=") && parts.part(part).is_none() {
            let is_word = part.bytes().all(|byte| byte.is_ascii_alphabetic());
            parts.unknown = Some((parts.unknown.filter(|_| is_word).map_or(at, |(from, _)| from), at + len));
            if !is_word {
                return None;
            }
        }
        at += len;
    }
    if let Some((from, to)) = parts.unknown {
        let named = zone(&text[from..to])?;
        // Behind an offset it says it again.
        parts.zone = parts.zone.or(Some(named));
    }
    parts.finish()
}

fn is_blank(c: char) -> bool {
    // Between the time and AM there is a narrow one since Unicode's tables of 2022.
    matches!(c, ' ' | ',' | '_' | '\t' | '·' | '\u{a0}' | '\u{2009}' | '\u{202f}')
}

impl<'t> Parts<'t> {
    /// Takes the next part; `None`: nothing is known that it could be.
    fn part(&mut self, part: &'t str) -> Option<()> {
        let bytes = part.as_bytes();
        if !bytes.first()?.is_ascii_digit() {
            return self.word(part);
        }
        let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (lead, rest) = part.split_at(digits);
        match rest.as_bytes() {
            [] if digits == 8 => self.put_date(compact_date(bytes)?, DateOrder::Fixed),
            [] if digits == 6 && self.date.is_some() => self.clock(compact_time(bytes)?, part),
            [] | b"." | b"st" | b"nd" | b"rd" | b"th" | b"er" => self.plain(lead),
            [b':', ..] if digits <= 2 => self.clock(time_of_day(bytes)?, part),
            [b'T' | b't', b'0'..=b'9', ..] if digits == 8 => {
                self.put_date(compact_date(bytes)?, DateOrder::Fixed)?;
                self.clock(compact_time(&bytes[9..]).or_else(|| time_of_day(&bytes[9..]))?, &part[9..])
            }
            [b'.', b'0'..=b'9', ..] if digits == 6 && self.date.is_some() => {
                self.clock(compact_time(bytes)?, part)
            }
            [b'-' | b'/' | b'.', ..] => self.dashed(part),
            _ => {
                // 10am: a time of day without minutes.
                let Some(Word::HalfDay(half)) = word(rest) else { return None };
                self.plain(lead)?;
                self.half(half)
            }
        }
    }

    /// A time of day of this length, and what is glued to it.
    fn clock(&mut self, (ms, len): (i64, usize), part: &'t str) -> Option<()> {
        if self.time_ms.replace(ms).is_some() {
            return None;
        }
        let rest = &part[len..];
        match word(rest) {
            Some(Word::HalfDay(half)) => self.half(half),
            _ if rest.is_empty() => Some(()),
            _ => self.put_zone(zone(rest)?),
        }
    }

    /// Numbers, or a month among them, with signs between: 3/4/2020, 2020-W10-2, 03-Mar-2020.
    fn dashed(&mut self, part: &'t str) -> Option<()> {
        let is_digit = |at: usize| part.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
        let is_between = |at: &usize| is_digit(at - 1) && is_digit(at + 1);
        let (date, time) = match part.match_indices(['T', 't', ':']).map(|(at, _)| at).find(is_between) {
            Some(at) => (&part[..at], Some(&part[at + 1..])),
            None => (part, None),
        };
        let date = date.strip_suffix('.').unwrap_or(date);
        let sign = date.find(['-', '/', '.'])?;
        let mut pieces = date.split(char::from(date.as_bytes()[sign]));
        let three = [pieces.next()?, pieces.next()?, pieces.next().unwrap_or("")];
        if pieces.next().is_some() {
            return None;
        }
        if let Some(Word::Month(_) | Word::PerhapsMonth(_)) = word(three[1]) {
            three.into_iter().try_for_each(|piece| self.part(piece).filter(|()| !piece.is_empty()))?;
        } else {
            let (days, order) = numeric_date(three)?;
            self.put_date(days, order)?;
        }
        let Some(time) = time else { return Some(()) };
        let bytes = time.as_bytes();
        self.clock(time_of_day(bytes).or_else(|| compact_time(bytes))?, time)
    }

    fn word(&mut self, part: &'t str) -> Option<()> {
        match word(part) {
            Some(Word::Month(month)) if self.month.is_none_or(|other| other == month) => {
                self.month = Some(month);
                Some(())
            }
            Some(Word::Month(_)) => None,
            Some(Word::PerhapsMonth(month)) => {
                self.perhaps_month = Some(month);
                Some(())
            }
            Some(Word::HalfDay(half)) => self.half(half),
            Some(Word::Filler) => Some(()),
            // 3/10/2020 1:00:00 a. m.
            None if matches!(part, "a." | "p.") => self.half(if part == "a." { 0 } else { 12 }),
            None if part == "m." && self.half_day.is_some() => Some(()),
            None if part.starts_with(['+', '-']) || part.contains(['+', '-', '/']) => {
                self.put_zone(zone(part)?)
            }
            None => match zone(part)? {
                zone @ Zone::Offset(_) => self.put_zone(zone),
                _ => None,
            },
        }
    }

    fn half(&mut self, half: i64) -> Option<()> {
        self.half_day.replace(half).is_none().then_some(())
    }

    /// A zone; behind an offset its name changes nothing.
    fn put_zone(&mut self, zone: Zone<'t>) -> Option<()> {
        self.zone.get_or_insert(zone);
        Some(())
    }

    fn put_date(&mut self, days_ms: i64, order: DateOrder) -> Option<()> {
        self.date.replace((days_ms, order)).is_none().then_some(())
    }

    fn plain(&mut self, digits: &str) -> Option<()> {
        let value = number(digits.as_bytes(), 0, digits.len()).filter(|_| digits.len() <= 4)?;
        let after_month = self.month.or(self.perhaps_month).is_some();
        let free = self.plain.iter_mut().find(|place| place.is_none())?;
        *free = Some(Plain { value, digits: digits.len(), after_month });
        Some(())
    }

    fn finish(mut self) -> Option<Spelt<'t>> {
        if self.half_day.is_some() && self.time_ms.is_none() {
            let last = self.plain.iter_mut().rev().find_map(Option::take)?;
            self.time_ms = Some(last.value * 3_600_000).filter(|_| last.digits <= 2);
        }
        let (days_ms, order) = match self.date {
            Some(date) if self.plain[0].is_none() => date,
            Some(_) => return None,
            None => (self.named_date()?, DateOrder::Fixed),
        };
        let mut time_ms = self.time_ms.unwrap_or(0);
        if let Some(add) = self.half_day {
            let hour = time_ms / 3_600_000;
            if !(1..=12).contains(&hour) {
                return None;
            }
            time_ms += (hour % 12 + add - hour) * 3_600_000;
        }
        Some(Spelt { ms: days_ms + time_ms, order, zone: self.zone.unwrap_or(Zone::None) })
    }

    /// The date of a month's name and plain numbers, or of a year and two numbers after it.
    fn named_date(&self) -> Option<i64> {
        let is_year = |number: &Plain| number.digits == 4;
        let (year, month, day) = match (self.month.or(self.perhaps_month), self.plain) {
            (Some(month), [Some(a), Some(b), None]) => match (is_year(&a), is_year(&b)) {
                (true, false) => (a.value, month, b.value),
                (false, true) => (b.value, month, a.value),
                // 03-Mar-20: the day, and the year without its century.
                (false, false) if !a.after_month && b.after_month && b.digits == 2 => {
                    (b.value + if b.value < 69 { 2_000 } else { 1_900 }, month, a.value)
                }
                _ => return None,
            },
            (None, [Some(year), Some(month), Some(day)]) if is_year(&year) => {
                (year.value, month.value, day.value)
            }
            _ => return None,
        };
        civil_ms(year, month, day, 0)
    }
}

/// `YYYYMMDD`.
fn compact_date(bytes: &[u8]) -> Option<i64> {
    civil_ms(number(bytes, 0, 4)?, number(bytes, 4, 6)?, number(bytes, 6, 8)?, 0)
}

/// The date of three numbers, or of a year, a week and a day, or of a year and its day.
fn numeric_date(pieces: [&str; 3]) -> Option<(i64, DateOrder)> {
    let of = |text: &str| number(text.as_bytes(), 0, text.len());
    let [first, second, third] = pieces;
    if let Some(week) = second.strip_prefix(['W', 'w']) {
        return Some((week_date(of(first)?, of(week)?, of(third)?)?, DateOrder::Fixed));
    }
    if third.is_empty() && first.len() == 4 && second.len() == 3 {
        let (year, day) = (of(first)?, of(second)?);
        let days_ms = civil_ms(year, 1, 1, (day - 1) * DAY_MS)?;
        let is_day = day >= 1 && days_ms < civil_ms(year, 12, 31, DAY_MS)?;
        return is_day.then_some((days_ms, DateOrder::Fixed));
    }
    let (a, b, c) = (of(first)?, of(second)?, of(third)?);
    match (first.len(), second.len(), third.len()) {
        (4, 1 | 2, 1 | 2) => Some((civil_ms(a, b, c, 0)?, DateOrder::Fixed)),
        (1 | 2, 1 | 2, 4) => {
            let (day_first, month_first) = (civil_ms(c, b, a, 0), civil_ms(c, a, b, 0));
            match (day_first, month_first) {
                (Some(one), Some(other)) if one == other => Some((one, DateOrder::Fixed)),
                (Some(one), Some(other)) => Some((one, DateOrder::Either { apart_ms: other - one })),
                (Some(one), None) => Some((one, DateOrder::DayFirst)),
                (None, other) => Some((other?, DateOrder::MonthFirst)),
            }
        }
        _ => None,
    }
}

/// A day of a week of a year, as ISO 8601 counts them: Monday is 1, and January 4 is in the first week.
fn week_date(year: i64, week: i64, day: i64) -> Option<i64> {
    let is_date = (0..=9_999).contains(&year) && (1..=53).contains(&week) && (1..=7).contains(&day);
    is_date.then(|| {
        let fourth = days_from_civil(year, 1, 4);
        let monday = fourth - (fourth + 3).rem_euclid(7);
        (monday + (week - 1) * 7 + day - 1) * DAY_MS
    })
}
