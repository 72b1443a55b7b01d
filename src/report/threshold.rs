//! Thresholds: what a run must not do, such as `lag.p99>500ms`. One that is crossed gives the
//! process an exit code of its own, and so does one whose number was not measured.

use std::str::FromStr;

use serde::Serialize;

use super::metric::{METRICS, Metric};
use super::similar::similar;

/// A number, a limit, and which side of it is wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    expression: String,
    metric: &'static Metric,
    operator: Operator,
    /// In the unit of the metric.
    limit: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    AtLeast,
    AtMost,
    Equal,
    NotEqual,
    Above,
    Below,
}

/// The longer ones first: `>` begins `>=` too.
const OPERATORS: [(&str, Operator); 6] = [
    (">=", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    (">", Operator::Above),
    ("<", Operator::Below),
];

/// What became of one threshold.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ThresholdReport {
    /// As it was given.
    pub expression: String,
    /// What was measured, in the unit of this report's own key: milliseconds for lag and acked, microseconds
    /// for cpu, seconds, MiB, tweets per second, or a count; null when nothing was.
    pub value: Option<f64>,
    /// Whether the expression is true, or could not be checked.
    pub failed: bool,
    /// Why nothing was measured; null when something was.
    pub not_measured: Option<String>,
    #[serde(skip)]
    metric: &'static Metric,
}

impl FromStr for Threshold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let place = text.find(['<', '>', '=', '!']).unwrap_or(text.len());
        let (name, rest) = text.split_at(place);
        let operator =
            OPERATORS.iter().find_map(|(sign, operator)| Some((rest.strip_prefix(sign)?, *operator)));
        let (limit, operator) =
            operator.ok_or("a threshold looks like lag.p99>500ms, with one of > >= < <= == !=")?;
        let name = name.trim();
        let metric = Metric::named(name).ok_or_else(|| {
            let names: Vec<&str> = METRICS.iter().map(|metric| metric.name).collect();
            match similar(name, names.iter().copied()) {
                Some(meant) => format!("there is no metric {name:?}: did you mean {meant}?"),
                None => format!("there is no metric {name:?}; there are {}", names.join(", ")),
            }
        })?;
        let limit = metric.unit.parse(limit.trim())?;
        Ok(Self { expression: text.trim().to_owned(), metric, operator, limit })
    }
}

impl Threshold {
    pub(super) fn check(&self, report: &serde_json::Value) -> ThresholdReport {
        let value = self.metric.of(report);
        let limit = self.limit;
        let failed = value.is_none_or(|value| match self.operator {
            Operator::AtLeast => value >= limit,
            Operator::AtMost => value <= limit,
            Operator::Equal => value == limit,
            Operator::NotEqual => value != limit,
            Operator::Above => value > limit,
            Operator::Below => value < limit,
        });
        ThresholdReport {
            expression: self.expression.clone(),
            value,
            failed,
            not_measured: value.is_none().then(|| self.metric.why_not_measured(report)),
            metric: self.metric,
        }
    }
}

impl ThresholdReport {
    /// What was measured, in words, or why nothing was.
    pub fn measured(&self) -> String {
        let value = self.value.map(|value| self.metric.unit.words(value));
        value.or_else(|| self.not_measured.clone()).unwrap_or_default()
    }
}

/// The metrics in words, for `--help`.
pub fn metrics_help() -> String {
    let group = |prefix: &str| {
        let names: Vec<&str> = METRICS.iter().filter_map(|metric| metric.name.strip_prefix(prefix)).collect();
        names.join("|")
    };
    let counts: Vec<&str> = METRICS
        .iter()
        .filter(|metric| metric.pointer.starts_with("/ledger/"))
        .map(|metric| metric.name)
        .collect();
    format!(
        "End with exit code 4 if this is true at the end; may be given several times. METRIC OP VALUE, OP one of \
         > >= < <= == !=\n\
         rate: tweets per second, as achieved from the first to the last: rate<900/s\n\
         duration: first to last send: duration>5m\n\
         delivered_after: first send to Kafka's last delivery report\n\
         lag.{}: send - intended send: lag.p99>500ms\n\
         acked.{}: Kafka's delivery report - send: acked.p99>2s\n\
         queryable.{}: counted by Druid - intended send: queryable.p99>30s\n\
         acked_to_queryable.{}: counted by Druid - Kafka's delivery report; durable_after: last row to published segments\n\
         query.{}: how long the queries of --query-load took: query.p99>1s\n\
         queryable_after: first send to Druid's last row; rows: rows per second that Druid took\n\
         cpu, cpu.{}: CPU time per tweet, of all or of one hop: cpu>5us\n\
         blocked.{}: time a hop was blocked by the next: blocked.kafka>1s\n\
         memory, memory.resident: without and with the mapped file: memory>150MiB\n\
         {}: counts of the ledger: failed>0\n\
         What a run does not measure (lag at full speed, the rate of one tweet, received without MQTT, queryable without Druid) counts as failed: the run says why it was skipped.",
        group("lag."),
        group("acked."),
        group("queryable."),
        group("acked_to_queryable."),
        group("query."),
        group("cpu."),
        group("blocked."),
        counts.join(", "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(expression: &str) -> ThresholdReport {
        let report = json!({
            "pace": {"rate_per_s": 900.0, "lag_ms": null},
            "hops": {"kafka": {"acked_ms": {"p99": 2_000.5}}},
            "ledger": {"failed": 0, "delivered": 6_000},
        });
        expression.parse::<Threshold>().unwrap().check(&report)
    }

    fn failed(expression: &str) -> bool {
        check(expression).failed
    }

    #[test]
    fn a_threshold_is_crossed_when_its_words_are_true() {
        for expression in ["acked.p99>2s", "rate<=900/s", "rate >= 54000/m", "failed==0", "delivered != 5"] {
            assert!(failed(expression), "{expression}");
        }
        for expression in ["acked.p99<2s", "rate<900/s", "rate>900/s", "failed>0", "delivered!=6000"] {
            assert!(!failed(expression), "{expression}");
        }
    }

    #[test]
    fn what_was_not_measured_does_not_pass_and_says_why() {
        for (expression, why) in [
            ("lag.p99>0", "lag is not measured at --speedup max"),
            ("lag.p99<1h", "--speedup max"),
            ("memory>0", "this system does not tell"),
            ("received<1", "--mqtt off"),
            ("queryable.p99>5s", "there is no Druid"),
        ] {
            let checked = check(expression);
            assert!(checked.failed && checked.measured().contains(why), "{expression}: {checked:?}");
        }
        assert_eq!(check("failed>0").not_measured, None);
    }

    #[test]
    fn nonsense_is_told_what_it_should_look_like() {
        for (wrong, words) in [
            ("lagg.p99>500ms", "did you mean lag.p99?"),
            ("Rate<5/s", "did you mean rate?"),
            ("errors>0", "unparseable, "),
            ("lag.p99", "one of >"),
            ("lag.p99=5ms", "one of >"),
            ("lag.p99>500", "500ms"),
            (">5", "no metric \"\""),
            ("", "looks like"),
            ("rate<", "900/s"),
            ("failed>>0", "a number"),
        ] {
            let error = wrong.parse::<Threshold>().unwrap_err();
            assert!(error.contains(words), "{wrong}: {error}");
        }
    }

    #[test]
    fn the_help_names_every_metric() {
        let help = metrics_help();
        for metric in METRICS {
            let last = metric.name.rsplit('.').next().unwrap();
            assert!(help.contains(last), "{} is missing", metric.name);
        }
    }
}
