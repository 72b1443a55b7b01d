//! The numbers of a report that thresholds and comparisons speak of: their names, where they are
//! in the JSON, and their units.

use indicatif::HumanCount;
use serde_json::Value;

use super::Noun;
use super::quantity::{bytes, number, per_second, seconds};
use super::words::{self, micros, millis, rate};

/// One number of a report.
#[derive(Debug, PartialEq, Eq)]
pub struct Metric {
    /// Name in a threshold and in a comparison.
    pub name: &'static str,
    /// Where the JSON report has it.
    pub pointer: &'static str,
    /// In which unit.
    pub unit: Unit,
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Tweets, or other things.
    Count,
    /// Tweets per second.
    PerSecond,
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Millis,
    /// Microseconds.
    Micros,
    /// MiB.
    Mib,
}

const fn metric(name: &'static str, pointer: &'static str, unit: Unit) -> Metric {
    Metric { name, pointer, unit }
}

/// All of them, in the order in which they are shown.
pub const METRICS: &[Metric] = &[
    metric("rate", "/pace/rate_per_s", Unit::PerSecond),
    metric("duration", "/pace/duration_s", Unit::Seconds),
    metric("delivered_after", "/pace/delivered_after_s", Unit::Seconds),
    metric("lag.p50", "/pace/lag_ms/p50", Unit::Millis),
    metric("lag.p90", "/pace/lag_ms/p90", Unit::Millis),
    metric("lag.p99", "/pace/lag_ms/p99", Unit::Millis),
    metric("lag.p999", "/pace/lag_ms/p999", Unit::Millis),
    metric("lag.max", "/pace/lag_ms/max", Unit::Millis),
    metric("acked.p50", "/hops/kafka/acked_ms/p50", Unit::Millis),
    metric("acked.p90", "/hops/kafka/acked_ms/p90", Unit::Millis),
    metric("acked.p99", "/hops/kafka/acked_ms/p99", Unit::Millis),
    metric("acked.p999", "/hops/kafka/acked_ms/p999", Unit::Millis),
    metric("acked.max", "/hops/kafka/acked_ms/max", Unit::Millis),
    metric("queryable.p50", "/druid/time_to_queryable_ms/p50", Unit::Millis),
    metric("queryable.p90", "/druid/time_to_queryable_ms/p90", Unit::Millis),
    metric("queryable.p99", "/druid/time_to_queryable_ms/p99", Unit::Millis),
    metric("queryable.p999", "/druid/time_to_queryable_ms/p999", Unit::Millis),
    metric("queryable.max", "/druid/time_to_queryable_ms/max", Unit::Millis),
    metric("queryable.error", "/druid/poll_gap_ms", Unit::Millis),
    metric("acked_to_queryable.p50", "/druid/acked_to_queryable_ms/p50", Unit::Millis),
    metric("acked_to_queryable.p99", "/druid/acked_to_queryable_ms/p99", Unit::Millis),
    metric("queryable_after", "/druid/queryable_after_s", Unit::Seconds),
    metric("durable_after", "/druid/durable_after_s", Unit::Seconds),
    metric("query.p50", "/druid/query_load/took_ms/p50", Unit::Millis),
    metric("query.p99", "/druid/query_load/took_ms/p99", Unit::Millis),
    metric("rows", "/druid/rows_per_s", Unit::PerSecond),
    metric("cpu", "/cpu/us_per_tweet", Unit::Micros),
    metric("cpu.feed", "/hops/feed/cpu_us_per_tweet", Unit::Micros),
    metric("cpu.pace", "/hops/pace/cpu_us_per_tweet", Unit::Micros),
    metric("cpu.mqtt", "/hops/mqtt/cpu_us_per_tweet", Unit::Micros),
    metric("cpu.kafka", "/hops/kafka/cpu_us_per_tweet", Unit::Micros),
    metric("blocked.feed", "/hops/feed/blocked_s", Unit::Seconds),
    metric("blocked.pace", "/hops/pace/blocked_s", Unit::Seconds),
    metric("blocked.mqtt", "/hops/mqtt/blocked_s", Unit::Seconds),
    metric("blocked.kafka", "/hops/kafka/blocked_s", Unit::Seconds),
    metric("memory", "/memory/own_mib", Unit::Mib),
    metric("memory.resident", "/memory/resident_mib", Unit::Mib),
    metric("tweets", "/ledger/tweets", Unit::Count),
    metric("rejects", "/ledger/rejects", Unit::Count),
    metric("unparseable", "/ledger/unparseable", Unit::Count),
    metric("skipped", "/ledger/skipped", Unit::Count),
    metric("published", "/ledger/published", Unit::Count),
    metric("received", "/ledger/received", Unit::Count),
    metric("mqtt_lost", "/ledger/mqtt_lost", Unit::Count),
    metric("duplicates", "/ledger/duplicates", Unit::Count),
    metric("foreign", "/ledger/foreign", Unit::Count),
    metric("foreign_lost", "/ledger/foreign_lost", Unit::Count),
    metric("delivered", "/ledger/delivered", Unit::Count),
    metric("failed", "/ledger/failed", Unit::Count),
    metric("queryable", "/ledger/queryable", Unit::Count),
];

impl Metric {
    /// The one of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        METRICS.iter().find(|metric| metric.name == name)
    }

    /// Its value in a report; `None` where it was not measured.
    pub fn of(&self, report: &Value) -> Option<f64> {
        report.pointer(self.pointer)?.as_f64()
    }

    /// Why a report has no value for it.
    pub fn why_not_measured(&self, report: &Value) -> String {
        let (what, has_druid) = (self.name, !report["druid"].is_null());
        let noun = Noun::of_report(report);
        let place: Vec<&str> = self.pointer.split('/').skip(1).collect();
        match &place[..] {
            ["pace", "lag_ms", ..] => "lag is not measured at --speedup max".to_owned(),
            ["pace", "rate_per_s"] => noun.of("one tweet, or none, has no rate"),
            ["druid", ..] | ["ledger", "queryable"] if has_druid => {
                format!("{what} is not measured: Druid counted no rows")
            }
            ["druid", ..] | ["ledger", "queryable"] => {
                format!("{what} is not measured: there is no Druid (--druid)")
            }
            ["hops", "mqtt", ..] | ["ledger", ..] => format!("{what} is not measured with --mqtt off"),
            ["hops", _, "acked_ms", ..] => noun.of("no tweet was acknowledged"),
            ["hops", ..] | ["cpu", ..] => {
                format!("{what} is not measured: {}", noun.of("no tweet was sent"))
            }
            _ => format!("{what} is not measured: this system does not tell"),
        }
    }
}

impl Unit {
    /// A number in this unit, from words such as `500ms`, `5k/s` or `150MiB`.
    ///
    /// # Errors
    /// With what it should look like.
    pub fn parse(self, text: &str) -> Result<f64, String> {
        let (parsed, like) = match self {
            Unit::Count => (number(text), "a number such as 100 or 5k"),
            Unit::PerSecond => (per_second(text), "a rate such as 900/s, 5k/s or 300/min"),
            Unit::Seconds => (seconds(text), "a time such as 90s or 5m"),
            Unit::Millis => (seconds(text).map(|s| s * 1e3), "a time such as 500ms or 2s"),
            Unit::Micros => (seconds(text).map(|s| s * 1e6), "a time such as 5us or 1ms"),
            Unit::Mib => {
                (bytes(text).map(|bytes| bytes / f64::from(1 << 20)), "a size such as 150MiB or 1GiB")
            }
        };
        let parsed = parsed.ok_or_else(|| format!("{text:?} must be {like}"))?;
        let unit = match self {
            Unit::Millis => "ms",
            Unit::Micros => "us",
            Unit::Mib => "MiB",
            _ => return Ok(parsed),
        };
        // In these a number alone could be taken for another unit; nothing is nothing in any.
        match parsed != 0.0 && text.ends_with(|last: char| last.is_ascii_digit()) {
            true => Err(format!("{text} needs a unit: {text}{unit}")),
            false => Ok(parsed),
        }
    }

    /// A number in words.
    pub fn words(self, value: f64) -> String {
        match self {
            Unit::Count => HumanCount(value as u64).to_string(),
            Unit::PerSecond => rate(value),
            Unit::Seconds => words::seconds(value),
            Unit::Millis => millis(value),
            Unit::Micros => micros(value),
            Unit::Mib => format!("{value:.1} MiB"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_metric_is_a_number_in_the_schema_of_the_report() {
        let schema: Value = serde_json::from_str(include_str!("../../docs/report.schema.json")).unwrap();
        for metric in METRICS {
            let mut place = &schema;
            for key in metric.pointer.split('/').skip(1) {
                place = resolved(&schema, &place["properties"][key]);
            }
            let types = place["type"].to_string();
            assert!(types.contains("number") || types.contains("integer"), "{metric:?}: {place}");
            assert_eq!(Metric::named(metric.name), Some(metric), "a name of two metrics");
        }
    }

    /// Follows a reference, also one that may be null.
    fn resolved<'a>(schema: &'a Value, place: &'a Value) -> &'a Value {
        let place = place.pointer("/anyOf/0").unwrap_or(place);
        let pointer = place["$ref"].as_str().and_then(|pointer| pointer.strip_prefix('#'));
        pointer.map_or(place, |pointer| schema.pointer(pointer).unwrap())
    }

    #[test]
    fn numbers_come_with_the_units_that_people_write() {
        assert_eq!(Unit::Millis.parse("500ms"), Ok(500.0));
        assert_eq!(Unit::Millis.parse("2s"), Ok(2_000.0));
        assert_eq!(Unit::Millis.parse("250us"), Ok(0.25));
        assert_eq!(Unit::Micros.parse("5µs"), Ok(5.0));
        assert_eq!(Unit::Micros.parse("0"), Ok(0.0));
        assert_eq!(Unit::Seconds.parse("1.5 min"), Ok(90.0));
        assert_eq!(Unit::PerSecond.parse("300/m"), Ok(5.0));
        assert_eq!(Unit::PerSecond.parse("900"), Ok(900.0));
        assert_eq!(Unit::Mib.parse("1GiB"), Ok(1_024.0));
        assert_eq!(Unit::Mib.parse("1M"), Ok(1.0));
        assert_eq!(Unit::Count.parse("6,000"), Ok(6_000.0));
        assert_eq!(Unit::PerSecond.parse("5k/s"), Ok(5_000.0));
        assert_eq!(Unit::Millis.parse("5"), Err("5 needs a unit: 5ms".to_owned()));
        assert_eq!(Unit::Mib.parse("150"), Err("150 needs a unit: 150MiB".to_owned()));
        for (unit, wrong) in [
            (Unit::Millis, "ms"),
            (Unit::PerSecond, "900/y"),
            (Unit::PerSecond, "-1/s"),
            (Unit::Mib, "150 miles"),
            (Unit::Count, "5ms"),
            (Unit::Count, "NaN"),
            (Unit::Seconds, "infs"),
        ] {
            assert!(unit.parse(wrong).unwrap_err().contains("such as"), "{wrong}");
        }
    }
}
