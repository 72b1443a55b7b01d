//! Numbers as people read them.

use indicatif::HumanCount;

/// Three digits and a unit that fits.
pub(super) fn millis(ms: f64) -> String {
    match ms {
        ms if ms < 1.0 => format!("{:.0} µs", ms * 1_000.0),
        ms if ms < 10.0 => format!("{ms:.1} ms"),
        ms if ms < 1_000.0 => format!("{ms:.0} ms"),
        ms => seconds(ms / 1_000.0),
    }
}

/// A number of tweets a second in words, as exact as a person wants it.
pub fn rate(per_s: f64) -> String {
    match per_s {
        per_s if per_s >= 10.0 => format!("{}/s", HumanCount(per_s.round() as u64)),
        per_s if per_s >= 0.1 => format!("{per_s:.2}/s"),
        per_s if per_s >= 0.1 / 60.0 => format!("{:.2}/min", per_s * 60.0),
        per_s => format!("{:.2}/h", per_s * 3_600.0),
    }
}

/// Seconds in words, as exact as a person wants them.
pub fn seconds(s: f64) -> String {
    match s {
        s if s < 10.0 => format!("{s:.2} s"),
        s if s < 120.0 => format!("{s:.1} s"),
        s if s < 7_200.0 => format!("{:.0} min {:02.0} s", (s / 60.0).floor(), (s % 60.0).floor()),
        s if s < 172_800.0 => {
            format!("{:.0} h {:02.0} min", (s / 3_600.0).floor(), (s / 60.0 % 60.0).floor())
        }
        s => format!("{:.1} days", s / 86_400.0),
    }
}
