//! The numbers of a report that thresholds and comparisons speak of: their names, where they are
//! in the JSON, and their units.

use indicatif::HumanCount;
use serde_json::Value;

use super::words::{micros, millis, rate, seconds};

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
    metric("queryable_after", "/druid/queryable_after_s", Unit::Seconds),
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
        let place: Vec<&str> = self.pointer.split('/').skip(1).collect();
        match &place[..] {
            ["pace", "lag_ms", ..] => "lag is not measured at --speedup max".to_owned(),
            ["pace", "rate_per_s"] => "one tweet, or none, has no rate".to_owned(),
            ["druid", ..] | ["ledger", "queryable"] if has_druid => {
                format!("{what} is not measured: Druid counted no rows")
            }
            ["druid", ..] | ["ledger", "queryable"] => {
                format!("{what} is not measured: there is no Druid (--druid)")
            }
            ["hops", "mqtt", ..] | ["ledger", ..] => format!("{what} is not measured with --mqtt off"),
            ["hops", _, "acked_ms", ..] => "no tweet was acknowledged".to_owned(),
            ["hops", ..] | ["cpu", ..] => format!("{what} is not measured: no tweet was sent"),
            _ => format!("{what} is not measured: this system does not tell"),
        }
    }
}

/// Times and how many microseconds they are. The second of each spelling of µ is the Greek letter.
const TIMES: [(&str, f64); 9] = [
    ("ns", 1e-3),
    ("us", 1.0),
    ("µs", 1.0),
    ("μs", 1.0),
    ("ms", 1e3),
    ("min", 60e6),
    ("s", 1e6),
    ("m", 60e6),
    ("h", 3_600e6),
];

const SIZES: [(&str, f64); 3] = [("KiB", 1.0 / 1_024.0), ("MiB", 1.0), ("GiB", 1_024.0)];

const RATES: [(&str, f64); 6] =
    [("/s", 1.0), ("/sec", 1.0), ("/m", 1.0 / 60.0), ("/min", 1.0 / 60.0), ("/h", 1.0 / 3_600.0), ("", 1.0)];

impl Unit {
    /// A number in this unit, from words such as `500ms`, `900/s` or `150MiB`.
    ///
    /// # Errors
    /// With what it should look like.
    pub fn parse(self, text: &str) -> Result<f64, String> {
        let (units, per_unit): (&[(&str, f64)], f64) = match self {
            Unit::Count => (&[("", 1.0)], 1.0),
            Unit::PerSecond => (&RATES, 1.0),
            Unit::Seconds => (&TIMES, 1e6),
            Unit::Millis => (&TIMES, 1e3),
            Unit::Micros => (&TIMES, 1.0),
            Unit::Mib => (&SIZES, 1.0),
        };
        let split = units.iter().find_map(|(name, size)| Some((text.strip_suffix(name)?, *size)));
        let parsed = match split {
            Some((number, size)) => number.trim_end().parse::<f64>().ok().map(|n| n * (size / per_unit)),
            // Nothing is nothing in any unit.
            None => text.parse::<f64>().ok().filter(|number| *number == 0.0),
        };
        parsed.filter(|number| number.is_finite() && *number >= 0.0).ok_or_else(|| {
            let like = match self {
                Unit::Count => "a number such as 100",
                Unit::PerSecond => "a rate such as 900/s, 300/m or 20/h",
                Unit::Seconds => "a time such as 90s or 5m",
                Unit::Millis => "a time such as 500ms or 2s",
                Unit::Micros => "a time such as 5us",
                Unit::Mib => "a size such as 150MiB or 1GiB",
            };
            format!("{text:?} should be {like}")
        })
    }

    /// A number in words.
    pub fn words(self, value: f64) -> String {
        match self {
            Unit::Count => HumanCount(value as u64).to_string(),
            Unit::PerSecond => rate(value),
            Unit::Seconds => seconds(value),
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
        assert_eq!(Unit::Count.parse("6000"), Ok(6_000.0));
        for (unit, wrong) in [
            (Unit::Millis, "500"),
            (Unit::Millis, "ms"),
            (Unit::PerSecond, "900/d"),
            (Unit::PerSecond, "-1/s"),
            (Unit::Mib, "150MB"),
            (Unit::Count, "5ms"),
            (Unit::Count, "NaN"),
            (Unit::Seconds, "infs"),
        ] {
            assert!(unit.parse(wrong).unwrap_err().contains("such as"), "{wrong}");
        }
    }
}
