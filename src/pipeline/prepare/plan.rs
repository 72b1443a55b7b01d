//! The plan: how fast, how long, until when; resolved from the options and what phase one found,
//! and printed before the first tweet leaves.

use std::fmt::Write;
use std::time::Duration;

use indicatif::{HumanBytes, HumanCount};
use jiff::{Timestamp, ZonedDateTime};

use crate::count::Intake;
use crate::options::{DEFAULT_INTERVAL, Loops, Pace, ReplayOptions};
use crate::pace::{Order, Schedule, Speed, Survey};
use crate::pipeline::input::files::Files;
use crate::pipeline::prepare::prepared::Prepared;
use crate::report::{Endpoints, rate, seconds};

/// A schedule with the words for it.
pub(crate) struct Plan {
    pub schedule: Schedule,
    /// What was asked for, in the words of the flag.
    pub asked: String,
    /// How many tweets in all loops; `None` without an end, or in file order, where nobody has
    /// counted.
    pub tweets: Option<u64>,
    /// First to last intended send; `None` at full speed, or when it is not known.
    pub duration: Option<Duration>,
    /// Whether tweets of one second are spread over it.
    pub spread: bool,
}

/// A [`Survey`] when nobody has looked.
const UNKNOWN: Survey = Survey {
    tweets: 0,
    first_ms: 0,
    last_ms: 0,
    longest_gap: Duration::ZERO,
    peak_per_s: 0,
    hours: 0,
    whole_seconds: false,
    duration: None,
    spread_duration: None,
};

impl Plan {
    /// The plan for what phase one found.
    pub fn new(options: &ReplayOptions, prepared: &Prepared) -> Self {
        let survey = prepared.survey.unwrap_or(UNKNOWN);
        let is_timed = prepared.times_ms.is_some();
        let is_shuffled = matches!(prepared.order, Order::Shuffle { .. });
        let spreads = options.pace.spread && prepared.order == Order::Time && survey.whole_seconds;
        let pass = if spreads { survey.spread_duration } else { survey.duration };
        let even = |factor: f64| {
            let interval = options.pace.interval.unwrap_or(DEFAULT_INTERVAL);
            let words = format!("{} between two tweets / {factor}", seconds(interval.as_secs_f64()));
            (Speed::PerSecond(factor / interval.as_secs_f64()), words)
        };
        let (speed, asked) = match options.pace.speed {
            Pace::Max => (Speed::Max, "max".to_owned()),
            Pace::Rate(rate) => (Speed::PerSecond(rate), format!("{rate}/s")),
            Pace::Speedup(factor) if options.pace.interval.is_some() || !is_timed => even(factor),
            // In any order but their own, their times say only how many come in which time.
            Pace::Speedup(factor) if is_shuffled => {
                let span_s = survey.last_ms.saturating_sub(survey.first_ms) as f64 / 1_000.0 / factor;
                match span_s > 0.0 {
                    true => (Speed::PerSecond(survey.tweets as f64 / span_s), format!("{factor}x, evenly")),
                    false => even(factor),
                }
            }
            Pace::Speedup(factor) => (Speed::Factor(factor), format!("{factor}x")),
            Pace::Fit(target) => {
                let span = pass.filter(|_| is_timed && !is_shuffled).unwrap_or_default();
                let words = format!("fit {}", seconds(target.as_secs_f64()));
                (Speed::to_fit(target, span, survey.tweets), words)
            }
        };
        let max_gap = options.pace.max_gap.filter(|_| !matches!(options.pace.speed, Pace::Fit(_)));
        let loops = match options.pace.loops {
            Loops::Times(times) => Some(times),
            Loops::Forever => None,
        };
        let tweets =
            loops.filter(|_| prepared.survey.is_some()).map(|loops| survey.tweets * u64::from(loops));
        let duration = match speed {
            Speed::Max => None,
            Speed::PerSecond(rate) => tweets.map(|tweets| {
                let gap = Duration::try_from_secs_f64(1.0 / rate).unwrap_or(Duration::MAX);
                times(max_gap.unwrap_or(gap).min(gap), tweets.saturating_sub(1) as f64)
            }),
            Speed::Factor(factor) => loops.zip(pass).map(|(loops, pass)| {
                let pass = match options.pace.speed {
                    Pace::Fit(_) => times(pass, 1.0 / factor),
                    _ => pass,
                };
                match pass.is_zero() {
                    // As `Timeline` has it: a loop without a span takes a second.
                    true => times(Duration::from_secs(1), f64::from(loops.saturating_sub(1)) / factor),
                    false => times(pass, f64::from(loops)),
                }
            }),
        };
        let longest = options.pace.duration.filter(|_| speed != Speed::Max && prepared.survey.is_some());
        let duration = duration.into_iter().chain(longest).min();
        let spread = spreads && matches!(speed, Speed::Factor(_));
        Self { schedule: Schedule { speed, max_gap }, asked, tweets, duration, spread }
    }

    /// Tweets a second that the plan asks for; `None` at full speed or when it is not known.
    pub fn rate_per_s(&self) -> Option<f64> {
        match self.schedule.speed {
            Speed::Max => None,
            Speed::PerSecond(rate) => Some(rate),
            Speed::Factor(_) => {
                let seconds = self.duration?.as_secs_f64();
                self.tweets.filter(|_| seconds > 0.0).map(|tweets| tweets as f64 / seconds)
            }
        }
    }

    /// The plan in words, with what to type to watch it.
    pub fn words(
        &self,
        options: &ReplayOptions,
        files: &Files,
        prepared: &Prepared,
        ends: &Endpoints,
        run: &str,
    ) -> String {
        let mut out = String::new();
        let _ = self.write_words(options, files, prepared, ends, run, &mut out);
        out
    }

    fn write_words(
        &self,
        options: &ReplayOptions,
        files: &Files,
        prepared: &Prepared,
        ends: &Endpoints,
        run: &str,
        out: &mut String,
    ) -> std::fmt::Result {
        writeln!(out, "tweetblast {run}\n")?;
        write_input(options, files, prepared, out)?;
        self.write_plan(options, prepared, out)?;
        const LONG: Duration = Duration::from_secs(3_600);
        if self.duration.is_some_and(|duration| duration > LONG) {
            let how = if prepared.times_ms.is_some() { "--speedup" } else { "--rate" };
            writeln!(out, "             that is long: {how}, --fit 5m or --limit make it shorter")?;
        }
        if let (Some(mqtt), Some(topic)) = (&ends.mqtt, &ends.mqtt_topic) {
            let (host, port) = mqtt.rsplit_once(':').unwrap_or((mqtt, "1883"));
            writeln!(out, "  mqtt       {mqtt}  watch: mosquitto_sub -h {host} -p {port} -t {topic}")?;
        } else {
            writeln!(out, "  mqtt       off")?;
        }
        let (kafka, topic) = (&ends.kafka, &ends.kafka_topic);
        writeln!(out, "  kafka      {kafka}  read:  kcat -b {kafka} -t {topic} -C -e")?;
        if ends.kafka_embedded {
            writeln!(out, "             embedded: it ends with the replay, unless --hold keeps it up")?;
        }
        if let (Some(limit), None) = (options.input.select.limit, self.tweets) {
            writeln!(out, "  limit      {} tweets", HumanCount(limit))?;
        }
        if let Some(keys) = options.report.keys {
            writeln!(out, "  keys       {keys}")?;
        }
        writeln!(out)
    }

    fn write_plan(&self, options: &ReplayOptions, prepared: &Prepared, out: &mut String) -> std::fmt::Result {
        write!(out, "  plan       {}, {}", self.asked, order_name(prepared.order))?;
        match options.pace.loops {
            Loops::Times(1) => {}
            Loops::Times(loops) => write!(out, ", {loops} loops")?,
            Loops::Forever => write!(out, ", over and over")?,
        }
        if let Some(duration) = self.duration {
            write!(out, ": {}", seconds(duration.as_secs_f64()))?;
        }
        if let Some(per_s) = self.rate_per_s() {
            write!(out, "{} {}", if self.duration.is_some() { " at" } else { ":" }, rate(per_s))?;
        }
        if let Some(duration) = self.duration {
            let after = jiff::SignedDuration::try_from(duration.saturating_add(options.pace.delay));
            if let Ok(end) = ZonedDateTime::now().checked_add(after.unwrap_or_default()) {
                write!(out, ", until {}", end.strftime("%Y-%m-%d %H:%M:%S"))?;
            }
        }
        writeln!(out)?;
        let mut notes = Vec::new();
        if self.spread {
            notes.push("tweets of one second are spread over it (--no-spread keeps the bursts)".to_owned());
        }
        if let Some(max_gap) = self.schedule.max_gap {
            notes.push(format!("silences are cut to {}", seconds(max_gap.as_secs_f64())));
        }
        if !options.pace.delay.is_zero() {
            notes.push(format!("starts in {}", seconds(options.pace.delay.as_secs_f64())));
        }
        notes.iter().try_for_each(|note| writeln!(out, "             {note}"))
    }
}

/// Most files that the plan names one by one.
const FILES_SHOWN: usize = 8;

fn write_input(
    options: &ReplayOptions,
    files: &Files,
    prepared: &Prepared,
    out: &mut String,
) -> std::fmt::Result {
    let size = HumanBytes(files.bytes());
    write!(out, "  input      {}: {}, {size}", files.words(), files.framing())?;
    if let Some(survey) = prepared.survey {
        let left_out = match prepared.left_out.total() {
            0 => String::new(),
            left_out => format!(" ({} left out)", HumanCount(left_out)),
        };
        write!(out, ", {} tweets to send{left_out}", HumanCount(survey.tweets))?;
    }
    writeln!(out)?;
    if files.count() > 1 && prepared.intakes.len() == files.count() as usize {
        for ((_, file), intake) in files.iter().zip(&prepared.intakes).take(FILES_SHOWN) {
            writeln!(out, "             {}: {}", file.path().display(), intake_words(intake))?;
        }
        if let Some(more) = (files.count() as usize).checked_sub(FILES_SHOWN).filter(|more| *more > 0) {
            writeln!(out, "             and {more} more")?;
        }
    }
    match prepared.times_ms {
        Some((first_ms, last_ms)) if prepared.survey.is_some() => {
            let span = seconds(last_ms.saturating_sub(first_ms) as f64 / 1_000.0);
            let found = prepared.found.map_or("", |found| found.name());
            let (first, last) = (iso_seconds(first_ms), iso_seconds(last_ms));
            writeln!(out, "  times      {first} to {last}, {span}, {found}")
        }
        Some((first_ms, _)) => {
            writeln!(out, "  times      from {}, as the input goes on", iso_seconds(first_ms))
        }
        None if matches!(options.pace.speed, Pace::Speedup(_)) => {
            writeln!(out, "  times      none in the file: spaced evenly (--interval or --rate sets how)")
        }
        None => writeln!(out, "  times      none in the file"),
    }
}

/// What is in a file, in one line.
pub(crate) fn intake_words(intake: &Intake) -> String {
    let mut words = format!("{} tweets", HumanCount(intake.tweets));
    for (kind, rejects) in &intake.rejects {
        let _ = write!(words, ", {} {kind}", HumanCount(rejects.count));
    }
    if intake.unparseable > 0 {
        let _ = write!(words, ", {} unparseable", HumanCount(intake.unparseable));
    }
    words
}

/// A duration so many times over.
fn times(duration: Duration, times: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * times).unwrap_or(Duration::MAX)
}

/// Name of an order of sending.
pub(crate) fn order_name(order: Order) -> &'static str {
    match order {
        Order::Time => "oldest first",
        Order::File => "in the file's order",
        Order::Window(_) => "in the file's order, sorted in a window",
        Order::Shuffle { .. } => "shuffled",
    }
}

/// ISO 8601 with milliseconds, UTC.
pub(crate) fn iso_ms(time_ms: i64) -> String {
    let mut text = [0; crate::tweet::TIMESTAMP_BYTES];
    crate::tweet::write_timestamp(time_ms, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

fn iso_seconds(time_ms: i64) -> String {
    Timestamp::from_millisecond(time_ms)
        .map_or_else(|_| iso_ms(time_ms), |time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_full() {
        assert_eq!(iso_ms(1_219_842_525_007), "2008-08-27T13:08:45.007Z");
        assert_eq!(iso_seconds(1_219_842_525_007), "2008-08-27 13:08:45 UTC");
    }
}
