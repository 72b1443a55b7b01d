//! A load that changes by plan: rates over time, and which tweet is due when. Pure arithmetic; the
//! language that describes it is read in [`crate::options`].

use std::time::Duration;

/// One part of a profile.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Segment {
    /// From one rate to another, evenly.
    Ramp { from: f64, to: f64, time: Duration },
    /// One rate; `None`: that of the part before, and after a spike that from before it.
    Hold { rate: Option<f64>, time: Duration },
    /// One rate for a moment.
    Spike { rate: f64, time: Duration },
    /// From one rate to another in steps of the same length.
    Step { from: f64, to: f64, by: f64, each: Duration },
}

/// A part of a profile in which the rate is constant, or rises or falls evenly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// Seconds from the start.
    pub start_s: f64,
    /// Its length in seconds; infinite: without an end.
    pub seconds: f64,
    /// Tweets per second at its start and at its end.
    pub from: f64,
    pub to: f64,
    /// Tweets due before it begins.
    before: f64,
    /// Which segment it is of.
    pub segment: usize,
}

/// Rates over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    segments: Vec<Segment>,
    spans: Vec<Span>,
}

/// Parts at most, each step counted: as many lines are in the report.
pub const SPANS_MAX: usize = 100;

/// A tweet that is due at the very end belongs to what comes after it, in spite of rounding.
const ROUNDING: f64 = 1e-6;

impl Profile {
    /// A profile of these segments.
    ///
    /// # Errors
    /// When the first one has no rate, and when there are none or too many.
    pub fn new(segments: Vec<Segment>) -> Result<Self, String> {
        let mut profile = Self { segments: Vec::new(), spans: Vec::new() };
        let mut held = None;
        for (number, segment) in segments.iter().enumerate() {
            match *segment {
                Segment::Ramp { from, to, time } => {
                    profile.push(number, from, to, time.as_secs_f64());
                    held = Some(to);
                }
                Segment::Hold { rate, time } => {
                    let rate = rate.or(held).ok_or("hold needs a rate where nothing comes before it")?;
                    profile.push(number, rate, rate, time.as_secs_f64());
                    held = Some(rate);
                }
                Segment::Spike { rate, time } => {
                    profile.push(number, rate, rate, time.as_secs_f64());
                    held = held.or(Some(rate));
                }
                Segment::Step { from, to, by, each } => {
                    for rate in steps(from, to, by)? {
                        profile.push(number, rate, rate, each.as_secs_f64());
                        held = Some(rate);
                    }
                }
            }
        }
        if profile.spans.is_empty() || profile.spans.len() > SPANS_MAX {
            return Err(format!("must have 1 to {SPANS_MAX} parts, each step counted"));
        }
        profile.segments = segments;
        Ok(profile)
    }

    /// One rate without an end.
    pub fn steady(rate: f64) -> Self {
        let segments = vec![Segment::Hold { rate: Some(rate), time: Duration::MAX }];
        let span =
            Span { start_s: 0.0, seconds: f64::INFINITY, from: rate, to: rate, before: 0.0, segment: 0 };
        Self { segments, spans: vec![span] }
    }

    /// The same as long as the process lives: a schedule is copied with each batch.
    pub fn forever(self) -> &'static Self {
        Box::leak(Box::new(self))
    }

    fn push(&mut self, segment: usize, from: f64, to: f64, seconds: f64) {
        let (start_s, before) = self.spans.last().map_or((0.0, 0.0), |last| (last.end_s(), last.after()));
        self.spans.push(Span { start_s, seconds, from, to, before, segment });
    }

    /// What it was made of.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Its parts, one for each step.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// How long it takes; `None`: it has no end.
    pub fn duration(&self) -> Option<Duration> {
        self.spans.last().and_then(|last| Duration::try_from_secs_f64(last.end_s()).ok())
    }

    /// How many tweets are due in it; `None`: it has no end.
    pub fn tweets(&self) -> Option<u64> {
        let all = self.spans.last().map_or(0.0, Span::after);
        all.is_finite().then(|| (all - ROUNDING).ceil().max(0.0) as u64)
    }

    /// Seconds from the start at which the `place`th tweet is due, from 0 and between whole numbers
    /// too; `None`: the profile is over before.
    pub fn due_s(&self, place: f64) -> Option<f64> {
        let after = self.spans.partition_point(|span| span.after() - ROUNDING <= place);
        self.spans.get(after).map(|span| span.start_s + span.seconds_until(place - span.before))
    }
}

impl Span {
    fn end_s(&self) -> f64 {
        self.start_s + self.seconds
    }

    /// Tweets due in it.
    pub fn tweets(&self) -> f64 {
        (self.from + self.to) / 2.0 * self.seconds
    }

    fn after(&self) -> f64 {
        self.before + self.tweets()
    }

    /// Seconds from its start until this many tweets were due: the rate summed up over time is a
    /// quadratic equation, solved in the form that does not lose digits.
    fn seconds_until(&self, tweets: f64) -> f64 {
        let tweets = tweets.max(0.0);
        let rise = if self.from == self.to { 0.0 } else { (self.to - self.from) / self.seconds };
        let rate = (self.from * self.from + 2.0 * rise * tweets).max(0.0).sqrt();
        match tweets {
            0.0 => 0.0,
            _ => (2.0 * tweets / (self.from + rate)).min(self.seconds),
        }
    }
}

/// The rates of a segment of steps.
fn steps(from: f64, to: f64, by: f64) -> Result<Vec<f64>, String> {
    let count = ((to - from).abs() / by - ROUNDING).ceil();
    if !(0.0..SPANS_MAX as f64).contains(&count) {
        return Err(format!("has too many steps: at most {SPANS_MAX}"));
    }
    let signed = if to < from { -by } else { by };
    let rate = |step: usize| if step as f64 >= count { to } else { from + signed * step as f64 };
    Ok((0..=count as usize).map(rate).collect())
}

/// How the tweets of a rate lie in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Arrivals {
    /// At equal intervals.
    #[default]
    Even,
    /// At random, independently of each other, as many on average; the same for the same seed.
    Poisson { seed: u64 },
}

/// The place of each tweet in a profile: its number, or with random arrivals a sum of random gaps
/// whose mean is 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    arrivals: Arrivals,
    next: u64,
    sum: f64,
}

impl Places {
    pub fn new(arrivals: Arrivals) -> Self {
        Self { arrivals, next: 0, sum: 0.0 }
    }

    /// The place of the tweet of this number, which is above that of the one before.
    pub fn of(&mut self, seq: u64) -> f64 {
        let Arrivals::Poisson { seed } = self.arrivals else { return seq as f64 };
        while self.next < seq {
            self.sum += random_gap(seed, self.next);
            self.next += 1;
        }
        self.sum
    }
}

/// A random gap of mean 1, exponentially distributed, from a hash of seed and number: what comes
/// after it does not depend on how often it is asked for. The hash is SplitMix64.
fn random_gap(seed: u64, number: u64) -> f64 {
    let mut hash = seed ^ number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for (shift, factor) in [(30, 0xbf58_476d_1ce4_e5b9), (27, 0x94d0_49bb_1331_11eb)] {
        hash = (hash ^ (hash >> shift)).wrapping_mul(factor);
    }
    hash ^= hash >> 31;
    // 53 bits, never 0.
    let uniform = ((hash >> 11) + 1) as f64 / (1_u64 << 53) as f64;
    -uniform.ln()
}

#[cfg(test)]
#[path = "profile_tests.rs"]
mod tests;
