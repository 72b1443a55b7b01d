//! Times as people and programs spell them, besides Twitter's own `created_at`.
//!
//! Most have the year first (`2021-09-22T16:38:35.000Z`, `2023/05/25 09:00`) and are read here; all others
//! in `parts.rs`, part by part. What a spelling leaves open is not guessed: [`Spelt`] says it.

mod clock;
mod parts;
mod spelt;
mod words;

#[cfg(test)]
mod tests;

use super::civil::civil_ms;
use clock::{time_of_day, zone};
use spelt::number;
pub use spelt::{DateOrder, Spelt, Zone};

/// Longest text that can be a time, in bytes: JavaScript's with the name of its zone has 80.
const LONGEST: usize = 96;

/// The time in `text`, which has no white space around it.
pub fn parse(text: &str) -> Option<Spelt<'_>> {
    if text.len() > LONGEST {
        return None;
    }
    if let Some((inner, place)) = text.strip_suffix(']').and_then(|text| text.split_once('[')) {
        // Java: 2020-03-03T10:00+01:00[Europe/Berlin]. The offset says more than the place.
        let spelt = year_first(inner).or_else(|| parts::parse(inner))?;
        let place = zone(place).filter(|_| spelt.zone == Zone::None).unwrap_or(spelt.zone);
        return Some(Spelt { zone: place, ..spelt });
    }
    if let Some(spelt) = year_first(text) {
        return Some(spelt);
    }
    if text.contains('年') || text.contains('년') {
        // No zone is written with them, which would be lost here.
        return parts::parse(&with_signs(text)).map(|spelt| Spelt { zone: owned(spelt.zone), ..spelt });
    }
    parts::parse(text)
}

fn owned(zone: Zone<'_>) -> Zone<'static> {
    match zone {
        Zone::Offset(ms) => Zone::Offset(ms),
        Zone::None => Zone::None,
        Zone::Named(_) | Zone::Word(_) => Zone::Word("a zone in words"),
    }
}

/// Chinese, Japanese and Korean dates with `-` and `:` in place of their words.
fn with_signs(text: &str) -> String {
    let sign = |c| match c {
        '年' | '月' | '년' | '월' => "-",
        '時' | '时' | '点' | '分' | '시' | '분' => ":",
        '日' | '일' | '秒' | '초' => " ",
        _ => "",
    };
    let signs = text.chars().fold(String::new(), |mut all, c| {
        match sign(c) {
            "" => all.push(c),
            sign => all.push_str(sign),
        }
        all
    });
    // A space behind a sign is between two words: 2020年 3月 3日.
    let mut glued = signs.replace("- ", "-").replace(": ", ":");
    for half in ["上午", "下午", "午前", "午後", "오전", "오후"] {
        glued = glued.replace(half, &format!("{half} "));
    }
    glued.trim().trim_end_matches([':', '-']).to_owned()
}

/// As [`parse`], of `YYYY-MM-DD` and what may follow.
pub fn year_first(text: &str) -> Option<Spelt<'_>> {
    let bytes = text.as_bytes();
    let (year, month, day) = (number(bytes, 0, 4)?, number(bytes, 5, 7)?, number(bytes, 8, 10)?);
    if !matches!((bytes[4], bytes[7]), (b'-', b'-') | (b'/', b'/')) {
        return None;
    }
    let rest = text.get(10..)?.trim_ascii();
    // Seen in files without a separator: 2012-06-0616:25:22AEST.
    let rest = rest.strip_prefix(['T', 't']).unwrap_or(rest);
    let (time_ms, zone) = match rest.is_empty() {
        true => (0, Zone::None),
        false => {
            let (time_ms, length) = time_of_day(rest.as_bytes())?;
            (time_ms, zone(rest.get(length..)?.trim_ascii())?)
        }
    };
    Some(Spelt { ms: civil_ms(year, month, day, time_ms)?, order: DateOrder::Fixed, zone })
}
