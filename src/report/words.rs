//! Numbers, times and counts as people read them.

use std::time::Duration;

use indicatif::HumanCount;
use jiff::fmt::friendly::{Spacing, SpanPrinter};
use jiff::{SignedDuration, Timestamp};

use crate::tweet::reject_advice;

/// `1 tweet`, `6,000 tweets`.
pub fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", HumanCount(count))
}

/// Milliseconds: three digits and a unit that fits.
pub fn millis(ms: f64) -> String {
    match ms {
        ms if ms < 1.0 => format!("{:.0} µs", ms * 1_000.0),
        ms if ms < 10.0 => format!("{ms:.1} ms"),
        ms if ms < 1_000.0 => format!("{ms:.0} ms"),
        ms => seconds(ms / 1_000.0),
    }
}

/// A time in milliseconds that is only known to lie between two: `136–160 ms`, `0.98–1.23 s`.
pub fn between(least_ms: f64, most_ms: f64) -> String {
    let (least, most) = (millis(least_ms.max(0.0)), millis(most_ms));
    match (least.split_once(' '), most.split_once(' ')) {
        _ if least == most => most,
        (Some((number, unit)), Some((_, other))) if unit == other => format!("{number}–{most}"),
        (Some(("0", _)), _) => format!("0–{most}"),
        _ => format!("{least}–{most}"),
    }
}

/// A place in a file: `line 4,012, byte 8,553`; the line if it is known.
pub fn place(line: Option<u64>, offset: u64) -> String {
    match line {
        Some(line) => format!("line {}, byte {}", HumanCount(line), HumanCount(offset)),
        None => format!("byte {}", HumanCount(offset)),
    }
}

/// What to type about rejects of this kind, after a colon; empty if there is nothing to type.
pub(super) fn advice(kind: &str) -> String {
    reject_advice(kind).map_or(String::new(), |words| format!(": {words}"))
}

/// Microseconds: three digits.
pub(super) fn micros(us: f64) -> String {
    match us {
        us if us < 10.0 => format!("{us:.2} µs"),
        us if us < 100.0 => format!("{us:.1} µs"),
        us => format!("{} µs", HumanCount(us.round() as u64)),
    }
}

/// A number of tweets per second in words, as exact as a person wants it.
pub fn rate(per_s: f64) -> String {
    match per_s {
        0.0 => "0/s".to_owned(),
        per_s if per_s >= 10.0 => format!("{}/s", HumanCount(per_s.round() as u64)),
        per_s if per_s >= 0.1 => format!("{per_s:.2}/s"),
        per_s if per_s >= 0.1 / 60.0 => format!("{:.2}/min", per_s * 60.0),
        per_s => format!("{:.2}/h", per_s * 3_600.0),
    }
}

/// A span of seconds in words, as exact as a person wants it.
pub fn seconds(s: f64) -> String {
    const MINUTE: f64 = 60.0;
    const HOUR: f64 = 3_600.0;
    const DAY: f64 = 86_400.0;
    match s {
        s if s < 9.995 => format!("{s:.2} s"),
        s if s < 59.95 => format!("{s:.1} s"),
        // Not rounded, as the times that it lies between are not.
        s if s < HOUR => {
            let s = s.max(MINUTE).floor();
            format!("{} min {:02} s", (s / MINUTE).floor(), s % MINUTE)
        }
        s if s < 2.0 * DAY => {
            let minutes = (s / MINUTE).floor();
            format!("{} h {:02} min", (minutes / 60.0).floor(), minutes % 60.0)
        }
        s if s < 100.0 * DAY => format!("{:.1} days", s / DAY),
        s => format!("{} days", HumanCount((s / DAY).round() as u64)),
    }
}

/// How many times a speed, by doubling or halving it: `× 2`, `÷ 1,024`.
pub(super) fn times(factor: f64) -> String {
    match factor {
        factor if factor >= 1.0 => format!("× {}", HumanCount(factor.round() as u64)),
        factor => format!("÷ {}", HumanCount((1.0 / factor).round() as u64)),
    }
}

/// A span to the second, for what is shown during a run.
pub fn whole_seconds(span: Duration) -> String {
    match span.as_secs() {
        s @ 0..60 => format!("{s} s"),
        s => seconds(s as f64),
    }
}

/// A span as it can be typed: `5m`, `1h30m`, `500ms`.
pub fn typed(span: Duration) -> String {
    let span = SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX);
    SpanPrinter::new().spacing(Spacing::None).duration_to_string(&span)
}

/// An event time, to the second.
pub fn iso_seconds(time_ms: i64) -> String {
    Timestamp::from_millisecond(time_ms).map_or_else(
        |_| format!("{time_ms} ms since 1970"),
        |time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_as_people_say_them() {
        assert_eq!(
            [rate(1_234.4), rate(9.0), rate(0.05), rate(0.001)],
            ["1,234/s", "9.00/s", "3.00/min", "3.60/h"]
        );
        assert_eq!([0.025, 2.34, 1_234.0].map(millis), ["25 µs", "2.3 ms", "1.23 s"]);
        assert_eq!(
            [(136.2, 160.0), (980.0, 1_234.0), (0.0, 12.0), (12.0, 12.3)]
                .map(|(least, most)| between(least, most)),
            ["136–160 ms", "980 ms–1.23 s", "0–12 ms", "12 ms"]
        );
        assert_eq!(
            [1.2345, 21.02, 664.31, 3_333.3].map(micros),
            ["1.23 µs", "21.0 µs", "664 µs", "3,333 µs"]
        );
        for (s, words) in [
            (5.997, "6.00 s"),
            (9.999, "10.0 s"),
            (42.25, "42.2 s"),
            (59.97, "1 min 00 s"),
            (75.25, "1 min 15 s"),
            (600.0, "10 min 00 s"),
            (616.67, "10 min 16 s"),
            (3_599.9, "59 min 59 s"),
            (7_195.0, "1 h 59 min"),
            (4_752_000.0, "55.0 days"),
            (1e9, "11,574 days"),
        ] {
            assert_eq!(seconds(s), words);
        }
        assert_eq!([2.0, 1.0, 0.5, 1.0 / 1_024.0].map(times), ["× 2", "× 1", "÷ 2", "÷ 1,024"]);
        assert_eq!(whole_seconds(Duration::from_millis(3_999)), "3 s");
        assert_eq!([1, 300, 5_400].map(|s| typed(Duration::from_secs(s))), ["1s", "5m", "1h30m"]);
        assert_eq!(iso_seconds(1_219_842_525_007), "2008-08-27 13:08:45 UTC");
    }

    #[test]
    fn one_is_no_plural() {
        assert_eq!([0, 1, 6_000].map(|n| counted(n, "tweet")), ["0 tweets", "1 tweet", "6,000 tweets"]);
    }
}
