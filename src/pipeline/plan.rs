//! The plan: how fast, how long, until when; resolved from the options and what phase one found,
//! and printed before the first tweet leaves.

use std::fmt::Write;
use std::time::Duration;

use indicatif::{HumanBytes, HumanCount};
use jiff::{Timestamp, ZonedDateTime};

use super::prepare::Prepared;
use super::{DEFAULT_INTERVAL, Pace, ReplayOptions};
use crate::pace::{Order, Schedule, Speed};
use crate::report::{Endpoints, seconds};
use crate::source::TweetFile;

/// A schedule with the words for it.
pub(super) struct Plan {
    pub schedule: Schedule,
    /// What was asked for, in the words of the flag.
    pub asked: String,
    /// How many tweets; `None` in file order, where nobody has counted.
    pub tweets: Option<u64>,
    /// First to last intended send; `None` at full speed, or when it is not known.
    pub duration: Option<Duration>,
}

impl Plan {
    /// The plan for what phase one found.
    pub fn new(options: &ReplayOptions, prepared: &Prepared) -> Self {
        let tweets = prepared.tweets();
        let (first_ms, last_ms) = prepared.times_ms.unwrap_or((0, 0));
        let even = |factor: f64| {
            let interval = options.interval.unwrap_or(DEFAULT_INTERVAL);
            let words = format!("{} between two tweets / {factor}", seconds(interval.as_secs_f64()));
            (Speed::PerSecond(factor / interval.as_secs_f64()), words)
        };
        let (speed, asked) = match options.pace {
            Pace::Max => (Speed::Max, "max".to_owned()),
            Pace::Rate(rate) => (Speed::PerSecond(rate), format!("{rate}/s")),
            Pace::Speedup(factor) if options.interval.is_some() || prepared.times_ms.is_none() => {
                even(factor)
            }
            Pace::Speedup(factor) => (Speed::Factor(factor), format!("{factor}x")),
            Pace::Fit(target) => {
                let span = Duration::from_millis(last_ms.saturating_sub(first_ms).unsigned_abs());
                let words = format!("fit {}", seconds(target.as_secs_f64()));
                (Speed::to_fit(target, span, tweets.unwrap_or(0)), words)
            }
        };
        let schedule = Schedule { speed, first_event_time_ms: first_ms };
        let duration = tweets.and_then(|tweets| schedule.duration(tweets, last_ms));
        Self { schedule, asked, tweets, duration }
    }

    /// Tweets a second that the plan asks for; `None` at full speed or when it is not known.
    pub fn rate_per_s(&self) -> Option<f64> {
        match self.schedule.speed {
            Speed::Max => None,
            Speed::PerSecond(rate) => Some(rate),
            Speed::Factor(_) => {
                let seconds = self.duration?.as_secs_f64();
                (seconds > 0.0).then(|| self.tweets.unwrap_or(0) as f64 / seconds)
            }
        }
    }

    /// The plan in words, with what to type to watch it.
    pub fn words(
        &self,
        options: &ReplayOptions,
        file: &TweetFile,
        prepared: &Prepared,
        ends: &Endpoints,
        run: &str,
    ) -> String {
        let mut out = String::new();
        let _ = self.write_words(options, file, prepared, ends, run, &mut out);
        out
    }

    fn write_words(
        &self,
        options: &ReplayOptions,
        file: &TweetFile,
        prepared: &Prepared,
        ends: &Endpoints,
        run: &str,
        out: &mut String,
    ) -> std::fmt::Result {
        writeln!(out, "tweetblast {run}\n")?;
        let form = file.framing().name();
        let size = HumanBytes(file.bytes().len() as u64);
        write!(out, "  input      {}: {form}, {size}", file.path().display())?;
        if let Some(tweets) = prepared.tweets() {
            write!(out, ", {} tweets to send", HumanCount(tweets))?;
        }
        writeln!(out)?;
        match prepared.times_ms {
            Some((first_ms, last_ms)) if prepared.tweets().is_some() => {
                let span = seconds(last_ms.saturating_sub(first_ms) as f64 / 1_000.0);
                let found = prepared.found.map_or("", |found| found.name());
                writeln!(
                    out,
                    "  times      {} to {}, {span}, {found}",
                    iso_seconds(first_ms),
                    iso_seconds(last_ms)
                )?;
            }
            Some((first_ms, _)) => {
                writeln!(out, "  times      from {}, in the file's order", iso_seconds(first_ms))?
            }
            None => {
                writeln!(out, "  times      none in the file: spaced evenly (--interval or --rate sets how)")?
            }
        }
        let order = order_name(prepared.order);
        match (self.duration, self.rate_per_s()) {
            (Some(duration), rate) => {
                let end = ZonedDateTime::now()
                    .checked_add(jiff::SignedDuration::try_from(duration).unwrap_or_default());
                let end =
                    end.map_or(String::new(), |end| format!(", until {}", end.strftime("%Y-%m-%d %H:%M:%S")));
                let rate = rate.map_or(String::new(), |rate| format!(" at {}/s", short(rate)));
                writeln!(
                    out,
                    "  plan       {}, {order}: {}{rate}{end}",
                    self.asked,
                    seconds(duration.as_secs_f64())
                )?;
            }
            (None, Some(rate)) => writeln!(out, "  plan       {}, {order}: {}/s", self.asked, short(rate))?,
            (None, None) => writeln!(out, "  plan       {}, {order}", self.asked)?,
        }
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
        let kind = if ends.kafka_embedded { " (embedded)" } else { "" };
        let hold = if ends.kafka_embedded { "  (--hold keeps it up after the replay)" } else { "" };
        let topic = &ends.kafka_topic;
        writeln!(
            out,
            "  kafka      {}{kind}  read:  kcat -b {} -t {topic} -C -e{hold}",
            ends.kafka, ends.kafka
        )?;
        if options.limit.is_some() && self.tweets.is_none() {
            writeln!(out, "  limit      {} tweets", HumanCount(options.limit.unwrap_or(0)))?;
        }
        writeln!(out)
    }
}

/// Name of an order of sending.
pub(super) fn order_name(order: Order) -> &'static str {
    match order {
        Order::Time => "oldest first",
        Order::File => "in the file's order",
        Order::Shuffle { .. } => "shuffled",
    }
}

/// ISO 8601 with milliseconds, UTC.
pub(super) fn iso_ms(time_ms: i64) -> String {
    let mut text = [0; crate::tweet::TIMESTAMP_BYTES];
    crate::tweet::write_timestamp(time_ms, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

fn iso_seconds(time_ms: i64) -> String {
    Timestamp::from_millisecond(time_ms)
        .map_or_else(|_| iso_ms(time_ms), |time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// A rate as exact as a person wants it.
fn short(rate: f64) -> String {
    if rate < 10.0 { format!("{rate:.2}") } else { HumanCount(rate.round() as u64).to_string() }
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
