//! Two saved reports side by side, as JSON.

use serde::Serialize;

use super::compare::{SavedReport, not_comparable};
use super::metric::METRICS;

/// What `compare` says, for a program.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Comparison {
    pub a: ComparedRun,
    pub b: ComparedRun,
    /// Numbers that at least one of the two has, in the order in which the page has them.
    pub metrics: Vec<ComparedMetric>,
    /// Whether nothing but what was measured differs.
    pub comparable: bool,
    /// What else differs.
    pub differences: Vec<String>,
}

/// Which report it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ComparedRun {
    /// As it was named.
    pub file: String,
    /// Run id.
    pub run: String,
    /// What the user called it; null when it has no label.
    pub label: Option<String>,
}

/// One number of both.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ComparedMetric {
    /// As in --fail-if.
    pub name: &'static str,
    /// In the unit of the report's own key; null when it was not measured.
    pub a: Option<f64>,
    pub b: Option<f64>,
    /// From a to b, in percent of a; null without both, and when a is 0.
    pub change_percent: Option<f64>,
}

impl Comparison {
    /// Of two reports.
    pub fn of(a: &SavedReport, b: &SavedReport) -> Self {
        let metrics = METRICS.iter().filter_map(|metric| {
            let [a, b] = [a, b].map(|report| metric.of(&report.json));
            let change = a.zip(b).filter(|(a, _)| *a != 0.0).map(|(a, b)| (b - a) / a * 100.0);
            let compared = ComparedMetric { name: metric.name, a, b, change_percent: change };
            (a.is_some() || b.is_some()).then_some(compared)
        });
        let differences = not_comparable(a, b);
        Self {
            a: ComparedRun::of(a),
            b: ComparedRun::of(b),
            metrics: metrics.collect(),
            comparable: differences.is_empty(),
            differences,
        }
    }
}

impl ComparedRun {
    fn of(report: &SavedReport) -> Self {
        let text = |key: &str| report.json[key].as_str().map(str::to_owned);
        Self { file: report.name.clone(), run: text("run").unwrap_or_default(), label: text("label") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::REPORT_VERSION;
    use serde_json::json;

    #[test]
    fn changes_are_in_percent_of_the_first() {
        let report = |name: &str, failed: u32| {
            let json = json!({"report_version": REPORT_VERSION, "run": name, "pace": {}, "ledger": {"failed": failed}});
            SavedReport::read(name, json.to_string().as_bytes()).unwrap()
        };
        let compared = Comparison::of(&report("x", 4), &report("y", 5));
        let failed =
            ComparedMetric { name: "failed", a: Some(4.0), b: Some(5.0), change_percent: Some(25.0) };
        assert_eq!(compared.metrics, [failed]);
        assert_eq!((&*compared.a.file, &*compared.b.run, compared.b.label), ("x", "y", None));
        assert!(!compared.comparable && compared.differences.iter().any(|words| words.contains("input")));
        let from_nothing = Comparison::of(&report("x", 0), &report("y", 5));
        assert_eq!(from_nothing.metrics[0].change_percent, None);
    }
}
