//! The language of load profiles: parts one after another, with `;` between them.
//!
//! ```text
//! ramp 1k/s..50k/s 10m                 from one rate to another, evenly
//! hold 5m     or   hold 5k/s 5m        the rate of the part before, or another
//! spike 100k/s 30s                     a rate for a moment; a hold after it has the rate from before
//! step 10k/s..50k/s by 10k/s each 1m   rate after rate, each as long
//! ```

use std::time::Duration;

use crate::pace::{Arrivals, Profile, SPANS_MAX, Segment, Span};
use crate::report::{quantity, rate, typed};

/// Highest rate that can be asked for, per second: many times what any machine was seen to do.
pub const FASTEST_PER_S: f64 = 10e6;

/// Longest part: ten years.
const LONGEST: Duration = Duration::from_secs(3_650 * 86_400);

/// How a profile looks, for messages.
const LIKE: &str =
    "such as 'ramp 1k/s..50k/s 10m; hold 5m; spike 100k/s 30s; step 10k/s..50k/s by 10k/s each 1m'";

/// Reads a profile.
///
/// # Errors
/// With the part that cannot be read, and what it should look like.
pub fn parse_profile(text: &str) -> Result<Profile, String> {
    let parts = text.split(';').map(str::trim);
    let filled: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    if filled.is_empty() {
        return Err(format!("must be a profile {LIKE}"));
    }
    if filled.len() > SPANS_MAX {
        return Err(format!("has {} parts: at most {SPANS_MAX}", filled.len()));
    }
    let segments = filled.iter().map(|part| segment(part)).collect::<Result<_, _>>()?;
    Profile::new(segments)
}

fn segment(part: &str) -> Result<Segment, String> {
    let words: Vec<&str> = part.split_whitespace().collect();
    let like = |form: &str| format!("{part:?} must be {form}");
    let wrong = |form: &'static str| move |words: String| format!("{part:?}: {words}; it must be {form}");
    match &words[..] {
        ["ramp", rates, time] => {
            let wrong = wrong("ramp FROM..TO TIME");
            let (from, to) = range(rates).map_err(&wrong)?;
            Ok(Segment::Ramp { from, to, time: part_time(time).map_err(&wrong)? })
        }
        ["hold", time] => {
            let time = part_time(time).map_err(wrong("hold TIME or hold RATE TIME"))?;
            Ok(Segment::Hold { rate: None, time })
        }
        ["hold", rate, time] => {
            let wrong = wrong("hold TIME or hold RATE TIME");
            let rate = Some(above_zero(rate).map_err(&wrong)?);
            Ok(Segment::Hold { rate, time: part_time(time).map_err(&wrong)? })
        }
        ["spike", rate, time] => {
            let wrong = wrong("spike RATE TIME");
            let rate = above_zero(rate).map_err(&wrong)?;
            Ok(Segment::Spike { rate, time: part_time(time).map_err(&wrong)? })
        }
        ["step", rates, "by", by, "each", each] => {
            let wrong = wrong("step FROM..TO by RATE each TIME");
            let (from, to) = range(rates).map_err(&wrong)?;
            if from == 0.0 || to == 0.0 {
                return Err(wrong("a step has a rate above 0".to_owned()));
            }
            let by = above_zero(by).map_err(&wrong)?;
            Ok(Segment::Step { from, to, by, each: part_time(each).map_err(&wrong)? })
        }
        ["ramp", ..] => Err(like("ramp FROM..TO TIME, such as ramp 1k/s..50k/s 10m")),
        ["hold", ..] => Err(like("hold TIME or hold RATE TIME, such as hold 5k/s 5m")),
        ["spike", ..] => Err(like("spike RATE TIME, such as spike 100k/s 30s")),
        ["step", ..] => {
            Err(like("step FROM..TO by RATE each TIME, such as step 10k/s..50k/s by 10k/s each 1m"))
        }
        _ => Err(format!("{part:?} must begin with ramp, hold, spike or step, {LIKE}")),
    }
}

fn range(text: &str) -> Result<(f64, f64), String> {
    let (from, to) = text.split_once("..").ok_or_else(|| format!("{text:?} is not a range of rates"))?;
    let (from, to) = (part_rate(from)?, part_rate(to)?);
    match from == 0.0 && to == 0.0 {
        true => Err("one of the rates must be above 0".to_owned()),
        false => Ok((from, to)),
    }
}

fn above_zero(text: &str) -> Result<f64, String> {
    let rate = part_rate(text)?;
    if rate > 0.0 { Ok(rate) } else { Err(format!("{text:?} must be above 0")) }
}

fn part_rate(text: &str) -> Result<f64, String> {
    let rate = quantity::per_second(text).ok_or_else(|| format!("{text:?} is not a rate such as 5k/s"))?;
    match rate <= FASTEST_PER_S {
        true => Ok(rate),
        false => Err(format!("{text:?} is above {}", crate::report::rate(FASTEST_PER_S))),
    }
}

fn part_time(text: &str) -> Result<Duration, String> {
    let time = quantity::seconds(text).and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let time = time.ok_or_else(|| format!("{text:?} is not a time such as 30s or 5m"))?;
    match time.is_zero() || time > LONGEST {
        true => Err(format!("{text:?} must be above 0, and at most 3650d")),
        false => Ok(time),
    }
}

/// A profile in its language, so that it can be typed again.
pub fn profile_words(profile: &Profile) -> String {
    let words = |segment: &Segment| match segment {
        Segment::Ramp { from, to, time } => format!("ramp {from}/s..{to}/s {}", typed(*time)),
        Segment::Hold { rate: None, time } => format!("hold {}", typed(*time)),
        Segment::Hold { rate: Some(rate), time } => format!("hold {rate}/s {}", typed(*time)),
        Segment::Spike { rate, time } => format!("spike {rate}/s {}", typed(*time)),
        Segment::Step { from, to, by, each } => {
            format!("step {from}/s..{to}/s by {by}/s each {}", typed(*each))
        }
    };
    let words: Vec<String> = profile.segments().iter().map(words).collect();
    words.join("; ")
}

/// The name of one part of a profile.
pub fn span_words(profile: &Profile, span: &Span) -> String {
    let kind = match profile.segments().get(span.segment) {
        Some(Segment::Ramp { .. }) => "ramp",
        Some(Segment::Spike { .. }) => "spike",
        Some(Segment::Step { .. }) => "step",
        Some(Segment::Hold { .. }) | None => "hold",
    };
    match span.from == span.to {
        true => format!("{kind} {}", rate(span.from)),
        false => format!("{kind} {}..{}", rate(span.from), rate(span.to)),
    }
}

/// Reads how tweets arrive: `even`, `poisson`, `poisson:SEED`.
///
/// # Errors
/// With what it should look like.
pub fn parse_arrivals(text: &str) -> Result<Arrivals, String> {
    let seed = |seed: &str| seed.parse().ok().map(|seed| Arrivals::Poisson { seed });
    let arrivals = match text.split_once(':') {
        None if text == "even" => Some(Arrivals::Even),
        None if text == "poisson" => Some(Arrivals::Poisson { seed: 1 }),
        Some(("poisson", number)) => seed(number),
        _ => None,
    };
    arrivals.ok_or_else(|| "must be even, poisson, or poisson:SEED such as poisson:7".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_can_be_printed_and_read_again() {
        let text = "ramp 1k/s..50k/s 10m; hold 5m; spike 100,000 30s;step 10k/s..50k/s by 10k/s each 1m;hold 300/m 1h30m; ";
        let profile = parse_profile(text).unwrap();
        let words = profile_words(&profile);
        assert_eq!(
            words,
            "ramp 1000/s..50000/s 10m; hold 5m; spike 100000/s 30s; step 10000/s..50000/s by 10000/s each 1m; \
             hold 5/s 1h30m"
        );
        assert_eq!(parse_profile(&words).unwrap(), profile);
        let names: Vec<String> = profile.spans().iter().map(|span| span_words(&profile, span)).collect();
        assert_eq!(
            names[..4],
            ["ramp 1,000/s..50,000/s", "hold 50,000/s", "spike 100,000/s", "step 10,000/s"]
        );
        assert_eq!((names.len(), profile.duration().unwrap().as_secs()), (9, 600 + 300 + 30 + 300 + 5_400));
    }

    #[test]
    fn what_cannot_be_read_is_named_with_what_to_type() {
        for (wrong, words) in [
            ("", "such as 'ramp"),
            (" ; ", "such as 'ramp"),
            ("climb 5k/s 5m", "\"climb 5k/s 5m\" must begin with ramp"),
            ("hold 5m", "needs a rate"),
            ("ramp 1k/s 5m", "not a range"),
            ("ramp 0..0 5m", "above 0"),
            ("ramp 1k/s..2k/s", "ramp FROM..TO TIME, such as"),
            ("hold 5k/s 0s", "above 0"),
            ("hold 5k/s soon", "\"soon\" is not a time"),
            ("hold 1e9/s 5m", "above 10,000,000/s"),
            ("spike 0/s 5s", "above 0"),
            ("hold 5k/s 5m; spike 3s", "\"spike 3s\" must be spike RATE TIME"),
            ("step 1k/s..2k/s by 0 each 1m", "above 0"),
            ("step 1..900k by 1/s each 1m", "too many steps"),
            ("step 1k/s..2k/s each 1m", "step FROM..TO by RATE each TIME"),
        ] {
            let error = parse_profile(wrong).unwrap_err();
            assert!(error.contains(words), "{wrong}: {error}");
        }
    }

    #[test]
    fn arrivals_are_even_or_random_with_a_seed() {
        assert_eq!(parse_arrivals("even"), Ok(Arrivals::Even));
        assert_eq!(parse_arrivals("poisson"), Ok(Arrivals::Poisson { seed: 1 }));
        assert_eq!(parse_arrivals("poisson:7"), Ok(Arrivals::Poisson { seed: 7 }));
        for wrong in ["", "random", "poisson:", "poisson:x", "even:1"] {
            assert!(parse_arrivals(wrong).unwrap_err().contains("poisson:7"), "{wrong}");
        }
    }
}
