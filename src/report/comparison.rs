//! Saved reports side by side, as values and as JSON.

use serde::Serialize;

use super::change_threshold::{ChangeThreshold, ChangeThresholdReport};
use super::compare::{SavedReport, not_comparable, too_short};
use super::difference::{Sides, mean};
use super::metric::{METRICS, Metric};

/// What `compare` says, for a program.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Comparison {
    /// The first run of side A.
    pub a: ComparedRun,
    /// The first run of side B.
    pub b: ComparedRun,
    /// All runs of side A.
    pub a_runs: Vec<ComparedRun>,
    /// All runs of side B.
    pub b_runs: Vec<ComparedRun>,
    /// Numbers that at least one run has, in the order in which the page has them.
    pub metrics: Vec<ComparedMetric>,
    /// Whether nothing but what was measured differs.
    pub comparable: bool,
    /// What else differs.
    pub differences: Vec<String>,
    /// Runs that are too short to say much, with why.
    pub too_short: Vec<String>,
    /// What became of each --fail-if, in the order given.
    pub thresholds: Vec<ChangeThresholdReport>,
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

/// One number of both sides.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ComparedMetric {
    /// As in --fail-if.
    pub name: &'static str,
    /// The mean of the runs, in the unit of the report's own key; null when it was not measured.
    pub a: Option<f64>,
    pub b: Option<f64>,
    /// From a to b, in percent of a; null without both, and when a is 0.
    pub change_percent: Option<f64>,
    /// The change lies between these, of all numbers together in 95 of 100 comparisons; null with one run on a
    /// side.
    pub low_percent: Option<f64>,
    pub high_percent: Option<f64>,
    /// Whether it is a change: past the interval, and above 2.5 %; null with one run on a side.
    pub beyond_noise: Option<bool>,
    #[serde(skip)]
    pub(super) metric: &'static Metric,
}

impl Comparison {
    /// Of the reports of two sides; each has at least one.
    pub fn of(a: &[SavedReport], b: &[SavedReport], fail_if: &[ChangeThreshold]) -> Self {
        let values = |side: &[SavedReport], metric: &Metric| -> Vec<f64> {
            side.iter().filter_map(|report| metric.of(&report.json)).collect()
        };
        let sides: Vec<(&'static Metric, Sides)> = METRICS
            .iter()
            .map(|metric| (metric, Sides { a: values(a, metric), b: values(b, metric) }))
            .filter(|(_, sides)| !(sides.a.is_empty() && sides.b.is_empty()))
            .collect();
        let varying = sides.iter().filter(|(_, sides)| sides.varies()).count();
        let metrics: Vec<ComparedMetric> =
            sides.iter().map(|(metric, sides)| ComparedMetric::of(metric, sides, varying)).collect();
        let found = |name: &str| {
            let metric = metrics.iter().find(|metric| metric.name == name);
            metric.map_or((None, None), |metric| (metric.change_percent, metric.beyond_noise))
        };
        let differences = not_comparable(a, b);
        let runs = |side: &[SavedReport]| side.iter().map(ComparedRun::of).collect::<Vec<_>>();
        let (a_runs, b_runs) = (runs(a), runs(b));
        let first = |runs: &[ComparedRun]| runs.first().cloned().unwrap_or_else(ComparedRun::none);
        Self {
            a: first(&a_runs),
            b: first(&b_runs),
            thresholds: fail_if.iter().map(|threshold| threshold.check(found)).collect(),
            a_runs,
            b_runs,
            metrics,
            comparable: differences.is_empty(),
            differences,
            too_short: too_short(a, b),
        }
    }

    /// Whether noise is known: several runs on each side.
    pub fn has_intervals(&self) -> bool {
        self.a_runs.len() > 1 && self.b_runs.len() > 1
    }

    /// Whether a threshold was crossed, or could not be checked.
    pub fn fails(&self) -> bool {
        self.thresholds.iter().any(|threshold| threshold.failed)
    }
}

impl ComparedMetric {
    fn of(metric: &'static Metric, sides: &Sides, varying: usize) -> Self {
        let difference = sides.difference(varying);
        let (low, high) = difference.and_then(|difference| difference.interval).unzip();
        Self {
            name: metric.name,
            a: mean(&sides.a),
            b: mean(&sides.b),
            change_percent: difference.map(|difference| difference.percent),
            low_percent: low,
            high_percent: high,
            beyond_noise: difference.and_then(|difference| difference.is_beyond_noise()),
            metric,
        }
    }
}

impl ComparedRun {
    fn of(report: &SavedReport) -> Self {
        let text = |key: &str| report.json[key].as_str().map(str::to_owned);
        Self { file: report.name.clone(), run: text("run").unwrap_or_default(), label: text("label") }
    }

    fn none() -> Self {
        Self { file: String::new(), run: String::new(), label: None }
    }
}

#[cfg(test)]
#[path = "comparison_tests.rs"]
mod tests;
